"""Every provider's shape of log-probabilities, and shapes of none."""

import copy
import math
import pickle
from types import SimpleNamespace

import pytest

from cascade_core.logprobs import read_logprobs

ENTRIES = [
    {
        "token": "Your",
        "logprob": -0.1,
        "bytes": [89],
        "top_logprobs": [
            {"token": "The", "logprob": -2.5, "bytes": None},
            {"token": "Your", "logprob": -0.1, "bytes": [89]},
        ],
    },
    {"token": " order", "logprob": -0.2, "bytes": None, "top_logprobs": []},
]


def as_objects(found):
    """The same as a client's objects."""
    if isinstance(found, dict):
        return SimpleNamespace(**{name: as_objects(value) for name, value in found.items()})
    return [as_objects(each) for each in found] if isinstance(found, list) else found


@pytest.mark.parametrize(
    "payload",
    [
        {"content": ENTRIES, "refusal": None},
        {"content": ENTRIES, "token_logprobs": []},
        ENTRIES,
        tuple(ENTRIES),
        {
            "tokens": ["Your", " order"],
            "token_logprobs": [-0.1, -0.2],
            "top_logprobs": [{"Your": -0.1, "The": -2.5}, None],
            "text_offset": [0, 4],
        },
        {
            "chosen_candidates": [
                {"token": "Your", "log_probability": -0.1},
                {"token": " order", "log_probability": -0.2},
            ],
            "top_candidates": [
                {
                    "candidates": [
                        {"token": "The", "log_probability": -2.5},
                        {"token": "Your", "log_probability": -0.1},
                    ]
                }
            ],
        },
        as_objects({"content": ENTRIES, "refusal": None}),
        as_objects(ENTRIES),
        SimpleNamespace(
            tokens=["Your", " order"],
            token_logprobs=[-0.1, -0.2],
            top_logprobs=[{"Your": -0.1, "The": -2.5}, None],
        ),
        as_objects(
            {
                "chosen_candidates": [
                    {"token": "Your", "log_probability": -0.1},
                    {"token": " order", "log_probability": -0.2},
                ],
                "top_candidates": [
                    {
                        "candidates": [
                            {"token": "The", "log_probability": -2.5},
                            {"token": "Your", "log_probability": -0.1},
                        ]
                    }
                ],
            }
        ),
    ],
    ids=[
        "OpenAI",
        "Groq",
        "Ollama",
        "tuple",
        "legacy completions",
        "Google",
        "OpenAI's objects",
        "a list of objects",
        "legacy completions' object",
        "Google's objects",
    ],
)
def test_every_provider_comes_to_the_same(payload):
    read = read_logprobs(payload)
    assert list(read.values) == [-0.1, -0.2]
    assert read.alternatives(0) == [("Your", -0.1), ("The", -2.5)]
    assert read.alternatives(1) == []
    assert read.alternatives(2) == []
    assert [entry["token"] for entry in read.entries] == ["Your", " order"]


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        {"content": None},
        {"content": []},
        {"content": None, "refusal": ENTRIES},
        {"token_logprobs": []},
        {"token_logprobs": [None]},
        {"token_logprobs": 5},
        {"chosen_candidates": []},
        {"chosen_candidates": None, "top_candidates": None},
        SimpleNamespace(content=None, refusal=as_objects(ENTRIES)),
        {"content": "text"},
        {"content": {"token": "a", "logprob": -1}},
        "text",
        5,
        Exception(),
    ],
    ids=repr,
)
def test_what_holds_none_reads_as_none(payload):
    assert read_logprobs(payload) is None


def test_an_openai_refusal_gives_no_reading_although_its_refusal_tokens_are_listed():
    payload = {"content": None, "refusal": [{"token": "I", "logprob": -0.0, "top_logprobs": []}]}
    assert read_logprobs(payload) is None


@pytest.mark.parametrize(
    "entry",
    [
        None,
        -0.1,
        "text",
        {},
        {"token": "a"},
        {"token": "a", "logprob": None},
        {"token": "a", "logprob": "?"},
        {"token": "a", "logprob": 10**400},
        [ENTRIES[0]],
    ],
    ids=repr,
)
def test_a_broken_entry_becomes_nan_and_the_others_keep_their_places(entry):
    read = read_logprobs([entry, ENTRIES[0]])
    assert math.isnan(read.values[0])
    assert read.values[1] == -0.1
    assert read.alternatives(1) == [("Your", -0.1), ("The", -2.5)]
    assert len(read) == len(read.entries) == 2


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"tokens": None, "top_logprobs": None},
        {"tokens": ["a"], "top_logprobs": [["a"]]},
        {"tokens": 5, "top_logprobs": {"a": -1}},
    ],
    ids=repr,
)
def test_legacy_columns_that_are_short_or_broken_lose_no_token(extra):
    read = read_logprobs({"token_logprobs": [-0.1, -0.2, -0.3], **extra})
    assert list(read.values) == [-0.1, -0.2, -0.3]
    assert read.alternatives(0) == []


def test_an_echoed_prompts_first_token_has_no_probability_and_is_left_out():
    read = read_logprobs({"tokens": ["a", "b"], "token_logprobs": [None, -0.5]})
    assert list(read.values) == [-0.5]
    assert read.entries[0]["token"] == "b"


def test_entries_of_objects_are_made_once_and_survive_copies():
    read = read_logprobs(as_objects(ENTRIES))
    for copied in (copy.deepcopy(read), pickle.loads(pickle.dumps(read))):
        assert copied.alternatives(0) == [("Your", -0.1), ("The", -2.5)]
    assert read.entries is read.entries
    assert read.entries[1] == {"token": " order", "logprob": -0.2, "top_logprobs": []}


def test_the_repr_shows_no_text():
    assert repr(read_logprobs(ENTRIES)) == "Logprobs(2 tokens)"


@pytest.mark.parametrize("value", [-0.25, 0, 0.0])
def test_a_number_alone_is_that_of_the_token_in_its_chunk(value):
    found = read_logprobs(value, " order")
    assert found.values == [value]
    assert (found.tokens, found.spelled) == ([" order"], " order")


def test_a_number_of_no_text_says_nothing_and_a_truth_value_is_none():
    assert read_logprobs(-0.25) is None
    assert read_logprobs(True, "order") is None
