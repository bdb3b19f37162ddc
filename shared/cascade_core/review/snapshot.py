"""A log's decisions as narrow columns, oldest first: what pages count and filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cascade_core.arrays import Array
from cascade_core.log.reading import database_to_read
from cascade_core.review.periods import Period
from cascade_core.review.source import Source
from cascade_core.traffic.log_report import LogReport, report_of
from cascade_core.traffic.reading import LogRead, read_log


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The decisions of a log at one moment: n of them, oldest first.

    Attributes:
        source: What is reviewed.
        ids: (n,) of each decision.
        at: (n,) seconds since 1970, UTC.
        confidence: (n,) of the last judged draft; NaN where there was no reading.
        threshold: (n,) what it was held against; NaN where nothing was.
        tier: (n,) who answered; -1 for nobody.
    """

    source: Source
    ids: tuple[str, ...]
    at: Array
    confidence: Array
    threshold: Array
    tier: Array
    _reports: dict[tuple[str, str, str | None], LogReport] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many decisions there are."""
        return len(self.at)

    def within(self, period: Period) -> slice:
        """Return the rows of a period."""
        begin = 0 if period.begin is None else int(np.searchsorted(self.at, period.begin))
        end = len(self.at) if period.end is None else int(np.searchsorted(self.at, period.end))
        return slice(begin, end)

    def read(self, period: Period) -> LogRead:
        """Return what `cascade report` reads of a period."""
        return read_log(self.source.database, period.begin, period.end, tags=True)

    def report(self, period: Period, by: str | None = None) -> LogReport:
        """Return what `cascade report` says of a period, figure for figure."""
        key = period.since, period.until, by
        if key not in self._reports:
            self._reports[key] = report_of(self.source.shown, self.read(period), by=by)
        return self._reports[key]


def take_snapshot(source: Source) -> Snapshot:
    """Read the columns of a log."""
    import sqlalchemy as sa  # noqa: PLC0415 - an extra

    from cascade_core.log.schema import decisions  # noqa: PLC0415

    names = ("id", "at", "confidence", "threshold", "tier")
    query = sa.select(*(decisions.c[name] for name in names)).order_by(decisions.c.at)
    with database_to_read(source.database).reading() as connection:
        rows = connection.execute(query).all()
    ids, at, confidence, threshold, tier = zip(*rows, strict=True) if rows else ((),) * len(names)
    return Snapshot(
        source,
        tuple(map(str, ids)),
        _numbers(at),
        _numbers(confidence),
        _numbers(threshold),
        _numbers(tier),
    )


def _numbers(column: Sequence[float | None]) -> Array:
    return np.array([np.nan if each is None else each for each in column], dtype=np.float64)
