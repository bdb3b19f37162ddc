"""What a day's audits have cost, and whether another may be made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from threading import RLock
from time import monotonic
from typing import Any, Literal

from cascade_core.forks import free_in_child
from cascade_core.setup.notices import Notices

READ_EVERY = 10.0
"""Seconds after which what other processes have spent is read again."""
_PARTS = 32
"""It is read again, too, whenever one process has spent this part of what was left."""

Forbidden = Literal["budget", "unpriced", "unknown", "busy"]
"""Why an audit may not be made; the last two only where a cascade learns."""


class Spending:
    """The day's audits in USD; days are those of UTC.

    It belongs to an `Audit`: cascades that are given the same one share its limit, and so do copies
    of a cascade, of which LangChain may make one for every call.

    An audit reserves what it will cost at about before it asks anything, so that many at a time do
    not pass the limit together; what it did cost takes the place of that.

    Args:
        limit: The most USD a day; None sets no limit.
        now: The time.

    Attributes:
        named: Whose limit it is, for warnings.
        read_every: Seconds after which what other processes have spent is read again.
    """

    named = "Audit"
    read_every = READ_EVERY

    def __init__(
        self,
        limit: float | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limit = None if limit is None else Decimal(str(limit))
        self._now = now
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)
        self._read_at = -self.read_every
        self._day = now().date()
        self._own = self._total = self._reserved = Decimal(0)
        self._most = self._spent_since = Decimal(0)
        self._unpriced = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the lock and the day: a copy in another process counts its own."""
        limit = None if self._limit is None else float(self._limit)
        return type(self), (limit,)

    @property
    def limit(self) -> Decimal | None:
        """The most USD a day, if there is one."""
        return self._limit

    @property
    def spent(self) -> Decimal | None:
        """What the day's audits have cost, as far as it is known; None where nothing is limited."""
        if self._limit is None:
            return None
        with self._lock:
            self._turn()
            return self._total

    @property
    def due(self) -> bool:
        """Whether it is time to read what other processes have spent."""
        return self._is_due

    @property
    def _is_due(self) -> bool:
        if self._limit is None:
            return False
        if monotonic() - self._read_at >= self.read_every:
            return True
        with self._lock:
            return self._is_much(self._spent_since, self._limit - self._total)

    @staticmethod
    def _is_much(spent: Decimal | int, left: Decimal | int) -> bool:
        """Tell whether so much was spent since the last reading that others' may matter.

        As many processes as may share a limit do not pass it together within `read_every`.
        """
        return spent > 0 and spent * _PARTS >= left

    def refresh(self, read: Callable[[datetime], float]) -> None:
        """Read what other processes have spent, where that is due; it may wait for a database.

        Args:
            read: Returns what a log's audits have cost since a time, all processes together.
        """
        if not self._is_due:
            return
        with self._lock:
            self._read_at = monotonic()
            self._begin_to_read()
        today = self._now().replace(hour=0, minute=0, second=0, microsecond=0)
        spent = Decimal(str(read(today)))
        with self._lock:
            self._turn()
            if today.date() == self._day:  # it may have ended while it was read
                self._total = max(self._own, spent)

    def _begin_to_read(self) -> None:
        """Count anew what is spent from now on."""
        self._spent_since = Decimal(0)

    def reserve(self, expected: Decimal | None) -> Decimal | Forbidden:
        """Set aside what an audit will cost, or say why it may not be made.

        Args:
            expected: USD, as far as prices tell; None where a tier is unpriced.

        Returns:
            What was set aside, to be given to `settle`.
        """
        if self._limit is None:
            return Decimal(0)
        with self._lock:
            self._turn()
            if expected is None or self._unpriced:
                return "unpriced"
            reserved = max(expected, self._most)
            if self._total + self._reserved + reserved > self._limit:
                return "budget"
            self._reserved += reserved
        return reserved

    def settle(self, reserved: Decimal, cost: Decimal | None, chance: float = 1.0) -> None:
        """Put what an audit did cost in the place of what was set aside for it.

        Args:
            reserved: What `reserve` returned.
            cost: USD; None where a call was unpriced: no limit can be kept on that day.
            chance: With which the request was picked.
        """
        del chance
        if self._limit is None:
            return
        with self._lock:
            self._turn()
            self._reserved = max(Decimal(0), self._reserved - reserved)
            if cost is None:
                self._unpriced = True
                return
            self._own += cost
            self._total += cost
            self._spent_since += cost
            self._most = max(self._most, cost)

    def tell(self, notices: Notices) -> None:
        """Warn, once, of what is kept in another way than was asked for."""

    def said_of(self, forbidden: Forbidden) -> str:
        """Say why audits may not be made."""
        limit = f"{self.named}(max_usd_per_day={float(self._limit or 0):g})"
        if forbidden == "unpriced":
            return f"{limit} cannot be kept where a model has no price (see prices=)"
        return f"{limit} is reached"

    def _turn(self) -> None:
        """Begin a new day where it is one."""
        today = self._now().date()
        if today != self._day:
            self._day = today
            self._own = self._total = Decimal(0)
            self._unpriced = False
            self._read_at = -sys.float_info.max
