"""Answers of the last tier below its threshold: marked, and answered by something else."""

from decimal import Decimal

import pytest

from cascade_core.effects import Ask
from cascade_core.log import as_record
from cascade_core.loop import drivers
from cascade_core.loop.flow import cascade
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.ruling import Ruling
from cascade_core.setup.handler import read_handler
from cascade_core.tier import Tier
from tests.core.making import (
    ASKED,
    REQUEST,
    Answer,
    FakePort,
    Reads,
    broken,
    emitted,
    make_tiers,
    mute,
    outcomes,
    plan_for,
    play,
    sure,
)

BOTH = {"thresholds": [0.8, 0.6]}
HUMAN = Tier(2, "m2")


def handler(given):
    return read_handler(given, lambda each: each if isinstance(each, Tier) else None, "a model")


def handing(given=None, **settings):
    return plan_for(**{**BOTH, "handler": handler(given), **settings})


def record_of(verdict):
    return as_record(verdict, "id", ASKED)


def ask_of(effects, tier, purpose="draft"):
    return [
        e for e in effects if isinstance(e, Ask) and e.target.index == tier and e.purpose == purpose
    ]


# --- the mark -----------------------------------------------------------------------------------


def test_an_answer_of_the_last_tier_that_reaches_its_threshold_is_accepted():
    verdict, effects, _ = play(handing(), sure(0.5), sure(0.7))
    assert (verdict.tier, verdict.reason, verdict.accepted) == (1, "confident", True)
    assert not verdict.handoff
    assert (verdict.judged.tier, verdict.judged.threshold) == (1, 0.6)
    assert outcomes(verdict) == [(0, "rejected"), (1, "accepted")]
    assert ask_of(effects, 1)[0].logprobs
    assert "handoff" not in record_of(verdict)
    assert record_of(verdict)["sent_on"] == "low_confidence"


def test_one_below_it_is_returned_and_marked():
    verdict, _, _ = play(handing(), sure(0.5), sure(0.4))
    assert (verdict.tier, verdict.reason, verdict.accepted) == (1, "low_confidence", False)
    assert verdict.handoff
    assert verdict.handed_to is None
    assert outcomes(verdict) == [(0, "rejected"), (1, "returned")]
    record = record_of(verdict)
    assert (record["handoff"], record["sent_on"]) == (True, "low_confidence")
    assert "handed_to" not in record
    assert record["confidence"] == pytest.approx(0.4)
    assert [each["tier"] for each in record["judged"]] == [0, 1]


def test_without_a_number_for_it_the_last_tier_is_not_judged():
    verdict, effects, _ = play(plan_for(), sure(0.5), sure(0.1))
    assert not verdict.handoff
    assert not ask_of(effects, 1)[0].logprobs
    for none in ([0.8, None], [0.8, 0]):
        verdict, effects, _ = play(plan_for(thresholds=none), sure(0.5), sure(0.1))
        assert not verdict.handoff
        assert "sent_on" not in record_of(verdict)
        assert not ask_of(effects, 1)[0].logprobs


def test_a_gate_that_it_fails_hands_it_off():
    verdict, _, _ = play(
        handing(), sure(0.5), sure(0.99, text="I'm sorry, I can't help with that.")
    )
    assert (verdict.reason, verdict.handoff) == ("gate_refusal", True)


def test_without_a_reading_it_is_handed_off_and_warned_of_once():
    verdict, _, models = play(handing(), sure(0.5), mute())
    assert (verdict.reason, verdict.handoff) == ("no_reading", True)
    assert "every answer is handed off" in models.notes["no_reading:1"]


def test_on_no_score_accept_returns_it():
    verdict, _, _ = play(handing(on_no_score="accept"), sure(0.5), mute())
    assert (verdict.reason, verdict.accepted, verdict.handoff) == ("no_reading", True, False)


def test_tool_calls_that_pass_every_gate_are_accepted_or_handed_off_as_set():
    request = Request.of("How is the weather?")
    request.tools = (ToolSpec("weather"),)
    call = Answer("", fields={"tool_calls": (ToolCall("weather", {}),)})
    verdict, _, _ = play(handing(on_tool_call="gates"), broken(), call, request=request)
    assert (verdict.reason, verdict.handoff) == ("tool_call", False)
    verdict, _, models = play(handing(on_tool_call="escalate"), broken(), call, request=request)
    assert (verdict.reason, verdict.handoff) == ("no_reading", True)
    assert "hands every one of them off" in models.notes["sent_on:1"]


def test_paid_signals_are_read_of_the_last_tier_where_they_can_change_the_outcome():
    paid = Reads(0.9, paid=True)
    plan = handing(signals=["sequence_logprob", paid])
    play(plan, sure(0.5), sure(0.7))
    assert paid.count == 1  # the first draft was too doubtful already
    play(plan, sure(0.5), sure(0.5))
    assert paid.count == 1


def test_one_tier_alone_hands_off_what_it_is_not_sure_of(recwarn):
    plan = plan_for(1, thresholds=[0.6])
    assert not recwarn.list
    assert play(plan, sure(0.5))[0].handoff
    assert play(plan, sure(0.7))[0].reason == "confident"


def test_classes_and_rules_have_thresholds_of_their_own_for_the_last_tier():
    policy = {"thresholds": [0.8, 0.6], "classes": {"easy": {"thresholds": [0.8, 0.3]}}}
    plan = plan_for(policy=policy, thresholds=None)

    def handed(answer, class_name=None, **ruling):
        request = Request.of("?")
        request.ruling = Ruling(class_name=class_name, **ruling)
        return play(plan, sure(0.1), answer, request=request)[0].handoff

    assert handed(sure(0.5))
    assert not handed(sure(0.5), "easy")
    assert handed(sure(0.5), thresholds=(0.95,))  # says nothing of the last: the policy's holds
    assert not handed(sure(0.5), thresholds=(0.95, 0.4))
    assert not handed(sure(0.5), thresholds=(0.95, 0.0))


def test_pinned_kept_and_served_shadow_answers_are_returned_as_they_are():
    for ruling in (Ruling(pin=1), Ruling(escalate=False)):
        request = Request.of("?")
        request.ruling = ruling
        verdict, _, _ = play(handing(), broken(), sure(0.1), request=request)
        assert not verdict.handoff
    verdict, _, _ = play(handing(mode="shadow"), sure(0.1), sure(0.1))
    assert not verdict.handoff


def test_the_best_draft_takes_the_place_of_a_last_tier_that_fails():
    verdict, _, _ = play(handing(on_exhausted="best_draft"), sure(0.5), broken())
    assert (verdict.tier, verdict.reason, verdict.handoff) == (0, "best_draft", False)


# --- what answers in its place ------------------------------------------------------------------


def test_a_model_answers_in_its_place_and_its_call_is_in_the_trail():
    verdict, effects, _ = play(handing(HUMAN), sure(0.5), sure(0.4), sure(0.2, text="By hand."))
    assert verdict.draft.text == "By hand."
    assert (verdict.handoff, verdict.handed_to) == (True, "m2")
    assert outcomes(verdict) == [(0, "rejected"), (1, "rejected"), (None, "returned")]
    assert [call.purpose for call in verdict.calls] == ["draft", "draft", "handoff"]
    assert verdict.cost == sum((call.cost for call in verdict.calls), Decimal(0))
    assert len(ask_of(effects, 2, "handoff")) == 1
    record = record_of(verdict)
    assert (record["tier"], record["model"]) == (1, "m1")  # whose answer was handed off
    assert record["handed_to"] == "m2"


def test_a_function_gets_the_request_and_the_draft():
    seen = []

    def queue(request, draft):
        seen.append((request, draft.text))
        return "A person says so."

    verdict, _, _ = play(handing(queue), sure(0.5), sure(0.4, text="Perhaps."))
    assert seen == [(REQUEST, "Perhaps.")]
    assert verdict.draft.native == ("given", "A person says so.")
    assert verdict.handed_to == "queue"


def test_a_coroutine_function_will_do_too():
    async def queue(request, draft):
        return "A person says so."

    verdict, _, _ = play(handing(queue), sure(0.5), sure(0.4))
    assert verdict.draft.text == "A person says so."


def test_a_function_that_gives_nothing_leaves_the_draft():
    verdict, _, models = play(handing(lambda request, draft: None), sure(0.5), sure(0.4))
    assert (verdict.handoff, verdict.handed_to) == (True, None)
    assert outcomes(verdict)[-1] == (1, "returned")
    assert not models.notes


def test_one_that_raises_leaves_the_draft_and_is_warned_of():
    def queue(request, draft):
        raise OSError("sk-secret")

    verdict, _, models = play(handing(queue), sure(0.5), sure(0.4, text="Perhaps."))
    assert verdict.draft.text == "Perhaps."
    assert (verdict.handoff, verdict.handed_to) == (True, None)
    (said,) = models.notes.values()
    assert "on_handoff=queue gave no answer (OSError)" in said
    assert "sk-secret" not in said


def test_a_model_that_fails_leaves_the_draft_and_its_call_in_the_trail():
    verdict, _, _ = play(handing(HUMAN), sure(0.5), sure(0.4, text="Perhaps."), broken())
    assert verdict.draft.text == "Perhaps."
    assert outcomes(verdict) == [(0, "rejected"), (1, "returned"), (None, "failed")]


def test_what_is_accepted_is_not_handed_off():
    verdict, _, models = play(handing(HUMAN), sure(0.9))
    assert not verdict.handoff
    verdict, _, models = play(handing(HUMAN), sure(0.5), sure(0.9))
    assert models.asked == [(0, "draft"), (1, "draft")]


# --- streams ------------------------------------------------------------------------------------


def streaming(given=None, **settings):
    return handing(given, tiers=make_tiers(2, streams=True), **settings)


def test_of_a_stream_nothing_is_shown_before_the_last_tier_is_judged():
    verdict, effects, _ = play(streaming(HUMAN), sure(0.5), sure(0.4), sure(), streamed=True)
    assert emitted(effects) == [("m2", "whole")]
    assert verdict.handed_to == "m2"
    assert verdict.calls[1].outcome == "rejected"  # heard out: whoever takes over needs all of it


def test_a_marked_answer_is_shown_as_it_came():
    verdict, effects, _ = play(streaming(), sure(0.5), sure(0.4), streamed=True)
    assert emitted(effects) == [("m1", 0), ("m1", 1), ("m1", 2)]
    assert verdict.handoff


def test_an_accepted_one_too():
    verdict, effects, _ = play(streaming(), sure(0.5), sure(0.9), streamed=True)
    assert emitted(effects) == [("m1", 0), ("m1", 1), ("m1", 2)]
    assert verdict.accepted


def test_streamed_and_whole_decide_alike():
    for answers in ((sure(0.5), sure(0.4)), (sure(0.5), sure(0.9)), (sure(0.5), mute())):
        one, _, _ = play(streaming(), *answers, streamed=True)
        other, _, _ = play(handing(), *answers)
        assert [one.reason, one.handoff] == [other.reason, other.handoff]


def test_what_a_function_gives_and_nothing_can_be_made_of_leaves_the_draft():
    class Refusing(FakePort):
        def adopt(self, effect):
            raise TypeError(type(effect.value).__name__)

    port = Refusing(sure(0.5), sure(0.4, text="Perhaps."))
    verdict = drivers.run(cascade(handing(lambda request, draft: 5), REQUEST), port)
    assert verdict.draft.text == "Perhaps."
    assert "gave int, which is no answer here (TypeError)" in port.notes["on_handoff:TypeError"]
