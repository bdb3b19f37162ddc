"""A provider that is down for a minute, in simulated time: who pays for finding out."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from math import log
from operator import mul
from statistics import NormalDist
from types import SimpleNamespace

import pytest

from cascade_core.costs.prices import Prices
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Drafts, Failed, Grant
from cascade_core.guards.breaker import Breaker
from cascade_core.guards.breakers import LeftAlone, LocalBreaker
from cascade_core.guards.guards import Guards
from cascade_core.guards.permits import Breakers
from cascade_core.guards.silence import AT_LEAST, STUCK, UNLIKELY
from cascade_core.request import Request, Turn
from cascade_core.tier import Tier

TIERS = Tier(0, "cheap"), Tier(1, "strong")
REQUEST = Request((Turn("user", "hi"),))
DOWN, UP, END = 100.0, 160.0, 200.0


class Refused(Exception):  # noqa: N818
    """What a provider in trouble says."""

    def __init__(self, status: int = 503, **headers: str) -> None:
        self.status_code = status
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = SimpleNamespace(status_code=status, headers=named)


def outage(
    monkeypatch, *, rate=100, fails_in=0.1, error=None, answers_in=0.2, spread=1.0, setting=None
):
    """Simulate requests to a tier that is down from `DOWN` to `UP`.

    Returns:
        How many calls failed, and when the tier took requests again.
    """
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    made = setting or Breaker()
    guards = Guards(breakers=Breakers(lambda *_: LocalBreaker(made), TIERS))
    chance, order, prices = random.Random(7), itertools.count(), Prices()
    events = [(place / rate, next(order), None, None) for place in range(int(END * rate))]
    heapq.heapify(events)
    paid, served, refused = 0, [], 0
    while events:
        clock.now, _, grant, reply = heapq.heappop(events)
        if grant is not None:
            guards.after(grant, reply, ())
            continue
        got = guards.before(Ask(TIERS[0], REQUEST), REQUEST, prices)
        if isinstance(got, Failed):
            refused += 1
            continue
        assert isinstance(got, Grant)
        if DOWN <= clock.now < UP:
            paid += 1
            reply = Failed(error or Refused())
            takes = fails_in * chance.uniform(spread, 1.0)
        else:
            served.append(clock.now)
            reply, takes = Drafts((Draft("hello"),)), answers_in * chance.lognormvariate(0, 0.5)
        heapq.heappush(events, (clock.now + takes, next(order), got, reply))
    back = min(at for at in served if at >= UP)
    assert len(served) + paid + refused == int(END * rate)
    # Before and after, next to every request is let through.
    assert sum(at < DOWN for at in served) == int(DOWN * rate)
    busy = [at for at in served if at >= back + 5]
    assert len(busy) == pytest.approx((END - back - 5) * rate, abs=1)
    return paid, back


def now_and_then(monkeypatch, share, fails_in):
    """Simulate a hundred requests a second to a tier that fails now and then."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    breaker, order, chance = LocalBreaker(), itertools.count(), random.Random(3)
    events = [(place / 100, next(order), None, False) for place in range(10_000)]
    heapq.heapify(events)
    paid = refused = 0
    while events:
        clock.now, _, permit, fails = heapq.heappop(events)
        if permit is not None:
            breaker.failed(permit, Refused()) if fails else breaker.answered(permit)
            continue
        got = breaker.enter()
        if isinstance(got, LeftAlone):
            refused += 1
            continue
        fails = chance.random() < share
        paid += fails
        takes = fails_in if fails else 5 * chance.lognormvariate(0, 0.5)
        heapq.heappush(events, (clock.now + takes, next(order), got, fails))
    return paid, refused


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("error", "fails_in"),
    [
        *((Refused(), seconds) for seconds in (0.0, 0.001, 0.05, 0.1, 0.13)),
        (Refused(429), 0.05),
        (Refused(401), 0.1),
        (ConnectionError(), 0.001),
        *((Refused(503, retry_after="1"), seconds) for seconds in (0.0, 0.13)),
    ],
)
def test_at_most_twenty_requests_pay_and_the_tier_is_back_within_a_probe(
    monkeypatch, error, fails_in
):
    paid, back = outage(monkeypatch, fails_in=fails_in, error=error)
    assert paid <= 20
    assert back <= UP + 10 + 1 / 100


@pytest.mark.parametrize("fails_in", [0.05, 0.1])
def test_failures_that_take_longer_or_shorter_are_found_out_as_well(monkeypatch, fails_in):
    paid, back = outage(monkeypatch, fails_in=fails_in, spread=0.3)
    assert paid <= 20
    assert back <= UP + 10 + 1 / 100


@pytest.mark.simulation
def test_without_a_breaker_everyone_would_pay(monkeypatch):
    # Never open: what the figures above are to be seen against.
    paid, _ = outage(monkeypatch, setting=Breaker(failures=1_000_000))
    assert paid == 6000


PROBES = 6  # of a minute's outage, one in ten seconds
MORE = 4  # latencies are known from two hundred answers only


def begun_before_silence_is_odd(rate):
    """How many calls begin before it is next to impossible that none of them was answered.

    Each adds the chance that it takes longer than it has waited, once it has waited long enough
    for that not to be this machine's doing: nobody can know earlier.
    """
    takes = NormalDist(log(0.2), 0.5)

    def likely(waited):
        return 1.0 if waited < AT_LEAST else max(STUCK, 1 - takes.cdf(log(waited)))

    products = itertools.accumulate((likely(count / rate) for count in itertools.count(1)), mul)
    return 1 + next(place for place, each in enumerate(products) if each < UNLIKELY)


@pytest.mark.parametrize(("rate", "bound"), [(1, 7), (10, 16), (100, 106)])
def test_a_tier_that_hangs_is_left_alone_long_before_its_calls_time_out(monkeypatch, rate, bound):
    # Without a look at how long they wait, all of the first 30 seconds would have.
    assert begun_before_silence_is_odd(rate) == bound
    paid, back = outage(monkeypatch, rate=rate, fails_in=30.0, error=TimeoutError())
    assert paid <= bound + PROBES + MORE
    assert back <= UP + 10 + 1 / rate


@pytest.mark.simulation
@pytest.mark.parametrize("error", [Refused(), Refused(503, retry_after="1")])
@pytest.mark.parametrize("fails_in", [0.14, 0.2, 0.3, 1.0, 2.0])
def test_of_slow_failures_those_pay_that_began_before_the_first_or_before_silence_was_odd(
    monkeypatch, error, fails_in
):
    begun = min(round(100 * fails_in), begun_before_silence_is_odd(100) + MORE)
    paid, back = outage(monkeypatch, fails_in=fails_in, error=error)
    assert paid <= begun + PROBES + 1  # one more where the first is tried after a second
    assert back <= UP + 10 + 2.1


@pytest.mark.parametrize("fails_in", [0.2, 1.0])
def test_failures_that_take_now_longer_now_shorter_cost_no_more(monkeypatch, fails_in):
    paid, _ = outage(monkeypatch, fails_in=fails_in, spread=0.3)
    assert paid <= min(round(100 * fails_in), begun_before_silence_is_odd(100) + MORE) + PROBES


@pytest.mark.simulation
@pytest.mark.parametrize("fails_in", [0.001, 0.1, 2.0, 10.0])
def test_a_busy_tier_that_fails_now_and_then_is_left_alone_for_a_moment_only(monkeypatch, fails_in):
    failed, refused = now_and_then(monkeypatch, 0.01, fails_in)
    assert failed > 80
    assert refused <= 3 * failed


def test_a_provider_that_names_a_time_is_asked_then(monkeypatch):
    paid, back = outage(monkeypatch, fails_in=0.0, error=Refused(503, retry_after="45"))
    assert paid == 2
    assert back == pytest.approx(DOWN + 90, abs=0.02)
