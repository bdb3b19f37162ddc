"""The ledger of one process: nothing is overspent, and everything comes back in the end."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.guards import ledger as ledgers
from cascade_core.guards.ledger import Account, Amount, LocalLedger, Short

LIMIT = 100


def account(key: str = "a", usd: int | None = LIMIT, tokens: int | None = None) -> Account:
    return Account(key, usd, tokens, time.time() + 3600)


amounts = st.builds(Amount, st.integers(0, 40), st.integers(0, 40))
steps = st.lists(st.tuples(st.booleans(), st.integers(0, 9), amounts, amounts), max_size=60)


@given(steps)
def test_no_limit_is_ever_passed_and_what_was_set_aside_comes_back(done):
    ledger, narrow, wide = LocalLedger(), account("n", 100, 50), account("w", 150, None)
    leases, spent = [], Amount()
    for begins, place, wanted, cost in done:
        if begins or not leases:
            lease = ledger.reserve([narrow, wide], wanted)
            if isinstance(lease, Short):
                short = (narrow, wide)[lease.place]
                assert not short.has_room(ledger.used(short), wanted)
            else:
                leases.append(lease)
        else:
            lease = leases.pop(place % len(leases))
            cost = Amount(*map(min, cost, lease.amount))  # noqa: PLW2901
            ledger.settle(lease, cost)
            spent = Amount(spent.nano_usd + cost.nano_usd, spent.tokens + cost.tokens)
        for each in (narrow, wide):
            assert each.has_room(ledger.used(each), Amount())
    for lease in leases:
        ledger.settle(lease, Amount())
    for each in (narrow, wide):
        assert ledger.held(each) == Amount()
        assert ledger.used(each) == spent


def test_64_threads_overspend_nothing():
    ledger, limited, rest = LocalLedger(), account(usd=1_000), account("b", None, 10**9)
    gate, spent = threading.Barrier(64), [0] * 64

    def call(thread: int) -> None:
        random = Random(thread)
        gate.wait()
        for _ in range(200):
            lease = ledger.reserve([limited, rest], Amount(random.randint(1, 9), 1))
            assert ledger.used(limited).nano_usd <= 1_000
            if isinstance(lease, Short):
                continue
            cost = random.randint(0, lease.amount.nano_usd)
            (ledger.settle if cost % 2 else ledger.abandon)(lease, Amount(cost, 1))
            spent[thread] += cost

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(call, range(64)))
    assert sum(spent) <= 1_000
    assert ledger.used(limited) == (sum(spent), ledger.used(rest).tokens)
    assert ledger.held(limited) == ledger.held(rest) == Amount()


def test_an_amount_that_is_set_aside_nowhere_is_set_aside_in_no_account():
    ledger, wide, narrow = LocalLedger(), account("w", 1_000), account("n", 10)
    short = ledger.reserve([wide, narrow], Amount(11))
    assert short == Short(1, Amount(), Amount())
    assert ledger.used(wide) == Amount()


def test_an_account_is_forgotten_when_its_window_is_over(monkeypatch):
    ledger, one = LocalLedger(), account()
    lease = ledger.reserve([one], Amount(70))
    assert isinstance(ledger.reserve([one], Amount(40)), Short)
    over = time.time() + 7201
    monkeypatch.setattr(time, "time", lambda: over)
    later = account("a/next")
    assert not isinstance(ledger.reserve([later], Amount(40)), Short)
    ledger.settle(lease, Amount(70))  # too late to count anywhere
    assert ledger.used(one) == Amount()
    assert ledger.used(later) == Amount(40)


def test_runs_alone_are_forgotten_before_their_end(monkeypatch):
    monkeypatch.setattr(ledgers, "MAX_ACCOUNTS", 10)
    ledger = LocalLedger()
    day = ledger.reserve([account("day")], Amount(5))
    for run in range(50):
        ends = time.time() + 3600
        ledger.settle(
            ledger.reserve([Account(f"r{run}", 9, None, ends, True)], Amount(5)), Amount(4)
        )
    assert len(ledger._balances) <= 11
    assert ledger.used(account("r49")) == Amount(4)
    assert ledger.used(account("day")) == Amount(5)
    ledger.settle(day, Amount(1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_knows_what_was_spent_and_has_nothing_set_aside():
    ledger, one = LocalLedger(), account()
    ledger.settle(ledger.reserve([one], Amount(20)), Amount(20))
    lease = ledger.reserve([one], Amount(70))
    child = os.fork()
    if child == 0:
        right = isinstance(ledger.reserve([one], Amount(81)), Short)
        own = ledger.reserve([one], Amount(80))
        ledger.settle(lease, Amount(70))  # the parent's
        right = right and ledger.used(one) == Amount(100) and ledger.held(one) == Amount(80)
        ledger.settle(own, Amount(1))
        os._exit(0 if right and ledger.used(one) == Amount(21) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ledger.held(one) == Amount(70)


def test_sums_of_amounts_are_exact_and_what_is_spent_is_rounded_up():
    tenth = Amount.of(Decimal("0.1"), 1)
    assert Amount(sum([tenth.nano_usd] * 3), 3).usd == Decimal("0.3")
    assert Amount.of(Decimal("0.0000000001"), 0).nano_usd == 1
    assert Amount.limit(Decimal("0.0000000019")) == 1


class Asking(NamedTuple):
    """An account at whose sight garbage is collected, as it may be anywhere."""

    key: str = "a/asking"
    ends: float = 4e9
    run: bool = False

    def has_room(self, used: Amount, wanted: Amount) -> bool:
        del used, wanted
        gc.collect()
        return True


def test_a_stream_that_is_collected_while_the_ledger_is_in_use_settles_all_the_same():
    ledger, one = LocalLedger(), account()
    lease = ledger.reserve([one], Amount(70))

    def stream() -> Iterator[None]:
        try:
            yield
        finally:
            ledger.abandon(lease, Amount(50))

    def spend() -> None:
        left = stream()
        next(left)
        circle: list[Any] = [left]
        circle.append(circle)
        del left, circle
        ledger.reserve([Asking()], Amount(1))

    gc.disable()
    try:
        worker = threading.Thread(target=spend, daemon=True)
        worker.start()
        worker.join(60)
    finally:
        gc.enable()
    assert not worker.is_alive()
    assert ledger.used(one) == Amount(50)


def test_a_clock_that_is_set_back_into_a_window_finds_what_was_spent_there(monkeypatch):
    ledger, one = LocalLedger(), account()
    ledger.settle(ledger.reserve([one], Amount(70)), Amount(70))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: one.ends + 1)
    ledger.reserve([account("a/next")], Amount(1))  # it looks what is over
    monkeypatch.setattr(time, "time", lambda: now)
    assert isinstance(ledger.reserve([one], Amount(40)), Short)
