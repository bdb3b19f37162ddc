"""Budgets on a Redis server: what one process does, others see."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from cascade_core.errors import NotAskedError, StoreDownError
from cascade_core.guards.ledger import Account, Amount, Lease, Short
from cascade_core.guards.redis_ledger import RedisLedger
from tests.core.guards.redis_server import RedisServer, needs_redis

pytestmark = needs_redis

Process = Callable[..., RedisLedger]


def account(key: str = "all", usd: int | None = 100, tokens: int | None = None) -> Account:
    return Account(key, usd, tokens, time.time() + 3600)


def granted(ledger: RedisLedger, *accounts: Account, amount: Amount) -> Lease:
    lease = ledger.reserve(accounts, amount)
    assert isinstance(lease, Lease)
    return lease


def until(true: Callable[[], object]) -> None:
    """Wait for what happens in the background."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def told() -> Iterator[list[str]]:
    """Collect what is warned of, in whichever thread."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield said
        finally:
            said += [str(each.message) for each in caught]


def leases(server: RedisServer, prefix: str) -> int:
    return len(server.client().keys(f"{{{prefix}}}:l:*"))


def test_what_one_process_sets_aside_another_cannot_have(
    shared_server: RedisServer, process: Process
) -> None:
    one, other = process(shared_server), process(shared_server)
    lease = granted(one, account(), amount=Amount(70, 7))
    assert other.reserve([account()], Amount(31, 1))[:2] == (0, Amount(70, 7))
    one.start(lease)
    one.settle(lease, Amount(40, 4))
    granted(other, account(), amount=Amount(60, 1))
    assert one.used(account()) == Amount(100, 5)


def test_all_accounts_have_room_or_none_is_touched(
    shared_server: RedisServer, process: Process
) -> None:
    ledger = process(shared_server)
    wide, narrow = account("wide", 100), account("narrow", None, 5)
    assert ledger.reserve([wide, narrow], Amount(10, 6))[:2] == (1, Amount())
    assert ledger.used(wide) == Amount()
    lease = granted(ledger, wide, narrow, amount=Amount(10, 5))
    assert (ledger.used(wide), ledger.used(narrow)) == (Amount(10, 5), Amount(10, 5))
    ledger.settle(lease, Amount())
    assert (ledger.used(wide), ledger.used(narrow)) == (Amount(), Amount())


def test_a_lease_settles_once(shared_server: RedisServer, process: Process) -> None:
    ledger = process(shared_server)
    lease = granted(ledger, account(), amount=Amount(10, 1))
    for _ in range(2):
        ledger.settle(lease, Amount(4, 1))
    ledger.abandon(lease, Amount(4, 1))
    ledger.beat()
    assert ledger.used(account()) == Amount(4, 1)


def test_more_than_was_set_aside_is_counted_too(
    shared_server: RedisServer, process: Process
) -> None:
    ledger = process(shared_server)
    ledger.settle(granted(ledger, account(), amount=Amount(100, 1)), Amount(130, 2))
    assert ledger.reserve([account()], Amount(1, 1))[:2] == (0, Amount(130, 2))


def test_sums_are_exact_up_to_millions_of_usd(shared_server: RedisServer, process: Process) -> None:
    ledger = process(shared_server)
    most = 9_000_000 * 10**9
    lease = granted(ledger, account(usd=most), amount=Amount(most - 1, 3))
    ledger.start(lease)
    ledger.settle(lease, Amount(most - 2, 3))
    assert ledger.used(account()) == Amount(most - 2, 3)
    assert isinstance(ledger.reserve([account(usd=most)], Amount(3, 0)), Short)
    granted(ledger, account(usd=most), amount=Amount(2, 0))


def test_an_abandoned_call_is_settled_behind(
    shared_server: RedisServer, process: Process, prefix: str
) -> None:
    ledger = process(shared_server)
    lease = granted(ledger, account(), amount=Amount(10, 1))
    ledger.start(lease)
    ledger.abandon(lease, Amount(10, 1))
    until(lambda: leases(shared_server, prefix) == 0)
    assert ledger.used(account()) == Amount(10, 1)


def end_leases(server: RedisServer, prefix: str, *which: str) -> None:
    """Have leases that nobody renews end now."""
    client = server.client()
    client.hset(f"{{{prefix}}}:books", "spare", 0)
    client.zadd(f"{{{prefix}}}:due", dict.fromkeys(which, 1), xx=True)


class _Gone:
    """A process that was killed: its leases are renewed by nobody, and have run out."""

    def __init__(self, ledger: RedisLedger, server: RedisServer, prefix: str) -> None:
        self.held = ledger._held
        ledger._held = {}
        end_leases(server, prefix, *self.held)


def test_of_a_dead_process_what_was_not_begun_comes_back_and_the_rest_is_spent(
    shared_server: RedisServer, process: Process, prefix: str
) -> None:
    dead, alive = process(shared_server), process(shared_server)
    granted(dead, account(), amount=Amount(30, 3))
    dead.start(granted(dead, account(), amount=Amount(50, 5)))
    mine = granted(alive, account(), amount=Amount(20, 2))
    assert isinstance(alive.reserve([account()], Amount(1, 1)), Short)
    _Gone(dead, shared_server, prefix)
    until(lambda: leases(shared_server, prefix) == 1)  # that of the living one is renewed
    assert alive.used(account()) == Amount(70, 7)
    alive.settle(mine, Amount())
    assert alive.used(account()) == Amount(50, 5)


def test_a_call_whose_lease_ended_before_it_began_takes_a_new_one_or_is_not_made(
    shared_server: RedisServer, process: Process, prefix: str
) -> None:
    late, quick = process(shared_server), process(shared_server)
    first = granted(late, account(), amount=Amount(60, 1))
    second = granted(late, account(), amount=Amount(40, 1))
    quick.beat()
    stalled = _Gone(late, shared_server, prefix)
    blocked = granted(quick, account("other"), amount=Amount(1, 1))
    until(lambda: leases(shared_server, prefix) == 1)
    late._held = stalled.held
    late.start(first)
    assert quick.used(account()) == Amount(60, 1)
    taken = granted(quick, account(), amount=Amount(40, 1))
    with pytest.raises(NotAskedError, match="freed before it began"):
        late.start(second)
    for ledger, lease in ((late, first), (quick, taken), (quick, blocked)):
        ledger.settle(lease, Amount())
    assert quick.used(account()) == Amount()


def test_what_ended_in_full_is_not_counted_again_when_its_call_returns(
    shared_server: RedisServer, process: Process, prefix: str
) -> None:
    late, other = process(shared_server), process(shared_server)
    lease = granted(late, account(), amount=Amount(30, 3))
    late.start(lease)
    stalled = _Gone(late, shared_server, prefix)
    granted(other, account("other"), amount=Amount(1, 1))
    until(lambda: leases(shared_server, prefix) == 1)
    late._held = stalled.held
    late.settle(lease, Amount(10, 1))
    assert other.used(account()) == Amount(30, 3)


def test_a_flush_is_noticed_and_nothing_is_granted_twice(
    server: RedisServer, process: Process
) -> None:
    one, other = process(server), process(server)
    spent = granted(one, account(), amount=Amount(60, 6))
    one.start(spent)
    one.settle(spent, Amount(60, 6))
    running = granted(one, account(), amount=Amount(30, 3))
    one.start(running)
    other.used(account("elsewhere"))
    with told() as said:
        server.client().flushall()
        # A process that never heard of the account comes first.
        assert other.reserve([account()], Amount(11, 1))[:2] == (0, Amount(90, 9))
    assert [each.count("had lost some of what was spent") for each in said] == [1]
    one.settle(running, Amount(5, 5))
    assert other.used(account()) == Amount(65, 11)


def test_after_a_loss_nothing_is_settled_before_all_have_said_what_they_know(
    server: RedisServer, process: Process
) -> None:
    one, other = process(server), process(server)
    running = granted(one, account(), amount=Amount(30, 3))
    one.start(running)
    spent = granted(other, account(), amount=Amount(60, 6))
    other.start(spent)
    other.settle(spent, Amount(60, 6))
    with told():
        server.client().flushall()
        # The sum that the other knows, and tells later, is without this.
        one.settle(running, Amount(5, 5))
        until(lambda: other.used(account()) == Amount(65, 11))


def test_an_older_dump_is_noticed_and_nothing_is_granted_twice(
    server: RedisServer, process: Process, prefix: str
) -> None:
    one, other = process(server), process(server)
    gone = granted(one, account(), amount=Amount(10, 1))
    one.start(gone)
    server.save()
    one.settle(gone, Amount(10, 1))
    for ledger, much in ((one, 20), (other, 30)):
        lease = granted(ledger, account(), amount=Amount(much, 1))
        ledger.start(lease)
        ledger.settle(lease, Amount(much, 1))
    with told() as said:
        server.kill()
        with pytest.raises(StoreDownError):
            one.reserve([account()], Amount(50, 1))
        server.start()
        until(lambda: not one._link.down)
        assert isinstance(one.reserve([account()], Amount(41, 1)), Short)
    assert any("had lost some" in each for each in said)
    # What the dump held of a call that has settled since counts in full once its lease ends.
    end_leases(server, prefix, gone.id)
    until(lambda: leases(server, prefix) == 0)
    assert one.used(account()) == Amount(70, 4)


def test_a_server_that_is_away_refuses_and_is_found_again(
    server: RedisServer, process: Process
) -> None:
    ledger = process(server)
    lease = granted(ledger, account(), amount=Amount(10, 1))
    ledger.start(lease)
    with told() as said:
        server.kill()
        for _ in range(3):
            with pytest.raises(StoreDownError):
                ledger.reserve([account()], Amount(1, 1))
        ledger.settle(lease, Amount(7, 1))
        server.start()
        until(lambda: not ledger._link.down)
        until(lambda: not ledger._later)
        assert ledger.used(account()) == Amount(7, 1)
    assert sum("refused until it does" in each for each in said) == 1


def test_a_server_that_hangs_holds_up_no_request_for_long(
    server: RedisServer, process: Process
) -> None:
    ledger = process(server, timeout=1)
    granted(ledger, account(), amount=Amount(10, 1))
    with told() as said:
        server.pause()
        with pytest.raises(StoreDownError):
            ledger.reserve([account()], Amount(1, 1))
        for _ in range(50):  # each at once: nobody waits for it again
            with pytest.raises(StoreDownError):
                ledger.reserve([account()], Amount(1, 1))
        server.go_on()
        until(lambda: not ledger._link.down)
        until(lambda: ledger.used(account()) == Amount(10, 1))  # what was refused holds nothing
    assert sum("does not answer (TimeoutError)" in each for each in said) == 1


def test_allowed_calls_stay_within_what_a_process_knows_and_are_added_afterwards(
    server: RedisServer, process: Process, prefix: str
) -> None:
    ledger, other = process(server, when_down="allow"), process(server)
    known = granted(ledger, account(), amount=Amount(40, 4))
    ledger.start(known)
    with told() as said:
        server.kill()
        first = granted(ledger, account(), amount=Amount(30, 3))
        ledger.start(first)
        assert ledger.reserve([account()], Amount(31, 1))[:2] == (0, Amount(70, 7))
        ledger.settle(first, Amount(20, 2))
        second = granted(ledger, account(), amount=Amount(40, 1))
        ledger.start(second)
        ledger.settle(known, Amount(40, 4))
        server.start()
        until(lambda: not ledger._link.down and not ledger._later)
        until(lambda: leases(server, prefix) == 1)
        assert other.used(account()) == Amount(100, 7)
        ledger.settle(second, Amount(1, 1))
        assert other.used(account()) == Amount(61, 7)
    assert any("goes on alone" in each for each in said)


def test_keys_hold_no_names_and_go_by_themselves(
    shared_server: RedisServer, process: Process, prefix: str
) -> None:
    ledger = process(shared_server)
    lease = granted(ledger, account("budget/anna@example.com/today"), amount=Amount(1, 1))
    client = shared_server.client()
    keys = client.keys(f"{{{prefix}}}:*")
    assert len(keys) == 4
    for key in keys:
        assert b"anna" not in key
        assert client.ttl(key) > 0
    ledger.settle(lease, Amount())


def test_scripts_are_sent_anew_where_the_server_has_forgotten_them(
    shared_server: RedisServer, process: Process
) -> None:
    ledger = process(shared_server)
    granted(ledger, account(), amount=Amount(1, 1))
    shared_server.client().script_flush()
    granted(ledger, account(), amount=Amount(1, 1))
    assert ledger.used(account()) == Amount(2, 2)


def test_a_client_that_decodes_answers_is_understood(shared_server: RedisServer) -> None:
    import redis

    from cascade_core import RedisStore
    from cascade_core.guards.redis_ledger import ledger_of

    client = redis.Redis(unix_socket_path=str(shared_server.socket), decode_responses=True)
    ledger = ledger_of(RedisStore(client, prefix="decoded"))
    lease = granted(ledger, account(), amount=Amount(100, 1))
    assert isinstance(ledger.reserve([account()], Amount(1, 1)), Short)
    ledger.settle(lease, Amount())
    assert ledger.used(account()) == Amount()
    ledger._link.close()


def test_sixty_four_threads_never_pass_a_limit(
    shared_server: RedisServer, process: Process, prefix: str
) -> None:
    ledger = process(shared_server)
    limited = account(usd=1_000)

    def call(place: int) -> int:
        lease = ledger.reserve([limited], Amount(20, 1))
        if isinstance(lease, Short):
            return 0
        ledger.start(lease)
        assert ledger.used(limited).nano_usd <= 1_000
        spent = 5 + place % 15
        ledger.settle(lease, Amount(spent, 1))
        return spent

    with ThreadPoolExecutor(64) as pool:
        spent = sum(pool.map(call, range(640)))
    assert ledger.used(limited).nano_usd == spent <= 1_000
    assert leases(shared_server, prefix) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_leaves_its_parents_leases_alone(
    shared_server: RedisServer, process: Process
) -> None:
    ledger = process(shared_server)
    lease = granted(ledger, account(), amount=Amount(10, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork
        child = os.fork()
    if child == 0:
        status = 1
        try:
            ledger.settle(lease, Amount(10, 1))
            mine = granted(ledger, account(), amount=Amount(20, 2))
            ledger.start(mine)
            ledger.settle(mine, Amount(15, 2))
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert ledger.used(account()) == Amount(25, 3)
    ledger.settle(lease, Amount(1, 1))
    assert ledger.used(account()) == Amount(16, 3)


RIGHTS = "+@read +@write +@scripting +@connection +time +info"
"""What a user needs, as docs/troubleshooting.md says."""


@pytest.mark.parametrize(
    ("rights", "policy", "says"),
    [
        (RIGHTS, "noeviction", ""),
        (RIGHTS, "allkeys-lru", "drops keys when it is full (maxmemory-policy allkeys-lru)"),
        (f"{RIGHTS} -info", "noeviction", "may not be asked for INFO"),
    ],
)
def test_a_server_that_may_lose_sums_unnoticed_is_warned_of_once(
    server: RedisServer, process: Process, prefix: str, rights: str, policy: str, says: str
) -> None:
    client = server.client()
    client.config_set("maxmemory", "1gb")
    client.config_set("maxmemory-policy", policy)
    user = ["default", "reset", "on", "nopass", f"~{{{prefix}}}*", *rights.split()]
    client.execute_command("ACL", "SETUSER", *user)
    ledger = process(server)
    with told() as said:
        granted(ledger, account(), amount=Amount(1, 1))
        for _ in range(3):
            ledger.beat()
    assert len([each for each in said if says in each]) == len(said) == bool(says)


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (["CONFIG", "SET", "maxmemory", "1mb"], "OutOfMemoryError"),
        (["REPLICAOF", "127.0.0.1", "1"], "ReadOnlyError"),
        (["ACL", "SETUSER", "default", "-@scripting"], "NoPermissionError"),
    ],
)
def test_a_server_that_refuses_commands_is_not_said_to_be_away(
    server: RedisServer, process: Process, broken: list[str], name: str
) -> None:
    ledger = process(server)
    granted(ledger, account(), amount=Amount(1, 1))
    server.client().execute_command(*broken)
    with told() as said, pytest.raises(StoreDownError, match=rf"refuses commands \({name}\)"):
        ledger.reserve([account()], Amount(1, 1))
    assert any(f"refuses commands ({name})" in each for each in said)
