"""The ledger of a process and the one on a server are the same, step for step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cascade_core import RedisStore
from cascade_core.guards.ledger import Account, Amount, LocalLedger, Short
from cascade_core.guards.redis_ledger import RedisLedger
from cascade_core.guards.redis_link import RedisLink
from tests.core.guards.redis_server import RedisServer, needs_redis

pytestmark = needs_redis

_examples = count()
AMOUNTS = st.builds(Amount, st.integers(0, 40), st.integers(0, 12))


class LedgersAgree(RuleBasedStateMachine):
    """Does everything twice; of the server's processes, any may take a step."""

    processes: list[RedisLedger]
    server: RedisServer
    prefix: str

    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.local = LocalLedger()
        ends, example = time.time() + 3600, next(_examples)
        limits = ((100, None), (None, 30), (60, 20), (None, None))
        self.accounts = [Account(f"{example}/{i}", *most, ends) for i, most in enumerate(limits)]

    @rule(
        target=leases,
        places=st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True),
        amount=AMOUNTS,
        process=st.integers(0, 1),
    )
    def reserves(self, places, amount, process):
        accounts = [self.accounts[place] for place in places]
        one = self.local.reserve(accounts, amount)
        other = self.processes[process].reserve(accounts, amount)
        if isinstance(one, Short):
            assert one == other
            return None
        assert not isinstance(other, Short)
        return one, other, self.processes[process]

    @rule(lease=leases)
    def starts(self, lease):
        if lease is not None and lease[1].id in lease[2]._held:
            lease[2].start(lease[1])

    @rule(lease=consumes(leases), spent=AMOUNTS, waits=st.booleans())
    def settles(self, lease, spent, waits):
        if lease is None:
            return
        self.local.settle(lease[0], spent)
        if waits:
            lease[2].settle(lease[1], spent)
        else:
            lease[2].abandon(lease[1], spent)
            lease[2]._link.beat()

    @rule(lease=consumes(leases), late=st.none() | AMOUNTS)
    def ends(self, lease, late):
        """Its process is gone for as long as a lease; it may come back."""
        if lease is None:
            return
        full = lease[1].amount if lease[1].started else Amount()
        client, base = self.server.client(), f"{{{self.prefix}}}:"
        del lease[2]._held[lease[1].id]
        client.zadd(f"{base}due", {lease[1].id: 1})
        client.hset(f"{base}books", "spare", 0)
        self.processes[0]._link.beat()
        if late is not None and lease[1].started:
            lease[2]._held[lease[1].id] = lease[1]
            lease[2].settle(lease[1], late)
            more = Amount(*(max(a, b) for a, b in zip(full, late, strict=True)))
            full = more
        self.local.settle(lease[0], full)

    @invariant()
    def holds_the_same(self):
        for account in self.accounts:
            assert self.local.used(account) == self.processes[0].used(account)


@pytest.fixture
def machine(shared_server: RedisServer, prefix: str) -> Iterator[type[LedgersAgree]]:
    # So long that nothing happens by itself but what a step does.
    store = RedisStore(shared_server.url(prefix=prefix, lease=30))
    links = [RedisLink(store) for _ in range(2)]

    class Machine(LedgersAgree):
        processes = [link.user("ledger", RedisLedger) for link in links]  # noqa: RUF012
        server = shared_server

    Machine.prefix = prefix
    yield Machine
    for link in links:
        link.close()


@pytest.mark.simulation
def test_two_ledgers_agree_step_for_step(machine: type[LedgersAgree]) -> None:
    run_state_machine_as_test(
        machine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None)
    )
