"""A tier that is well is hardly ever taken for one that hangs, however its latencies run."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from cascade_core.guards.breakers import LeftAlone, LocalBreaker, Permit

REQUESTS = 3000
Ends = Callable[[float, random.Random], float]


def refused(monkeypatch: pytest.MonkeyPatch, rate: float, ends: Ends) -> tuple[int, int]:
    """Simulate requests at random moments to a tier that always answers.

    Returns:
        How many were not let through, and how often the breaker opened.
    """
    clock, chance, order = SimpleNamespace(now=0.0), random.Random(5), itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    opened: list[float] = []
    breaker = LocalBreaker(None, lambda seconds: seconds is not None and opened.append(seconds))
    at = itertools.accumulate(chance.expovariate(rate) for _ in range(REQUESTS))
    events = [(each, next(order), None) for each in at]
    heapq.heapify(events)
    count = 0
    while events:
        clock.now, _, permit = heapq.heappop(events)
        if permit is not None:
            breaker.answered(permit)
            continue
        got = breaker.enter()
        if isinstance(got, LeftAlone):
            count += 1
        else:
            heapq.heappush(events, (ends(clock.now, chance), next(order), got))
    return count, len(opened)


def log_normal(median: float, spread: float) -> Ends:
    return lambda now, chance: now + median * chance.lognormvariate(0, spread)


def heavy(now: float, chance: random.Random) -> float:
    return now + 0.2 * chance.paretovariate(1.5)


def mixed(now: float, chance: random.Random) -> float:
    return now + (10 if chance.random() < 0.03 else 0.2) * chance.lognormvariate(0, 0.3)


def slower(after: float, within: float) -> Ends:
    """Three times as slow, at once or by and by."""

    def ends(now: float, chance: random.Random) -> float:
        factor = 1 + 2 * min(1.0, max(0.0, now - after) / within)
        return now + 0.2 * factor * chance.lognormvariate(0, 0.5)

    return ends


def pausing(now: float, chance: random.Random) -> float:
    """Nothing is answered in one second of ten; what waits is answered at its end."""
    end = now + 0.2 * chance.lognormvariate(0, 0.5)
    return end - end % 10 + 1 + 0.02 * chance.random() if end >= 10 and end % 10 < 1 else end


@pytest.mark.simulation
@pytest.mark.parametrize("rate", [1, 10, 100, 1000])
@pytest.mark.parametrize(
    "ends",
    [log_normal(0.2, 0.5), log_normal(2, 0.5), log_normal(0.5, 1.2), log_normal(1, 0.01), heavy],
    ids=["usual", "slow", "wide", "even", "heavy"],
)
def test_no_request_is_turned_away_by_chance(monkeypatch, rate, ends):
    assert refused(monkeypatch, rate, ends) == (0, 0)


@pytest.mark.simulation
@pytest.mark.parametrize("rate", [1, 10, 100, 1000])
@pytest.mark.parametrize("ends", [mixed, slower(2, 0.001), slower(1, 10)])
def test_nor_are_many_where_latencies_change(monkeypatch, rate, ends):
    count, opened = refused(monkeypatch, rate, ends)
    assert count <= REQUESTS / 50
    assert not opened


@pytest.mark.parametrize("rate", [1, 10, 100])
def test_a_pause_holds_off_some_of_those_that_would_have_waited(monkeypatch, rate):
    count, opened = refused(monkeypatch, rate, pausing)
    assert count <= REQUESTS / 10
    assert not opened


@pytest.mark.parametrize("stands", [1.2, 3.0])
def test_a_process_that_stood_still_does_not_take_that_for_a_silence(monkeypatch, stands):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    chance, breaker = random.Random(2), LocalBreaker()
    flying: list[tuple[float, Permit]] = []
    alone = 0
    for step in range(6000):
        # Every 5 seconds nothing runs; then requests come to be begun before answers are read.
        clock.now += stands if step % 500 == 499 else 0.01
        for _ in range(1 if step % 500 != 499 else round(100 * stands)):
            entered = breaker.enter()
            if isinstance(entered, LeftAlone):
                alone += 1
            else:
                flying.append((clock.now + 0.2 * chance.lognormvariate(0, 0.3), entered))
        for at, permit in [each for each in flying if each[0] <= clock.now]:
            flying.remove((at, permit))
            breaker.answered(permit)
    assert alone == 0
