"""Which run of an agent or a chain a piece of work belongs to: its outermost one.

Frameworks say of each piece of work which one it is part of. That is noted as it begins, for the
last `REMEMBERED_PARTS` of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from threading import RLock
from typing import Any

from cascade_core.forks import free_in_child

REMEMBERED_PARTS = 20_000
"""Pieces of work that are remembered."""

RUN_KEY = "run_id"
"""How callers name the run themselves, in a request's metadata or tags."""


class Roots:
    """The outermost piece of work of each; safe to share between threads."""

    def __init__(self, remembered: int = REMEMBERED_PARTS) -> None:
        self._remembered = remembered
        self._roots: dict[Hashable, Hashable] = {}
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)

    def began(self, part: Hashable, of: Hashable | None) -> None:
        """Note that a piece of work began.

        Args:
            part: Its id.
            of: The id of what it is part of; None where it is the outermost.
        """
        with self._lock:
            root = part if of is None else self._roots.pop(of, of)
            if of is not None:  # what is still worked on is forgotten last
                self._roots[of] = root
            self._roots[part] = root
            while len(self._roots) > self._remembered:
                del self._roots[next(iter(self._roots))]

    def of(self, part: Hashable | None) -> str | None:
        """Return the id of the outermost; of what is not known, its own."""
        return None if part is None else str(self._roots.get(part, part))


def run_named(metadata: Mapping[str, Any] | None) -> str | None:
    """Return the run that a caller names, if any."""
    named = metadata.get(RUN_KEY) if metadata else None
    return None if named is None or named == "" else str(named)
