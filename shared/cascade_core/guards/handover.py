"""Asks in a thread for what may wait, so that nothing is lost where nobody takes the answer.

A task may be cancelled while a thread asks a server for leave: what is granted then has to go back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import RLock
from typing import Generic, TypeVar

T = TypeVar("T")


class Handover(Generic[T]):
    """One question.

    Args:
        ask: Asks; it may wait.
        give_back: Takes an answer that nobody takes; it may not wait.
    """

    def __init__(self, ask: Callable[[], T], give_back: Callable[[T], None]) -> None:
        self._ask, self._give_back = ask, give_back
        self._lock = RLock()  # a stream collected as garbage may come from in here
        self._answers: list[T] = []
        self._left = False

    async def get(self) -> T:
        """Return the answer, while the event loop goes on."""
        try:
            return await asyncio.to_thread(self._run)
        except asyncio.CancelledError:
            with self._lock:
                self._left = True
                answers = list(self._answers)
            for answer in answers:
                self._give_back(answer)
            raise

    def _run(self) -> T:
        answer = self._ask()
        with self._lock:
            left = self._left
            self._answers.append(answer)
        if left:
            self._give_back(answer)
        return answer


def cancel_count() -> int:
    """Return how often the running task has been asked to stop."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # another event loop's framework, or none, is driving
        return 0
    return 0 if task is None else task.cancelling()
