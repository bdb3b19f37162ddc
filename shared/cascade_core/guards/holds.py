"""Remembers for a while which tier answered what: bounded, locked, hashes alone.

What a key is made of, and what is to be remembered, is decided in `holding`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from cascade_core.forks import free_in_child
from cascade_core.frozen import frozen
from cascade_core.usage import Usage

MOST_HELD = 8192
"""Keys that are remembered; those that were written or found longest ago are forgotten first."""


@frozen
class Stay:
    """What is remembered of an answer.

    Attributes:
        tier: Index of the tier whose answer it was.
        since: Id of the decision that began the turn, or the stay on a stronger tier.
        at: When it was given, as `time.time()` has it.
        usage: The tokens of the call that it came from, where they are known.
        unread: Whether it was a tool call that nothing could read, as all before it in its turn.
    """

    tier: int
    since: str | None
    at: float
    usage: Usage | None = None
    unread: bool = False


class Holds:
    """The answers that a cascade remembers, by key. Shared by all of its requests."""

    __slots__ = ("__weakref__", "_kept", "_lock", "_most")

    def __init__(self, most: int = MOST_HELD) -> None:
        self._kept: OrderedDict[bytes, Stay] = OrderedDict()
        self._most = most
        self._lock = Lock()
        free_in_child(self)

    def get(self, keys: Iterable[bytes]) -> Stay | None:
        """Return what is remembered under the first key that is known."""
        with self._lock:
            for key in keys:
                kept = self._kept.get(key)
                if kept is not None:
                    self._kept.move_to_end(key)
                    return kept
        return None

    def put(self, keys: Iterable[bytes], kept: Stay) -> None:
        """Remember an answer under several keys."""
        with self._lock:
            for key in keys:
                self._kept[key] = kept
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._kept)
