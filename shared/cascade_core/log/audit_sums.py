"""What the audits of a database have cost and would have cost, all processes together."""

from __future__ import annotations

import sqlalchemy as sa

from cascade_core.log.database import Database
from cascade_core.log.schema import audits


def audit_cost(database: Database, since: float) -> float:
    """Return what audits have cost since a time, in USD, as far as they are priced."""
    spent = sa.select(sa.func.sum(audits.c.cost_usd)).where(audits.c.at >= since)
    with database.reading() as connection:
        return float(connection.scalar(spent) or 0.0)


def audits_made(database: Database, since: float) -> int:
    """Return how many audits have been made since a time, also those that failed."""
    made = sa.select(sa.func.count()).where(audits.c.at >= since, audits.c.status != "skipped")
    with database.reading() as connection:
        return int(connection.scalar(made) or 0)


def audits_wanted(database: Database, since: float) -> tuple[float, float, float]:
    """Return what audits of all requests since a time would have cost, how many, and from when on.

    Each that was made stands for 1 / the probability with which it was picked.
    """
    each = 1 / audits.c.probability
    wanted = sa.select(
        sa.func.sum(audits.c.cost_usd * each), sa.func.sum(each), sa.func.min(audits.c.at)
    ).where(audits.c.at >= since, audits.c.status != "skipped", audits.c.probability > 0)
    with database.reading() as connection:
        usd, made, first = connection.execute(wanted).one()
        return float(usd or 0.0), float(made or 0.0), float(first or 0.0)
