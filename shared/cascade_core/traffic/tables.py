"""A log that is a database, as a report reads it: narrow columns, some rows at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from cascade_core.log.database import Database
from cascade_core.log.reading import connection_to_read, database_to_read
from cascade_core.log.schema import audits, decisions, details, feedback
from cascade_core.traffic.columns import (
    CHUNK,
    KIND,
    NUMBERS,
    WIDE_NUMBERS,
    Traffic,
    TrafficRow,
    traffic_of,
    uncollected,
)
from cascade_core.traffic.entries import LATEST_FAILED, AuditEntry, Feedback, LogEntries
from cascade_core.traffic.lines import errors_of, failing_of

OVERLAP = 3600.0
"""Seconds before the last known decision from which on all are read again: a decision is written
when it is answered, and its time is that of its beginning."""


def entries_of_database(
    source: str, since: float | None, until: float | None, *, tags: bool = False
) -> LogEntries:
    """Return what a database holds; see `reading.read_log`.

    Raises:
        ConfigurationError: It is no log, or cannot be read.
    """
    database = database_to_read(source)
    within = _within(decisions.c.at, since, until)
    with database.reading() as connection:
        said, failing, errors = _beside(connection, within, _within(feedback.c.at, since, until))
        return LogEntries(
            audits=_audits(connection),
            feedback=said,
            chunks=_chunks(database, _query(database, within, tags=tags)),
            failing=failing,
            errors=errors,
        )


@dataclass(frozen=True, slots=True)
class LogMark:
    """What tells cheaply whether a database holds what it held before.

    Attributes:
        decisions: How many there are, and the time of the last.
        audits: The same.
        feedback: The same.
    """

    decisions: tuple[int, float | None]
    audits: tuple[int, float | None]
    feedback: tuple[int, float | None]

    def is_as(self, other: LogMark) -> bool:
        """Tell whether decisions and audits are the same, whatever feedback was given."""
        return (self.decisions, self.audits) == (other.decisions, other.audits)


@dataclass(frozen=True, slots=True, eq=False)
class WideRead:
    """All that a database holds of decisions and audits, of one moment.

    Attributes:
        mark: What tells whether it holds more since.
        traffic: All decisions, wide and as they are kept, oldest first.
        audits: All audits, oldest first.
    """

    mark: LogMark
    traffic: Traffic
    audits: Sequence[AuditEntry]


def read_wide(source: str, known: WideRead | None = None, *, as_written: bool = False) -> WideRead:
    """Read all decisions of a database, wide and as they are kept, and all audits.

    Args:
        source: The database's address.
        known: What was read before: of a log that has only grown, what is new is read.
        as_written: Whether audits are given in the order in which they were written, as those of
            a file are, and not in that of time; of SQLite only.

    Returns:
        It; `known` itself where nothing has changed.

    Raises:
        ConfigurationError: It is no log, or cannot be read.
    """
    with connection_to_read(source) as (database, connection):
        mark = _mark(connection)
        if known is not None and mark == known.mark:
            return known
        if known is not None and mark.audits == known.mark.audits:
            entries = known.audits
        else:
            entries = _audits(connection, as_written=as_written)
        wanted = {audit.decision for audit in entries}
        traffic = None if known is None else _grown(database, connection, known, mark, wanted)
        if traffic is None:
            traffic = _traffic(database, connection, wanted)
    return WideRead(mark, traffic, entries)


def _mark(connection: sa.Connection) -> LogMark:
    def of(table: sa.Table) -> tuple[int, float | None]:
        found = connection.execute(sa.select(sa.func.count(), sa.func.max(table.c.at))).one()
        return int(found[0]), found[1]

    return LogMark(of(decisions), of(audits), of(feedback))


def _grown(
    database: Database,
    connection: sa.Connection,
    known: WideRead,
    mark: LogMark,
    wanted: AbstractSet[str],
) -> Traffic | None:
    """Return a log's decisions of which most are known; None where they are not as they were."""
    traffic = known.traffic
    if mark.decisions != known.mark.decisions:
        if not len(traffic):
            return None
        begin = float(traffic.at[-1]) - OVERLAP
        kept = int(np.searchsorted(traffic.at, begin))
        later = _traffic(database, connection, wanted, begin)
        if kept + len(later) != mark.decisions[0]:  # some were pruned, or came very late
            return None
        traffic = traffic.part(slice(0, kept)).followed_by(later)
    assert traffic.wide is not None  # noqa: S101 - it was read wide
    lacking = traffic.wide.ids.find(wanted - traffic.audited.keys())
    there = {key: row for key, row in traffic.audited.items() if key in wanted}
    return replace(traffic, audited={**there, **lacking})


def _traffic(
    database: Database,
    connection: sa.Connection,
    wanted: AbstractSet[str],
    begin: float | None = None,
) -> Traffic:
    query = _wide_query(database).where(_within(decisions.c.at, begin, None))
    with connection.execution_options(yield_per=CHUNK).execute(query) as result:
        return traffic_of(result.partitions(), tags=True, wide=wanted)


def period_entries(
    source: str, since: float | None, until: float | None
) -> tuple[Feedback, tuple[Mapping[str, Any], ...], Counter[str]]:
    """Return what a report reads of a part of time beside decisions and audits.

    Returns:
        Feedback, what was failing at its end, and the errors of its last requests.

    Raises:
        ConfigurationError: It is no log, or cannot be read.
    """
    within = _within(decisions.c.at, since, until)
    with connection_to_read(source) as (_, connection):
        return _beside(connection, within, _within(feedback.c.at, since, until))


def _beside(
    connection: sa.Connection, within: Any, said: Any
) -> tuple[Feedback, tuple[Mapping[str, Any], ...], Counter[str]]:
    failing = next(map(failing_of, _records(connection, within, 1)), ())
    failed = sa.and_(within, decisions.c.failed_calls > 0)
    errors = errors_of(_records(connection, failed, LATEST_FAILED))
    return _feedback(connection, said), failing, errors


def _audits(connection: sa.Connection, *, as_written: bool = False) -> list[AuditEntry]:
    order = sa.text("rowid") if as_written else audits.c.at
    query = sa.select(*(audits.c[name] for name in AuditEntry._fields)).order_by(order)
    found: list[AuditEntry] = []
    with connection.execute(query.execution_options(yield_per=CHUNK)) as result:
        for chunk in uncollected(result.partitions()):
            pairs = zip(AuditEntry._fields, zip(*chunk, strict=True), strict=True)
            plain = (column if name in _TEXTS else _plain(column) for name, column in pairs)
            found += map(AuditEntry._make, zip(*plain, strict=True))
    return found


def _plain(values: Sequence[Any]) -> Sequence[Any]:
    """Return numbers of audits, None in place of what is none: SQLite keeps any value."""
    if set(map(type, values)) <= _NUMBERS:
        return values
    return [value if isinstance(value, int | float) else None for value in values]


_NUMBERS = {float, int, type(None)}
_TEXTS = frozenset({"decision", "status", "compare", "why"})


def _within(at: sa.Column[Any], since: float | None, until: float | None) -> Any:
    return sa.and_(
        sa.true(),
        *([at >= since] if since is not None else []),
        *([at < until] if until is not None else []),
    )


def _query(database: Database, within: Any, *, tags: bool) -> sa.Select[Any]:
    """Return the query of a row's columns, in the order of `ROW_COLUMNS`."""
    audited = sa.case((decisions.c.id.in_(sa.select(audits.c.decision)), decisions.c.id))
    return sa.select(
        *(decisions.c[name] for name in NUMBERS),
        _kind(database),
        decisions.c.tags if tags else sa.null(),
        audited,
    ).where(within)


def _wide_query(database: Database) -> sa.Select[Any]:
    """Return the query of a wide row's columns.

    SQLite's texts are bytes, since it takes Python to decode them: of millions it takes a second.
    """
    texts: tuple[Any, ...] = (_kind(database), decisions.c.tags, decisions.c.id)
    if database.is_sqlite:
        texts = tuple(sa.cast(each, sa.LargeBinary) for each in texts)
    else:
        texts = (*texts[:-1], sa.func.convert_to(texts[-1], "UTF8"))
    return sa.select(
        *(decisions.c[name] for name in NUMBERS),
        *texts,
        *(_wide_number(database, name) for name in WIDE_NUMBERS),
    )


def _wide_number(database: Database, name: str) -> Any:
    """Return a column; a merit that was not written down is the confidence."""
    known = {column.name: column for column in database.columns(decisions)}
    if name == "merit":
        return sa.func.coalesce(known["merit"], known["confidence"])
    return known[name]


def _kind(database: Database) -> Any:
    known = {column.name: column for column in database.columns(decisions)}
    common = (known[name] for name in KIND)
    if database.is_sqlite:
        return sa.func.json_array(*common)
    return sa.cast(sa.func.json_build_array(*common), sa.Text)


def _chunks(database: Database, query: sa.Select[Any]) -> Iterator[Sequence[TrafficRow]]:
    with ExitStack() as stack:
        connection = stack.enter_context(database.reading())
        result = connection.execution_options(yield_per=CHUNK).execute(query)
        yield from stack.enter_context(result).partitions()


def _records(connection: sa.Connection, which: Any, most: int) -> Iterator[Any]:
    """Yield the latest of some records."""
    newest = (
        sa.select(decisions.c.id).where(which).order_by(decisions.c.at.desc()).limit(most)
    ).subquery()
    query = sa.select(details.c.record).join(newest, details.c.id == newest.c.id)
    for (text,) in connection.execute(query):
        with suppress(ValueError, RecursionError):  # one that is damaged says nothing
            yield json.loads(text)


def _feedback(connection: sa.Connection, within: Any) -> Feedback:
    found = connection.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(feedback.c.decision.distinct()),
            sa.func.avg(feedback.c.quality),
            sa.func.count(feedback.c.corrected),
        ).where(within)
    ).one()
    return Feedback(*found)
