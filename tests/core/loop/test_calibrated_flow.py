"""A cascade that decides by a fitted policy."""

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.policy import Policy
from cascade_core.request import Request, ToolSpec, Turn
from cascade_core.signals import BaseSignal, SequenceLogprob
from tests.core import making
from tests.core.making import Answer, make_tiers, mute, outcomes, play, sure
from tests.policies import LONG_IS_HARD

PLATT = {"kind": "platt", "slope": 1.0, "intercept": 0.0}
BY_LOGPROB = {"score": {"kind": "signal", "signal": "sequence_logprob"}, "curve": PLATT}
LOWER = {
    "score": {"kind": "signal", "signal": "sequence_logprob"},
    "curve": {"kind": "isotonic", "x": [0.0, 1.0], "y": [0.0, 0.5]},
}
TEXT_ONLY = {
    "score": {
        "kind": "logistic",
        "inputs": ["draft:words"],
        "low": [0.0],
        "high": [100.0],
        "fill": [0.0],
        "weights": [10.0],
        "missing": [0.0],
        "intercept": -16.0,
    }
}


def plan_for(*args, **settings):
    """A plan whose thresholds are the policy's."""
    return making.plan_for(*args, **{"thresholds": None, **settings})


class Paid(BaseSignal):
    paid = True

    def __init__(self, name="paid", reading=0.9):
        self.name = name
        self.reading = reading
        self.asked = 0

    def measure(self, request, draft, tier):
        self.asked += 1
        return self.reading
        yield


def policy(*calibrators, threshold=0.6, **more):
    count = len(calibrators) or 1
    return {
        "name": "tuned",
        "calibrators": list(calibrators),
        "thresholds": [threshold] * count,
        **more,
    }


def test_a_reading_goes_through_the_calibrator_before_it_meets_the_threshold():
    high = play(plan_for(policy=policy(LOWER, threshold=0.44)), sure(0.9), sure())[0]
    low = play(plan_for(policy=policy(LOWER, threshold=0.46)), sure(0.9), sure())[0]
    assert (high.tier, low.tier) == (0, 1)
    assert high.judged.confidence == pytest.approx(0.45)
    assert high.judged.signals == {"sequence_logprob": pytest.approx(0.9)}


def test_a_verdict_says_whether_its_confidence_is_calibrated():
    assert play(plan_for(policy=policy(BY_LOGPROB)), sure(), sure())[0].calibrated
    assert not play(plan_for(policy={"thresholds": [0.5]}), sure(), sure())[0].calibrated
    failed_gate = play(plan_for(policy=policy(BY_LOGPROB)), sure(text=""), sure())[0]
    assert failed_gate.judged.confidence is None
    assert not failed_gate.calibrated


def test_no_reading_is_never_acceptance_with_a_policy_either():
    verdict, *_ = play(plan_for(policy=policy(BY_LOGPROB, threshold=0.0)), mute(), sure())
    assert (verdict.tier, verdict.judged.reason) == (1, "no_reading")


def test_a_policy_that_reads_a_signal_the_cascade_lacks_is_refused():
    missing = {"score": {"kind": "signal", "signal": "judge"}, "curve": PLATT}
    with pytest.raises(ConfigurationError, match=r"'judge'.*does not have.*'sequence_logprob'"):
        plan_for(policy=policy(missing))


def test_a_policy_for_another_number_of_tiers_is_refused():
    with pytest.raises(ConfigurationError, match="3 tiers need 2"):
        plan_for(3, policy={"calibrators": [BY_LOGPROB]})
    with pytest.raises(ConfigurationError, match="different numbers of tiers"):
        Policy.load(policy(BY_LOGPROB, BY_LOGPROB) | {"thresholds": [0.5]})


def test_combine_has_no_use_beside_calibrators():
    with pytest.raises(ConfigurationError, match="combine="):
        plan_for(policy=policy(BY_LOGPROB), combine="mean")


def test_a_paid_signal_that_the_policy_does_not_read_is_not_asked():
    signal = Paid()
    plan = plan_for(policy=policy(BY_LOGPROB), signals=[SequenceLogprob(), signal])
    verdict, *_ = play(plan, sure(), sure())
    assert signal.asked == 0
    assert "paid" not in verdict.judged.signals


def test_a_paid_signal_that_can_no_longer_matter_is_not_asked():
    both = {
        "score": {
            "kind": "logistic",
            "inputs": ["signal:sequence_logprob", "signal:paid"],
            "low": [0.0, 0.0],
            "high": [1.0, 1.0],
            "fill": [0.5, 0.5],
            "weights": [6.0, 2.0],
            "missing": [0.0, 0.0],
            "intercept": -5.0,
        }
    }
    signal = Paid()
    plan = plan_for(policy=policy(both), signals=[SequenceLogprob(), signal])
    assert play(plan, sure(0.3), sure())[0].tier == 1
    assert signal.asked == 0
    assert play(plan, sure(0.9), sure())[0].tier == 0
    assert signal.asked == 1
    plan = plan_for(policy=policy(both, threshold=0.55), signals=[SequenceLogprob(), signal])
    verdict = play(plan, sure(0.9), sure())[0]
    assert verdict.tier == 0
    assert signal.asked == 1, "the draft passes without it"
    assert 0.55 <= verdict.judged.confidence < 0.6


def test_a_paid_signal_that_only_another_tier_is_judged_by_is_not_asked():
    signal = Paid()
    by_paid = {"score": {"kind": "signal", "signal": "paid"}}
    plan = plan_for(
        tiers=make_tiers(3),
        policy={"calibrators": [BY_LOGPROB, by_paid], "thresholds": [0.6, 0.6]},
        signals=[SequenceLogprob(), signal],
    )
    assert play(plan, sure(0.9), sure(), sure())[0].tier == 0
    assert signal.asked == 0
    assert play(plan, sure(0.1), sure(), sure())[0].tier == 1
    assert signal.asked == 1


def test_a_policy_that_goes_by_the_text_needs_no_logprobs():
    plan = plan_for(policy=policy(TEXT_ONLY))
    plan.tiers[0].logprobs.refuse()
    verdict, *_ = play(plan, mute("one two three four five six seven"), mute("x"))
    assert verdict.tier == 0
    verdict, *_ = play(plan, mute("one two"), mute("x"))
    assert verdict.tier == 1


def test_a_class_has_thresholds_of_its_own():
    plan = plan_for(
        policy=policy(BY_LOGPROB, threshold=0.95, classes={"billing": {"thresholds": [0.5]}})
    )
    billing = Request.of("When is it due?")
    billing.metadata = {"cascade_class": "billing"}
    assert play(plan, sure(), sure())[0].tier == 1
    verdict, *_ = play(plan, sure(), sure(), request=billing)
    assert (verdict.tier, verdict.judged.threshold) == (0, 0.5)


def test_thresholds_of_the_caller_are_for_every_class():
    plan = plan_for(
        policy=policy(BY_LOGPROB, classes={"billing": {"thresholds": [0.1]}}), thresholds=0.99
    )
    billing = Request.of("When is it due?")
    billing.metadata = {"cascade_class": "billing"}
    assert play(plan, sure(), sure(), request=billing)[0].tier == 1


def test_a_tier_of_which_nothing_would_be_accepted_is_not_asked():
    never = policy(BY_LOGPROB, classes={"dispute": {"thresholds": [1.0]}})
    dispute = Request.of("Why?", system=None)
    dispute.metadata = {"cascade_class": "dispute"}
    verdict, *_ = play(plan_for(policy=never), sure(0.999), sure(), request=dispute)
    assert (verdict.judged.reason, outcomes(verdict)) == ("difficult", [(1, "returned")])
    raw, *_ = play(plan_for(thresholds=1.0), sure(1.0), sure())
    assert raw.tier == 0  # a raw reading may be 1


@pytest.mark.parametrize(
    "wanted",
    [{"on_no_score": "accept"}, {"on_exhausted": "best_draft"}, {"mode": "shadow"}, {}],
)
def test_a_tier_whose_answer_may_be_returned_unscored_is_asked_all_the_same(wanted):
    plan = plan_for(policy=policy(BY_LOGPROB, threshold=1.0), **wanted)
    assert list(plan.skipped(Request.of("Why?", system=None))) == ([] if wanted else [0])


def test_a_tier_that_may_call_a_tool_is_asked_although_no_text_would_be_accepted():
    never = policy(BY_LOGPROB, threshold=1.0)
    with_tools = Request((Turn("user", "Why?"),), tools=(ToolSpec("look_up", {}),))
    assert list(plan_for(policy=never).skipped(with_tools)) == []
    assert list(plan_for(policy=never, on_tool_call="escalate").skipped(with_tools)) == [0]


# --- routes ---


def route(accepts, costs=(1.0, 10.0), **more):
    stages = [
        {"cost_usd": costs[0], "quality": 0.9, "accepted": 0.5, "accepts": accepts},
        {"cost_usd": costs[1], "quality": 0.95},
    ]
    return {"stages": stages, **more}


def test_a_request_that_will_hardly_be_accepted_skips_the_cheap_tier():
    plan = plan_for(policy=policy(BY_LOGPROB, route=route(LONG_IS_HARD)))
    hard = Request.of("why " * 20)
    verdict, *_ = play(plan, sure(), sure(), request=hard)
    assert (verdict.tier, verdict.judged.reason) == (1, "difficult")
    assert outcomes(verdict) == [(1, "returned")]
    easy, *_ = play(plan, sure(), sure(), request=Request.of("When is it due?"))
    assert easy.tier == 0


def test_a_tier_is_asked_where_its_draft_may_save_more_than_it_costs():
    dear = plan_for(policy=policy(BY_LOGPROB, route=route(None, costs=(6.0, 10.0))))
    cheap = plan_for(policy=policy(BY_LOGPROB, route=route(None, costs=(4.0, 10.0))))
    assert play(dear, sure(), sure())[0].judged.reason == "difficult"  # 6 > 0.5 × 10
    assert play(cheap, sure(), sure())[0].tier == 0


def test_quality_counts_where_it_is_worth_something():
    stages = [
        {"cost_usd": 6.0, "quality": 0.99, "accepted": 0.5},
        {"cost_usd": 10.0, "quality": 0.5},
    ]
    without = plan_for(policy=policy(BY_LOGPROB, route={"stages": stages}))
    worth = plan_for(policy=policy(BY_LOGPROB, route={"stages": stages, "worth": 100.0}))
    assert play(without, sure(), sure())[0].tier == 1
    assert play(worth, sure(), sure())[0].tier == 0


def test_a_middle_tier_is_skipped_on_the_way_up():
    stages = [
        {"cost_usd": 1.0, "quality": 0.9, "accepted": 0.8},
        {"cost_usd": 9.0, "quality": 0.9, "accepted": 0.1},
        {"cost_usd": 10.0, "quality": 0.95},
    ]
    plan = plan_for(3, policy=policy(BY_LOGPROB, BY_LOGPROB, route={"stages": stages}))
    verdict, *_ = play(plan, sure(0.2), sure(), sure())
    assert verdict.tier == 2
    assert [call.tier for call in verdict.calls] == [0, 2]


# --- streams ---


@settings(max_examples=60, deadline=None)
@given(
    tokens=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=12),
    slope=st.floats(0.0, 4.0),
    intercept=st.floats(-3.0, 3.0),
    threshold=st.floats(0.0, 1.0),
)
def test_cutting_a_stream_off_never_changes_a_decision(tokens, slope, intercept, threshold):
    curve = {"kind": "platt", "slope": slope, "intercept": intercept}
    by_min = {"score": {"kind": "signal", "signal": "sequence_logprob"}, "curve": curve}
    tiers = make_tiers(streams=True, max_tokens=20)
    answers = Answer(values=[math.log(p) for p in tokens]), sure()
    for reduce in ("min", "mean"):
        plan = plan_for(
            tiers=tiers,
            signals=[SequenceLogprob(reduce)],
            policy=policy(by_min, threshold=threshold),
        )
        whole, *_ = play(plan, *answers)
        streamed, *_ = play(plan, *answers, streamed=True)
        assert whole.tier == streamed.tier


# --- cost of what is not used ---


@pytest.mark.processes
def test_numpy_is_not_imported_without_a_fitted_policy():
    code = (
        "import sys; from tests.core.making import plan_for, play, sure; "
        "play(plan_for(policy={'thresholds': [0.5]}), sure(), sure()); "
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
