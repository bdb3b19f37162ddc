"""How far tuning has come: parts of about the same length, each told of as it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

OnStep: TypeAlias = Callable[[float, float, str], None]
"""Told of progress: parts done, a fraction of the one at hand included, of how many, and what it
is in words."""

Told: TypeAlias = Callable[[float], None]
"""Told what share of one part is done, in [0, 1]."""


def silent(_done: float, _total: float, _doing: str) -> None:
    """Tell nobody."""


def unheard(_share: float) -> None:
    """Tell nobody of a part."""


class Progress:
    """Counts parts.

    Args:
        advance: Told of every step.
        total: Parts there are at most; those that turn out needless are passed over.
    """

    def __init__(self, advance: OnStep = silent, total: int = 1) -> None:
        self._advance = advance
        self._total = total
        self._done = 0

    def part(self, doing: str) -> Told:
        """Begin the next part; what is returned is told how far it has come."""
        begun = min(self._done, self._total)
        self._done += 1
        self._advance(begun, self._total, doing)
        return lambda share: self._advance(
            min(begun + share, float(self._total)), self._total, doing
        )

    def end(self) -> None:
        """Say that all is done."""
        self._advance(self._total, self._total, "done")
