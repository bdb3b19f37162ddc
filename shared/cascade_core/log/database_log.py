"""A log in a database, as a cascade sees it: what it writes, and how long it waits."""

from __future__ import annotations

import asyncio
from datetime import datetime
from time import monotonic
from typing import Any

from cascade_core.log.events import LogEvent
from cascade_core.log.packing import Parcel, pack
from cascade_core.log.record import Record
from cascade_core.log.urls import without_password
from cascade_core.log.writers import writer_of

WAIT = 1.0
"""Seconds that a request waits, at the most, where a log is full."""

WAIT_FOR_KEY = 3.0
"""Seconds that the first request waits, at the most, for the key of digests to be read or made."""

_LOOK = 0.01  # seconds between looks of a coroutine that waits


class DatabaseLog:
    """Keeps decisions, and what becomes known of them, in a database.

    What is written is in the database a moment later; `flush_log()` waits for it. All logs of one
    address in one process share a queue of at most `inbox.ROOM` records. Where it is full, which
    is to say that the database is slow or cannot be written, a request waits for `WAIT` seconds at
    the most and then goes on without its record; once one has waited in vain, others do not wait
    before something is written again.

    Args:
        url: The address: `sqlite:///decisions.db`, `postgresql+psycopg://user@host/database`.
        overflow: `block`, or `drop`, which never waits.
        private: Whether what goes there holds what people wrote: nobody but its owner may read a
            SQLite file then.

    Raises:
        ConfigurationError: The address cannot be one, or a package is missing.
    """

    def __init__(self, url: str, *, overflow: str = "block", private: bool = False) -> None:
        self._given = url
        self.overflow = overflow
        self.private = private
        self._writer = writer_of(url)
        self._writer.private = self._writer.private or private

    @property
    def url(self) -> str:
        """The address, whole; two of one database are alike."""
        return self._writer.database.url

    @property
    def lost(self) -> int:
        """How many records and events of this process could not be kept there."""
        return self._writer.inbox.lost

    def write(self, record: Record) -> None:
        """Keep one record; waits only where there is no room."""
        self._put(pack("record", record))

    def write_event(self, event: LogEvent) -> None:
        """Keep one event; see `write`."""
        self._put(pack("event", event))

    async def awrite(self, record: Record) -> None:
        """Keep one record; the event loop goes on where there is no room."""
        await self._aput(pack("record", record))

    async def awrite_event(self, event: LogEvent) -> None:
        """Keep one event; see `awrite`."""
        await self._aput(pack("event", event))

    def make_private(self) -> None:
        """Let nobody but its owner read a SQLite file from now on: it holds what people wrote."""
        self.private = self._writer.private = True
        self._writer.database.make_private()

    def digest_key(self) -> bytes | None:
        """Return the key of this log's digests, which is kept in it; None where it is not there."""
        return self._writer.learn_key(WAIT_FOR_KEY)

    def audit_cost(self, since: datetime) -> float:
        """Return what audits of all processes have cost since a time, in USD; it waits for that."""
        from cascade_core.log.audit_sums import audit_cost  # noqa: PLC0415 - SQLAlchemy

        return audit_cost(self._writer.database, since.timestamp())

    def audits_made(self, since: datetime) -> int:
        """Return how many audits all processes have made since a time; it waits for that."""
        from cascade_core.log.audit_sums import audits_made  # noqa: PLC0415 - SQLAlchemy

        return audits_made(self._writer.database, since.timestamp())

    def audits_wanted(self, since: datetime) -> tuple[float, float, float]:
        """Return what audits of all requests would have cost, how many, and from when on."""
        from cascade_core.log.audit_sums import audits_wanted  # noqa: PLC0415 - SQLAlchemy

        return audits_wanted(self._writer.database, since.timestamp())

    def flush(self, seconds: float | None = None) -> bool:
        """Wait until everything given so far is written, and tell whether it is."""
        return self._writer.flush(seconds)

    def _put(self, parcel: Parcel) -> None:
        writer = self._writer
        if writer.offer(parcel):
            return
        if self.overflow == "drop" or not writer.wait_and_offer(parcel, WAIT):
            self._lose()

    async def _aput(self, parcel: Parcel) -> None:
        writer = self._writer
        if writer.offer(parcel):
            return
        deadline, settled = monotonic() + WAIT, writer.inbox.settled
        while self.overflow == "block" and not writer.inbox.stuck:
            if monotonic() >= deadline:
                writer.inbox.stick(settled)
                break
            await asyncio.sleep(_LOOK)
            if writer.offer(parcel):
                return
        self._lose()

    def _lose(self) -> None:
        self._writer.lose("the database does not keep up, or cannot be written")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a copy, here or in another process, write to the same database."""
        return _again, (self._given, self.overflow, self.private)

    def __repr__(self) -> str:
        """Show the address without its password."""
        return f"DatabaseLog({without_password(self._given)!r})"


def _again(url: str, overflow: str, private: bool) -> DatabaseLog:  # noqa: FBT001 - of a pickle
    return DatabaseLog(url, overflow=overflow, private=private)
