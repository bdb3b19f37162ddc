"""Warnings that are given once, and that never cost a request its answer."""

from __future__ import annotations

from threading import RLock
from typing import Any

from cascade_core.forks import free_in_child
from cascade_core.warn import warn, warn_or_log

_SETUP = "setup:"


class Notices:
    """Remembers which warnings have been given, so that each is given once."""

    __slots__ = ("__weakref__", "_given", "_lock")

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the lock; what was said here need not be said of a copy's settings again."""
        with self._lock:
            given = frozenset(key for key in self._given if key.startswith(_SETUP))
        return _remade, (given,)

    def give(self, key: str, text: str) -> None:
        """Warn with `CascadeWarning` unless this key already did.

        Where warnings are errors it is logged instead: what is said here comes up while a request
        is answered, and an answer that is paid for must get out.
        """
        if self._is_new(key):
            warn_or_log(text)

    def give_of_setup(self, text: str, *, running: bool = False) -> None:
        """Warn of what was set up, once; where warnings are errors, it is one.

        Args:
            text: What to say.
            running: Whether requests are answered already: then it is never an error.
        """
        if running:
            self.give(f"{_SETUP}{text}", text)
        elif self._is_new(f"{_SETUP}{text}"):
            warn(text)

    def of_setup(self) -> Notices:
        """Return what a copy of the cascade begins with: its settings need no second warning."""
        made, args = self.__reduce__()
        copied: Notices = made(*args)
        return copied

    def _is_new(self, key: str) -> bool:
        with self._lock:
            if key in self._given:
                return False
            self._given.add(key)
        return True


def _remade(given: frozenset[str]) -> Notices:
    notices = Notices()
    notices._given |= given  # noqa: SLF001 - they are ours
    return notices
