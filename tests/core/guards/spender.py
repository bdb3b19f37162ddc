"""A process that spends from a budget on a server, and writes down what it does.

    python -m tests.core.guards.spender ADDRESS LIMIT CALLS SEED JOURNAL

Each line of the journal says what is about to happen or has: `start 7`, `started 7`, `settle 5`,
`settled 5`. A process that is killed leaves the line of what it was doing.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from cascade_core import RedisStore
from cascade_core.errors import StoreDownError
from cascade_core.guards.ledger import Account, Amount, Short
from cascade_core.guards.redis_ledger import ledger_of

ENDS = 4_000_000_000.0


def shared_account(limit: int) -> Account:
    return Account("shared", limit, None, ENDS)


def main() -> None:
    address, limit, calls, seed, journal = sys.argv[1:]
    chance = random.Random(seed)
    ledger = ledger_of(RedisStore(address))
    account = shared_account(int(limit))
    lines = os.open(Path(journal), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(what: str, amount: int) -> None:
        os.write(lines, f"{what} {amount}\n".encode())

    for _ in range(int(calls)):
        most = chance.randrange(5, 20)
        try:
            lease = ledger.reserve([account], Amount(most, 1))
            if isinstance(lease, Short):
                note("short", lease.used.nano_usd)
                continue
            note("start", most)
            ledger.start(lease)
        except StoreDownError:
            note("refused", 0)
            time.sleep(0.01)
            continue
        note("started", most)
        time.sleep(chance.random() * 0.002)
        spent = chance.randrange(most + 1)
        note("settle", spent)
        ledger.settle(lease, Amount(spent, 1))
        note("settled", spent)


if __name__ == "__main__":
    main()
