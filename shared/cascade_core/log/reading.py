"""Reads a log back, from a database and from a file of JSON lines alike, oldest first.

Nothing is held in memory beyond what is being looked at. Other programs, and a process that was
killed, may have written to a file of lines: what cannot be read there is passed over and counted.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cascade_core.errors import ConfigurationError
from cascade_core.files import FileError, read_json_lines
from cascade_core.log.events import LogEvent
from cascade_core.log.record import Record
from cascade_core.log.upgrade import is_event
from cascade_core.log.urls import is_url, refuse_bare_database
from cascade_core.moments import as_iso, seconds_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from cascade_core.log.database import Database

Moment: TypeAlias = datetime | float
"""A time; as a number, seconds since 1970 (UTC)."""

DAMAGED = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What reading JSON raises that was damaged, or that another program wrote into a log."""

_AT_ONCE = 1000
_LOOKED_AT = 50  # lines of a file, until one says what the file is


class Read:
    """What a log holds, to be gone through once or several times.

    Attributes:
        unreadable: Lines that could not be read, or are neither a record nor an event, so far; of
            a database, rows that are damaged.
        first_unreadable: The number of the first of them, from 1; 0 where there is none.
        torn: Whether the last line was cut off.
    """

    def __init__(self, source: str | Path, since: Moment | None) -> None:
        self.source = source
        self.since = None if since is None else seconds(since)
        self._start()

    def _start(self) -> None:
        self.unreadable = 0
        self.first_unreadable = 0
        self.torn = False

    def _skip(self, line: int) -> None:
        self.first_unreadable = self.first_unreadable or line
        self.unreadable += 1

    def _cut_off(self) -> None:
        self.torn = True

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yield the records and events of a file that are recent enough."""
        self._start()
        refuse_bare_database(self.source)
        lines = read_json_lines(Path(self.source), cut_off=self._cut_off, skipped=self._skip)
        for number, value in lines:
            if not is_entry(value):
                self._skip(number)
            elif self.since is None or _at(value) >= self.since:
                yield value


class _Records(Read):
    """See `read_records`."""

    def __iter__(self) -> Iterator[Record]:
        if not is_url(self.source):
            yield from (value for value in self._lines() if not is_event(value))
            return
        import sqlalchemy as sa  # noqa: PLC0415 - only where a database is read

        from cascade_core.log.schema import decisions, details  # noqa: PLC0415

        query = (
            sa.select(details.c.record, details.c.request, details.c.response)
            .join(decisions, decisions.c.id == details.c.id)
            .order_by(decisions.c.at, decisions.c.id)
        )
        if self.since is not None:
            query = query.where(decisions.c.at >= self.since)
        for record, request, response in _rows(database_to_read(self.source), query):
            try:
                whole = whole_record(record, request, response)
            except DAMAGED:
                self.unreadable += 1
                continue
            yield whole


class _Events(Read):
    """See `read_events`."""

    def __init__(
        self,
        source: str | Path,
        since: Moment | None,
        kind: str | None,
        only: Sequence[str] | None,
    ) -> None:
        super().__init__(source, since)
        self.kind = kind
        self.only = only

    def __iter__(self) -> Iterator[LogEvent]:
        if not is_url(self.source):
            for value in self._lines():
                if is_event(value) and self.kind in {None, value["event"]}:
                    yield value
            return
        database = database_to_read(self.source)
        found: list[Iterable[tuple[float, LogEvent]]] = []
        if self.kind in {None, "audit"}:
            found.append(self._audits(database))
        if self.kind in {None, "feedback"}:
            found.append(self._feedback(database))
        for _, event in heapq.merge(*found, key=lambda each: each[0]):
            yield event

    def _audits(self, database: Database) -> Iterator[tuple[float, LogEvent]]:
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import audits  # noqa: PLC0415

        query = sa.select(*database.columns(audits)).order_by(audits.c.at, audits.c.id)
        if self.since is not None:
            query = query.where(audits.c.at >= self.since)
        queries: Iterable[Any] = [query]
        if self.only is not None:
            queries = (query.where(audits.c.decision.in_(each)) for each in batches(self.only))
        for row in chain.from_iterable(_rows(database, each) for each in queries):
            try:
                audit = whole_audit(row.event, row.responses)
            except DAMAGED:
                self.unreadable += 1
                continue
            yield row.at, audit

    def _feedback(self, database: Database) -> Iterator[tuple[float, LogEvent]]:
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import feedback  # noqa: PLC0415

        query = sa.select(*database.columns(feedback)).order_by(feedback.c.at, feedback.c.id)
        if self.since is not None:
            query = query.where(feedback.c.at >= self.since)
        for row in _rows(database, query):
            yield row.at, whole_feedback(row._mapping)  # noqa: SLF001 - its public name


def read_records(source: str | Path, since: Moment | None = None) -> _Records:
    """Read the records of a log, oldest first; in a file of lines, in the order they were written.

    Args:
        source: The address of a database, or a file of JSON lines.
        since: Only those of requests from then on. Records of version 1 have no time, and are
            left out where one is given.

    Returns:
        What to go through; afterwards it says how many lines were passed over. Where content was
        kept, a record has `request` and `response`.

    Raises:
        ConfigurationError: On going through it: there is no such log, or it cannot be read.
    """
    return _Records(source, since)


def read_events(
    source: str | Path,
    kind: str | None = None,
    since: Moment | None = None,
    only: Sequence[str] | None = None,
) -> _Events:
    """Read what became known of decisions: audits and feedback; see `read_records`.

    Args:
        source: The address of a database, or a file of JSON lines.
        kind: `audit` or `feedback`; None for both.
        since: Only what became known from then on.
        only: Of a database, only audits of these decisions, whichever comes first.
    """
    return _Events(source, since, kind, only)


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield a few at a time, as many as a query may name."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def is_log(source: object) -> bool:
    """Tell whether a source is a log: a database's address, or a file that holds decisions.

    A labelled table may be a file of JSON lines too; the first line that can be read tells.
    """
    if is_url(source):
        return True
    if not isinstance(source, str | Path):
        return False
    refuse_bare_database(source)
    path = Path(source)
    if not path.is_file() or path.suffix.lower() in {".csv", ".parquet"}:
        return False
    passed: list[int] = []
    try:
        for _, value in read_json_lines(path, cut_off=passed.clear, skipped=passed.append):
            if is_entry(value):
                return True
            if isinstance(value, dict) or len(passed) > _LOOKED_AT:
                return False
    except (FileError, UnicodeDecodeError):
        return False
    return False


def seconds(moment: Moment) -> float:
    """Return a moment in seconds since 1970; one that names no zone is of UTC."""
    if not isinstance(moment, datetime):
        return float(moment)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def database_to_read(source: object) -> Database:
    """Open the database of a log that is read.

    Raises:
        ConfigurationError: It cannot be reached, or holds no log.
    """
    from cascade_core.log.database import Database  # noqa: PLC0415 - only where one is read

    database = Database(str(source), named="", create=False, upgrade=False)
    database.reach()
    return database


@contextmanager
def connection_to_read(source: object) -> Iterator[tuple[Database, sa.Connection]]:
    """Open the database of a log, and a connection to read from, all of one moment.

    Raises:
        ConfigurationError: It cannot be reached or read, or holds no log.
    """
    database = database_to_read(source)
    with _reading(database) as connection:
        yield database, connection


@contextmanager
def _reading(database: Database) -> Iterator[sa.Connection]:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        with database.reading() as connection:
            yield connection
    except SQLAlchemyError as error:  # its text may hold what people wrote
        kind = type(getattr(error, "orig", None) or error).__name__
        msg = f"{database.shown} cannot be read now ({kind}); does another program hold it?"
        raise ConfigurationError(msg) from None


def _rows(database: Database, query: sa.Select[Any]) -> Iterator[Any]:
    with ExitStack() as stack:
        connection = stack.enter_context(_reading(database))
        found = connection.execution_options(yield_per=_AT_ONCE).execute(query)
        yield from stack.enter_context(found)


def whole_record(record: str, request: str | None, response: str | None) -> Record:
    """Return a record as it was written, of what a database keeps in three columns."""
    found: Record = json.loads(record)
    if request is not None:
        found["request"] = json.loads(request)
    if response is not None:
        found["response"] = response
    return found


def whole_audit(event: str, responses: str | None) -> LogEvent:
    """Return an audit as it was written, of what a database keeps in two columns."""
    found: LogEvent = json.loads(event)
    texts = {} if responses is None else json.loads(responses)
    for tier in found["tiers"] if texts else ():
        if str(tier.get("tier")) in texts:
            tier["response"] = texts[str(tier["tier"])]
    return found


def whole_feedback(row: Mapping[str, Any]) -> LogEvent:
    """Return feedback as it was written, of its row in a database."""
    try:
        at = as_iso(row["at"])
    except (*DAMAGED, OverflowError, OSError):  # no moment that a calendar has
        at = None
    return {"event": "feedback", **row, "at": at}


def is_entry(value: Any) -> bool:
    """Tell whether a line of a file holds a record or an event, and not something else."""
    return _is_record(value) or is_event(value)


def _is_record(value: Any) -> bool:
    return isinstance(value, Mapping) and "reason" in value and isinstance(value.get("calls"), list)


def _at(value: Mapping[str, Any]) -> float:
    """Return when something was written down; of what does not say so, that it is old."""
    at = seconds_of(value.get("at"))
    return float("-inf") if at is None else at
