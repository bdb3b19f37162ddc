"""Writes what logs are given to their database, behind the requests: one writer a database.

A request leaves its record and goes on. One thread takes what has gathered and writes it in one
transaction. A database that cannot be written is tried again until it can be; meanwhile the queue
fills, and whoever finds it full waits or loses the record, as the cascade says.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from threading import Event, Lock, RLock, Thread
from time import monotonic
from typing import Any

from cascade_core.log.inbox import BATCH, ROOM, Inbox
from cascade_core.log.packing import Parcel
from cascade_core.warn import warn_or_log

GATHER = 0.05
"""Seconds for which records gather before they are written, unless somebody waits for them."""

REST = 5.0
"""Seconds without a record after which the thread ends, and its connection."""

RETRY = (0.05, 2.0)
"""Seconds after which a database that failed is tried again: at first, and at the most."""

LEAVING = 5.0
"""Seconds that a program which ends waits."""

FORK = 5.0
"""Seconds that a fork waits for a transaction to end."""

_logger = logging.getLogger("cascade_core")


class LogWriter:
    """The queue of a database, and the thread that empties it; see `writers.writer_of`.

    Attributes:
        database: Where it writes.
        inbox: What waits.
        private: Whether nobody but its owner may read a SQLite file.
        key: The key of this log's digests, once it is known.
    """

    def __init__(self, url: str) -> None:
        from cascade_core.log.database import Database  # noqa: PLC0415 - takes its time

        self.database = Database(url)
        self.private = False
        self.key: bytes | None = None
        self.inbox = Inbox()
        self._said: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._lock = RLock()  # a stream collected as garbage may come from in here
        self._io = Lock()  # held while the connection is in use
        self._connection: Any = None
        self._thread: Thread | None = None
        self._idle = True
        self._wake = Event()
        self._hurry = Event()
        self._asked = Event()  # the database was asked for the key, whatever came of it

    # --- the side of the requests ---------------------------------------------------------------

    def offer(self, parcel: Parcel) -> bool:
        """Take a parcel if there is room for it; never waits."""
        taken = self.inbox.offer(parcel)
        if taken and self._idle:
            self._rouse()
        return taken

    def wait_and_offer(self, parcel: Parcel, seconds: float) -> bool:
        """Take a parcel as soon as there is room for it, within some seconds."""
        inbox = self.inbox
        deadline, settled = monotonic() + seconds, inbox.settled
        while not self.offer(parcel):
            if inbox.stuck:
                return False
            if not inbox.wait(deadline - monotonic()):
                inbox.stick(settled)
                return False
        return True

    def lose(self, why: str) -> None:
        """Count a record that will not be written, and warn once."""
        self.inbox.lose()
        self._say(
            "lost",
            f"log={self.database.shown!r} loses decisions: {why}; answers go on, and how many "
            "are lost is counted and said when the program ends",
        )

    def learn_key(self, seconds: float) -> bytes | None:
        """Return the key of this log's digests; None where it is not known within some seconds."""
        if self.key is None:
            self._rouse()
            self._asked.wait(seconds)
        return self.key

    def flush(self, seconds: float | None) -> bool:
        """Wait until everything given so far is written; see `Inbox.all_settled`."""
        if self.inbox.unsettled:
            self._hurry.set()
            if not self._rouse():
                self._drain()
        return self.inbox.all_settled(seconds)

    def end(self) -> None:
        """Say at the end of the program what was lost."""
        lost = self.inbox.lost + self.inbox.unsettled
        if lost:
            _logger.warning("log=%r: %d records were lost", self.database.shown, lost)

    def _rouse(self) -> bool:
        """Have the thread work; tell whether there is one."""
        with self._lock:
            if self._thread is None:
                thread = Thread(target=self._run, name="cascade-log", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the program is ending, or no more threads can be started
                    return False
                self._thread = thread
                self._flush_at_the_end_of_a_worker()
            self._idle = False
            self._wake.set()
        return True

    def _drain(self) -> None:
        """Write what there is without a thread; it is not tried twice."""
        while batch := self.inbox.take():
            try:
                self._write(batch)
            except Exception as error:  # noqa: BLE001 - the program is ending
                for _ in batch:
                    self.lose(f"the database cannot be written ({_kind_of(error)})")
            self.inbox.settle(batch)

    def _flush_at_the_end_of_a_worker(self) -> None:
        """Have a process of multiprocessing flush: it may end without calling what is at exit."""
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            from multiprocessing.util import Finalize  # noqa: PLC0415 - it is loaded

            Finalize(self, self.inbox.all_settled, args=(LEAVING,), exitpriority=0)

    # --- the side of the database ---------------------------------------------------------------

    def _run(self) -> None:
        while self._has_work():
            if self.key is None:
                self._learn()
            if len(self.inbox) < BATCH:
                self._hurry.wait(GATHER)
            self._hurry.clear()
            while batch := self.inbox.take():
                self._keep(batch)

    def _has_work(self) -> bool:
        """Wait for something to do; False ends the thread, and its connection."""
        with self._lock:
            # First it is idle and then it looks: a record that comes in between rouses it.
            self._idle = True
            if self.inbox:
                self._idle = False
        if not self._idle or self._wake.wait(REST):
            self._wake.clear()
            return True
        with self._io:
            self._close()
        with self._lock:
            if self.inbox or self._wake.is_set():
                return True
            self._thread = None
        return False

    def _keep(self, batch: list[Parcel]) -> None:
        """Write a batch, however long it takes; what the database refuses costs only itself."""
        pause, most = RETRY
        while True:
            self.inbox.begin()
            try:
                self._write(batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, the thread has to go on
                if not _is_refused(error):
                    self._failed(error)
                    self._hurry.clear()
                    self.inbox.fail()  # who waits for it may ask to try again at once
                    self._hurry.wait(pause)
                    pause = min(2 * pause, most)
                    continue
                if len(batch) > 1:
                    middle = len(batch) // 2
                    self._keep(batch[:middle])
                    self._keep(batch[middle:])
                    return
                self.lose(f"the database refuses a record ({_kind_of(error)})")
            break
        self.inbox.settle(batch)

    def _write(self, batch: list[Parcel]) -> None:
        from cascade_core.log import inserting  # noqa: PLC0415 - SQLAlchemy takes its time

        rows = inserting.rows_by_table(batch)  # while others may write to the same file
        with self._io:
            if self._connection is None or not self.database.is_open:
                self._close()
                self.database.open(private=self.private)
                self._connection = self.database.connect()
            with self._connection.begin():
                inserting.insert(self.database, self._connection, rows)

    def _learn(self) -> None:
        try:
            with self._io:
                self.database.open(private=self.private)
                self.key = self.database.digest_key()
        except Exception as error:  # noqa: BLE001 - it is asked again before the next batch
            self._failed(error)
        self._asked.set()

    def _failed(self, error: Exception) -> None:
        with self._io:
            self._close()
            self.database.doubt()
        self._say(
            "failed",
            f"log={self.database.shown!r} cannot be written ({_kind_of(error)}): answers go on; up "
            f"to {ROOM:,} decisions wait until it can be, and those beyond are lost and counted",
        )

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None

    def _say(self, key: str, text: str) -> None:
        with self._lock:
            if key in self._said:
                return
            self._said.add(key)
        warn_or_log(text)

    # --- forks ----------------------------------------------------------------------------------

    def before_fork(self) -> bool:
        """Have nothing open; tell whether that is so."""
        if not self._io.acquire(timeout=FORK):
            return False
        self._close()
        return True

    def after_fork(self) -> None:
        """Go on."""
        self._io.release()

    def in_child(self) -> Any:
        """Begin with nothing to write; return what the parent has open and must not be closed."""
        inherited = self._connection
        self.inbox = Inbox()
        self._begin()
        return inherited


def _is_refused(error: Exception) -> bool:
    from cascade_core.log.inserting import is_refused  # noqa: PLC0415 - SQLAlchemy takes its time

    return is_refused(error)


def _kind_of(error: Exception) -> str:
    """Name an error, the driver's own where there is one; never its text, which may quote rows."""
    return type(getattr(error, "orig", None) or error.__cause__ or error).__name__
