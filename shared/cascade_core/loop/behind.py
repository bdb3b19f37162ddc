"""What goes on behind a request whose answer is out: in a thread, or in a task of its event loop.

Shadow mode serves the last tier at once and asks the cheaper ones here, and audits ask the
strongest. A program that ends waits a little for what is still under way; whatever is not done by
then is given up, and says so.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from threading import Event, Lock, Thread, get_ident
from time import monotonic
from typing import Any, TypeAlias

from cascade_core.forks import free_in_child
from cascade_core.log.writers import flush_writers
from cascade_core.telemetry.worker import first_at_exit

AT_ONCE = 64
"""The most requests with something going on behind them; those beyond it wait themselves."""

_LOOK = 0.1
"""Seconds between looks at whether an event loop that is waited for is closed meanwhile."""

AT_EXIT = 5.0
"""Seconds that a program which ends waits."""

Waiting: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

GiveUp: TypeAlias = Callable[[BaseException], None]
"""Writes down what is known of work that will not come to an end."""


class _Work:
    """One piece of work.

    Attributes:
        process: Where it was begun: a forked child has nothing of it but this object.
        thread: That of its event loop, where it is a task.
        loop: Its event loop, where it is a task.
        task: Kept, for an event loop does not keep its tasks.
        done: Set when nothing more will come of it.
    """

    def __init__(self, give_up: GiveUp, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.process = os.getpid()
        self.thread = None if loop is None else get_ident()
        self.loop = loop
        self.task: asyncio.Task[None] | None = None
        self.done = Event()
        self._give_up = give_up
        self._claimed = False
        _under_way[self] = None

    @property
    def left(self) -> bool:
        """Whether its event loop is closed, and nothing more will come."""
        return self.loop is not None and self.loop.is_closed()

    def claim(self) -> bool:
        """Tell whether to write it down: what is written down is not given up as well."""
        with _claiming:
            first, self._claimed = not self._claimed, True
        return first

    def give_up(self, error: BaseException) -> None:
        """Say that it will not be done, unless it is."""
        if self.claim():
            self._give_up(error)
        elif self.loop is None:  # its thread is writing it down, and the program may be ending
            self.done.wait(AT_EXIT)
        self.end()

    def end(self) -> None:
        """Say that nothing more will come."""
        self.done.set()
        _under_way.pop(self, None)


_under_way: dict[_Work, None] = {}
_claiming = Lock()
free_in_child(sys.modules[__name__], "_claiming")


def _of_this_process() -> list[_Work]:
    """Return what is under way; all that a forked child has of its parent's never will be."""
    process = os.getpid()
    return [work for work in list(_under_way) if work.process == process]


def _is_room() -> bool:
    """Tell whether more may be under way."""
    found = _of_this_process()
    left = sum(work.left for work in found)
    if left:
        with suppress(RuntimeError):  # no more threads can be started
            Thread(target=_give_up_what_loops_left, name="cascade-left", daemon=True).start()
    return len(found) - left < AT_ONCE


def _give_up_what_loops_left() -> None:
    """Give up what event loops were to do that are closed, without a word to their tasks."""
    for work in _of_this_process():
        if work.left:
            work.give_up(asyncio.CancelledError())


def start_thread(
    find: Callable[[], None],
    write: Callable[[], None],
    give_up: GiveUp,
    *,
    always: bool = False,
) -> bool:
    """Find something out in a thread, in a copy of this context, and write it down.

    Args:
        find: Finds it out.
        write: Writes it down.
        give_up: See `GiveUp`.
        always: Whether to begin however much is under way.

    Returns:
        Whether it is under way; False where too much is.
    """
    if not always and not _is_room():
        return False
    work = _Work(give_up)

    def run() -> None:
        try:
            find()
            if work.claim():
                write()
        finally:
            work.end()

    context = copy_context()
    try:
        Thread(target=context.run, args=(run,), name="cascade-behind", daemon=True).start()
    except RuntimeError:  # no more threads can be started, or the program is ending
        if always:
            run()
            return True
        work.end()
        return False
    return True


def start_task(find: Waiting, write: Waiting, give_up: GiveUp) -> bool:
    """Find something out in a task, and write it down; see `start_thread`."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # another event loop's framework, or none, is driving
        return False
    if not _is_room():
        return False
    work = _Work(give_up, loop)

    async def run() -> None:
        try:
            await find()
            if work.claim():
                await write()
        finally:
            work.end()

    def ended(task: asyncio.Task[None]) -> None:
        if task.cancelled():  # perhaps before it began
            work.give_up(asyncio.CancelledError())

    work.task = loop.create_task(run())
    work.task.add_done_callback(ended)
    return True


def flush_log(seconds: float | None = None) -> bool:
    """Wait until what goes on behind requests is done and written down, in databases too.

    In async code call it in a thread, `await asyncio.to_thread(flush_log)`: the event loop has
    to run for its requests to go on.

    Args:
        seconds: How long to wait at the most; None waits as long as it takes, but for a database
            that has failed for five seconds: that is tried once more, and not waited for.

    Returns:
        Whether everything is done and in the database, and nothing was lost since the last time.
        What a database that fails has not taken is still written when it can be.
    """
    deadline = None if seconds is None else monotonic() + seconds
    here = get_ident()
    _give_up_what_loops_left()
    # What goes on in this thread's event loop cannot go on as long as this waits. One piece of work
    # may begin another: an audit follows what shadow mode finds out.
    while waited := [work for work in _of_this_process() if work.thread != here]:
        for work in waited:
            left = None if deadline is None else max(0.0, deadline - monotonic())
            if work.loop is not None:
                left = _LOOK if left is None else min(_LOOK, left)
            work.done.wait(left)
        _give_up_what_loops_left()
        if deadline is not None and monotonic() >= deadline:
            break
    written = flush_writers(None if deadline is None else max(0.0, deadline - monotonic()))
    return written and not _of_this_process()


def _at_exit() -> None:
    flush_log(AT_EXIT)
    given_up = _of_this_process()
    for work in given_up:
        work.give_up(SystemExit())
    if given_up:
        flush_writers(AT_EXIT)


atexit.register(_at_exit)
first_at_exit(_at_exit)
