"""A ledger on a Redis server, for all processes that name it: `LocalLedger`'s steps, in Lua.

A lease is *reserved*, then *started*, then *settled*. A living process renews its leases; of a dead
one, what was reserved comes back when the lease ends, and what was started counts as spent in full,
for its call may have been billed.

Every process remembers the highest sums it was told. Where the server has less (a restart without
its data, an older dump, `FLUSHALL`) they are raised again, which is warned of once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from threading import RLock
from typing import Any
from uuid import uuid4

from cascade_core.errors import NotAskedError, StoreDownError
from cascade_core.forks import free_in_child
from cascade_core.guards.ledger import LATE, MAX_ACCOUNTS, Account, Amount, Lease, Short
from cascade_core.guards.redis_link import RedisLink, link_of
from cascade_core.guards.redis_scripts import BEAT, RECOUNT, RESERVE, SETTLE, USED
from cascade_core.guards.store import RedisStore
from cascade_core.warn import warn_or_log

QUIET = 2
"""Beats for which nothing is granted where the server may have lost something: all processes then
say what they know."""

_AT_ONCE = 200
"""Accounts or leases in one call, so that no script holds up the server for long."""


@dataclass(slots=True, eq=False)
class SharedLease(Lease):
    """A lease that a server knows of.

    Attributes:
        started: Whether the call has begun.
        era: The server's era that it is from; empty where the server was away.
    """

    started: bool = False
    era: str = ""


class RedisLedger:
    """A ledger on a server; see `Ledger`.

    Args:
        link: This process's link to it.

    Attributes:
        waits: It does.
        by_name: They are.
    """

    waits = by_name = True

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._lock = RLock()  # as a `LocalLedger`'s
        free_in_child(self)
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child; see `LinkUser`."""
        self._owner = uuid4().hex[:16]
        self._next = count()
        self._era: str | None = None
        self._warned: str | None = None
        self._looked: str | None = None
        self._recount_due = False
        self._clear_at = 0.0
        self._known: dict[str, tuple[Account, Amount]] = {}
        self._held: dict[str, SharedLease] = {}
        self._later: deque[tuple[SharedLease, Amount]] = deque()

    def reserve(self, accounts: Sequence[Account], amount: Amount) -> Lease | Short:
        """Set an amount aside in all accounts, or in none; see `Ledger`.

        Raises:
            StoreDownError: The server does not answer, and calls are refused then.
        """
        self._link.begin()
        lease = SharedLease(f"{self._owner}-{next(self._next)}", tuple(accounts), amount)
        return self._take(lease)

    def start(self, lease: Lease) -> None:
        """Say that the call begins; see `Ledger`.

        Raises:
            NotAskedError: The lease had ended, and there is no room for a new one.
            StoreDownError: The server does not answer, and calls are refused then.
        """
        assert isinstance(lease, SharedLease)  # noqa: S101 - it is what `reserve` returned
        lease.started = True
        if lease.era and isinstance(self._take(lease), Short):
            msg = "what was set aside for the call was freed before it began, and is used up by now"
            raise NotAskedError(msg)

    def settle(self, lease: Lease, spent: Amount) -> None:
        """Put what was spent in the place of what was set aside; see `Ledger`.

        Where the server does not answer it is said later, behind the requests.
        """
        if self._drop(lease) and not self._settle(lease, spent):
            self._later.append((lease, spent))  # type: ignore[arg-type]

    def abandon(self, lease: Lease, spent: Amount) -> None:
        """Settle without waiting for the server; see `Ledger`."""
        if self._drop(lease):
            self._later.append((lease, spent))  # type: ignore[arg-type]
            self._link.wake()

    def used(self, account: Account) -> Amount:
        """Return what is spent and set aside in an account; see `Ledger`.

        Raises:
            StoreDownError: The server does not answer.
        """
        said = self._call(USED, [account], [], [[]])
        return _used(said, 0)

    @property
    def owes(self) -> bool:
        """Whether something is not settled on the server yet; see `LinkUser`."""
        return bool(self._later)

    def beat(self) -> None:
        """Renew leases, and say what could not be said before; see `LinkUser`."""
        if not (self._known or self._held or self._later or self._link.down):
            return
        held = list(self._held)
        for begun in range(0, max(1, len(held)), _AT_ONCE):
            args = [self._quiet, self._span, *held[begun : begun + _AT_ONCE]]
            self._note(self._link.call(BEAT, _KEYS, args))
        if self._looked != self._era:
            self._looked = self._era
            self._link.look()
        # Those of another era were granted before the server lost something, or while it was away.
        if self._recount_due or any(each.era != self._era for each in list(self._held.values())):
            self._recount()
        for _ in range(len(self._later)):
            lease, spent = self._later.popleft()
            if not self._settle(lease, spent):
                self._later.append((lease, spent))
                break
        self._clear()

    def _clear(self) -> None:
        now = time.time()
        if now < self._clear_at and len(self._known) < MAX_ACCOUNTS:
            return
        self._clear_at = now + 60
        known = list(self._known.items())
        for name in [name for name, (account, _) in known if account.ends + LATE < now]:
            del self._known[name]
        runs = [name for name, (account, _) in known if account.run]
        for name in runs[: max(0, len(self._known) - MAX_ACCOUNTS // 2)]:  # the oldest
            self._known.pop(name, None)

    @property
    def _quiet(self) -> int:
        return round(QUIET * self._link.every * 1000)

    @property
    def _span(self) -> int:
        return round(self._link.store.lease * 1000)

    def _take(self, lease: SharedLease) -> Lease | Short:
        head = [lease.id, "s" if lease.started else "r", *lease.amount]
        limits = [[_limit(each.nano_usd), _limit(each.tokens)] for each in lease.accounts]
        until = time.monotonic() + 3 * self._quiet / 1000 + self._link.store.timeout
        try:
            while True:
                said = self._call(RESERVE, lease.accounts, head, limits)
                what, place = _text(said[0]), said[2]
                if what == "short":
                    self._held.pop(lease.id, None)
                    return Short(
                        place, _used(said, place), Amount(*said[6 + 4 * place : 8 + 4 * place])
                    )
                if what == "ok":
                    lease.era = _text(said[1])
                    self._held[lease.id] = lease
                    return lease
                if time.monotonic() > until:
                    raise StoreDownError(f"store={self._link.store.shown} keeps starting anew")
                time.sleep(place / 1000)
        except StoreDownError:
            if self._link.store.when_down == "allow":
                return self._alone(lease)
            # It may have been granted, and the answer lost.
            self._held.pop(lease.id, None)
            self._later.append((lease, Amount()))
            raise

    def _alone(self, lease: SharedLease) -> Lease | Short:
        """Grant what this process knows to be left while the server is away."""
        with self._lock:
            self._held.pop(lease.id, None)
            lease.era = ""
            for place, account in enumerate(lease.accounts):
                used = self._known.get(_name(account), (account, Amount()))[1]
                for amount in self._of(account):
                    used = Amount(used.nano_usd + amount.nano_usd, used.tokens + amount.tokens)
                if not account.has_room(used, lease.amount):
                    return Short(place, used)
            self._held[lease.id] = lease
            return lease

    def _of(self, account: Account) -> Iterator[Amount]:
        """Yield what this process holds or has spent of an account without the server's word."""
        for lease in list(self._held.values()):
            if any(each.key == account.key for each in lease.accounts):
                yield lease.amount
        for lease, spent in list(self._later):
            if any(each.key == account.key for each in lease.accounts):
                yield spent

    def _drop(self, lease: Lease) -> bool:
        """Stop renewing a lease; a forked child does nothing about those of its parent."""
        self._link.begin()
        return self._held.pop(lease.id, None) is not None

    def _settle(self, lease: Lease, spent: Amount) -> bool:
        """Settle on the server; return False where it does not answer, or not yet."""
        assert isinstance(lease, SharedLease)  # noqa: S101 - it is what `reserve` returned
        head = [lease.id, *spent, *lease.amount, lease.era]
        try:
            said = self._call(SETTLE, lease.accounts, head, [[]] * len(lease.accounts))
        except StoreDownError:
            return False
        return _text(said[0]) == "ok"

    def _recount(self) -> None:
        """Tell the server all that this process knows, after it may have lost something."""
        self._recount_due, era = False, self._era
        known = list(self._known.values())
        for begun in range(0, len(known), _AT_ONCE):
            self._tell(known[begun : begun + _AT_ONCE], [])
        lost = [lease for lease in list(self._held.values()) if lease.era != era]
        for begun in range(0, len(lost), _AT_ONCE):
            leases = [lease for lease in lost[begun : begun + _AT_ONCE] if lease.id in self._held]
            accounts = {_name(a): a for lease in leases for a in lease.accounts}
            none = Amount()
            self._tell(
                [self._known.get(name, (account, none)) for name, account in accounts.items()],
                leases,
            )
            for lease in leases:
                lease.era = era or ""
                if lease.id not in self._held:  # settled meanwhile
                    self._later.append((lease, Amount()))

    def _tell(self, known: Sequence[tuple[Account, Amount]], leases: Sequence[SharedLease]) -> None:
        args: list[Any] = [self._quiet, self._span, len(known)]
        for account, amount in known:
            args += [_name(account), _end(account), *amount]
        for lease in leases:
            names = " ".join(map(_name, lease.accounts))
            args += [lease.id, "s" if lease.started else "r", *lease.amount, names]
        self._note(self._link.call(RECOUNT, _KEYS, args))

    def _call(
        self, source: str, accounts: Sequence[Account], head: Sequence[Any], more: Sequence[Any]
    ) -> list[Any]:
        """Run a script on accounts, and note what it says of them."""
        args: list[Any] = [self._quiet, self._span, *head]
        for account, further in zip(accounts, more, strict=True):
            if source == USED:
                args.append(_name(account))
                continue
            known = self._known.get(_name(account), (account, Amount()))[1]
            args += [_name(account), _end(account), *known, *further]
        said = self._link.call(source, _KEYS, args)
        self._note(said)
        with self._lock:
            for place, account in enumerate(accounts):
                nano_usd, tokens = said[4 + 4 * place : 6 + 4 * place]
                before = self._known.get(_name(account), (account, Amount()))[1]
                highest = Amount(max(before.nano_usd, nano_usd), max(before.tokens, tokens))
                self._known[_name(account)] = account, highest
        return said

    def _note(self, said: Sequence[Any]) -> None:
        """Note the era of a reply, and whether sums had to be raised."""
        era = _text(said[1])
        if era != self._era:
            before, self._era = self._era, era
            if before is not None:
                self._recount_due = True
                self._link.wake()
        if said[3] and self._warned != era:
            self._warned = era
            warn_or_log(
                f"store={self._link.store.shown} had lost some of what was spent (a restart, a "
                "failover, an older dump or a flush): it goes on from the highest sums known here"
            )


_KEYS = ("books", "due")


def ledger_of(store: RedisStore) -> RedisLedger:
    """Return this process's ledger on a store."""
    return link_of(store).user("ledger", RedisLedger)


def _name(account: Account) -> str:
    return blake2b(account.key.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _end(account: Account) -> int:
    return round(min(account.ends, time.time() + 400 * 86400) * 1000)


def _limit(most: int | None) -> int:
    return -1 if most is None else most


def _used(said: Sequence[Any], place: int) -> Amount:
    spent_n, spent_t, held_n, held_t = said[4 + 4 * place : 8 + 4 * place]
    return Amount(spent_n + held_n, spent_t + held_t)


def _text(raw: Any) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)
