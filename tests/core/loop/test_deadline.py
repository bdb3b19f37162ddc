"""What requests against the clock do, on a clock that only the test moves."""

from __future__ import annotations

import random
from math import exp
from statistics import NormalDist

import pytest

from cascade_core.guards.latency import KEPT_UNKNOWN, KNOWN_FROM, TRY_AGAIN, Latencies, TierLatency
from tests.core.loop.clocked import Clocked, log_normal
from tests.core.making import plan_for

EASY = 0.7


def sure(k, i):
    return 0.95 if random.Random(f"sure {i}").random() < EASY else 0.3


def alone(median, spread, share=0.995):
    """The deadline that a tier alone meets in a share of requests."""
    return median * exp(NormalDist().inv_cdf(share) * spread)


@pytest.mark.parametrize("spread", [0.3, 0.6])
@pytest.mark.parametrize("cheap", [0.2, 0.9])
@pytest.mark.parametrize("seed", [1, 2])
def test_99_of_100_are_inside_the_deadline_that_the_last_tier_meets_in_995_of_1000(
    spread, cheap, seed
):
    deadline = alone(1.0, spread)
    clocked = Clocked(plan_for(2), log_normal((cheap, 1.0), spread, seed), sure, deadline=deadline)
    late = 0
    for i in range(1000):
        verdict, took = clocked.ask(i)
        late += took > deadline
        if verdict.tier == 0:  # nothing below its threshold is ever accepted for lack of time
            assert verdict.accepted
    assert late <= 10


def test_a_loose_deadline_costs_no_draft():
    clocked = Clocked(plan_for(2), log_normal((0.2, 1.0), 0.3, 1), sure, deadline=10.0)
    plain = Clocked(plan_for(2), log_normal((0.2, 1.0), 0.3, 1), sure)
    assert [clocked.ask(i)[0].tier for i in range(300)] == [
        plain.ask(i)[0].tier for i in range(300)
    ]


def test_a_tier_that_becomes_slower_is_noticed_and_one_that_recovers_too():
    seconds = {"cheap": 0.1}
    clocked = Clocked(
        plan_for(2), lambda k, _: 1.0 if k else seconds["cheap"], lambda *_: 0.95, deadline=3.0
    )

    def drafted(requests):
        asked = [clocked.ask(i)[0] for i in range(requests)]
        return sum(any(call.tier == 0 for call in verdict.calls) for verdict in asked)

    assert drafted(300) == 300
    seconds["cheap"] = 60.0
    assert drafted(600) < 300  # skipped once the slow ones are most of the recent ones
    assert drafted(200) == 200 // TRY_AGAIN
    seconds["cheap"] = 0.1
    drafted(TRY_AGAIN * 256)
    assert drafted(100) == 100


def test_a_slow_draft_is_overtaken_and_a_quick_one_ends_what_was_asked_early():
    seconds = {0: 0.1, 1: 1.0}
    clocked = Clocked(plan_for(2), lambda k, _: seconds[k], lambda *_: 0.95, hedge=True)
    for i in range(KNOWN_FROM):
        assert clocked.ask(i)[0].tier == 0
    seconds[0] = 60.0
    verdict, took = clocked.ask(100)
    assert (verdict.tier, verdict.reason) == (1, "overtaken")
    assert took == pytest.approx(1.1, abs=0.1)
    assert [(call.tier, call.outcome) for call in verdict.calls] == [
        (0, "aborted"),
        (1, "returned"),
    ]
    assert verdict.cost is None  # what the draft has cost is not known
    seconds[0] = 0.9
    verdict, took = clocked.ask(101)
    assert (verdict.tier, verdict.reason, round(took, 6)) == (0, "confident", 0.9)
    assert [(call.tier, call.outcome) for call in verdict.calls] == [
        (0, "accepted"),
        (1, "aborted"),
    ]


def test_a_rejected_draft_is_followed_by_what_was_asked_early():
    seconds = {0: 0.1, 1: 1.0}
    clocked = Clocked(plan_for(2), lambda k, _: seconds[k], lambda *_: 0.3, hedge=True)
    for i in range(KNOWN_FROM):
        clocked.ask(i)
    seconds[0] = 0.9
    verdict, took = clocked.ask(100)
    assert (verdict.tier, verdict.reason) == (1, "low_confidence")
    assert took == pytest.approx(1.1, abs=0.1)  # and not 1.9
    assert [call.outcome for call in verdict.calls] == ["rejected", "returned"]


def test_quantiles_err_on_the_slow_side():
    takes = random.Random(1)
    wrong = 0
    for _ in range(200):
        latency = TierLatency()
        for _ in range(100):
            latency.took(takes.lognormvariate(0.0, 0.5))
        wrong += latency.within(0.95) < alone(1.0, 0.5, 0.95)
    assert wrong < 40  # the truth is above what is said in less than 1 of 5


def test_what_is_not_known_is_kept_half_of_the_deadline():
    latencies = Latencies(2)
    assert latencies.of[0].usual() is None
    assert latencies.kept_for(1, 8.0) == 8.0 * KEPT_UNKNOWN
    assert latencies.has_time(0, 0.001)
    assert not latencies.has_time(0, 0.0)
