"""Remembers for a while which tier answered what: bounded, locked, hashes alone.

What a key is made of, and what is to be remembered, is decided in `holding`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from threading import RLock
from typing import Protocol

from cascade_core.forks import free_in_child
from cascade_core.frozen import frozen
from cascade_core.usage import Usage

MOST_HELD = 32_768
"""Keys that are remembered; those that were written or found longest ago are forgotten first."""

SHARED_FOR = 3600.0
"""Seconds for which other processes know of a turn's step, where they share what is held."""


@frozen
class Stay:
    """What is remembered of an answer.

    Attributes:
        tier: Index of the tier whose answer it was.
        since: Id of the decision that began the turn, or the stay on a stronger tier.
        at: When it was given, as `time.time()` has it.
        usage: The tokens of the call that it came from, where they are known.
    """

    tier: int
    since: str | None
    at: float
    usage: Usage | None = None


class OthersHolds(Protocol):
    """What other processes remember."""

    def get(self, keys: Sequence[bytes]) -> list[Stay | None]:
        """Return what they know under each of some keys."""
        ...

    def put(self, keys: Iterable[bytes], kept: Stay, seconds: float) -> None:
        """Have them know of an answer for some time."""
        ...


class Holds:
    """The answers that a cascade remembers, by key. Shared by all of its requests.

    Args:
        most: How many keys, at the most.
        shared: Where other processes know of them, if they do.

    Attributes:
        waits: Whether asking others may wait; then no event loop may do it.
    """

    __slots__ = ("__weakref__", "_kept", "_lock", "_most", "_shared", "waits")

    def __init__(self, most: int = MOST_HELD, shared: OthersHolds | None = None) -> None:
        self._shared = shared
        self.waits = shared is not None
        self._kept: OrderedDict[bytes, Stay] = OrderedDict()
        self._most = most
        self._lock = RLock()  # a stream collected as garbage may come from in here
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

    def fetch(self, keys: Sequence[bytes]) -> None:
        """Take in what other processes know; where both know something, the later of the two."""
        if self._shared is None or not keys:
            return
        for key, kept in zip(keys, self._shared.get(keys), strict=True):
            own = None if kept is None else self.get([key])
            if kept is not None and (own is None or own.at < kept.at):
                self._put([key], kept)

    def put(self, keys: Iterable[bytes], kept: Stay, seconds: float = SHARED_FOR) -> None:
        """Remember an answer under several keys.

        Args:
            keys: The keys.
            kept: The answer.
            seconds: How long other processes are to know of it, where they share it.
        """
        keys = tuple(keys)
        self._put(keys, kept)
        if self._shared is not None:
            self._shared.put(keys, kept, seconds)

    def _put(self, keys: Iterable[bytes], kept: Stay) -> None:
        with self._lock:
            for key in keys:
                self._kept[key] = kept
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._kept)
