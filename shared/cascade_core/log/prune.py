"""Takes old decisions out of a log's database, or what people wrote out of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from cascade_core.log.database import Database
from cascade_core.log.schema import audits, decisions, details, feedback

_AT_ONCE = 1000
"""Decisions of one transaction: cascades write between two of them."""

_EVENTS = (audits, feedback)
_TEXTS = {audits: {"responses": None}, feedback: {"corrected": None, "note": None}}
"""What people and models wrote, by the table that it is in."""


@dataclass
class Pruned:
    """What was taken out.

    Attributes:
        decisions: Decisions; with `content_only`, those whose content was taken out.
        audits: Audits; with `content_only`, those whose answers were taken out.
        feedback: Entries of feedback; with `content_only`, those whose correction or note was taken
            out.
    """

    decisions: int = 0
    audits: int = 0
    feedback: int = 0

    def add(self, other: Pruned) -> None:
        """Count more."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def prune_log(
    database: Database, before: float, *, content_only: bool = False, dry_run: bool = False
) -> Pruned:
    """Delete the decisions of requests asked before a time, and what became known of them.

    It is done in small transactions, so that cascades can go on writing; deleted pages of a SQLite
    file are overwritten and given back to the disk, those of PostgreSQL are kept for what comes.

    Args:
        database: The log.
        before: Seconds since 1970.
        content_only: Delete requests, responses, corrections and notes only.
        dry_run: Count and delete nothing.
    """
    if dry_run:
        with database.reading() as connection:
            return _counted(connection, before, content_only=content_only)
    with database.connect() as connection:
        if database.is_sqlite:
            connection.connection.cursor().execute("PRAGMA secure_delete=ON")
        pruned = Pruned()
        step = _without_content if content_only else _deleted
        for found in _transactions(connection):
            done = step(found, before)
            if done is None:
                break
            pruned.add(done)
        _give_back(database, connection)
    return pruned


def _transactions(connection: sa.Connection) -> Iterator[sa.Connection]:
    while True:
        with connection.begin():
            yield connection
        time.sleep(0)  # somebody else's turn


def _deleted(connection: sa.Connection, before: float) -> Pruned | None:
    """Delete some decisions with all that belongs to them, and in the end what belongs to none."""
    query = sa.select(decisions.c.id).where(decisions.c.at < before).limit(_AT_ONCE)
    found = connection.scalars(query).all()
    if not found:
        left = [_forsaken(connection, table, before) for table in _EVENTS]
        return Pruned(0, *left) if any(left) else None
    counts = [_delete(connection, table, table.c.decision, found) for table in _EVENTS]
    _delete(connection, details, details.c.id, found)
    return Pruned(_delete(connection, decisions, decisions.c.id, found), *counts)


def _forsaken(connection: sa.Connection, table: sa.Table, before: float) -> int:
    """Delete events of decisions that are not there, once they are as old."""
    return connection.execute(sa.delete(table).where(_is_forsaken(table, before))).rowcount


def _is_forsaken(table: sa.Table, before: float) -> sa.ColumnElement[bool]:
    known = sa.exists().where(decisions.c.id == table.c.decision)
    return (table.c.at < before) & ~known


def _delete(connection: sa.Connection, table: sa.Table, column: Any, ids: Sequence[str]) -> int:
    return connection.execute(sa.delete(table).where(column.in_(ids))).rowcount


def _without_content(connection: sa.Connection, before: float) -> Pruned | None:
    query = sa.select(details.c.id).where(_has_content(before)).limit(_AT_ONCE)
    found = connection.scalars(query).all()
    emptied = sa.update(details).where(details.c.id.in_(found)).values(request=None, response=None)
    if found:
        return Pruned(connection.execute(emptied).rowcount)
    counts = [
        connection.execute(sa.update(table).where(_has_texts(table, before)).values(empty)).rowcount
        for table, empty in _TEXTS.items()
    ]
    return Pruned(0, *counts) if any(counts) else None


def _has_content(before: float) -> sa.ColumnElement[bool]:
    kept = details.c.request.is_not(None) | details.c.response.is_not(None)
    old = sa.exists().where((decisions.c.id == details.c.id) & (decisions.c.at < before))
    return kept & old


def _has_texts(table: sa.Table, before: float) -> sa.ColumnElement[bool]:
    of_old = sa.exists().where((decisions.c.id == table.c.decision) & (decisions.c.at < before))
    kept = sa.or_(*(table.c[name].is_not(None) for name in _TEXTS[table]))
    return kept & (of_old | _is_forsaken(table, before))


def _counted(connection: sa.Connection, before: float, *, content_only: bool) -> Pruned:
    def count(table: sa.Table, where: sa.ColumnElement[bool]) -> int:
        return connection.scalar(sa.select(sa.func.count()).select_from(table).where(where)) or 0

    if content_only:
        return Pruned(
            count(details, _has_content(before)),
            *(count(table, _has_texts(table, before)) for table in _TEXTS),
        )
    old = sa.select(decisions.c.id).where(decisions.c.at < before)
    events = [
        count(table, table.c.decision.in_(old) | _is_forsaken(table, before)) for table in _EVENTS
    ]
    return Pruned(count(decisions, decisions.c.at < before), *events)


def _give_back(database: Database, connection: sa.Connection) -> None:
    if database.is_sqlite:
        raw = connection.connection.cursor()
        raw.executescript("PRAGMA incremental_vacuum")  # `execute` would free one page
        # What was deleted is in the write-ahead log, too, until that begins anew.
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return
    outside = connection.execution_options(isolation_level="AUTOCOMMIT")
    for table in (decisions, details, *_EVENTS):
        outside.exec_driver_sql(f"VACUUM (ANALYZE) {table.name}")
