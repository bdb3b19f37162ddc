"""One draft judged: what is asked of paid signals, what their absence means, what is said of it."""

from functools import partial

import pytest

from cascade_core.effects import Ask
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.setup.gates import Gate
from cascade_core.signals import Judge, SequenceLogprob
from tests.core.making import REQUEST, Reads, broken, mute, plan_for, play, sure

CALL = ToolCall("weather", {})
WITH_TOOLS = Request(REQUEST.turns, tools=(ToolSpec("weather", {"type": "object"}),))


def judged(*signals, answer=None, **settings):
    verdict, _, models = play(plan_for(signals=signals, **settings), answer or mute(), mute())
    return verdict, models


def weighed(*names, intercept, **inputs):
    """A calibrator whose confidence is the logistic of readings and inputs, weighted so."""
    weights = {**{f"signal:{name}": weight for name, weight in names}, **inputs}
    count = len(weights)
    score = {
        "kind": "logistic",
        "inputs": list(weights),
        "low": [0.0] * count,
        "high": [1.0] * count,
        "fill": [0.0] * count,
        "weights": list(weights.values()),
        "missing": [0.0] * count,
        "intercept": intercept,
    }
    return {"score": score}


# --- paid signals ---------------------------------------------------------------------------------


def test_a_paid_signal_that_can_lift_a_draft_just_to_its_threshold_is_asked():
    paid = Reads(0.2, "paid", paid=True)
    verdict, _ = judged(Reads(0.8), paid)
    assert paid.count == 1, "at its best it leaves 0.8, which would do: it has to be heard"
    assert (verdict.tier, verdict.reason) == (1, "low_confidence")
    assert verdict.judged.confidence == 0.2


def test_a_paid_signal_is_not_asked_where_the_threshold_is_met_whatever_it_says():
    paid = Reads(0.5, "paid", paid=True)
    verdict, _ = judged(Reads(1.0), paid, combine={"reads": 3, "paid": 1}, thresholds=0.75)
    assert (paid.count, verdict.tier) == (0, 0)
    assert verdict.judged.confidence == 0.75, "what is sure, not what may be"


def test_a_paid_signal_that_cannot_help_leaves_the_most_that_could_have_been():
    verdict, _ = judged(Reads(0.5), Reads(1.0, "paid", paid=True), combine="mean")
    assert (verdict.tier, verdict.judged.confidence) == (1, 0.75)


@pytest.mark.parametrize(("threshold", "asked", "tier"), [(0.9, 0, 0), (0.95, 1, 0), (0.97, 0, 1)])
def test_a_paid_signal_whose_reading_feeds_several_inputs_is_asked_only_where_they_agree(
    threshold, asked, tier
):
    """Its reading and its logit pull apart: all that it can do lies between 0.93 and 0.97."""
    paid = Reads(0.9, "paid", paid=True)
    by = weighed(("reads", 3.0), intercept=0.0, **{"signal:paid": 0.0, "logit:paid": 0.0})
    by["score"].update(low=[0.0, 0.0, -2.0], high=[1.0, 1.0, 2.0], weights=[2.0, 4.0, -0.8])
    by["score"]["missing"] = [0.0, 9.0, 0.0]  # where it said nothing, which would send it on
    policy = {"calibrators": [by], "thresholds": [threshold]}
    verdict, _ = judged(Reads(0.5), paid, policy=policy, thresholds=None)
    assert (paid.count, verdict.tier) == (asked, tier)


@pytest.mark.parametrize("reading", [None, 0.0])
def test_a_draft_is_not_accepted_unread_not_even_at_a_threshold_of_zero(reading):
    paid = Reads(reading, "paid", paid=True)
    verdict, _ = judged(paid, thresholds=0.0)
    assert paid.count == 1
    assert verdict.accepted == (reading is not None)


def test_a_paid_signal_that_one_tier_is_not_judged_by_keeps_no_other_from_being_asked():
    first, second = Reads(0.9, "first", paid=True), Reads(0.9, "second", paid=True)
    by = [{"score": {"kind": "signal", "signal": name}} for name in ("second", "first")]
    plan = plan_for(3, signals=[first, second], policy={"calibrators": by})
    verdict, _, _ = play(plan, mute(), mute(), mute())
    assert verdict.tier == 0
    assert verdict.judged.signals == {"second": 0.9}


def test_what_a_paid_signal_may_still_change_depends_on_the_draft_that_is_judged():
    paid = Reads(1.0, "paid", paid=True)
    by = weighed(("paid", 2.0), intercept=-5.0, **{"draft:words": 6.0})
    plan = plan_for(signals=[paid], policy={"calibrators": [by]}, thresholds=0.8)
    silent, _, _ = play(plan, mute("   ?"), mute())
    assert (silent.tier, paid.count) == (1, 0)
    worded, _, _ = play(plan, mute("many words"), mute())
    assert (worded.tier, paid.count) == (0, 1)


@pytest.mark.parametrize("signals", [[SequenceLogprob(), Judge("judge")], [Judge("judge")]])
def test_a_judge_that_is_down_does_not_wave_drafts_through(signals):
    answers = {"others": {"judge": broken()}}
    verdict, _, _ = play(plan_for(signals=signals), sure(0.99), mute(), **answers)
    assert (verdict.tier, verdict.reason, verdict.accepted) == (1, "no_reading", False)
    assert verdict.judged.confidence is None
    assert verdict.judged.threshold == 0.8
    assert verdict.judged.signals["judge"] is None
    assert set(verdict.judged.signals) == {signal.name for signal in signals}
    lenient, _, _ = play(
        plan_for(signals=signals, on_no_score="accept"), sure(0.99), mute(), **answers
    )
    assert (lenient.tier, lenient.accepted) == (0, True)


def test_a_free_signal_without_a_reading_leaves_the_others_to_decide():
    verdict, _ = judged(Reads(None, "mute"), Reads(0.9))
    assert (verdict.tier, verdict.reason) == (0, "confident")


# --- what the judgement says ----------------------------------------------------------------------


def test_a_draft_that_nothing_could_read_says_what_it_had_to_reach():
    verdict, _ = judged(Reads(None))
    assert (verdict.reason, verdict.judged.threshold) == ("no_reading", 0.8)


def test_a_class_is_held_to_its_own_threshold_when_it_is_decided_whom_to_ask():
    paid = Reads(0.6, "paid", paid=True)
    classes = {"billing": {"thresholds": [0.5]}}
    plan = plan_for(signals=[Reads(0.6), paid], policy={"classes": classes}, thresholds=None)
    billing = Request(REQUEST.turns, metadata={"cascade_class": "billing"})
    verdict, _, _ = play(plan, mute(), mute(), request=billing)
    assert (verdict.tier, paid.count) == (0, 1)
    play(plan, mute(), mute())
    assert paid.count == 1, "0.6 is below the default threshold whatever it says"


# --- gates of a caller's own ----------------------------------------------------------------------


def test_a_callers_gate_sees_the_request_and_the_draft():
    seen = []

    def gate(request, draft):
        seen.append((request, draft.text))
        return True

    play(plan_for(gates=[gate]), sure(0.5, text="cheap"), mute("strong"))
    assert seen == [(REQUEST, "cheap"), (REQUEST, "strong")]


def test_a_callers_gate_is_not_asked_of_a_draft_that_a_built_in_one_has_failed():
    asked = []

    def gate(_request, draft):
        asked.append(draft.text)
        return True

    cut = mute(finish="length")
    verdict, _, _ = play(plan_for(gates=[gate]), cut, cut)
    assert (verdict.reason, asked) == ("gate_truncated", [])


def test_a_callers_gate_that_the_last_tier_fails_is_noted_and_its_answer_returned():
    def gate(_request, draft):
        return draft.text != "strong"

    verdict, _, _ = play(plan_for(gates=[gate]), sure(0.5), mute("strong"))
    assert (verdict.tier, verdict.draft.text) == (1, "strong")
    assert (verdict.calls[1].outcome, verdict.calls[1].note) == ("returned", "gate_custom")


def test_the_first_of_a_callers_gates_that_fails_gives_the_reason():
    def no(_request, _draft):
        return False

    def yes(_request, _draft):
        return True

    gates = [yes, Gate("gate_schema", no), no]
    assert play(plan_for(gates=gates), sure(), sure())[0].reason == "gate_schema"


# --- warnings -------------------------------------------------------------------------------------


def _check(_request, _draft, *, limit):
    raise KeyError(limit)


def test_a_gate_that_raises_is_named_where_it_has_a_name():
    _, _, models = play(plan_for(gates=[partial(_check, limit=3)]), sure(), mute())
    assert models.notes["gate:gate"] == (
        "gate 'gate' raised KeyError; a draft it cannot check does not pass"
    )


def test_a_combiner_that_gives_no_number_is_named_with_its_tier():
    class Mine:
        identity = "mine"

        def combine(self, readings):
            return 1.5

    _, models = judged(Reads(0.9), combine=Mine())
    assert models.notes["combine:0"] == (
        "combine= on tier 0 (m0) gave no number in [0, 1] (1.5); that counts as no confidence"
    )
    assert "no_reading:0" not in models.notes, "there was one"


def test_a_signal_that_gives_no_number_is_named_with_its_tier():
    _, models = judged(Reads(1.5))
    assert models.notes["signal:reads:0"] == (
        "signal 'reads' read 1.5 instead of a number in [0, 1] or None on tier 0 (m0); "
        "that counts as no reading"
    )
    _, models = judged(Reads(ZeroDivisionError()))
    assert models.notes["signal:reads:0"] == (
        "signal 'reads' raised ZeroDivisionError on tier 0 (m0); that counts as no reading"
    )


@pytest.mark.parametrize(("choice", "tier"), [("gates", 0), ("escalate", 1)])
def test_an_answer_without_text_is_judged_like_a_tool_call(choice, tier):
    image = mute("", other_parts=("image",))
    verdict, _, _ = play(plan_for(on_tool_call=choice), image, mute())
    assert verdict.tier == tier
    assert verdict.reason == ("tool_call" if tier == 0 else "no_reading")


def test_tool_calls_that_are_accepted_unread_are_said_to_be():
    tool = mute("", tool_calls=(CALL,))
    verdict, _, models = play(plan_for(), tool, mute(), request=WITH_TOOLS)
    assert (verdict.reason, verdict.judged.draft) == ("tool_call", verdict.draft)
    assert models.notes["tool_call:0"] == (
        "tier 0 (m0) answers tool calls without a confidence reading; those that pass every gate "
        'are accepted (on_tool_call="escalate" sends them on instead)'
    )


def test_a_tier_that_cannot_be_read_is_said_to_be_of_no_use_and_what_would_help():
    _, _, models = play(plan_for(), mute(), mute())
    assert models.notes["no_reading:0"] == (
        "tier 0 (m0) gives no confidence reading, so every request goes on to the next tier: "
        "this provider returns no logprobs; add Agreement(model), SelfConsistency() or "
        "Judge(model) to signals= (in a chain or an engine of your own, ask for logprobs where the model is made: "
        "logprobs=True)"
    )
    _, models = judged(Reads(None))
    assert models.notes["no_reading:0"] == (
        "no signal could read a draft of tier 0 (m0); such requests go on to the next tier"
    )


def test_log_probabilities_that_are_no_reading_are_not_said_to_be_missing():
    _, _, models = play(plan_for(), mute(unread="certain"), mute())
    assert list(models.notes) == ["certain:0"]
    assert models.notes["certain:0"] == (
        "tier 0 (m0) sends the log-probability 0 for every token of a sentence, which says "
        "nothing; that counts as no reading: add Agreement(model), SelfConsistency() or "
        "Judge(model) to signals="
    )
    _, _, models = play(plan_for(), mute(unread="partial"), mute())
    assert list(models.notes) == ["partial:0"]
    assert models.notes["partial:0"] == (
        "tier 0 (m0) sends log-probabilities of a part of its answer only, which counts as no "
        "reading, and such requests go on to the next tier: add Agreement(model), "
        "SelfConsistency() or Judge(model) to signals="
    )


def test_a_tier_nobody_can_read_is_asked_for_tool_calls_only_where_gates_may_accept_them():
    request = Request(WITH_TOOLS.turns, tools=WITH_TOOLS.tools, tool_choice="required")
    for choice, asked in (("gates", [0]), ("escalate", [1])):
        plan = plan_for(on_tool_call=choice)
        plan.tiers[0].logprobs.refuse()
        _, effects, _ = play(plan, mute("", tool_calls=(CALL,)), mute(), request=request)
        assert [e.target.index for e in effects if isinstance(e, Ask)] == asked
