"""The registry of logs: those of the cascades alive in this process, and which has a decision.

Feedback names a decision by its id alone; this finds the log to keep it in. Entries are weak: the
log of a cascade that nobody uses any more is forgotten.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import PurePath
from threading import Lock, Thread
from time import monotonic
from typing import Any
from weakref import WeakSet, ref

from cascade_core.errors import ConfigurationError
from cascade_core.forks import free_in_child
from cascade_core.log.digest import digest_of, read_key
from cascade_core.log.redaction import Redact
from cascade_core.log.urls import database_url, is_url
from cascade_core.request import Request

REMEMBERED = 16_384
"""Decisions of which it is remembered where they are kept; between that many and twice as many."""

AGAIN = 30.0
"""Seconds after which a log that gave no key is asked for it again."""


class RegisteredLog:
    """A log and what its cascade set up for it.

    Args:
        log: The log.
        redact: What texts go through before they are kept there.
    """

    __slots__ = ("__weakref__", "_again", "_key", "_private", "as_ref", "log", "redact")

    def __init__(self, log: Any, redact: Redact | None) -> None:
        self.log = log
        self.redact = redact
        self.as_ref = ref(self)
        self._key: bytes | None = None
        self._private = False
        self._again: float | None = None

    @property
    def cold(self) -> bool:
        """Whether the first digest may have to wait for the log."""
        return self._again is None and hasattr(self.log, "digest_key")

    def make_private(self) -> None:
        """Say, as often as it may be, that the log is given what people wrote."""
        if not self._private:
            self._private = True
            make: Any = getattr(self.log, "make_private", None)
            with suppress(Exception):  # a log that fails costs no answer
                if callable(make):
                    make()

    def key(self) -> bytes | None:
        """Return the key of its digests, and wait for it; None where the log cannot tell it."""
        if self._key is None:
            self._again = monotonic() + AGAIN
            with suppress(Exception):  # of a log that fails, that it fails is said elsewhere
                self._key = read_key(self.log)
        return self._key

    def digest(self, request: Request) -> str | None:
        """Return a request's digest; None as long as there is no key.

        Only the first one waits for the key: a log that is down is asked again behind the requests.
        """
        if self._key is None:
            if self._again is None:
                self.key()
            elif monotonic() >= self._again:
                self._again = monotonic() + AGAIN
                Thread(target=self.key, name="cascade-digest-key", daemon=True).start()
        return None if self._key is None else digest_of(request, self._key)


_registered: WeakSet[RegisteredLog] = WeakSet()
_lock = Lock()
free_in_child(sys.modules[__name__])
_recent: dict[str, Any] = {}
_before: dict[str, Any] = {}


def register(log: Any, redact: Redact | None) -> RegisteredLog | None:
    """Register a cascade's log, for as long as what is returned is referred to."""
    if log is None:
        return None
    registered = RegisteredLog(log, redact)
    with _lock:
        _registered.add(registered)
    return registered


def remember(decision: str, registered: RegisteredLog) -> None:
    """Remember where a decision is kept, for a while."""
    global _recent, _before
    if len(_recent) >= REMEMBERED:
        _recent, _before = {}, _recent
    _recent[decision] = registered.as_ref


def log_of(decision: str) -> RegisteredLog | None:
    """Return where a decision of late is kept; None where that is not known."""
    found = _recent.get(decision) or _before.get(decision)
    return None if found is None else found()


def registered_logs() -> list[RegisteredLog]:
    """Return the logs of all cascades alive, each once; one that redacts rather than another."""
    with _lock:
        registered = sorted(_registered, key=lambda each: each.redact is not None)
    return list({place_of(each.log): each for each in registered}.values())


def place_of(log: Any) -> object:
    """Return what tells logs apart: two objects, or a name, may stand for one file or database."""
    if is_url(log):
        try:
            return database_url(log)
        except ConfigurationError:
            return log
    if isinstance(log, str):
        return os.path.abspath(log)  # noqa: PTH100 - a text will do
    if isinstance(log, PurePath):
        return os.path.abspath(log)  # noqa: PTH100
    for name in ("path", "url"):
        place = getattr(log, name, None)
        if isinstance(place, str | PurePath):
            return place_of(place)
    return id(log)
