"""Looks, once a second and in a thread of its own, after what may change while a program runs.

There is one thread in a process, as long as there is anything to look after, and in a forked child
another one. It keeps nothing alive.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Protocol
from weakref import WeakSet

EVERY = 1.0
"""Seconds between two looks."""


class Watched(Protocol):
    """What is looked after."""

    def look(self) -> None:
        """Look whether anything has changed; may wait for a disk or a server."""
        ...


class Watcher:
    """The thread and what it looks after."""

    def __init__(self) -> None:
        self._watched: WeakSet[Watched] = WeakSet()
        self._lock = Lock()
        self._thread: Thread | None = None

    def add(self, watched: Watched) -> None:
        """Look after something from now on, for as long as anybody else holds it."""
        with self._lock:
            self._watched.add(watched)
            self._start()

    def begin_in_child(self) -> None:
        """Go on in a forked child, which has the objects of its parent and not its threads."""
        # Another thread of the parent may have been in the middle of changing the set.
        self._watched = WeakSet(list(self._watched))
        self._lock = Lock()
        self._thread = None
        if len(self._watched):
            self._start()

    def _start(self) -> None:
        if self._thread is not None:
            return
        thread = Thread(target=self._run, name="cascade-watching", daemon=True)
        with suppress(RuntimeError):  # no more threads can be started, or the program is ending
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        pause = Event()
        while not pause.wait(EVERY):
            with self._lock:
                found = list(self._watched)
                if not found:
                    self._thread = None
                    return
            while found:  # nothing is held while the thread waits
                with suppress(Exception):  # whoever is watched says itself what went wrong
                    found.pop().look()


_watcher = Watcher()
look_after = _watcher.add
"""Have something looked after; see `Watcher.add`."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watcher.begin_in_child)
