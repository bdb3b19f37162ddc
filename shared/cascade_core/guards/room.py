"""Wakes requests that wait for a budget to have room, as soon as something is given back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, RLock
from typing import TypeVar

from cascade_core.forks import free_in_child

T = TypeVar("T")

Pause = Callable[[T], float | None]
"""Returns how long to wait before asking again at the most; None where not to."""


class Room:
    """Those who wait, in one process; in a forked child, nobody."""

    def __init__(self) -> None:
        self._lock = RLock()  # a stream that is collected as garbage may come from in here
        free_in_child(self)
        self._waiting: set[Callable[[], None]] = set()

    def freed(self) -> None:
        """Wake all who wait: something was given back."""
        if not self._waiting:
            return
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for wake in waiting:
            with suppress(RuntimeError):  # its event loop is closed
                wake()

    @contextmanager
    def _listening(self, wake: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._waiting.add(wake)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(wake)

    def wait(self, ask: Callable[[], T], pause: Pause[T]) -> T:
        """Ask until there is no reason to ask again, and sleep in between."""
        while True:
            woken = Event()
            with self._listening(woken.set):  # before asking, so that nothing is missed
                reply = ask()
                seconds = pause(reply)
                if seconds is None:
                    return reply
                woken.wait(seconds)

    async def await_(self, ask: Callable[[], Awaitable[T]], pause: Pause[T]) -> T:
        """Ask until there is no reason to ask again, while the event loop goes on."""
        loop = asyncio.get_running_loop()
        while True:
            woken = asyncio.Event()

            def wake(woken: asyncio.Event = woken) -> None:
                loop.call_soon_threadsafe(woken.set)

            with self._listening(wake):
                reply = await ask()
                seconds = pause(reply)
                if seconds is None:
                    return reply
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), seconds)


WAITING = Room()
"""The one of this process: cascades may share budgets."""
