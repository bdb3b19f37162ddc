"""The highest confidence a running stream can still reach."""

import math

from cascade_core.loop.bound import Bound
from cascade_core.signals import BaseSignal, SequenceLogprob
from tests.core.making import REQUEST, make_tiers, plan_for

HALF = math.log(0.5)


def bound_of(*, max_tokens=None, threshold=0.8, **settings):
    tiers = make_tiers(max_tokens=max_tokens)
    plan = plan_for(tiers=tiers, thresholds=threshold, **settings)
    return Bound(plan, tiers[0], REQUEST, tiers[0].max_tokens)


def test_it_falls_once_the_threshold_is_out_of_reach_and_not_before():
    bound = bound_of(max_tokens=4, threshold=0.6)
    assert [bound.fell([HALF]) for _ in range(3)] == [False, False, True]
    assert 0.59 < bound.best < 0.6


def test_it_says_what_it_read_and_what_had_to_be_reached():
    bound = bound_of(signals=[SequenceLogprob("min")])
    assert bound.fell([HALF])
    assert bound.threshold == 0.8
    assert list(bound.readings) == ["sequence_logprob"]
    assert bound.readings["sequence_logprob"] >= 0.5


def test_at_first_everything_is_in_reach():
    assert bound_of().best == 1.0


def test_a_threshold_that_is_just_met_is_not_out_of_reach():
    assert not bound_of(signals=[SequenceLogprob("min")], threshold=0.5).fell([HALF])


def test_a_threshold_that_can_still_be_met_exactly_is_not_out_of_reach():
    class Ends(BaseSignal):
        name = "ends"

        def running(self, max_tokens):
            return self

        def feed(self, logprobs):
            return 0.8

        def measure(self, request, draft, tier):
            return 0.8
            yield

    assert not bound_of(signals=[Ends()], threshold=0.8).fell([HALF])


def test_where_no_signal_can_bound_a_stream_nothing_falls():
    assert not bound_of(signals=["token_margin"]).fell([-math.inf])
    assert not bound_of().fell([-math.inf])


def test_signals_that_are_not_read_yet_are_hoped_for():
    signals = [SequenceLogprob("min"), "verbalized"]
    assert not bound_of(signals=signals, combine="mean", threshold=0.7).fell([HALF])
    assert bound_of(signals=signals, combine="mean", threshold=0.8).fell([HALF])
    assert bound_of(signals=signals, combine="min", threshold=0.7).fell([HALF])
