"""How good an answer is, by every way of telling."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cascade_core.collect.case import Case
from cascade_core.collect.grade import REFERENCE_LABEL, make_grader
from cascade_core.collect.requests import read_requests
from cascade_core.costs.prices import Prices
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.logprobs import read_logprobs
from cascade_core.loop import drivers
from cascade_core.loop.trail import Trail
from cascade_core.request import Request, ToolCall
from tests.core.making import Answer, Models, make_tiers


def verdict(p: float) -> Answer:
    """A judge that is so sure of A."""
    return Answer("A", fields={"logprobs": read_logprobs([_token(p)])})


def _token(p: float) -> dict[str, Any]:
    return {"token": "A", "logprob": math.log(p), "top_logprobs": []}


ASKED = [{"request": "How many?", "reference": "18"}]


def grade(
    quality: Any,
    answers: list[str | Draft | None],
    reference: str | None = "18",
    *,
    judge: Answer | None = None,
) -> list[float | None]:
    asked = [{"request": "How many?", "reference": reference}]
    grader = make_grader(quality, read_requests(asked), "judge model" if judge else None)
    drafts = [Draft(text=a) if isinstance(a, str) else a for a in answers]
    case = Case(
        Request.of("How many?"),
        "How many?",
        reference,
        tuple(zip(make_tiers(len(drafts)), drafts, strict=True)),
        Trail(Prices()),
    )
    models = Models(others={"judge model": judge})
    found, _ = drivers.play(grader.grade(case), models)
    return [grade.quality for grade in found]


@pytest.mark.parametrize(
    ("quality", "reference", "right", "wrong"),
    [
        ("exact", "18", " 18\n", "18."),
        ("numeric", "18", "That makes $18.00", "That makes 19"),
        ("numeric", "1234.5", "1,234.50 in all", "no number"),
        ("normalised", "The cat", "cat!", "a dog"),
        ("json", '{"a": 1, "b": [2]}', '```json\n{"b": [2.0], "a": 1}\n```', '{"a": 1}'),
        ("json", "true", "true", "1"),
        ("contains", "Paris", "It is paris, of course.", "It is Parisian"),
        ("contains", "$18", "So she earns $18 a day", "So she earns 18% a day"),
        ("contains", "New York", "in new  york city", "York is not New"),
    ],
)
def test_a_reference_is_compared_in_the_way_chosen(
    quality: str, reference: str, right: str, wrong: str
) -> None:
    assert grade(quality, [right, wrong, None], reference) == [1.0, 0.0, None]


def test_an_empty_answer_is_wrong_and_not_unknown() -> None:
    for quality in ("exact", "numeric", "normalised", "json", "contains"):
        assert grade(quality, ["", "18"]) == [0.0, 1.0]


def test_what_a_model_only_thought_is_not_its_answer() -> None:
    assert grade("contains", ["<think>18?</think> 17", "18"]) == [0.0, 1.0]


def test_agreement_is_with_the_last_tier_which_is_right_by_definition() -> None:
    assert grade("agreement", ["18", "the answer is 17", "The answer is 18"]) == [1.0, 0.0, 1.0]


def test_without_the_strongest_answer_agreement_knows_nothing() -> None:
    assert grade("agreement", ["18", None]) == [None, None]
    assert grade("agreement", [None, "18"]) == [None, 1.0]


def test_a_judge_gives_the_probability_that_an_answer_is_right() -> None:
    found = grade("judge", ["18", None, "17"], judge=verdict(0.75))
    assert found == [pytest.approx(0.75), None, pytest.approx(0.75)]


def test_the_judge_reads_the_reference_inside_the_fence() -> None:
    grader = make_grader("judge", read_requests(ASKED), "judge model")
    tier = make_tiers(1)[0]
    case = Case(
        Request.of("How many?"), "How many?", "18", ((tier, Draft(text="17")),), Trail(Prices())
    )
    steps = grader.grade(case)
    effect: Any = next(steps)
    system, user = effect.request.turns
    assert "source 1 ===" in user.text
    assert f"{REFERENCE_LABEL}\n18" in user.text
    assert REFERENCE_LABEL in system.text
    assert "18" not in system.text, "texts of others stay inside the fence"


def test_a_judge_is_not_paid_for_an_empty_answer() -> None:
    assert grade("judge", [" ", "18"], judge=verdict(0.5)) == [0.0, 0.5]


def test_a_judge_that_does_not_decide_leaves_the_quality_open() -> None:
    assert grade("judge", ["18", "17"], judge=Answer("Hard to say.")) == [None, None]


def test_a_function_of_the_callers_own_is_given_texts() -> None:
    seen: list[tuple[str, str, str | None]] = []

    def mine(request: str, answer: str, reference: str | None) -> float:
        seen.append((request, answer, reference))
        return 0.25

    call = Draft(tool_calls=[ToolCall("look_up", {"id": 3})])
    assert grade(mine, ["18", call, None]) == [0.25, 0.25, None]
    assert seen[0] == ("How many?", "18", "18")
    assert "look_up" in seen[1][1]


def test_a_function_may_be_async_and_may_say_that_it_does_not_know() -> None:
    async def mine(request: str, answer: str, reference: str | None) -> float | None:
        return None if answer == "17" else True

    assert grade(mine, ["18", "17"]) == [1.0, None]


@pytest.mark.parametrize("says", [2.0, "good", float("nan"), ZeroDivisionError()])
def test_a_function_that_fails_leaves_the_quality_open(says: Any) -> None:
    def mine(request: str, answer: str, reference: str | None) -> Any:
        if isinstance(says, Exception):
            raise says
        return says

    assert grade(mine, ["18", "17"]) == [None, None]


def test_the_way_is_chosen_by_what_the_file_has() -> None:
    assert make_grader(None, read_requests(ASKED)).name == "normalised"
    assert make_grader(None, read_requests([{"request": "a"}])).name == "agreement"


@pytest.mark.parametrize(
    ("quality", "references", "named"),
    [
        ("exactly", ["18"], "'exactly' is not known"),
        ("judge", ["18"], "--judge"),
        ("exact", ["18", None], "line 2, column reference: is empty"),
        ("json", ['{"a": 1}', "{a: 1}"], "line 2, column reference: is not JSON"),
    ],
)
def test_what_cannot_be_graded_is_said_before_anything_is_paid_for(
    quality: str, references: list[str | None], named: str
) -> None:
    asked = read_requests([{"request": "a", "reference": r} for r in references])
    with pytest.raises(ConfigurationError, match=named):
        make_grader(quality, asked)
