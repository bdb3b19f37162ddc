"""Where records are kept: a file of JSON lines, a database, or an object of the caller's."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from cascade_core.errors import ConfigurationError
from cascade_core.forks import free_in_child
from cascade_core.log.events import LogEvent
from cascade_core.log.lines import append_line
from cascade_core.log.record import Record
from cascade_core.log.urls import is_url, refuse_bare_database

LogOverflow = Literal["block", "drop"]
"""What becomes of records that a log cannot take fast enough."""


@runtime_checkable
class DecisionLog(Protocol):
    """Keeps records."""

    def write(self, record: Record) -> Awaitable[None] | None:
        """Keep one record; it may be a coroutine function, which is awaited.

        Async requests call a plain one in a thread, for it may wait.
        """
        ...


@runtime_checkable
class EventLog(DecisionLog, Protocol):
    """Keeps what becomes known of decisions later, too."""

    def write_event(self, event: LogEvent) -> Awaitable[None] | None:
        """Keep one event: feedback or an audit; see `log.events`."""
        ...


class JsonlLog:
    """Appends one line of JSON per decision to a file.

    Each record is one `write` to a file opened for appending, so that threads,
    and several processes with one file, do not mix their lines.

    Args:
        path: The file; made with its first record.
        private: Whether nobody but its owner may read it. A file that everybody may read is made
            so as well; one that its owner has opened to a group stays as it is.

    Raises:
        ConfigurationError: The folder does not exist, or the path is a folder.
    """

    def __init__(self, path: str | Path, *, private: bool = False) -> None:
        self.path = Path(path)
        self.private = private
        self._lock = Lock()
        free_in_child(self)
        if not self.path.parent.is_dir():
            msg = f"log={str(path)!r}: the folder {self.path.parent} does not exist; make it first"
            raise ConfigurationError(msg)
        if self.path.is_dir():
            msg = f"log={str(path)!r} is a folder; give the path of a .jsonl file"
            raise ConfigurationError(msg)

    def write(self, record: Record) -> None:
        """Append one record.

        Raises:
            OSError: It cannot be written; nothing of it is in the file.
        """
        # Half of a surrogate pair has no UTF-8; its escape is JSON too.
        line = (json.dumps(record, ensure_ascii=False) + "\n").encode(errors="backslashreplace")
        with self._lock:
            append_line(self.path, line, private=self.private)

    def write_event(self, event: LogEvent) -> None:
        """Append one event, as a line of its own.

        Raises:
            OSError: It cannot be written; nothing of it is in the file.
        """
        self.write(event)

    def make_private(self) -> None:
        """Let nobody but its owner read the file from now on: it holds what people wrote."""
        self.private = True

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the lock, so that a copy or another process has its own."""
        return {"path": self.path, "private": self.private}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on with the same file."""
        self.__init__(state["path"], private=state["private"])  # type: ignore[misc]

    def __repr__(self) -> str:
        """Show the path."""
        return f"JsonlLog({str(self.path)!r})"


def open_log(
    log: Any, *, private: bool = False, overflow: LogOverflow = "block"
) -> DecisionLog | None:
    """Read the `log=` argument of a cascade.

    Args:
        log: None, the path of a `.jsonl` file, the address of a database, or an object with
            `write(record)`.
        private: Whether what goes there holds what people wrote; see `JsonlLog`.
        overflow: What becomes of records that a database cannot take fast enough.

    Raises:
        ConfigurationError: It is none of these, or a package is missing.
    """
    if overflow not in get_args(LogOverflow):
        msg = f'log_overflow={overflow!r} is unknown; give "block" or "drop"'
        raise ConfigurationError(msg)
    if log is None or (isinstance(log, DecisionLog) and not isinstance(log, io.IOBase)):
        return log
    if is_url(log):
        from cascade_core.log.database_log import DatabaseLog  # noqa: PLC0415 - loads SQLAlchemy

        return DatabaseLog(log, overflow=overflow, private=private)
    if isinstance(log, str | Path):
        refuse_bare_database(log, "log=")
        return JsonlLog(log, private=private)
    kind = type(log).__name__
    msg = f"log= takes the path of a .jsonl file or the address of a database, not {kind}"
    raise ConfigurationError(msg)
