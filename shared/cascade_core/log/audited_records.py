"""Reads the decisions of a log for what was audited of them.

Of a database only audited decisions are read whole. They are a few in a hundred; of the others it
is enough to know that they are there, and whether they had a chance to be picked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cascade_core.log.reading import DAMAGED, database_to_read, read_records, whole_record
from cascade_core.log.record import Record
from cascade_core.log.urls import is_url

_AT_ONCE = 1000


def audited_records(source: str, since: float | None = None) -> Iterable[Record]:
    """Read the decisions of a log, oldest first.

    Args:
        source: The address of a database, or a file of JSON lines.
        since: Only those of requests from then on, in seconds since 1970.

    Returns:
        Records; of a database's decisions without an audit that was done, only `id`, `tier`,
        `reason`, `cascade`, `policy_version` and `audit`.

    Raises:
        ConfigurationError: On going through it: there is no such log, or it cannot be read.
    """
    return _of_database(source, since) if is_url(source) else read_records(source, since=since)


def _of_database(source: str, since: float | None) -> Iterator[Record]:
    import sqlalchemy as sa  # noqa: PLC0415 - only where a database is read

    from cascade_core.log.schema import audits, decisions, details  # noqa: PLC0415

    done = sa.select(audits.c.decision).where(audits.c.status == "done")
    audited = sa.and_(details.c.id == decisions.c.id, decisions.c.id.in_(done))
    narrow = (
        decisions.c[name]
        for name in ("id", "tier", "reason", "cascade", "policy_version", "audit_probability")
    )
    query = (
        sa.select(
            *narrow,
            decisions.c.audit_picked,
            details.c.record,
            details.c.request,
            details.c.response,
        )
        .select_from(decisions.outerjoin(details, audited))
        .order_by(decisions.c.at, decisions.c.id)
    )
    if since is not None:
        query = query.where(decisions.c.at >= since)
    with database_to_read(source).reading() as connection:
        for row in connection.execution_options(yield_per=_AT_ONCE).execute(query):
            if row.record is None:
                yield _narrow(row)
                continue
            try:
                whole = whole_record(*row[-3:])
            except DAMAGED:
                continue
            yield whole


def _narrow(row: Any) -> Record:
    record: Record = {
        "id": row.id,
        "tier": row.tier,
        "reason": row.reason,
        "cascade": row.cascade,
        "policy_version": row.policy_version,
    }
    if row.audit_probability is not None:
        record["audit"] = {"probability": row.audit_probability, "picked": bool(row.audit_picked)}
    return record
