"""What is learned about a tier's log-probabilities, by many requests at once."""

import pickle
import threading
from copy import deepcopy

import pytest

from cascade_core.tier import RETRIED_AFTER, SILENT_ANSWERS, LogprobMemory, Tier


@pytest.mark.parametrize(("known", "asked", "absent"), [(None, 1, 0), (True, 1, 0), (False, 0, 1)])
def test_what_is_known_from_the_start_decides_whether_to_ask(known, asked, absent):
    memory = LogprobMemory(known)
    assert (memory.asked, memory.absent) == (asked, absent)


def test_a_refusal_is_remembered():
    memory = LogprobMemory(known=True)
    memory.refuse()
    assert not memory.asked
    assert memory.absent


def test_only_silence_in_a_row_counts_and_the_tier_is_asked_on():
    memory = LogprobMemory()
    for given in (False, False, True, False, False):
        memory.saw(given)
    assert not memory.absent
    memory.saw(False)
    assert memory.absent
    assert memory.asked, "somebody else's signal may still want to try"


CLEAR = Exception("bad request: logprobs is not supported")
VAGUE = Exception("{'model': 'm', 'logprobs': True} is no good")
NAMED = Exception("no")
NAMED.param = "logprobs"  # type: ignore[attr-defined]


def test_a_refusal_is_concluded_from_what_is_said_and_from_what_works_without():
    for error, answers_without, refused in [
        (CLEAR, True, True),
        (CLEAR, False, False),
        (VAGUE, True, False),
        (VAGUE, False, False),
        (NAMED, False, True),
    ]:
        memory = LogprobMemory()
        memory.failed_with(error, answers_without=answers_without)
        assert memory.refused == refused


def test_failures_that_only_mention_logprobs_count_in_a_row():
    memory = LogprobMemory()
    memory.failed_with(VAGUE, answers_without=True)
    memory.gave_answer()
    memory.failed_with(VAGUE, answers_without=True)
    assert not memory.refused
    memory.failed_with(VAGUE, answers_without=True)
    assert memory.refused


@pytest.mark.parametrize("silent", [False, True])
def test_a_tier_that_gives_none_is_tried_again_and_concluded_of_at_once(silent):
    memory = LogprobMemory()
    for _ in range(SILENT_ANSWERS):
        memory.saw(False) if silent else memory.failed_with(CLEAR, answers_without=True)
    assert memory.absent
    assert [memory.retry() for _ in range(RETRIED_AFTER)].index(True) == RETRIED_AFTER - 1
    assert memory.asked
    assert not memory.absent
    memory.saw(False) if silent else memory.failed_with(VAGUE, answers_without=True)
    assert memory.absent


def test_a_tier_that_cannot_give_any_is_never_tried_again():
    memory = LogprobMemory(known=False)
    assert not any(memory.retry() for _ in range(2 * RETRIED_AFTER))


def test_a_copy_knows_what_was_known_from_the_start():
    memory = LogprobMemory(known=True)
    memory.refuse()
    for copied in (deepcopy(memory), pickle.loads(pickle.dumps(memory))):
        assert copied.asked


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("deepseek-r1", True),
        ("DeepSeek-R1-Distill-Qwen-7B", True),
        ("qwen3-235b-a22b-thinking-2507", True),
        ("qwq-32b", True),
        ("gpt-4o-mini", False),
        ("command-r1x", False),
        (None, False),
    ],
)
def test_models_that_think_without_a_mark_are_known_by_their_names_or_learned(model, thinks):
    tier = Tier(0, model)
    assert tier.thinks_unmarked == thinks
    tier.logprobs.saw(True, unmarked=True)
    assert tier.thinks_unmarked


def test_threads_count_every_silent_answer():
    memory = LogprobMemory()
    threads = [threading.Thread(target=memory.saw, args=(False,)) for _ in range(SILENT_ANSWERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memory.absent


def test_a_tier_is_named_by_its_place_and_its_model():
    assert Tier(0, "gpt-4o-mini").label == "tier 0 (gpt-4o-mini)"
    assert Tier(1).label == "tier 1"
    assert "sk-secret" not in repr(Tier(0, native="sk-secret"))
