"""Makes spans and metrics behind the requests: a bounded queue, and one thread that empties it.

Making a span takes longer than a request should wait, so a request leaves its facts and goes on.
Whoever wants to see what was done until now – a provider that is flushed, a reader that collects –
empties the queue itself.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread, get_ident
from time import monotonic
from typing import Any

from cascade_core.errors import error_name
from cascade_core.warn import BEHIND, warn_or_log

ROOM_BEHIND = 10_000
"""Requests and audits that wait, at the most."""

GATHERING = 0.05
"""Seconds for which they gather before spans are made."""

DRAINING = 5.0
"""Seconds that a program which ends waits."""

_logger = logging.getLogger("cascade_core")


class Worker:
    """The queue, and its thread.

    Attributes:
        lost: How many requests and audits were not told of.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self.lost = 0
        self._jobs: deque[tuple[Any, ...]] = deque()
        self._lock = Lock()  # held while the queue is emptied
        self._starting = Lock()
        self._draining: int | None = None
        self._thread: Thread | None = None
        self._idle = True
        self._wake = Event()

    def put(self, *job: Any) -> None:
        """Take in a function and its arguments; never waits."""
        if len(self._jobs) >= ROOM_BEHIND:
            self._lose()
            return
        self._jobs.append(job)
        if self._idle:
            self._rouse()

    def drain(self, seconds: float | None = None) -> bool:
        """Do what has come in until now; tell whether it is done."""
        if self._draining == get_ident():  # what is done here wants to see what is done
            return True
        deadline = None if seconds is None else monotonic() + seconds
        if not self._lock.acquire(timeout=-1 if seconds is None else max(0.0, seconds)):
            return False
        self._draining = get_ident()
        try:
            for _ in range(len(self._jobs)):
                if deadline is not None and monotonic() > deadline:
                    return False
                self._do(self._jobs.popleft())
        finally:
            self._draining = None
            self._lock.release()
        return True

    def _do(self, job: tuple[Callable[..., None], Any]) -> None:
        function, *args = job
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001 - a caller's provider may raise anything
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Count what could not be told, and warn once."""
        self.lost += 1
        self._say(
            "failed",
            f"telemetry: spans or metrics of a request cannot be made ({error_name(error)}): "
            "answers go on, and how many are lost is counted",
        )

    def _lose(self) -> None:
        self.lost += 1
        self._say(
            "lost",
            f"telemetry loses requests: {ROOM_BEHIND:,} wait for their spans and metrics, and an "
            "exporter takes them too slowly; answers go on, and how many are lost is counted",
        )

    def _say(self, key: str, text: str) -> None:
        if key not in self._said:
            self._said.add(key)
            warn_or_log(text)

    def _rouse(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = Thread(target=self._run, name=f"{BEHIND}telemetry", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the program is ending: what is left is done at its end
                    return
                self._thread = thread
                self._drain_at_the_end_of_a_worker()
            self._idle = False
            self._wake.set()

    def _drain_at_the_end_of_a_worker(self) -> None:
        """Have a process of multiprocessing drain: it may end without calling what is at exit."""
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            from multiprocessing.util import Finalize  # noqa: PLC0415 - it is loaded

            Finalize(self, flush_telemetry, args=(DRAINING,), exitpriority=1)

    def _run(self) -> None:
        while True:
            # First it is idle and then it looks: what comes in between rouses it.
            self._idle = True
            if not self._jobs:
                self._wake.wait()
            self._idle = False
            self._wake.clear()
            _pause.wait(GATHERING)
            self.drain()

    def end(self) -> None:
        """Say at the end of the program what was lost."""
        if self.lost:
            _logger.warning("telemetry: %d requests and audits were lost", self.lost)


_pause = Event()  # never set
worker = Worker()
_flushes: list[Callable[[int], Any]] = []
_first: list[Callable[[], None]] = []


def flush_telemetry(seconds: float | None = 30.0) -> bool:
    """Make the spans and metrics of all that was done until now, and have providers export them.

    Args:
        seconds: How long to wait at the most; None waits as long as it takes.

    Returns:
        Whether all of it is made and exported.
    """
    deadline = None if seconds is None else monotonic() + seconds
    whole = worker.drain(seconds)
    for flush in tuple(_flushes):
        left = 30.0 if deadline is None else max(0.0, deadline - monotonic())
        try:
            whole = flush(int(left * 1000)) is not False and whole
        except Exception as error:  # noqa: BLE001 - a caller's provider may raise anything
            _logger.warning("telemetry: a provider cannot be flushed (%s)", error_name(error))
            whole = False
    return whole


def flushes(flush: Callable[[int], Any]) -> None:
    """Have a provider's `force_flush` called by `flush_telemetry`, and all done before it ends.

    Providers shut down at exit, and what is registered last is called first.
    """
    _flushes.append(flush)
    end_before_others()


def end_before_others() -> None:
    """Have all done at exit before what was registered for it until now: audits need models."""
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


def first_at_exit(function: Callable[[], None]) -> None:
    """Have something done at exit that there is more to tell of afterwards."""
    _first.append(function)


def _at_exit() -> None:
    for function in _first:
        function()
    worker.drain(DRAINING)
    worker.end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=worker._begin)  # noqa: SLF001 - it is ours
