"""What a shared budget costs per call: setting aside, starting and settling on a Redis server.

    python tests/benchmarks/ledgers.py [--rounds 1] [--json]

The server is on this machine, on a socket: to one elsewhere, add three times the way there and back.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/benchmarks")]

from rows import Row, Skipped, paired, print_rows, row  # noqa: E402

from cascade_core import RedisStore  # noqa: E402
from cascade_core.guards.ledger import Account, Amount, Ledger, LocalLedger, Short  # noqa: E402

GROUP = "a budget that machines share"
CALLS = 500


def timed(ledger: Ledger) -> Callable[[], float]:
    """Return a function that says how many seconds a call takes a ledger."""
    account = Account("benchmark", 10**15, 10**12, time.time() + 86_400)

    def calls() -> float:
        began = time.perf_counter()
        for _ in range(CALLS):
            lease = ledger.reserve([account], Amount(10, 10))
            assert not isinstance(lease, Short)
            ledger.start(lease)
            ledger.settle(lease, Amount(1, 1))
        return (time.perf_counter() - began) / CALLS

    return calls


def rows(rounds: int) -> Iterator[Row | Skipped]:
    """Measure a ledger on a server, beside one of this process."""
    from cascade_core.guards.redis_ledger import RedisLedger
    from cascade_core.guards.redis_link import RedisLink
    from tests.core.guards.redis_server import PROGRAM, RedisServer

    if PROGRAM is None:
        yield Skipped(GROUP, "Redis: there is no server; make test-services installs it")
        return
    server = RedisServer()
    link = RedisLink(RedisStore(server.url()))
    try:
        sides = paired(timed(link.user("ledger", RedisLedger)), timed(LocalLedger()), rounds)
        name = "reserve, start and settle on Redis, a call"
        yield row(GROUP, name, "in this process", sides, unit="µs", scale=1e6)
    finally:
        link.close()
        server.end()


def main() -> int:
    """Print the row."""
    return print_rows(__doc__, rows)


if __name__ == "__main__":
    sys.exit(main())
