"""What earlier steps of a turn decided holds: the flow keeps to it."""

import pytest

from cascade_core.held import Held
from cascade_core.log.record import as_record
from cascade_core.request import Request, ToolCall, ToolSpec, Turn
from cascade_core.ruling import Ruling
from tests.core.making import (
    ASKED,
    Answer,
    broken,
    mute,
    outcomes,
    plan_for,
    play,
    sure,
)


def held_at(tier, by="turn"):
    request = Request.of("Where is my order?")
    request.held = Held(tier, by, "d1")
    return request


UNSURE, SURE = sure(0.1), sure(0.99)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_held_tier_answers_however_unsure_it_is(streamed):
    verdict, _, models = play(plan_for(), UNSURE, SURE, request=held_at(0), streamed=streamed)
    assert (verdict.tier, verdict.reason, verdict.accepted) == (0, "held", False)
    assert outcomes(verdict) == [(0, "returned")]
    assert models.closed == []  # nothing is cut off: its confidence is not asked for


def test_nobody_judges_a_held_answer():
    record = as_record(play(plan_for(), SURE, SURE, request=held_at(0))[0], "d2", ASKED)
    assert record["judged"] == []
    assert record["confidence"] is record["threshold"] is None
    assert record["signals"] == {}
    assert record["held"] == {"tier": 0, "by": "turn", "since": "d1"}


@pytest.mark.parametrize("streamed", [False, True])
def test_tiers_below_the_held_one_are_not_asked(streamed):
    verdict, _, models = play(
        plan_for(3), SURE, UNSURE, SURE, request=held_at(1), streamed=streamed
    )
    assert [tier for tier, _ in models.asked] == [1]
    assert (verdict.tier, verdict.reason) == (1, "held")


def test_a_last_tier_that_is_held_answers_at_once():
    verdict, _, models = play(plan_for(), SURE, SURE, request=held_at(1))
    assert [tier for tier, _ in models.asked] == [1]
    assert (verdict.tier, verdict.reason) == (1, "held")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("says", "tier", "reason"), [(UNSURE, 1, "low_confidence"), (SURE, 0, "confident")]
)
def test_the_answer_of_a_turn_of_which_tool_calls_alone_are_held_is_judged(
    says, tier, reason, streamed
):
    request = held_at(0, by="tools")
    verdict, _, models = play(plan_for(), says, SURE, request=request, streamed=streamed)
    assert (verdict.tier, verdict.reason) == (tier, reason)
    assert as_record(verdict, "d2", ASKED)["held"] == {"tier": 0, "by": "tools", "since": "d1"}
    assert models.closed == []  # it might have become a tool call


@pytest.mark.parametrize("streamed", [False, True])
def test_its_tool_calls_are_not_however_unsure_they_are(streamed):
    call = Answer("looking", probs=[0.1], fields={"tool_calls": (ToolCall("look_up", {}),)})
    request = Request.of("Where is my order?")
    request.tools, request.held = (ToolSpec("look_up"),), Held(0, "tools", "d1")
    verdict, _, _ = play(plan_for(), call, SURE, request=request, streamed=streamed)
    assert (verdict.tier, verdict.reason) == (0, "held")


def test_a_gate_sends_a_held_step_up():
    verdict, _, _ = play(plan_for(), mute(""), SURE, request=held_at(0))
    assert (verdict.tier, verdict.reason) == (1, "gate_empty")
    assert verdict.held.tier == 0


def test_a_failure_sends_a_held_step_up():
    verdict, _, _ = play(plan_for(), broken(), SURE, request=held_at(0))
    assert (verdict.tier, verdict.reason) == (1, "failed")


def test_above_the_held_tier_confidence_counts_again():
    verdict, _, _ = play(plan_for(3), mute(""), UNSURE, SURE, request=held_at(0))
    assert (verdict.tier, verdict.reason) == (2, "low_confidence")


def test_a_held_tier_without_logprobs_is_asked_all_the_same():
    plan = plan_for()
    for _ in range(9):
        play(plan, mute(), SURE)  # it turns out to send none
    assert play(plan, mute(), SURE)[0].reason == "no_reading"
    assert play(plan, mute(), SURE, request=held_at(0))[0].reason == "held"


def test_rules_go_before_what_is_held():
    pinned = held_at(0)
    pinned.ruling = Ruling(pin=1)
    assert play(plan_for(), SURE, SURE, request=pinned)[0].reason == "pinned"
    past = held_at(0)
    past.ruling = Ruling(bypass=(0,))
    assert play(plan_for(), SURE, SURE, request=past)[0].reason == "bypassed"


def test_shadow_mode_says_that_the_cascade_would_have_held():
    plan = plan_for(mode="shadow")
    verdict, _, _ = play(plan, UNSURE, SURE, request=held_at(0))
    assert verdict.shadow["tier"] == 0
    assert verdict.shadow["reason"] == "held"


def test_turns_say_nothing_of_their_records():
    assert "secret" not in repr(Turn("assistant", "x", record={"id": "secret"}))
