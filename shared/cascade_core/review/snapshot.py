"""A log's decisions as narrow columns, oldest first: what pages count and filter.

They are read once, as they are kept; what `cascade report` makes of a period is made of a slice.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock, RLock
from typing import Any, TypeVar

import numpy as np

from cascade_core.arrays import Array
from cascade_core.review.periods import NO_TIME, Period
from cascade_core.review.source import Source
from cascade_core.traffic.columns import Named, Traffic, WideColumns
from cascade_core.traffic.entries import AuditEntry, LogEntries
from cascade_core.traffic.groups import BY, check_by
from cascade_core.traffic.ids import IdColumn
from cascade_core.traffic.log_report import MOST_GROUPS, LogReport, report_of
from cascade_core.traffic.reading import LogRead, log_read
from cascade_core.traffic.summary import Worked, grouped
from cascade_core.traffic.tables import WideRead, period_entries, read_wide

PERIODS = 4
"""Periods whose reports are kept, the last that were looked at."""

MOST_KEPT = 64
"""Other things that pages have made of a log, the last that were looked at."""

T = TypeVar("T")


class _Once:
    """Lets a thing be made once: who asks meanwhile waits for it, and for no other thing."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._made: list[Any] = []

    def get(self, make: Callable[[], T]) -> T:
        with self._lock:
            if not self._made:
                self._made.append(make())
            found: T = self._made[0]
            return found


class _Latest:
    """Keeps what was asked for last, each thing made once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()  # never held while anything is made
        self._asked: OrderedDict[Hashable, _Once] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            one = self._asked.setdefault(key, _Once())
            self._asked.move_to_end(key)
            while len(self._asked) > self._most:
                self._asked.popitem(last=False)
        return one.get(make)


class _Caches:
    """What was made of decisions and audits, by period: the same whatever feedback is given."""

    def __init__(self) -> None:
        self.reports = _Latest(PERIODS)
        self.groups = _Latest(PERIODS * len(BY))
        self.other = _Latest(MOST_KEPT)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The decisions of a log at one moment: n of them, oldest first.

    Rows of `traffic` and of all other columns here are those of the whole log. `within` gives a
    period's; `worked` and `report` are of a period, and their row 0 is its first one.

    Attributes:
        source: What is reviewed.
        filled: As `Source.filled` was when it was read.
        wide_read: What was read of it.
        traffic: The decisions as they are kept: cost, latency, class, tags, reason, model ...;
            `probability` and `picked` are what records say. What `cascade audit` drew later is
            filled in in `worked(period).traffic`.
    """

    source: Source
    filled: int
    wide_read: WideRead
    traffic: Traffic
    _caches: _Caches = field(default_factory=_Caches)
    _beside: _Latest = field(default_factory=lambda: _Latest(PERIODS))

    def __len__(self) -> int:
        """Return how many decisions there are."""
        return len(self.traffic)

    @property
    def audits(self) -> Sequence[AuditEntry]:
        """All audits, oldest first; `traffic.audited` has the rows of their decisions."""
        return self.wide_read.audits

    @property
    def wide(self) -> WideColumns:
        """What pages show of decisions beyond what a report counts."""
        assert self.traffic.wide is not None  # noqa: S101 - a snapshot is read wide
        return self.traffic.wide

    @property
    def ids(self) -> IdColumn:
        """(n,) of each decision; `ids[row]` is a text, `ids.find(texts)` gives rows."""
        return self.wide.ids

    @property
    def at(self) -> Array:
        """(n,) seconds since 1970, UTC; NaN in records of version 1, which come first."""
        return self.traffic.at

    @property
    def confidence(self) -> Array:
        """(n,) of the last judged draft; NaN where there was no reading."""
        return self.wide.confidence

    @property
    def merit(self) -> Array:
        """(n,) what was held against the threshold: the confidence, or more than that."""
        return self.wide.merit

    @property
    def threshold(self) -> Array:
        """(n,) what that was held against; NaN where nothing was."""
        return self.wide.threshold

    @property
    def input_tokens(self) -> Array:
        """(n,) of each request; NaN where they are not known."""
        return self.wide.input_tokens

    @property
    def output_tokens(self) -> Array:
        """(n,) of each answer; NaN where they are not known."""
        return self.wide.output_tokens

    @property
    def tier(self) -> Any:
        """(n,) who answered; -1 for nobody."""
        return self.traffic.tier

    @property
    def classes(self) -> Named:
        """The class of each decision; None for those without one."""
        return self.traffic.named["class"]

    def has_rows_of(self, other: Snapshot) -> bool:
        """Tell whether decisions and audits are those of another one, whatever feedback is."""
        same = self.wide_read.mark.is_as(other.wide_read.mark)
        return self.filled == other.filled and same

    def within(self, period: Period) -> slice:
        """Return the rows of a period, first and last given."""
        if period.begin is None and period.end is None:
            return slice(0, len(self))
        timeless = int(np.count_nonzero(np.isnan(self.at)))  # these come first, and are in none
        known = self.at[timeless:]
        begin = 0 if period.begin is None else int(np.searchsorted(known, period.begin))
        end = len(known) if period.end is None else int(np.searchsorted(known, period.end))
        return slice(timeless + begin, timeless + max(begin, end))

    def read(self, period: Period) -> LogRead:
        """Return what `cascade report` reads of a period."""
        return self.report(period).read

    def worked(self, period: Period) -> Worked:
        """Return the traffic of a period with its audits, and what follows for each request."""
        return self.report(period).worked

    def report(self, period: Period, by: str | None = None) -> LogReport:
        """Return what `cascade report` says of a period, figure for figure.

        Args:
            period: Which.
            by: One of `groups.BY`, to group by; None for no groups.

        Raises:
            ConfigurationError: It is nothing to group by, or the log cannot be read.
        """
        rows = self.within(period)
        # 7d begins at another moment each time it is asked for; its rows tell whether it matters.
        key = period.since, period.until, rows.start, rows.stop
        said, failing, errors = self._beside.get(key, lambda: self._read_beside(period))
        entries = LogEntries(self.audits, said, iter(()), failing, errors)
        whole = self._caches.reports.get(key, lambda: self._report(rows, entries))
        read = replace(whole.read, feedback=said, failing=failing, errors=errors)
        if check_by(by) is None:
            return replace(whole, read=read)
        make = partial(grouped, whole.worked, str(by), MOST_GROUPS)
        groups, left_out = self._caches.groups.get((*key, by), make)
        return replace(whole, read=read, by=by, groups=groups, left_out=left_out)

    def made_once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what a page has made of the decisions or audits; it goes when they do.

        Args:
            key: What it is called; a tuple that begins with the page's own word.
            make: Makes it, where it is not there yet.
        """
        return self._caches.other.get(key, make)

    def _read_beside(self, period: Period) -> tuple[Any, Any, Any]:
        begin = period.begin
        if begin is None and period.end is not None and self.source.file is not None:
            begin = math.ulp(NO_TIME)  # what has no time is in no period
        return period_entries(self.source.database, begin, period.end)

    def _report(self, rows: slice, entries: LogEntries) -> LogReport:
        return report_of(self.source.shown, log_read(self.traffic.part(rows), entries))


def take_snapshot(source: Source, before: Snapshot | None = None) -> Snapshot:
    """Read the columns of a log.

    Args:
        source: What is reviewed.
        before: What was read before: what is not new is not read again.

    Returns:
        What it holds; `before` itself where that is the same.

    Raises:
        ConfigurationError: It is no log, or cannot be read.
    """
    filled = source.filled
    if before is not None and before.filled != filled:
        before = None
    known = None if before is None else before.wide_read
    found = read_wide(source.database, known, as_written=source.file is not None)
    if before is not None and found is before.wide_read:
        return before
    if before is not None and before.wide_read.mark.is_as(found.mark):
        return replace(before, wide_read=found, _beside=_Latest(PERIODS))
    traffic = found.traffic
    if source.file is not None:
        traffic = replace(traffic, at=np.where(traffic.at == NO_TIME, np.nan, traffic.at))
    return Snapshot(source, filled, found, traffic)
