"""What budgets have spent and set aside, in this process.

Before a call, the most that it can cost is set aside in every budget that the request is paid from,
in all of them or in none; what it did cost takes the place of that afterwards. So calls that run at
the same time cannot pass a limit together. `Ledger` is the interface that a ledger on a server
shares; its rules are the same, step for step.

Amounts are whole numbers, of nano-USD (1e-9 USD) and of tokens: sums of them are exact everywhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from threading import RLock
from typing import NamedTuple, Protocol

from cascade_core.costs.rate import EXACT
from cascade_core.forks import free_in_child

_NANO = Decimal(10) ** 9

MAX_ACCOUNTS = 50_000
"""Accounts of which a process remembers those of runs; of days and hours it remembers all."""


LATE = 3600.0
"""Seconds for which an account is remembered after its window: calls may settle late, and a clock
may be set back into it."""


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

    @classmethod
    def limit(cls, usd: Decimal) -> int:
        """Return a limit in nano-USD, rounded down."""
        nano = EXACT.multiply(usd, _NANO).to_integral_value(ROUND_FLOOR, context=EXACT)
        return int(nano)

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
        run: Whether it is a run's, of which there may be very many.
    """

    key: str
    nano_usd: int | None
    tokens: int | None
    ends: float
    run: bool = False

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
        held: What of that is set aside, and may come back.
    """

    place: int
    used: Amount
    held: Amount = Amount()


class Ledger(Protocol):
    """Where budgets are kept.

    Attributes:
        waits: Whether its methods wait for a server; then no event loop may call them.
        by_name: Whether budgets of one name are one in it, whoever made them.
    """

    waits: bool
    by_name: bool

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


class Balance:
    """What is spent and what is set aside in one account; only a ledger changes it."""

    __slots__ = ("account", "held_tokens", "held_usd", "tokens", "usd")

    def __init__(self, account: Account) -> None:
        self.account = account
        self.usd = self.tokens = self.held_usd = self.held_tokens = 0

    @property
    def used(self) -> Amount:
        """What is spent and set aside."""
        return Amount(self.usd + self.held_usd, self.tokens + self.held_tokens)

    @property
    def held(self) -> Amount:
        """What is set aside."""
        return Amount(self.held_usd, self.held_tokens)


class LocalLedger:
    """A ledger of this process. It forgets accounts whose window is over.

    A forked child goes on with what its parent had spent, and with nothing that the parent's calls
    had set aside: they are none of its own.

    Attributes:
        waits: It does not.
        by_name: They are not.
    """

    waits = by_name = False

    def __init__(self) -> None:
        # A stream that is collected as garbage settles wherever its thread is, perhaps in here.
        self._lock = RLock()
        free_in_child(self)
        self._balances: dict[str, Balance] = {}
        self._process = os.getpid()
        self._next = 0
        self._clear_at = 0.0
        self._most = MAX_ACCOUNTS

    def reserve(self, accounts: Sequence[Account], amount: Amount) -> Lease | Short:
        """Set an amount aside; see `Ledger`."""
        with self._lock:
            self._clear()
            balances = []
            for place, account in enumerate(accounts):
                balance = self._balances.get(account.key)
                if balance is None:
                    balance = Balance(account)
                if not account.has_room(balance.used, amount):
                    return Short(place, balance.used, balance.held)
                balances.append(balance)
            for account, balance in zip(accounts, balances, strict=True):
                if balance.account.ends != account.ends:  # a run goes on
                    self._balances.pop(account.key, None)
                balance.account = account
                self._balances[account.key] = balance
                balance.held_usd += amount.nano_usd
                balance.held_tokens += amount.tokens
            self._next += 1
            return Lease(f"{self._process}-{self._next}", accounts, amount)

    def start(self, lease: Lease) -> None:
        """Do nothing: what this process has set aside ends with it."""

    def settle(self, lease: Lease, spent: Amount) -> None:
        """Put what was spent in the place of what was set aside; see `Ledger`."""
        with self._lock:
            if os.getpid() != self._process:
                self._begin_child()
            if not lease.id.startswith(f"{self._process}-"):
                return  # a call of the parent's, which that settles
            for account in lease.accounts:
                balance = self._balances.get(account.key)
                if balance is None:  # its window is over
                    continue
                # First what is spent: an interrupt in between may not set free what was used.
                balance.usd += spent.nano_usd
                balance.tokens += spent.tokens
                balance.held_usd -= lease.amount.nano_usd
                balance.held_tokens -= lease.amount.tokens

    def abandon(self, lease: Lease, spent: Amount) -> None:
        """Put what was spent in the place of what was set aside; see `Ledger`."""
        self.settle(lease, spent)

    def used(self, account: Account) -> Amount:
        """Return what is spent and set aside; see `Ledger`."""
        balance = self._balances.get(account.key)
        return Amount() if balance is None else balance.used

    def held(self, account: Account) -> Amount:
        """Return what is set aside in an account."""
        balance = self._balances.get(account.key)
        return Amount() if balance is None else balance.held

    def _begin_child(self) -> None:
        self._process = os.getpid()
        for balance in self._balances.values():
            balance.held_usd = balance.held_tokens = 0

    def _clear(self) -> None:
        if os.getpid() != self._process:
            self._begin_child()
        now = time.time()
        full = len(self._balances) >= self._most
        if now < self._clear_at and not full:
            return
        self._clear_at = now + 60
        for key in [key for key, each in self._balances.items() if each.account.ends + LATE <= now]:
            del self._balances[key]
        if full:  # runs alone are forgotten before their end, those first that were idle longest
            idle = [
                k for k, each in self._balances.items() if each.account.run and not any(each.held)
            ]
            for key in idle[: MAX_ACCOUNTS // 10]:
                del self._balances[key]
            self._most = max(MAX_ACCOUNTS, 2 * len(self._balances) * (not idle))


OF_PROCESS = LocalLedger()
"""The one of all cascades without a store: they may share budgets, and copies of one always do."""
