"""What a database knows of the cascade that learns in it: which process does, and how it stands.

One process of many learns at a time. It holds a lease that it renews with every pass, and
gives back when it ends; where it is killed, another goes on when the lease has run out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cascade_core.log.audit_sums import audit_cost, audits_made
from cascade_core.log.database import Database
from cascade_core.log.kept_texts import keep_text, kept_text
from cascade_core.log.reading import connection_to_read, database_to_read
from cascade_core.log.urls import is_url

_KEY = "learning"
_LONGEST = 600.0
"""Seconds of a lease, at the most."""


class LearningStore:
    """The row of a database that says who learns in it.

    Args:
        url: The database's address.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url, named="policy=")
        self.shown = self._database.shown

    def take(
        self,
        by: str,
        now: float,
        seconds: float,
        cascade: str | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Take or renew the lease, and tell whether this process has it.

        Args:
            by: Names the process and nothing else.
            now: In seconds since 1970.
            seconds: For how long.
            cascade: Which one learns.
            ended: Whether the process has left. It is asked when nobody else can take or leave, so
                that nothing is taken after `leave`, which must come when this is so already.
        """
        with self._database.writing() as connection:
            self._database.queue_for_policies(connection)
            if ended():
                return False
            kept = learning_in(connection)
            if kept.get("by", by) != by and lease_holds(kept.get("until", 0.0), now):
                return False
            taken = {**kept, "by": by, "until": now + seconds, "cascade": cascade}
            keep_text(connection, _KEY, json.dumps(taken))
            return True

    def leave(self, by: str) -> None:
        """Give the lease back, where this process has it: it is ending, and another may go on."""
        with self._database.writing() as connection:
            self._database.queue_for_policies(connection)
            kept = learning_in(connection)
            if kept.get("by") == by:
                keep_text(connection, _KEY, json.dumps({**kept, "until": 0.0}))

    def learns(self) -> str | None:
        """Return the name of the cascade that learns, or did last."""
        with self._database.reading() as connection:
            return learning_in(connection).get("cascade")

    def tell(self, by: str, said: Mapping[str, Any]) -> None:
        """Say how learning stands, as long as this process has the lease."""
        with self._database.writing() as connection:
            self._database.queue_for_policies(connection)
            kept = learning_in(connection)
            if kept.get("by") == by:
                told = {"by": by, "until": kept["until"], **said}
                keep_text(connection, _KEY, json.dumps(told))

    def audits_done(self) -> int:
        """Return how many audits the database holds that were made."""
        return audits_made(self._database, 0.0)


def learning_of(source: str) -> dict[str, Any] | None:
    """Return what was last said of learning in a log's database; None where nothing learns there.

    Raises:
        ConfigurationError: The database cannot be read.
    """
    if not is_url(source):
        return None
    with connection_to_read(source) as (_, connection):
        kept = learning_in(connection)
    return kept if "harm" in kept else None


def spent_today(source: str) -> tuple[float, int]:
    """Return what a database's audits have cost on this day (UTC), in USD, and how many there were.

    Raises:
        ConfigurationError: The database cannot be read.
    """
    database = database_to_read(source)
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    return audit_cost(database, day), audits_made(database, day)


def lease_holds(until: float, now: float) -> bool:
    """Tell whether a lease holds; one that is longer than any was written by a wrong clock."""
    return now < until <= now + _LONGEST


def learning_in(connection: Any) -> dict[str, Any]:
    """Return what a database keeps of who learns in it; nothing where it is damaged."""
    found = kept_text(connection, _KEY)
    try:
        kept = {} if found is None else dict(json.loads(found))
    except (ValueError, TypeError, RecursionError):
        return {}
    until = kept.get("until", 0.0)
    return kept if isinstance(until, int | float) else {}
