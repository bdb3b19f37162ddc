"""Signals that ask for more: samples, judges and stated confidence over real HTTP."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from cascade_core.signals import Judge, SelfConsistency, Verbalized
from langchain_cascade import ChatCascade
from tests.http.asking import (
    PRICES,
    ask,
    client,
    nothing_left_behind,
    record_of,
    ticket,
    whole,
)
from tests.http.stub import Say, Stub, refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

SURE, UNSURE = ticket(0).text, ticket(1).text


def outcomes(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(call["model"], call["purpose"], call["outcome"]) for call in record["calls"]]


@whole
async def test_samples_are_asked_for_at_once_with_seeds_of_their_own(stub: Stub, how: str) -> None:
    stub.script("cheap", Say("42"), Say("42", beside=6))
    stub.script("strong", "no")
    cheap = client(stub, "cheap", seed=7)
    llm = ChatCascade(tiers=[cheap, client(stub, "strong")], signals=[SelfConsistency(6)])
    async with nothing_left_behind():
        record = record_of(await ask(llm, how, "What is 6 x 7?"))
    draft, *samples = stub.asked("cheap")
    assert stub.peak == 6
    assert draft["seed"] == 7
    seeds = [body["seed"] for body in samples]
    assert len({7, *seeds}) == 7
    assert {body["temperature"] for body in samples} == {0.7}
    assert record["confidence"] == 1.0
    assert outcomes(record) == [("cheap", "draft", "accepted")] + [("cheap", "sample", "used")] * 6


@whole
async def test_samples_of_an_unseeded_model_are_asked_for_without_a_seed(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", "42")
    llm = ChatCascade(
        tiers=[client(stub, "cheap"), client(stub, "cheap")], signals=[SelfConsistency(2)]
    )
    await ask(llm, how, "What is 6 x 7?")
    assert all("seed" not in body for body in stub.asked("cheap"))


@whole
async def test_real_samples_agree_on_what_the_model_knows_and_not_on_what_it_guesses(
    desk: Any, how: str
) -> None:
    tiers = [client(desk, "desk-small", seed=1), client(desk, "desk-large")]
    llm = ChatCascade(
        tiers=tiers,
        signals=[SelfConsistency(6, temperature=1.0)],
        thresholds=[0.8],
        prices=PRICES,
    )
    known, guessed = [record_of(await ask(llm, how, prompt)) for prompt in (SURE, UNSURE)]
    assert known["reason"] == "confident"
    assert known["signals"]["self_consistency"] >= 0.8
    assert guessed["reason"] == "low_confidence"
    assert guessed["signals"]["self_consistency"] < 0.8
    for record, calls in ((known, 7), (guessed, 8)):
        assert len(record["calls"]) == calls
        assert record["cost_usd"] == pytest.approx(sum(c["cost_usd"] for c in record["calls"]))
    assert record_of(await ask(llm, how, UNSURE))["signals"] == guessed["signals"]  # seeded


@whole
async def test_samples_that_fail_are_left_out_and_still_written_down(stub: Stub, how: str) -> None:
    stub.script("cheap", "42", "42", refused(500, "no"), "41", "42")
    stub.script("strong", "43")
    llm = ChatCascade(
        tiers=[client(stub, "cheap"), client(stub, "strong")],
        signals=[SelfConsistency(4)],
        thresholds=[0.6],
    )
    record = record_of(await ask(llm, how, "What is 6 x 7?"))
    assert record["signals"]["self_consistency"] == pytest.approx(2 / 3)
    assert sorted(o for _, _, o in outcomes(record)) == [
        "accepted",
        "failed",
        "used",
        "used",
        "used",
    ]


def verdict(label: str, other: str, p: float) -> dict[str, Any]:
    top = [
        {"token": label, "logprob": math.log(p), "bytes": None},
        {"token": other, "logprob": math.log(1 - p), "bytes": None},
    ]
    return {"content": [{**top[0], "top_logprobs": top}], "refusal": None}


@whole
@pytest.mark.parametrize(
    ("label", "other", "p", "right"), [("A", "B", 0.9, 0.9), ("B", "A", 0.7, 0.3)]
)
async def test_a_judge_reads_the_probability_that_the_draft_is_right(
    stub: Stub, how: str, label: str, other: str, p: float, right: float
) -> None:
    stub.script("cheap", Say("Paris", p=None))
    stub.script("strong", "PARIS")
    stub.script("judge", Say(label, logprobs=verdict(label, other, p)))
    llm = ChatCascade(
        tiers=[client(stub, "cheap"), client(stub, "strong")],
        signals=[Judge(client(stub, "judge"))],
        thresholds=[0.8],
    )
    record = record_of(await ask(llm, how, "Capital of France?"))
    assert record["signals"]["judge"] == pytest.approx(right)
    assert record["accepted"] == (right >= 0.8)
    (asked,) = stub.asked("judge")
    assert asked["logprobs"] is True
    assert asked["top_logprobs"] > 1
    shown = json.dumps(asked["messages"])
    assert "Capital of France?" in shown
    assert "Paris" in shown
    assert outcomes(record)[1] == ("judge", "judge", "used")


@whole
async def test_a_judge_that_refuses_logprobs_is_asked_without_and_remembered(
    stub: Stub, how: str
) -> None:
    def judge(body: dict[str, Any]) -> Any:
        return refused(400, "'logprobs' is not supported") if body.get("logprobs") else Say("A")

    stub.script("cheap", Say("Paris", p=None))
    stub.script("strong", "PARIS")
    stub.script("judge", judge)
    llm = ChatCascade(
        tiers=[client(stub, "cheap"), client(stub, "strong")],
        signals=[Judge(client(stub, "judge"))],
    )
    for _ in range(2):
        record = record_of(await ask(llm, how, "Capital of France?"))
        assert record["signals"]["judge"] == 1.0
    assert [bool(body.get("logprobs")) for body in stub.asked("judge")] == [True, False, False]


@whole
@pytest.mark.parametrize(("said", "accepted"), [("90", True), ("35", False)])
async def test_a_tier_states_its_own_confidence(
    stub: Stub, how: str, said: str, accepted: bool
) -> None:
    stub.script("cheap", Say("Paris", p=None), Say(said))
    stub.script("strong", "PARIS")
    llm = ChatCascade(
        tiers=[client(stub, "cheap"), client(stub, "strong")],
        signals=[Verbalized()],
        thresholds=[0.8],
    )
    record = record_of(await ask(llm, how, "Capital of France?"))
    assert record["signals"]["verbalized"] == int(said) / 100
    assert record["accepted"] is accepted
    _, stating = stub.asked("cheap")
    roles = [message["role"] for message in stating["messages"]]
    assert roles == ["user", "assistant", "user"]
    assert stating["messages"][1]["content"] == "Paris"
    assert outcomes(record)[1] == ("cheap", "verbalize", "used")


async def test_a_paid_signal_that_cannot_help_is_not_asked_for(stub: Stub) -> None:
    stub.script("cheap", Say("Paris", p=0.2))
    stub.script("strong", "PARIS")
    llm = ChatCascade(
        tiers=[client(stub, "cheap"), client(stub, "strong")],
        signals=["sequence_logprob", SelfConsistency(5)],
    )
    record = record_of(await llm.ainvoke("Capital of France?"))
    assert len(stub.asked("cheap")) == 1
    assert record["reason"] == "low_confidence"
