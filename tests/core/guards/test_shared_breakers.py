"""Breakers on a Redis server: what one process finds out, all go by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from cascade_core import RedisStore
from cascade_core.guards.breaker import Breaker
from cascade_core.guards.breakers import LeftAlone, LocalBreaker, Permit
from cascade_core.guards.redis_breakers import SharedBreakers, breaker_name
from cascade_core.guards.redis_link import RedisLink
from cascade_core.tier import Tier
from tests.core.guards.redis_server import RedisServer, needs_redis
from tests.core.guards.test_redis_ledger import told, until

pytestmark = needs_redis

DOWN = ConnectionError("no route")
TIER = Tier(0, model="m0")


class Process:
    """A process with one cascade."""

    def __init__(self, store: RedisStore, tier: Tier = TIER, every: float = 0.3) -> None:
        self.link = RedisLink(store)
        self.shared = self.link.user("breakers", SharedBreakers)
        self.said: list[float | None] = []
        self.breaker: LocalBreaker = self.shared.make(
            Breaker(probe_every=every), tier, self.said.append
        )
        self.shared.begin()

    def asks(self) -> Permit | LeftAlone:
        return self.breaker.enter()

    def tries(self) -> Permit:
        """Ask again and again, as requests do, until one is let through."""
        until(lambda: isinstance(self.asks_once(), Permit))
        return self._permit

    def asks_once(self) -> Permit | LeftAlone:
        entered = self.asks()
        if isinstance(entered, Permit):
            self._permit = entered
        return entered

    def fails(self) -> None:
        for _ in range(3):
            permit = self.breaker.enter(last=True)
            assert isinstance(permit, Permit)
            self.breaker.failed(permit, DOWN)


@pytest.fixture
def process(shared_server: RedisServer, prefix: str) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def make(**given: object) -> Process:
        server = given.pop("server", shared_server)
        made.append(Process(RedisStore(server.url(prefix=prefix, lease=1.5, timeout=60)), **given))
        return made[-1]

    yield make
    for each in made:
        each.link.close()


def test_a_process_learns_that_a_tier_is_down_and_that_it_is_back(process) -> None:
    one, other = process(), process()
    one.fails()
    until(lambda: other.breaker.is_open)
    assert len(other.said) == 1
    assert other.said[0] > 0
    permit = one.tries()
    assert permit.probe
    one.breaker.answered(permit)
    until(lambda: not other.breaker.is_open)
    assert isinstance(other.asks(), Permit)
    assert other.said[1:] == [None]


def test_a_silence_is_told_to_others_and_so_is_what_ends_it(process, monkeypatch) -> None:
    monkeypatch.setattr("cascade_core.guards.breakers.HELD_OFF", 0.0)
    one, other = process(every=3600), process(every=3600)
    for _ in range(20):
        one.breaker.answered(one.asks())
    first, *_ = [one.asks() for _ in range(10)]

    def turns_away() -> bool:
        entered = one.asks()
        if isinstance(entered, Permit):
            one.breaker.left(entered)
        return isinstance(entered, LeftAlone)

    until(turns_away)
    until(lambda: other.breaker.is_open)
    first.shows()
    until(lambda: not other.breaker.is_open)


def test_one_process_tries_at_a_time(process) -> None:
    # So long that nothing but the first probe happens.
    processes = [process(every=3600) for _ in range(4)]
    processes[0].fails()
    until(lambda: all(each.breaker.is_open for each in processes))
    client = processes[0].link.store.connect()
    (key,) = client.keys(f"{processes[0].link.prefix}b:*")
    client.set(key, 1)  # the interval is over
    probes: list[Permit] = []

    def all_ask() -> bool:
        for each in processes:
            entered = each.asks()
            if isinstance(entered, Permit):
                probes.append(entered)
        return bool(probes)

    until(all_ask)
    for _ in range(30):  # many beats
        all_ask()
        time.sleep(0.01)
    assert [each.probe for each in probes] == [True]


def test_leave_to_try_is_given_once(process) -> None:
    processes = [process(every=3600) for _ in range(3)]
    processes[0].fails()
    until(lambda: all(each.breaker.is_open for each in processes))
    client = processes[0].link.store.connect()
    (key,) = client.keys(f"{processes[0].link.prefix}b:*")
    for each in processes:
        assert isinstance(each.asks(), LeftAlone)
    client.set(key, 1)  # the interval is over
    for _ in range(3):
        for each in processes:
            each.breaker._wanted = True
            each.link.beat()
    assert sum(each.breaker.may_probe for each in processes) == 1


def test_another_process_may_try_where_the_first_never_comes_back(process) -> None:
    one, other = process(), process()
    one.fails()
    until(lambda: other.breaker.is_open)
    one.tries()
    assert other.tries().probe


def test_a_process_that_had_leave_and_no_request_holds_up_nobody(process) -> None:
    idle, busy = process(), process()
    idle.fails()
    until(lambda: busy.breaker.is_open)
    idle.asks()  # turned away, and it never comes again
    permit = busy.tries()
    busy.breaker.answered(permit)
    until(lambda: not idle.breaker.is_open)


def test_a_request_that_comes_seldom_is_let_through(process) -> None:
    one = process(every=0.1)
    one.fails()
    until(lambda: one.breaker.may_probe)  # with no request that asks for it
    assert isinstance(one.asks(), Permit)


def test_other_models_and_addresses_are_not_concerned(process) -> None:
    one, model, address = (
        process(),
        process(tier=Tier(0, model="m1")),
        process(tier=Tier(0, model="m0", native=SimpleNamespace(base_url="http://other"))),
    )
    place = process(tier=Tier(2, model="m0"))
    one.fails()
    until(lambda: place.breaker.is_open)
    assert not model.breaker.is_open
    assert not address.breaker.is_open


def test_each_process_goes_by_itself_while_the_server_is_away(server: RedisServer, process) -> None:
    one, other = process(server=server), process(server=server)
    with told():
        server.kill()
        one.fails()
        permit = one.tries()
        one.breaker.answered(permit)
        one.fails()
        assert not other.breaker.is_open
        server.start()
        until(lambda: other.breaker.is_open)  # said when the server is back


def test_what_has_no_name_is_not_shared() -> None:
    assert breaker_name(None) is None
    assert breaker_name(Tier(0)) is None
    named = {breaker_name(Tier(place, model="m0")) for place in range(3)}
    assert len(named) == 1


def test_an_address_of_openai_is_the_same_however_it_is_given() -> None:
    given = SimpleNamespace(llm=SimpleNamespace(api_base="https://api.openai.com/v1"))
    assert breaker_name(Tier(0, model="m0", native=given)) == breaker_name(Tier(1, model="m0"))
