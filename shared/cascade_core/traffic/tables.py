"""A log that is a database, as a report reads it: narrow columns, some rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa

from cascade_core.log.database import Database
from cascade_core.log.reading import database_to_read
from cascade_core.log.schema import audits, decisions, details, feedback
from cascade_core.traffic.columns import CHUNK, KIND, NUMBERS, TrafficRow
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
        known = connection.execute(
            sa.select(*(audits.c[name] for name in AuditEntry._fields)).order_by(audits.c.at)
        )
        entries = LogEntries(
            audits=[AuditEntry(*row) for row in known],
            feedback=_feedback(connection, _within(feedback.c.at, since, until)),
            chunks=_chunks(database, _query(database, within, tags=tags)),
        )
        entries.failing = next(map(failing_of, _records(connection, within, 1)), ())
        failed = sa.and_(within, decisions.c.failed_calls > 0)
        entries.errors = errors_of(_records(connection, failed, LATEST_FAILED))
    return entries


def _within(at: sa.Column[Any], since: float | None, until: float | None) -> Any:
    return sa.and_(
        sa.true(),
        *([at >= since] if since is not None else []),
        *([at < until] if until is not None else []),
    )


def _query(database: Database, within: Any, *, tags: bool) -> sa.Select[Any]:
    """Return the query of a row's columns, in the order of `ROW_COLUMNS`."""
    common = (decisions.c[name] for name in KIND)
    audited = sa.case((decisions.c.id.in_(sa.select(audits.c.decision)), decisions.c.id))
    return sa.select(
        *(decisions.c[name] for name in NUMBERS),
        sa.func.json_array(*common)
        if database.is_sqlite
        else sa.cast(sa.func.json_build_array(*common), sa.Text),
        decisions.c.tags if tags else sa.null(),
        audited,
    ).where(within)


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
