"""Processes that share one budget: what they spend together, and what one leaves that is killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cascade_core.guards.ledger import Amount
from cascade_core.guards.redis_ledger import RedisLedger
from tests.core.guards.conftest import Process
from tests.core.guards.redis_server import RedisServer, at_length
from tests.core.guards.spender import shared_account

pytestmark = at_length

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("CASCADE_TEST_KILLS", "10"))


def spend(url: str, limit: int, calls: int, seed: int, journal: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.core.guards.spender"]
    given = [url, str(limit), str(calls), str(seed), str(journal)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "shared"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen([*command, *given], env=dict(os.environ, PYTHONPATH=path))


def read(journal: Path) -> list[tuple[str, int]]:
    if not journal.exists():
        return []
    found = [line.split() for line in journal.read_text().splitlines()]
    return [(what, int(amount)) for what, amount in found]


def total(lines: list[tuple[str, int]], what: str) -> int:
    return sum(amount for name, amount in lines if name == what)


def wait_for_leases(server: RedisServer, prefix: str, watch: RedisLedger, limit: int) -> None:
    """Wait until nothing is set aside; what nobody settles comes back when somebody asks."""
    end = time.monotonic() + 60
    while server.client().keys(f"{{{prefix}}}:l:*"):
        watch.used(shared_account(limit))
        assert time.monotonic() < end
        time.sleep(0.05)


def test_eight_processes_never_pass_a_limit(
    server: RedisServer, process: Process, prefix: str, tmp_path: Path
) -> None:
    # About half of what they would spend: they run into the limit together.
    limit = 8 * 1_000 * 3
    journals = [tmp_path / str(place) for place in range(8)]
    running = [
        spend(server.url(prefix=prefix), limit, 1_000, seed, journal)
        for seed, journal in enumerate(journals)
    ]
    assert [each.wait() for each in running] == [0] * 8
    lines = [line for journal in journals for line in read(journal)]
    spent = total(lines, "settled")
    assert 0 <= limit - spent < 20  # no overspend, and nothing is left that a call would fit in
    assert any(what == "short" for what, _ in lines)
    assert max(amount for what, amount in lines if what == "short") <= limit
    assert server.client().keys(f"{{{prefix}}}:l:*") == []
    assert process(server).used(shared_account(limit)).nano_usd == spent


def test_what_killed_processes_had_set_aside_is_freed_or_spent(
    server: RedisServer, process: Process, prefix: str, tmp_path: Path
) -> None:
    limit, chance = 10**6, random.Random(7)
    watch: RedisLedger = process(server)
    watch.used(shared_account(limit))
    least = most = 0
    for begun in range(0, KILLS, 4):
        journals = [tmp_path / str(begun + place) for place in range(4)]
        running = [
            spend(server.url(prefix=prefix, lease=1.5), limit, 10**6, begun + seed, journal)
            for seed, journal in enumerate(journals)
        ]
        while not all(read(journal) for journal in journals):
            time.sleep(0.01)
        for each in running:
            time.sleep(chance.random() * 0.1)
            each.kill()
        for each, journal in zip(running, journals, strict=True):
            each.wait()
            lines = read(journal)
            low = high = total(lines, "settled")
            what, amount = lines[-1]
            if what == "start":  # killed before, while or after it began
                high += amount
            elif what == "started":
                low, high = low + amount, high + amount
            elif what == "settle":  # settled already, or in full
                low += amount
                high += lines[-2][1]
            least, most = least + low, most + high
    wait_for_leases(server, prefix, watch, limit)
    assert least <= watch.used(shared_account(limit)).nano_usd <= most


@pytest.mark.parametrize("lost", ["restart", "dump", "flush", "pause"])
def test_a_server_that_loses_its_books_lets_nobody_spend_twice(
    server: RedisServer, process: Process, prefix: str, tmp_path: Path, lost: str
) -> None:
    limit = 4 * 1_000 * 3
    journals = [tmp_path / str(place) for place in range(4)]
    url = server.url(prefix=prefix, lease=1.5, timeout=0.3)
    running = [spend(url, limit, 1_000, seed, journal) for seed, journal in enumerate(journals)]
    while not all(len(read(journal)) > 200 for journal in journals):
        time.sleep(0.01)
    server.save()
    time.sleep(0.3)
    if lost == "flush":
        server.client().flushall()
    elif lost == "pause":
        server.pause()
        time.sleep(1)
        server.go_on()
    else:
        server.kill()
        if lost == "restart":  # with nothing at all
            server.dump.unlink()
        server.start()
    assert [each.wait() for each in running] == [0] * 4
    spent = sum(total(read(journal), "settled") for journal in journals)
    watch = process(server)
    wait_for_leases(server, prefix, watch, limit)
    assert spent <= watch.used(shared_account(limit)).nano_usd
    assert spent <= limit


def test_the_server_is_quick_and_small(server: RedisServer, process: Process, prefix: str) -> None:
    ledger, client = process(server, lease=30), server.client()
    limited, held = shared_account(10**9), []
    for _ in range(2_000):
        lease = ledger.reserve([limited], Amount(10, 1))
        ledger.start(lease)
        held.append(lease)
    assert client.memory_usage(f"{{{prefix}}}:l:{held[0].id}") < 400  # bytes
    assert client.zcard(f"{{{prefix}}}:due") == 2_000
    for lease in held:
        ledger.settle(lease, Amount(5, 1))
    assert client.dbsize() == 2  # the books and the account: nothing is left of a call
    ran = client.info("commandstats")["cmdstat_evalsha"]
    assert ran["calls"] >= 3 * 2_000
    assert ran["usec_per_call"] < 1_000  # one thread serves all machines
