"""The writers of this process, one a database, and what forks and the program's end mean to them.

A forked child has a queue and a thread of its own: what its parent had not written is its parent's
to write, and no connection is open while a process forks.
"""

from __future__ import annotations

import atexit
import os
from threading import Lock
from time import monotonic
from typing import Any
from weakref import WeakValueDictionary

from cascade_core.log.urls import database_url
from cascade_core.log.writer import LEAVING, LogWriter

_writers: WeakValueDictionary[str, LogWriter] = WeakValueDictionary()
_making = Lock()
_paused: list[LogWriter] = []
_inherited: list[Any] = []
"""What a parent has open: closed here, it would be closed there."""


def writer_of(url: str) -> LogWriter:
    """Return the writer of a database, which all cascades of this process share.

    Raises:
        ConfigurationError: The address cannot be one, or a package is missing.
    """
    place = database_url(url)
    with _making:
        writer = _writers.get(place)
        if writer is None:
            writer = _writers[place] = LogWriter(url)
        return writer


def flush_writers(seconds: float | None = None) -> bool:
    """Wait until every log in a database has written what it was given.

    Returns:
        Whether all of it is written, and nothing was lost since the last time.
    """
    deadline = None if seconds is None else monotonic() + seconds
    whole = True
    for writer in list(_writers.values()):
        left = None if deadline is None else max(0.0, deadline - monotonic())
        whole = writer.flush(left) and whole
    return whole


def lost_records() -> int:
    """Return how many records the logs in databases of this process have lost."""
    return sum(writer.inbox.lost for writer in list(_writers.values()))


def _at_exit() -> None:
    flush_writers(LEAVING)
    for writer in list(_writers.values()):
        writer.end()


def _before_fork() -> None:
    _making.acquire()
    _paused[:] = [writer for writer in list(_writers.values()) if writer.before_fork()]


def _after_fork() -> None:
    for writer in _paused:
        writer.after_fork()
    _paused.clear()
    _making.release()


def _in_child() -> None:
    _paused.clear()
    _making.release()
    _inherited.extend(writer.in_child() for writer in list(_writers.values()))


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
