"""What requests against the clock do, on a clock that only the test moves."""

from __future__ import annotations

import random
from math import exp
from statistics import NormalDist

import pytest

from cascade_core.guards.latency import (
    HARMED,
    KEPT_UNKNOWN,
    KNOWN_FROM,
    OF_REQUESTS,
    TRY_AGAIN,
    Latencies,
    TierLatency,
)
from tests.core.loop.clocked import Clocked, log_normal
from tests.core.making import plan_for


def sure(_, i):
    return 0.95 if random.Random(f"sure {i}").random() < 0.7 else 0.3


def alone(median, spread, share=0.995):
    """The deadline that a tier alone meets in a share of requests."""
    return median * exp(NormalDist().inv_cdf(share) * spread)


def mixed(seed):
    """Tiers, their latencies and how often each is accepted, drawn at random."""
    draw = random.Random(seed)
    tiers, spread, accepted = draw.choice((2, 3)), draw.uniform(0.2, 1.0), draw.uniform(0.2, 0.95)
    medians = (*sorted(draw.uniform(0.05, 0.9) for _ in range(tiers - 1)), 1.0)
    takes = log_normal(medians, spread, seed)

    def sure(k, i):
        return 0.95 if random.Random(f"{seed} {k} sure {i}").random() < accepted else 0.3

    return tiers, takes, sure


def met_by_995_of_1000(takes, last):
    """The deadline that a tier alone meets in 995 of the requests 0 to 999."""
    return sorted(takes(last, i) for i in range(1000))[994]


def late(seed, change=lambda k, i, seconds: seconds):
    """How many of 1,000 requests are late, and how many are answered cheaply."""
    tiers, usual, sure = mixed(seed)

    def takes(k, i):
        return change(k, i, usual(k, i))

    deadline = met_by_995_of_1000(takes, tiers - 1)
    clocked = Clocked(plan_for(tiers), takes, sure, deadline=deadline)
    found = cheaply = 0
    for i in range(1000):
        verdict, took = clocked.ask(i)
        found += took > deadline
        cheaply += verdict.tier < tiers - 1
        assert verdict.accepted or verdict.tier == tiers - 1  # never for lack of time
    return found, cheaply


@pytest.mark.simulation
@pytest.mark.parametrize("seed", range(3))
def test_99_of_100_are_inside_the_deadline_that_the_last_tier_meets_in_995_of_1000(seed):
    assert late(seed)[0] <= 10


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("seed", "change"),
    [
        pytest.param(0, lambda _, i, s: 2 * s if i >= 500 else s, id="all twice as slow midway"),
        pytest.param(
            1, lambda k, i, s: 8 * s if i >= 500 and k < 1 else s, id="cheap tier slow midway"
        ),
        pytest.param(2, lambda _, i, s: s * (1 + i / 1000), id="slower and slower"),
        pytest.param(1, lambda _, i, s: 6 * s if i % 50 < 2 else s, id="all slow at the same time"),
    ],
)
def test_so_they_are_where_latencies_change_or_go_together(seed, change):
    assert late(seed, change)[0] <= 10


def test_after_4_of_1000_were_late_for_a_draft_none_is_asked_for_until_they_are_past():
    latencies = Latencies(2)
    for _ in range(KNOWN_FROM):
        latencies.of[1].took(1.0)
    for _ in range(HARMED):
        assert latencies.kept_for(1, 8.0) < 2.0
        latencies.ended(drafted=True, sent_on=True, harmed=True)
    assert latencies.kept_for(1, 8.0) == 8.0
    for _ in range(OF_REQUESTS - HARMED):
        latencies.ended(drafted=False, sent_on=True)
    assert latencies.kept_for(1, 8.0) == 8.0
    latencies.ended(drafted=False, sent_on=True)
    assert latencies.kept_for(1, 8.0) < 2.0


def test_as_long_as_nothing_is_known_one_late_request_is_enough():
    latencies = Latencies(2)
    latencies.ended(drafted=True, sent_on=True, harmed=True)
    assert latencies.kept_for(1, 8.0) == 8.0
    for _ in range(KNOWN_FROM):
        latencies.of[1].took(1.0)
    assert latencies.kept_for(1, 8.0) < 2.0


def test_only_a_request_that_would_have_been_in_time_was_late_for_a_draft():
    seconds = {0: 2.0, 1: 3.5}
    clocked = Clocked(plan_for(2), lambda k, _: seconds[k], lambda *_: 0.3, deadline=5.0)
    assert clocked.ask(0)[1] == 5.5
    seconds[1] = 6.0
    clocked.ask(1)
    assert len(clocked.latencies._harmed) == 1
    assert [call.tier for call in clocked.ask(2)[0].calls] == [1]  # so none is asked for


def test_a_draft_that_is_not_asked_for_says_nothing_of_how_many_are_sent_on():
    clocked = Clocked(plan_for(2), lambda k, _: 9.0, lambda *_: 0.3, deadline=10.0)
    for _ in range(KNOWN_FROM):
        for tier in clocked.latencies.of:
            tier.took(9.0)
    verdict, _ = clocked.ask(0)
    assert [call.tier for call in verdict.calls] == [1]
    assert not clocked.latencies._sent_on
    assert not clocked.latencies._rejected


def test_a_loose_deadline_costs_no_draft():
    clocked = Clocked(plan_for(2), log_normal((0.2, 1.0), 0.3, 1), sure, deadline=10.0)
    plain = Clocked(plan_for(2), log_normal((0.2, 1.0), 0.3, 1), sure)
    assert [clocked.ask(i)[0].tier for i in range(300)] == [
        plain.ask(i)[0].tier for i in range(300)
    ]


@pytest.mark.simulation
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
    clocked = Clocked(plan_for(2), lambda k, _: seconds[k], lambda *_: 0.95, hedge=0.1)
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
    clocked = Clocked(plan_for(2), lambda k, _: seconds[k], lambda *_: 0.3, hedge=0.1)
    for i in range(KNOWN_FROM):
        clocked.ask(i)
    seconds[0] = 0.9
    verdict, took = clocked.ask(100)
    assert (verdict.tier, verdict.reason) == (1, "low_confidence")
    assert took == pytest.approx(1.0)  # all were rejected, so that it was asked at once
    assert [call.outcome for call in verdict.calls] == ["rejected", "returned"]


@pytest.mark.simulation
@pytest.mark.parametrize("extra", [0.1, 0.3])
@pytest.mark.parametrize("easy", [0.7, 0.3])
def test_no_more_requests_than_said_ask_the_last_tier_in_vain(extra, easy):
    def sure(_, i):
        return 0.95 if random.Random(f"sure {i}").random() < easy else 0.3

    clocked = Clocked(plan_for(2), log_normal((0.3, 1.0), 0.5, 1), sure, hedge=extra)
    plain = Clocked(plan_for(2), log_normal((0.3, 1.0), 0.5, 1), sure)
    vain, saved = 0, 0.0
    for i in range(800):
        (verdict, took), (_, without) = clocked.ask(i), plain.ask(i)
        assert took <= without + 1e-6
        saved += without - took
        vain += sure(0, i) > 0.9 and any(call.tier for call in verdict.calls)
    assert 0.4 * extra <= vain / 800 <= 1.1 * extra
    assert saved > 0


@pytest.mark.simulation
def test_calls_that_were_ended_are_learned_so_that_what_is_slow_does_not_creep_down():
    clocked = Clocked(plan_for(2), log_normal((0.9, 0.3), 0.5, 1), sure, hedge=0.3)
    for i in range(800):
        clocked.ask(i)
    for tier, median in ((0, 0.9), (1, 0.3)):
        latency = clocked.latencies.of[tier]
        assert latency.known < 250  # some were ended
        for share in (0.5, 0.9):
            assert latency.within(share) == pytest.approx(alone(median, 0.5, share), rel=0.25)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_distribution_is_found_again_where_slow_answers_were_cut(share):
    takes, latency = random.Random(2), TierLatency()
    cut = alone(1.0, 0.5, share)
    for _ in range(256):
        seconds = takes.lognormvariate(0.0, 0.5)
        latency.took(min(seconds, cut), whole=seconds <= cut)
    for wanted in (0.3, 0.5, 0.9, 0.99):
        assert latency.within(wanted) == pytest.approx(alone(1.0, 0.5, wanted), rel=0.3)


def test_a_tier_of_which_everything_is_cut_has_no_usual_time():
    latency = TierLatency()
    for _ in range(30):
        latency.took(2.0, whole=False)
    assert latency.usual() == float("inf")
    assert latency.known == 0
    latencies = Latencies(2)
    for _ in range(30):
        latencies.of[0].took(2.0, whole=False)
    assert latencies.early(0, 0.1) is None


def test_where_most_drafts_are_rejected_anyway_the_last_tier_is_asked_at_once():
    latencies = Latencies(2)
    for _ in range(100):
        latencies.of[0].took(1.0)
        latencies.ended(drafted=True, sent_on=True)
    assert latencies.early(0, 0.1) == 0.0
    for _ in range(100):
        latencies.ended(drafted=True, sent_on=True, cut=True)  # nobody knows what became of these
    for _ in range(256):
        latencies.ended(drafted=True, sent_on=False)
    assert latencies.early(0, 0.1) >= 1.0


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
