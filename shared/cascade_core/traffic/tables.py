"""A log that is a database, as a report reads it: narrow columns, some rows at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa

from cascade_core.log.database import Database
from cascade_core.log.reading import database_to_read
from cascade_core.log.schema import audits, decisions, details, feedback
from cascade_core.traffic.columns import (
    CHUNK,
    KIND,
    NUMBERS,
    WIDE_NUMBERS,
    Traffic,
    TrafficRow,
    traffic_of,
)
from cascade_core.traffic.entries import LATEST_FAILED, AuditEntry, Feedback, LogEntries
from cascade_core.traffic.lines import errors_of, failing_of


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


def whole_database(
    source: str,
) -> tuple[Traffic, Sequence[AuditEntry]]:
    """Read all decisions of a database, wide and as they are kept, and all audits, of one moment.

    Raises:
        ConfigurationError: It is no log, or cannot be read.
    """
    database = database_to_read(source)
    with database.reading() as connection:
        known = _audits(connection)
        result = connection.execution_options(yield_per=CHUNK).execute(_wide_query(database))
        with result:
            found = traffic_of(
                result.partitions(), tags=True, wide={audit.decision for audit in known}
            )
    return found, known


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
    with database_to_read(source).reading() as connection:
        return _beside(connection, within, _within(feedback.c.at, since, until))


def _beside(
    connection: sa.Connection, within: Any, said: Any
) -> tuple[Feedback, tuple[Mapping[str, Any], ...], Counter[str]]:
    failing = next(map(failing_of, _records(connection, within, 1)), ())
    failed = sa.and_(within, decisions.c.failed_calls > 0)
    errors = errors_of(_records(connection, failed, LATEST_FAILED))
    return _feedback(connection, said), failing, errors


def _audits(connection: sa.Connection) -> list[AuditEntry]:
    known = connection.execute(
        sa.select(*(audits.c[name] for name in AuditEntry._fields)).order_by(audits.c.at)
    )
    return [AuditEntry(*row) for row in known]


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
    """Return the query of a wide row's columns."""
    return sa.select(
        *(decisions.c[name] for name in NUMBERS),
        _kind(database),
        decisions.c.tags,
        decisions.c.id,
        *(decisions.c[name] for name in WIDE_NUMBERS),
    )


def _kind(database: Database) -> Any:
    common = (decisions.c[name] for name in KIND)
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
