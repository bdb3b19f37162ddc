"""Reads the decisions of a log for what was audited of them.

Of a database only audited decisions are read, in narrow columns and with their texts. They are a
few in a hundred; the others are counted where they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cascade_core.log.reading import DAMAGED, batches, connection_to_read, read_records
from cascade_core.log.record import Record
from cascade_core.log.urls import is_url

if TYPE_CHECKING:
    import sqlalchemy as sa

_AT_ONCE = 1000
_ALIKE = ("tier", "reason", "cascade", "policy_version")
_NARROW = ("id", *_ALIKE, "class", "thread", "digest")
_TEXTS = ("class", "thread")
_HANDED = ("handed_to",)
_ALTERED = "\ufffd"
"""What stands in a column for a character that databases refuse; the record has the character."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A decision, or many without an audit that are alike.

    Attributes:
        record: It, or what they have in common.
        n: How many.
        feedback: How often feedback was given to them; None where events tell.
        past: Whether they came before a decision that was asked about.
    """

    record: Record
    n: int = 1
    feedback: int | None = None
    past: bool = False


def audited_ids(source: str, cascade: str | None = None) -> list[str]:
    """Return the decisions of a database with an audit that was done, oldest first.

    Args:
        source: Its address.
        cascade: Only those of the cascade of this name.

    Raises:
        ConfigurationError: It cannot be read.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - only where a database is read

    from cascade_core.log.schema import audits, decisions  # noqa: PLC0415

    query = (
        sa.select(decisions.c.id)
        .join(audits, audits.c.decision == decisions.c.id)
        .where(audits.c.status == "done")
        .order_by(decisions.c.at, decisions.c.id)
    )
    if cascade is not None:
        query = query.where(decisions.c.cascade == cascade)
    with connection_to_read(source) as (_, connection):
        return list(dict.fromkeys(connection.scalars(query)))


def audited_records(
    source: str, since: float | None = None, only: Sequence[str] | None = None
) -> Iterable[Record] | AuditedRecords:
    """Read the decisions of a log, oldest first.

    Args:
        source: The address of a database, or a file of JSON lines.
        since: Only those of requests from then on, in seconds since 1970.
        only: Of a database, only these, given oldest first; the others are not counted.

    Returns:
        Records; of a database, what gives those with an audit and counts the others.

    Raises:
        ConfigurationError: On going through it: there is no such log, or it cannot be read.
    """
    if is_url(source):
        return AuditedRecords(source, since, only)
    return read_records(source, since=since)


class AuditedRecords:
    """The decisions of a database, for an export.

    Attributes:
        unreadable: Those that are damaged, so far.
    """

    def __init__(
        self, source: str, since: float | None = None, only: Sequence[str] | None = None
    ) -> None:
        self._source = source
        self._since = since
        self._only = only
        self.unreadable = 0

    def counted(self, after: Callable[[], str | None]) -> Iterator[Counted]:
        """Yield the decisions with an audit, oldest first, then the others, all of one moment.

        Records have what a row is made of: no calls, and no readings.

        Args:
            after: Called when those with an audit are through; gives the id of one of them, or
                None. Others are told apart by whether they came before it.
        """
        with connection_to_read(self._source) as (_, connection):
            for among in self._audited_among():
                yield from self._audited(connection, among)
            if self._only is None:
                yield from self._others(connection, after())

    def _audited_among(self) -> Iterator[Any]:
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import audits  # noqa: PLC0415

        yield from [sa.select(audits.c.decision)] if self._only is None else batches(self._only)

    def _audited(self, connection: sa.Connection, among: Any) -> Iterator[Counted]:
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import decisions, details  # noqa: PLC0415

        altered = sa.or_(*(decisions.c[name].contains(_ALTERED) for name in _TEXTS))
        # What was handed off is told by the record alone.
        whole_needed = sa.or_(altered, details.c.record.contains('"handed_to"'))
        query = (
            sa.select(
                *(decisions.c[name] for name in _NARROW),
                decisions.c.audit_probability,
                decisions.c.audit_picked,
                details.c.request,
                details.c.response,
                sa.case((whole_needed, details.c.record)),
            )
            .select_from(decisions.outerjoin(details, details.c.id == decisions.c.id))
            .where(decisions.c.id.in_(among), *self._recent(decisions))
            .order_by(decisions.c.at, decisions.c.id)
        )
        for row in connection.execution_options(yield_per=_AT_ONCE).execute(query):
            *narrow, probability, picked, request, response, whole = row
            record = dict(zip(_NARROW, narrow, strict=True)) | _chance(probability, picked)
            try:
                if request is not None:
                    record["request"] = json.loads(request)
                if whole is not None:
                    kept = json.loads(whole)
                    known = (*_TEXTS, *(name for name in _HANDED if name in kept))
                    record |= {name: kept[name] for name in known}
            except DAMAGED:
                self.unreadable += 1
                continue
            record["response"] = response
            yield Counted(record)

    def _others(self, connection: sa.Connection, after: str | None) -> Iterator[Counted]:
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import audits, decisions, feedback  # noqa: PLC0415

        past: sa.ColumnElement[Any] = sa.literal_column("0")
        if after is not None:
            at = connection.scalar(sa.select(decisions.c.at).where(decisions.c.id == after))
            earlier = sa.and_(decisions.c.at == at, decisions.c.id < after)
            past = sa.case((sa.or_(decisions.c.at < at, earlier), 1), else_=0)
        given = sa.select(feedback.c.decision, sa.func.count().label("n")).group_by(
            feedback.c.decision
        )
        fed = given.subquery()
        # Only whether there was a chance counts: rates may differ from request to request.
        chance = sa.case(
            (decisions.c.audit_probability == 0, 0), (decisions.c.audit_probability > 0, 1)
        )
        alike = [*(decisions.c[name] for name in _ALIKE), chance, decisions.c.audit_picked, past]
        query = (
            sa.select(*alike, sa.func.count(), sa.func.sum(fed.c.n))
            .select_from(decisions.outerjoin(fed, fed.c.decision == decisions.c.id))
            .where(decisions.c.id.not_in(sa.select(audits.c.decision)), *self._recent(decisions))
            .group_by(*(sa.literal_column(str(1 + i)) for i in range(len(alike))))
            .order_by(sa.func.min(decisions.c.at))
        )
        for *common, probability, picked, before, n, feeds in connection.execute(query):
            record = dict(zip(_ALIKE, common, strict=True)) | _chance(probability, picked)
            yield Counted(record, n, int(feeds or 0), bool(before))

    def _recent(self, decisions: sa.Table) -> list[sa.ColumnElement[bool]]:
        return [] if self._since is None else [decisions.c.at >= self._since]


def _chance(probability: float | None, picked: Any) -> Record:
    if probability is None:
        return {}
    return {"audit": {"probability": probability, "picked": bool(picked)}}
