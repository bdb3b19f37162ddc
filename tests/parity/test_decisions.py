"""Decision models judge drafts in both frameworks, in every way of asking."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest

from cascade_core.signals import Difficulty, Judge
from tests.decisions import Scripted
from tests.parity import langchain_way, llamaindex_way
from tests.parity.scenarios import PROMPT, SURE, Scenario, two

BOTH = [
    pytest.param(framework, way, id=way)
    for framework in (langchain_way, llamaindex_way)
    for way in framework.WAYS
]
both = pytest.mark.parametrize(("framework", "way"), BOTH)
whole = pytest.mark.parametrize(
    ("framework", "way"), [(langchain_way, "invoke"), (llamaindex_way, "achat")]
)


async def record_of(framework: Any, way: str, signal: Any, **settings: Any) -> dict[str, Any]:
    scenario = Scenario("", two(SURE), [], "", settings=settings, signals=lambda _make: [signal])
    return (await framework.run(scenario, way)).record


def trail(record: dict[str, Any]) -> list[str]:
    return [f"{call['model']} {call['purpose']} {call['outcome']}" for call in record["calls"]]


@both
async def test_a_judge_reads_the_probability_of_yes(framework: Any, way: str) -> None:
    model = Scripted(answer=0.9)
    record = await record_of(framework, way, Judge(model))
    assert record["signals"] == {"judge": 0.9}
    assert trail(record) == ["m0 draft accepted", "m3 judge used"]
    ((state, question),) = model.asked
    assert (state["answer"], state["exchange"]) == (SURE.text, [{"user": PROMPT}])
    assert question.type == "noul"
    assert PROMPT not in question.instructions


@both
async def test_what_a_decision_costs_is_counted(framework: Any, way: str) -> None:
    record = await record_of(framework, way, Judge(Scripted()))
    judged = record["calls"][1]
    assert (judged["usage"]["input_tokens"], judged["usage"]["output_tokens"]) == (100, 2)
    assert judged["cost_usd"] == pytest.approx((100 * 1000 + 2 * 2000) / 1e6)
    assert record["cost_usd"] == pytest.approx(sum(call["cost_usd"] for call in record["calls"]))


@both
async def test_difficulty_is_one_minus_the_probability_that_the_strong_model_is_needed(
    framework: Any, way: str
) -> None:
    model = Scripted(answer=0.75)
    record = await record_of(framework, way, Difficulty(model))
    assert record["signals"] == {"difficulty": 0.25}
    assert trail(record) == ["m0 draft rejected", "m3 judge used", "m1 draft returned"]
    assert "answer" not in model.asked[0][0]


@whole
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "gave no answer to the question"),
        ({"type": "choice", "choice": "a", "probabilities": {"a": 1}, "confidence": 1}, "a choice"),
        (TimeoutError("sk-secret"), "did not answer (TimeoutError)"),
        (1.5, "sent what is no answer (ValidationError)"),
        (math.nan, "sent what is no answer (ValidationError)"),
    ],
)
async def test_what_is_no_answer_is_no_reading_and_said_once(
    framework: Any, way: str, answer: Any, said: str
) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        record = await record_of(framework, way, Judge(Scripted(answer=answer)))
    assert record["signals"] == {"judge": None}
    assert record["tier"] == 1
    (told,) = [str(each.message) for each in seen if "decision model" in str(each.message)]
    assert said in told
    assert "secret" not in told
