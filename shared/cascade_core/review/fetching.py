"""Fetches single decisions of a log, and what became known of them, by their ids.

A page shows some fifty; nothing here reads a whole log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cascade_core.log.events import LogEvent, counting_audit
from cascade_core.log.reading import (
    DAMAGED,
    database_to_read,
    whole_audit,
    whole_feedback,
    whole_record,
)
from cascade_core.log.record import Record
from cascade_core.review.filters import AuditSeen
from cascade_core.traffic.columns import tags_in

if TYPE_CHECKING:
    import sqlalchemy as sa

    from cascade_core.log.database import Database

SHORT = 4_000
"""Characters of a prompt or an answer that a row is fetched with."""

IDS_AT_ONCE = 500
"""Ids that one query names."""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision as the table has it.

    Attributes:
        id: Its id.
        values: Columns of the table `decisions`, by name.
        tags: The caller's.
        asked: The beginning of what the user said last; None where no content is logged.
        answered: The beginning of the answer; None where that is not logged.
        audit: The audit that counts.
        quality: Of the last feedback; None where there is none.
        feedback: How often there was some.
    """

    id: str
    values: dict[str, Any]
    tags: list[str]
    asked: str | None
    answered: str | None
    audit: AuditSeen | None
    quality: float | None
    feedback: int


def fetch_rows(source: str, ids: Sequence[str]) -> list[DecisionRow]:
    """Fetch decisions for a table, in the order of their ids; those that are gone are left out.

    Args:
        source: The database's address.
        ids: Theirs, `IDS_AT_ONCE` at the most.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - an extra

    from cascade_core.log.schema import audits, decisions, details, feedback  # noqa: PLC0415

    database = database_to_read(source)
    query = (
        sa.select(
            *database.columns(decisions),
            sa.func.substr(details.c.request, 1, SHORT).label("asked"),
            sa.func.length(details.c.request).label("asked_length"),
            sa.func.substr(details.c.response, 1, SHORT).label("answered"),
        )
        .select_from(decisions.outerjoin(details, details.c.id == decisions.c.id))
        .where(decisions.c.id.in_(ids))
    )
    audited = sa.select(audits.c.decision, audits.c.status, audits.c.harm).order_by(audits.c.at)
    said = sa.select(feedback.c.decision, feedback.c.quality).order_by(feedback.c.at)
    with database.reading() as connection:
        rows = {row.id: row for row in connection.execute(query)}
        seen: dict[str, AuditSeen] = {}
        for key, status, harm in connection.execute(audited.where(audits.c.decision.in_(ids))):
            seen[key] = AuditSeen(status, _number(harm)).after(seen.get(key))
        qualities: dict[str, list[float | None]] = {}
        for key, quality in connection.execute(said.where(feedback.c.decision.in_(ids))):
            qualities.setdefault(key, []).append(_number(quality))
    numbers = {each.name for each in decisions.c if isinstance(each.type, sa.Float | sa.Integer)}

    def told(row: Any, name: str) -> Any:
        value = getattr(row, name)
        return _number(value) if name in numbers else value

    return [
        DecisionRow(
            id=key,
            values={each.name: told(row, each.name) for each in decisions.c},
            tags=tags_in(row.tags),
            asked=_last_said(row.asked, whole=(row.asked_length or 0) <= SHORT),
            answered=row.answered,
            audit=seen.get(key),
            quality=qualities.get(key, [None])[-1],
            feedback=len(qualities.get(key, [])),
        )
        for key in ids
        if (row := rows.get(key)) is not None
    ]


def _number(value: Any) -> Any:
    """Return a number; None for what is none: SQLite keeps any value in any column."""
    return value if isinstance(value, int | float) else None


def _last_said(request: str | None, *, whole: bool) -> str | None:
    """Return what the user said last, of a request's JSON or of its beginning."""
    if request is None:
        return None
    if not whole:
        return _first_text(request)
    try:
        return last_said(json.loads(request))
    except (ValueError, RecursionError):
        return request


def _first_text(begun: str) -> str:
    """Return the first text in the beginning of a request's JSON."""
    start = begun.find('"text":"')
    if start < 0:
        return begun
    text = begun[start + len('"text":"') :]
    try:
        # Whatever ends within the part is taken whole; an escape that is cut off is left out.
        return str(json.JSONDecoder(strict=False).raw_decode(f'"{text}')[0])
    except ValueError:
        for end in range(len(text), max(0, len(text) - 7), -1):
            try:
                return str(json.loads(f'"{text[:end]}"', strict=False))
            except ValueError:
                continue
        return begun


def last_said(request: Any) -> str:
    """Return the last thing that the user said in a logged request."""
    turns = request if isinstance(request, list) else [request]
    said = [turn for turn in turns if isinstance(turn, dict) and isinstance(turn.get("text"), str)]
    users = [turn for turn in said if turn.get("role") == "user"] or said
    return str(users[-1]["text"]) if users else str(request)


@dataclass(frozen=True, slots=True)
class WholeDecision:
    """A decision with all that is known of it.

    Attributes:
        record: As it was written.
        audits: Every audit, oldest first.
        feedback: Everything said of it, oldest first.
    """

    record: Record
    audits: list[LogEvent]
    feedback: list[LogEvent]

    @property
    def audit(self) -> LogEvent | None:
        """The audit that counts."""
        counts = None
        for each in self.audits:
            counts = counting_audit(counts, {"status": None, **each})
        return counts


def fetch_decision(source: str, key: str) -> WholeDecision | None:
    """Fetch a decision; None where the log has none of that id."""
    return next(fetch_decisions(source, [key]), None)


def fetch_decisions(source: str, ids: Sequence[str]) -> Iterator[WholeDecision]:
    """Fetch decisions, in the order of their ids; those that are gone are left out.

    Args:
        source: The database's address.
        ids: Theirs, `IDS_AT_ONCE` at the most.
    """
    import sqlalchemy as sa  # noqa: PLC0415

    from cascade_core.log.schema import audits, details, feedback  # noqa: PLC0415

    database = database_to_read(source)
    with database.reading() as connection:
        query = sa.select(details).where(details.c.id.in_(ids))
        found = {row.id: row for row in connection.execute(query)}
        audited = _by_decision(database, connection, audits, ids)
        said = _by_decision(database, connection, feedback, ids)
    for key in ids:
        if (row := found.get(key)) is not None:
            yield WholeDecision(
                _readable(row),
                list(_readable_audits(audited.get(key, []))),
                [
                    {**(one := whole_feedback(each)), "quality": _number(one["quality"])}
                    for each in said.get(key, [])
                ],
            )


def _readable(row: Any) -> Record:
    """Return a record; of one that is damaged, what can be read."""
    found: Record = {"id": row.id}
    with suppress(*DAMAGED):
        found = {**found, **whole_record(row.record, None, row.response)}
    with suppress(*DAMAGED):
        if row.request is not None:
            found["request"] = json.loads(row.request)
    return found


def _readable_audits(rows: Sequence[Any]) -> Iterator[LogEvent]:
    for row in rows:
        with suppress(*DAMAGED):
            audit = whole_audit(row["event"], row["responses"])
            yield audit | {name: _number(audit[name]) for name in _OF_AUDITS if name in audit}


_OF_AUDITS = ("quality", "strong_quality", "harm", "strong_cost_usd", "cost_usd", "probability")
"""Numbers of an audit."""


def _by_decision(
    database: Database, connection: sa.Connection, table: sa.Table, ids: Sequence[str]
) -> dict[str, list[Any]]:
    import sqlalchemy as sa  # noqa: PLC0415

    query = (
        sa.select(*database.columns(table))
        .where(table.c.decision.in_(ids))
        .order_by(table.c.at, table.c.id)
    )
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault(row.decision, []).append(row._mapping)  # noqa: SLF001 - its public name
    return found


def fetch_labelled(source: str) -> list[str]:
    """Fetch the ids of all decisions with feedback."""
    import sqlalchemy as sa  # noqa: PLC0415

    from cascade_core.log.schema import feedback  # noqa: PLC0415

    with database_to_read(source).reading() as connection:
        return list(connection.scalars(sa.select(feedback.c.decision).distinct()))
