"""What a day's learning has cost, counted from the log: of all processes, also those that ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from threading import Lock
from typing import Any, NamedTuple

from cascade_core.setup.notices import Notices
from cascade_core.setup.spending import Forbidden, Spending


class DaySpent(NamedTuple):
    """What a log's audits have cost since some time.

    Attributes:
        usd: As far as they are priced.
        requests: How many were made, also those that failed.
        wanted_usd: What audits of all requests of the last 24 hours would have cost: each that was
            made stands for 1 / the probability with which it was picked.
        wanted: How many that would have been.
        since: When the first of these was, in seconds since 1970.
    """

    usd: float
    requests: int
    wanted_usd: float = 0.0
    wanted: float = 0.0
    since: float = 0.0


class AllAudited(NamedTuple):
    """What audits of all requests would have cost, and how many that would have been."""

    usd: float = 0.0
    requests: float = 0.0


_DAY = 86_400
_AT_ONCE = 50
"""Requests of a day that are learned from in any case: so few are no sample of a day."""
_FORESEEN = _DAY / 4
"""Seconds that have to be known of, at the least, to expect of a day what was in them: a program's
first minutes say little of its day."""


class LearnSpending(Spending):
    """The day's learning, in USD or, where a model has no price, in requests.

    Nothing is spent before the log has told what was spent already: whoever is killed and started
    again goes on with the same day.

    Args:
        limit: The most USD a day.
        requests: The most requests a day where USD cannot be counted.
        now: The time.
    """

    named = "Learn"
    read_every = 1.0

    def __init__(
        self,
        limit: float,
        requests: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(limit, now)
        self._requests = requests
        self._made = self._under_way = self._made_since = 0
        self._wanted = self._since = AllAudited()
        self._wanted_since = now().timestamp()
        self._known = self._by_own = self._seen = False
        self._reading = Lock()

    def forked(self) -> None:
        """Begin in a forked child with a lock that nobody holds, and nothing under way."""
        self._reading = Lock()
        self._under_way = 0
        self._reserved = Decimal(0)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the lock and the day: a copy in another process reads them from the log."""
        return type(self), (float(self._limit or 0), self._requests)

    @property
    def is_used_up(self) -> bool:
        """Whether nothing more is to be learned from on this day, as far as is known."""
        with self._lock:
            self._turn()
            if self._unpriced:
                return self._made + self._under_way >= self._requests
            return self._limit is not None and self._total + self._most > self._limit

    def pace(self, rate: float) -> float:
        """Return the share of requests to learn from, of those that would be, for the day's money.

        Without it a day's audits would all be of the day's first hours, and so would what is
        promised. What is left is shared out evenly over the rest of the day, of which as much is
        expected as there was in the last 24 hours; where it is enough, nothing is left out.

        Args:
            rate: Probability with which a request is learned from where there is enough.
        """
        with self._lock:
            if self.is_used_up:
                return 0.0
            if self._made + self._under_way < _AT_ONCE:
                return 1.0
            now = self._now()
            known = min(max(now.timestamp() - self._wanted_since, _FORESEEN), _DAY)
            rest = _DAY - (now.hour * 3600 + now.minute * 60 + now.second)
            if self._unpriced:
                left = float(self._requests - self._made - self._under_way)
                wanted = self._wanted.requests + self._since.requests
            else:
                left = float((self._limit or 0) - self._total - self._reserved)
                wanted = self._wanted.usd + self._since.usd
            coming = wanted * rate * rest / known
            return 1.0 if coming <= left else max(0.0, left / coming)

    @property
    def made(self) -> int:
        """How many requests were learned from on this day."""
        with self._lock:
            self._turn()
            return self._made

    @property
    def most_requests(self) -> int | None:
        """The most requests of the day; None where USD are counted."""
        return self._requests if self._unpriced else None

    @property
    def due(self) -> bool:
        """Whether it is time to read what was spent, or somebody is reading it."""
        return self._is_due or self._reading.locked()

    @property
    def _is_due(self) -> bool:
        if super()._is_due:
            return True
        with self._lock:
            left = self._requests - self._made
            return self._unpriced and self._is_much(self._made_since, left)

    def refresh(self, read: Callable[[datetime], Any]) -> None:
        """Read what was spent on this day, where that is due; see `Spending.refresh`."""
        if not self.due:
            return
        with self._reading:  # whoever comes meanwhile waits, rather than not being learned from
            super().refresh(lambda since: self._take(read(since), since))

    def _begin_to_read(self) -> None:
        super()._begin_to_read()
        self._made_since = 0

    def reserve(self, expected: Decimal | None) -> Decimal | Forbidden:
        """Set aside what learning from a request will cost; see `Spending.reserve`."""
        with self._lock:
            self._turn()
            if not self._known:
                return "unknown"
            if self._under_way and not (self._seen or self._unpriced):
                return "busy"  # what judging costs is known when the first one is through
            self._unpriced = self._unpriced or expected is None
            if self._unpriced:
                if self._made + self._under_way >= self._requests:
                    return "budget"
                self._under_way += 1
                return Decimal(0)
            reserved = super().reserve(expected)
            self._under_way += isinstance(reserved, Decimal)
            return reserved

    def settle(self, reserved: Decimal, cost: Decimal | None, chance: float = 1.0) -> None:
        """Put what it did cost in the place of what was set aside for it."""
        with self._lock:
            super().settle(reserved, cost)
            usd, requests = self._since
            self._since = AllAudited(usd + float(cost or 0) / chance, requests + 1 / chance)
            self._under_way = max(0, self._under_way - 1)
            self._made += 1
            self._made_since += 1
            self._seen = True

    def go_by_own(self) -> None:
        """Count what this process spends, where the log cannot tell what others do."""
        with self._lock:
            self._known = self._by_own = True

    def tell(self, notices: Notices) -> None:
        """Warn, once, where requests are counted in place of USD."""
        if self._unpriced:
            notices.give(
                "learning:unpriced",
                f"{super().said_of('unpriced')}: max_requests_per_day={self._requests} is kept in "
                "its place",
            )

    def said_of(self, forbidden: Forbidden) -> str:
        """Say what is reached, or what keeps a request from being learned from."""
        if forbidden == "budget" and self._unpriced:
            return f"Learn(max_requests_per_day={self._requests}) is reached"
        return super().said_of(forbidden)

    def _take(self, spent: DaySpent, since: datetime) -> float:
        with self._lock:
            self._turn()
            if since.date() != self._day:  # the day has ended meanwhile
                return float(self._total)
            self._known = True
            self._made = max(self._made, spent.requests)
            self._wanted, self._since = AllAudited(spent.wanted_usd, spent.wanted), AllAudited()
            if spent.since:
                self._wanted_since = spent.since
            return max(float(self._total), spent.usd)

    def _turn(self) -> None:
        day = self._day
        super()._turn()
        if self._day != day:
            self._made = 0
            self._known = self._by_own
            self._wanted, self._since = self._since if self._by_own else self._wanted, AllAudited()
