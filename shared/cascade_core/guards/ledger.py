"""What budgets have spent and set aside, in this process.

Before a call, the most that it can cost is set aside in every budget that the request is paid from,
in all of them or in none; what it did cost takes the place of that afterwards. So calls that run at
the same time cannot pass a limit together. `Ledger` is the interface that a ledger on a server
shares; its rules are the same, step for step.

Amounts are whole numbers, of nano-USD (1e-9 USD) and of tokens: sums of them are exact everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from threading import Lock
from typing import NamedTuple, Protocol

from cascade_core.costs.rate import EXACT
from cascade_core.forks import free_in_child

_NANO = Decimal(10) ** 9


class Amount(NamedTuple):
    """What is spent or set aside.

    Attributes:
        nano_usd: In nano-USD, rounded up.
        tokens: In tokens.
    """

    nano_usd: int = 0
    tokens: int = 0

    @classmethod
    def of(cls, usd: Decimal, tokens: int) -> Amount:
        """Return an amount of money, rounded up, and tokens."""
        nano = EXACT.multiply(usd, _NANO).to_integral_value(ROUND_CEILING, context=EXACT)
        return cls(int(nano), tokens)

    @property
    def usd(self) -> Decimal:
        """The money in USD."""
        return EXACT.divide(Decimal(self.nano_usd), _NANO)


class Account(NamedTuple):
    """One budget of one owner in one window.

    Attributes:
        key: What it is kept under, the same in every process.
        nano_usd: The most that may be spent, in nano-USD; None sets no limit.
        tokens: The most that may be spent, in tokens; None sets no limit.
        ends: When its window ends, in seconds since the epoch.
    """

    key: str
    nano_usd: int | None
    tokens: int | None
    ends: float

    def has_room(self, used: Amount, wanted: Amount) -> bool:
        """Tell whether an amount can be added to what is spent and set aside."""
        return (self.nano_usd is None or used.nano_usd + wanted.nano_usd <= self.nano_usd) and (
            self.tokens is None or used.tokens + wanted.tokens <= self.tokens
        )


@dataclass(slots=True, eq=False)
class Lease:
    """An amount that is set aside for one call.

    Attributes:
        id: What a ledger knows it by.
        accounts: Where it is set aside.
        amount: How much.
    """

    id: str
    accounts: Sequence[Account]
    amount: Amount


class Short(NamedTuple):
    """Why nothing was set aside.

    Attributes:
        place: Index of the first account without room.
        used: What is spent and set aside there.
    """

    place: int
    used: Amount


class Ledger(Protocol):
    """Where budgets are kept.

    Attributes:
        waits: Whether its methods wait for a server; then no event loop may call them.
    """

    waits: bool

    def reserve(self, accounts: Sequence[Account], amount: Amount) -> Lease | Short:
        """Set an amount aside in all accounts, or in none."""
        ...

    def start(self, lease: Lease) -> None:
        """Say that the call begins: from now on it counts as paid for until it is settled."""
        ...

    def settle(self, lease: Lease, spent: Amount) -> None:
        """Put what was spent in the place of what was set aside; nothing gives all of it back."""
        ...

    def abandon(self, lease: Lease, spent: Amount) -> None:
        """Settle, and never wait for it."""
        ...

    def used(self, account: Account) -> Amount:
        """Return what is spent and set aside in an account."""
        ...


class LocalLedger:
    """A ledger of this process. It forgets accounts whose window is over.

    Attributes:
        waits: It does not.
    """

    waits = False

    def __init__(self) -> None:
        self._lock = Lock()
        free_in_child(self)
        self._used: dict[str, Amount] = {}
        self._ends: dict[str, float] = {}
        self._next = 0
        self._clear_at = 0.0

    def reserve(self, accounts: Sequence[Account], amount: Amount) -> Lease | Short:
        """Set an amount aside; see `Ledger`."""
        with self._lock:
            self._clear()
            for place, account in enumerate(accounts):
                used = self._used.get(account.key, Amount())
                if not account.has_room(used, amount):
                    return Short(place, used)
            for account in accounts:
                self._add(account, amount)
            self._next += 1
            return Lease(str(self._next), accounts, amount)

    def start(self, lease: Lease) -> None:
        """Do nothing: what this process has set aside ends with it."""

    def settle(self, lease: Lease, spent: Amount) -> None:
        """Put what was spent in the place of what was set aside; see `Ledger`."""
        change = Amount(spent.nano_usd - lease.amount.nano_usd, spent.tokens - lease.amount.tokens)
        with self._lock:
            for account in lease.accounts:
                if account.key in self._used:  # else its window is over
                    self._add(account, change)

    def abandon(self, lease: Lease, spent: Amount) -> None:
        """Put what was spent in the place of what was set aside; see `Ledger`."""
        self.settle(lease, spent)

    def used(self, account: Account) -> Amount:
        """Return what is spent and set aside; see `Ledger`."""
        return self._used.get(account.key, Amount())

    def _add(self, account: Account, amount: Amount) -> None:
        used = self._used.get(account.key, Amount())
        self._used[account.key] = Amount(
            used.nano_usd + amount.nano_usd, used.tokens + amount.tokens
        )
        self._ends[account.key] = account.ends

    def _clear(self) -> None:
        now = time.time()
        if now < self._clear_at:
            return
        self._clear_at = now + 60
        for key in [key for key, ends in self._ends.items() if ends <= now]:
            del self._used[key], self._ends[key]
