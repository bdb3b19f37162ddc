"""A breaker opens, lets one probe through at a time, and closes; whoever asks, and from wherever."""

from __future__ import annotations

import os
import pickle
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from cascade_core.costs.prices import Prices
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Done, Drafts, Failed, Grant
from cascade_core.errors import BudgetExceeded, ConfigurationError, TierOpenError
from cascade_core.guards.breaker import Breaker, read_breaker
from cascade_core.guards.breakers import LeftAlone, LocalBreaker, Permit
from cascade_core.guards.guards import Guards
from cascade_core.guards.permits import Breakers, tell_breaker
from cascade_core.request import Request, Turn
from cascade_core.tier import Tier
from tests.core.test_forks import in_child

REQUEST = Request((Turn("user", "hi"),))
TIERS = Tier(0, "cheap"), Tier(1, "strong")


class ProviderError(Exception):
    def __init__(self, status: int = 503, **headers: str) -> None:
        self.status_code = status
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = SimpleNamespace(status_code=status, headers=named)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def entered(breaker: LocalBreaker) -> Permit:
    got = breaker.enter()
    assert isinstance(got, Permit)
    return got


def failing(breaker: LocalBreaker, times: int = 1, error: BaseException | None = None) -> None:
    for _ in range(times):
        breaker.failed(entered(breaker), error or ProviderError())


def opened(**setting: Any) -> LocalBreaker:
    breaker = LocalBreaker(Breaker(**setting))
    failing(breaker, breaker._setting.failures)
    assert breaker.is_open
    return breaker


def alone(breaker: LocalBreaker) -> float:
    got = breaker.enter()
    assert isinstance(got, LeftAlone)
    return got.seconds


def test_three_failures_in_a_row_open_it_and_an_answer_between_them_does_not(clock):
    breaker = LocalBreaker()
    for _ in range(5):
        failing(breaker, 2)
        breaker.answered(entered(breaker))
    assert not breaker.is_open
    failing(breaker, 3)
    assert alone(breaker) == 10.0


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ProviderError(401), 10),
        (ProviderError(403), 10),
        (ProviderError(429, retry_after="25"), 25),
        (ProviderError(503, retry_after="86400"), 60),
        (ProviderError(429, retry_after_ms="1"), 0.05),
    ],
)
def test_what_says_enough_opens_it_at_once_for_as_long_as_it_says_up_to_a_minute(
    clock, error, seconds
):
    breaker = LocalBreaker()
    failing(breaker, 1, error)
    assert alone(breaker) == pytest.approx(seconds)


def test_failures_of_the_requests_own_neither_open_it_nor_count_as_answers(clock):
    breaker = LocalBreaker()
    failing(breaker, 20, ProviderError(400))
    failing(breaker, 2)
    failing(breaker, 20, ProviderError(422))
    assert not breaker.is_open
    failing(breaker)
    assert breaker.is_open


def test_one_probe_an_interval_whether_it_fails_or_never_comes_back(clock):
    breaker = opened()
    clock.now += 10
    first = entered(breaker)  # never comes back
    assert first.probe
    assert alone(breaker) == 10
    clock.now += 10
    second = entered(breaker)
    breaker.failed(second, ProviderError())
    assert alone(breaker) == 10
    clock.now += 10
    third = entered(breaker)
    breaker.failed(first, TimeoutError())  # at last; the schedule stays as it is
    assert alone(breaker) == 10
    breaker.answered(third)
    assert not breaker.is_open
    assert not entered(breaker).probe


def test_a_probe_that_is_left_or_says_nothing_lets_the_next_request_try(clock):
    breaker = opened()
    clock.now += 10
    breaker.left(entered(breaker))
    breaker.failed(entered(breaker), ProviderError(400))
    probe = entered(breaker)
    assert probe.probe
    clock.now += 10
    entered(breaker)  # a later one is under way
    breaker.left(probe)
    assert alone(breaker) == 10


def test_a_probe_that_is_told_to_wait_waits_at_least_an_interval(clock):
    breaker = LocalBreaker()
    failing(breaker, 1, ProviderError(503, retry_after="1"))
    clock.now += 1
    failing(breaker, 1, ProviderError(503, retry_after="1"))
    assert alone(breaker) == 10
    clock.now += 10
    failing(breaker, 1, ProviderError(503, retry_after="30"))
    assert alone(breaker) == 30


def test_what_began_before_it_opened_says_nothing_afterwards(clock):
    breaker = LocalBreaker()
    before = [entered(breaker) for _ in range(6)]
    failing(breaker, 1, ProviderError(401))
    breaker.answered(before[0])
    assert breaker.is_open
    breaker.failed(before[1], ProviderError(503, retry_after="50"))
    assert alone(breaker) == 10
    clock.now += 10
    breaker.answered(entered(breaker))
    for late in before[2:]:
        breaker.failed(late, TimeoutError())
    assert not breaker.is_open


def test_only_as_many_as_are_needed_try_a_tier_that_has_just_failed(clock):
    breaker = LocalBreaker()
    first = entered(breaker)
    clock.now += 0.1
    beside = [entered(breaker), entered(breaker)]
    breaker.failed(first, ProviderError())
    assert alone(breaker) == pytest.approx(0.1)
    assert isinstance(breaker.enter(last=True), Permit)  # it has nowhere else to go
    breaker.answered(beside[1])
    entered(breaker)


def answering(breaker: LocalBreaker, takes: float, clock: SimpleNamespace, times: int = 20) -> None:
    for _ in range(times):
        permit = entered(breaker)
        clock.now += takes
        breaker.answered(permit)


def passes(breaker: LocalBreaker, seconds: float, clock: SimpleNamespace) -> None:
    """Let time pass in which this process does not stand still."""
    for _ in range(round(seconds / 0.05)):
        clock.now += 0.05
        breaker.left(breaker.enter(last=True))


def test_silence_holds_calls_off_then_opens_it_and_any_answer_of_them_closes_it_again(clock):
    told: list[float | None] = []
    breaker = LocalBreaker(Breaker(), told.append)
    answering(breaker, 1, clock)
    before = entered(breaker)
    breaker.answered(entered(breaker))
    hanging = [entered(breaker) for _ in range(10)]
    passes(breaker, 0.9, clock)
    hanging.append(entered(breaker))
    passes(breaker, 0.2, clock)
    assert isinstance(breaker.enter(last=True), Permit)
    assert alone(breaker) == 1
    assert not told  # it may have been a moment's pause
    passes(breaker, 1.1, clock)
    assert alone(breaker) == pytest.approx(10)
    breaker.answered(before)  # a later call had been answered already
    assert alone(breaker) == pytest.approx(10)
    breaker.answered(hanging[0])
    assert not entered(breaker).probe
    assert told == [pytest.approx(10), None]


def test_a_stream_that_begins_ends_a_silence_as_an_answer_does(clock):
    breaker = LocalBreaker()
    answering(breaker, 1, clock)
    hanging = [entered(breaker) for _ in range(10)]
    for _ in range(2):
        passes(breaker, 2, clock)
        alone(breaker)
    hanging[0].shows()
    assert not entered(breaker).probe


def test_one_answer_ends_a_silence_however_long_the_others_have_waited(clock):
    breaker = LocalBreaker()
    answering(breaker, 1, clock)
    slow = [entered(breaker) for _ in range(11)]
    passes(breaker, 3, clock)
    alone(breaker)
    breaker.answered(slow[0])
    entered(breaker)


def test_a_tier_that_has_become_quicker_is_known_as_quick(clock):
    breaker = LocalBreaker()
    answering(breaker, 10, clock, times=300)
    answering(breaker, 0.5, clock, times=200)
    for _ in range(10):
        entered(breaker)
    passes(breaker, 1, clock)
    alone(breaker)


def test_a_few_calls_that_hang_do_not_decide(clock):
    breaker = LocalBreaker()
    answering(breaker, 1, clock)
    for _ in range(5):
        entered(breaker)
    passes(breaker, 600, clock)
    entered(breaker)


def test_quick_calls_that_a_busy_machine_keeps_waiting_do_not_count_as_silence(clock):
    breaker = LocalBreaker()
    answering(breaker, 0.001, clock)
    for _ in range(10):
        entered(breaker)
    passes(breaker, 0.9, clock)
    entered(breaker)
    passes(breaker, 0.2, clock)
    alone(breaker)


def test_streams_that_have_begun_do_not_count_as_hanging(clock):
    breaker = LocalBreaker()
    answering(breaker, 1, clock)
    for _ in range(30):
        entered(breaker).shows()
    clock.now += 600  # their readers take their time
    entered(breaker)


def test_of_samples_that_failed_in_part_the_answers_count_unless_it_is_told_to_wait(clock):
    breaker = LocalBreaker()
    for _ in range(5):
        tell_breaker(entered(breaker), Drafts((Draft("a"),), [Failed(ProviderError(500))] * 3))
    assert not breaker.is_open
    asks = ProviderError(429, retry_after="20")
    tell_breaker(entered(breaker), Drafts((Draft("a"),), [Failed(asks)]))
    assert alone(breaker) == 20


@pytest.mark.parametrize("of", [lambda draft: Drafts((draft,)), Done])
def test_what_a_cache_answers_says_nothing_of_the_tier(clock, of):
    cached = of(Draft("a", cached=True))
    breaker = LocalBreaker()
    for _ in range(2):
        failing(breaker)
        tell_breaker(entered(breaker), cached)
    failing(breaker)
    clock.now += 10
    tell_breaker(entered(breaker), cached)
    assert entered(breaker).probe


def guards_for(**settings: Any) -> Guards:
    as_tier = lambda judge: Tier(0, judge.name)  # noqa: E731
    return Guards(breakers=Breakers(lambda *_: LocalBreaker(), TIERS), as_tier=as_tier, **settings)


def call(guards: Guards, target: Any, error: Exception | None = None) -> Any:
    got = guards.before(Ask(target, REQUEST), REQUEST, Prices())
    if isinstance(got, Grant):
        guards.after(got, Failed(error) if error else Drafts((Draft("a"),)), ())
    return got


def test_a_later_tiers_answers_say_nothing_of_an_earlier_one():
    guards = guards_for()
    for _ in range(3):
        call(guards, TIERS[0], ProviderError())
        call(guards, TIERS[1])
    refused = call(guards, TIERS[0])
    assert isinstance(refused.error, TierOpenError)
    assert (refused.error.tier, refused.error.reason) == (0, "open")
    assert isinstance(call(guards, TIERS[1]), Grant)


def test_judges_have_one_for_each_model():
    guards = guards_for()
    small, same, large = (SimpleNamespace(name=name) for name in ("small", "small", "large"))
    for judge in (small, same, small):
        call(guards, judge, ProviderError())
    refused = call(guards, same)
    assert str(refused.error).startswith(
        "small, a model beside the tiers, keeps failing and is left alone until "
    )
    assert isinstance(call(guards, large), Grant)
    assert isinstance(call(guards, TIERS[0]), Grant)


def test_a_request_that_is_left_frees_the_probe(clock):
    guards = guards_for()
    call(guards, TIERS[0], ProviderError(401))
    clock.now += 10
    probe = guards.before(Ask(TIERS[0], REQUEST), REQUEST, Prices())
    assert isinstance(probe, Grant)
    assert isinstance(guards.before(Ask(TIERS[0], REQUEST), REQUEST, Prices()), Failed)
    guards.abandon(probe, ())
    assert isinstance(call(guards, TIERS[0]), Grant)
    assert isinstance(call(guards, TIERS[0]), Grant)


def test_an_error_that_says_when_crosses_to_another_process():
    error = TierOpenError("tier 0 (m)", 4.0, 0)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.again_at, again.tier) == (str(error), error.again_at, 0)


def test_threads_open_it_once_and_one_of_them_probes(clock):
    told: list[float | None] = []
    breaker = LocalBreaker(Breaker(), told.append)
    start, paid, probes = threading.Barrier(16), [], []

    def ask() -> None:
        start.wait()
        for _ in range(200):
            got = breaker.enter()
            if isinstance(got, Permit):
                paid.append(got)
                breaker.failed(got, ProviderError())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [10.0]
    assert len(paid) <= 3 + 16  # those under way when it opened
    clock.now += 10
    threads = [threading.Thread(target=lambda: probes.append(breaker.enter())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(got, Permit) for got in probes) == 1


def test_a_copy_in_another_process_begins_closed_with_the_same_numbers():
    copy = pickle.loads(pickle.dumps(opened(failures=2)))
    assert not copy.is_open
    failing(copy, 2)
    assert copy.is_open


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_knows_what_is_open_and_waits_for_no_call_of_its_parent(clock):
    breaker, down = LocalBreaker(), opened()
    answering(breaker, 1, clock)
    for _ in range(30):
        entered(breaker)
    clock.now += 600

    def child() -> None:
        assert isinstance(breaker.enter(), Permit)
        down._open_until += 1000
        assert isinstance(down.enter(), LeftAlone)

    assert in_child(child)


@pytest.mark.parametrize(
    "wrong",
    [
        {"failures": 0},
        {"failures": 1.5},
        {"failures": True},
        {"probe_every": 0},
        {"probe_every": float("nan")},
        {"longest": "60"},
    ],
)
def test_a_wrong_number_is_named(wrong):
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=rf"Breaker\({name}=.*\): give .* above 0"):
        Breaker(**wrong)


def test_the_setting_is_a_breaker_or_whether_there_is_one():
    assert read_breaker(None) == read_breaker(True) == Breaker()
    assert read_breaker(False) is None
    with pytest.raises(ConfigurationError, match="breaker= takes a Breaker"):
        read_breaker(3)


def test_a_budget_that_is_short_uses_up_no_probe(clock, monkeypatch):
    guards = guards_for()
    call(guards, TIERS[0], ProviderError(401))
    clock.now += 10
    short = Failed(BudgetExceeded("b", "day", None))
    monkeypatch.setattr(guards, "budgets", ("one",))
    monkeypatch.setattr(guards, "_lease", lambda *_: short)
    assert call(guards, TIERS[0]) is short
    monkeypatch.setattr(guards, "budgets", ())
    assert isinstance(call(guards, TIERS[0]), Grant)
