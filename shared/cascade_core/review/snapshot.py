"""A log's decisions as narrow columns, oldest first: what pages count and filter.

They are read once, as they are kept; what `cascade report` makes of a period is made of a slice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any, TypeVar

import numpy as np

from cascade_core.arrays import Array
from cascade_core.review.periods import Period
from cascade_core.review.source import Source
from cascade_core.traffic.columns import Named, Traffic, WideColumns
from cascade_core.traffic.entries import AuditEntry, LogEntries
from cascade_core.traffic.groups import check_by
from cascade_core.traffic.ids import IdColumn
from cascade_core.traffic.log_report import MOST_GROUPS, LogReport, report_of
from cascade_core.traffic.reading import LogRead, log_read
from cascade_core.traffic.summary import Worked, grouped

PERIODS = 4
"""Periods whose reports are kept, the last that were looked at."""

T = TypeVar("T")


class _Latest:
    """Keeps what was made last, and lets each thing be made once, whoever asks for it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = RLock()
        self._made: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            self._made.move_to_end(key)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
            found: T = self._made[key]
            return found


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The decisions of a log at one moment: n of them, oldest first.

    Rows of `traffic` and of all other columns here are those of the whole log. `within` gives a
    period's; `worked` and `report` are of a period, and their row 0 is its first one.

    Attributes:
        source: What is reviewed.
        traffic: The decisions as they are kept: cost, latency, class, tags, reason, model ...;
            `probability` and `picked` are what records say. What `cascade audit` drew later is
            filled in in `worked(period).traffic`.
        audits: All audits, oldest first; `traffic.audited` has the rows of their decisions.
    """

    source: Source
    traffic: Traffic
    audits: Sequence[AuditEntry]
    _made: _Latest = field(default_factory=lambda: _Latest(PERIODS))
    _grouped: _Latest = field(default_factory=lambda: _Latest(PERIODS * 8))

    def __len__(self) -> int:
        """Return how many decisions there are."""
        return len(self.traffic)

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
    def threshold(self) -> Array:
        """(n,) what it was held against; NaN where nothing was."""
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
        whole = self._made.get(key, lambda: report_of(self.source.shown, self._read(period, rows)))
        if check_by(by) is None:
            return whole
        return self._grouped.get((*key, by), lambda: _by(whole, str(by)))

    def _read(self, period: Period, rows: slice) -> LogRead:
        from cascade_core.traffic.tables import period_entries  # noqa: PLC0415 - an extra

        said, failing, errors = period_entries(self.source.database, period.begin, period.end)
        entries = LogEntries(self.audits, said, iter(()), failing, errors)
        return log_read(self.traffic.part(rows), entries)


def _by(whole: LogReport, by: str) -> LogReport:
    groups, left_out = grouped(whole.worked, by, MOST_GROUPS)
    return replace(whole, by=by, groups=groups, left_out=left_out)


def take_snapshot(source: Source) -> Snapshot:
    """Read the columns of a log.

    Raises:
        ConfigurationError: It is no log, or cannot be read.
    """
    from cascade_core.traffic.tables import whole_database  # noqa: PLC0415 - an extra

    return Snapshot(source, *whole_database(source.database))
