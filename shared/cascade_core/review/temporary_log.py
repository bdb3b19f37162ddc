"""A log that ends with the program: what a file's rows are read into, to be looked at.

Nobody but its owner may read it. It goes when the program ends, by an error or a signal too; only
a program that is killed outright leaves it in the system's folder for temporary files.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cascade_core.log.database import Database
from cascade_core.log.inserting import TABLES, insert
from cascade_core.log.rows import row_of_event, rows_of
from cascade_core.log.upgrade import is_event
from cascade_core.review.periods import NO_TIME

_AT_ONCE = 2_000


class TemporaryLog:
    """A database of its own, empty at first.

    Attributes:
        url: Its address.
        repeated: Entries that are not in it, because one of their id was there already.
    """

    def __init__(self) -> None:
        _end_by_signals_too()
        folder = Path(tempfile.mkdtemp(prefix="cascade-review-"))  # nobody else may enter it
        self._end = weakref.finalize(self, _remove, folder, os.getpid())
        self.url = f"sqlite:///{folder.as_posix()}/rows.db"
        self.repeated = 0
        self._database = Database(self.url, named="")
        self._database.open(private=True)
        sa.event.listen(self._database.engine, "connect", _unsynced)
        self._is_empty = True

    @contextmanager
    def filling(self, *, anew: bool = False) -> Iterator[Filling]:
        """Add entries, all or none; who reads meanwhile sees what was there before.

        Args:
            anew: Whether to leave nothing of what is there.
        """
        if self._is_empty:  # nobody reads it yet, and so it need not be written twice
            self._keep_journal("MEMORY")
        with self._database.writing() as connection:
            if anew and not self._is_empty:
                for table in TABLES:
                    connection.execute(sa.delete(table))
            before = _entries(connection)
            into = Filling(self._database, connection)
            yield into
            into.flush()
            repeated = into.taken - (_entries(connection) - before)
        if self._is_empty:
            self._keep_journal("WAL")
            self._is_empty = False
        self.repeated = repeated + (0 if anew else self.repeated)

    def close(self) -> None:
        """Remove it."""
        self._end()

    def _keep_journal(self, mode: str) -> None:
        with closing(self._database.engine.raw_connection()) as connection:
            connection.cursor().execute(f"PRAGMA journal_mode={mode}")


class Filling:
    """Takes entries into a database, some at a time.

    Args:
        database: Which.
        connection: A connection to it that writes.

    Attributes:
        taken: How many entries it was given.
    """

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self._database = database
        self._connection = connection
        self._rows: dict[str, list[Any]] = {table.name: [] for table in TABLES}
        self.taken = 0

    def add(self, entry: Mapping[str, Any]) -> None:
        """Take a record or an event."""
        if is_event(entry):
            name, row = row_of_event(entry, undated=NO_TIME)
            self._rows[name].append(row)
        else:
            row, details = rows_of(entry, undated=NO_TIME)
            self._rows["decisions"].append(row)
            self._rows["details"].append(details)
        self.taken += 1
        if self.taken % _AT_ONCE == 0:
            self.flush()

    def flush(self) -> None:
        """Write what was taken."""
        insert(self._database, self._connection, self._rows)
        for rows in self._rows.values():
            rows.clear()


def _unsynced(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # it ends with the program


def _entries(connection: sa.Connection) -> int:
    counts = (
        sa.select(sa.func.count()).select_from(each).scalar_subquery()
        for each in TABLES
        if each.name != "details"
    )
    return sum(connection.execute(sa.select(*counts)).one())


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # and not a child's that has it from here
        shutil.rmtree(folder, ignore_errors=True)


def _end_by_signals_too() -> None:
    """Have signals that would end the program at once end it as an error does: with its files."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda got, _: sys.exit(128 + got))
