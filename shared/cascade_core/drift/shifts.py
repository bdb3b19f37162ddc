"""Hints that a stream has changed against its own past, whatever it was when a policy was tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cascade_core.arrays import Array

PUT_UP_WITH = 0.05
"""Deviation from the mean that is not summed: half the smallest change worth finding."""
ENOUGH = 25.0
"""Sum of deviations that counts as a shift; more is slower and more seldom wrong."""
FIRST_ROWS = 30
"""Numbers that are read before a shift can be found."""
_BLOCK = 65_536
"""Numbers that are searched at once at first."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A change within the stream: a hint, which chance alone also brings about now and then.

    Attributes:
        what: `escalation` or `confidence`.
        at: Number of the counted request at which it was found.
    """

    what: str
    at: int


class ShiftFinder:
    """Finds changes of the mean of numbers in [0, 1], in constant memory.

    Sums deviations from the mean so far, upwards and downwards; where a sum has left its lowest
    (or highest) point by more than `ENOUGH` the mean has shifted, and the search starts afresh.
    Unlike `DriftMonitor` it bounds no chance of a false alarm.

    Source: Page, “Continuous inspection schemes”, Biometrika 41 (1954); Hinkley, “Inference about
    the change-point from cumulative sum tests”, Biometrika 58 (1971).
    """

    __slots__ = ("_down", "_high", "_low", "_mean", "_seen", "_up")

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self._seen, self._mean = 0, 0.0
        self._up = self._low = self._down = self._high = 0.0

    def update(self, x: float) -> bool:
        """Read one number; tell whether a shift has just been found."""
        self._seen += 1
        self._mean += (x - self._mean) / self._seen
        self._up += x - self._mean - PUT_UP_WITH
        self._down += x - self._mean + PUT_UP_WITH
        self._low, self._high = min(self._low, self._up), max(self._high, self._down)
        moved = max(self._up - self._low, self._high - self._down)
        if self._seen < FIRST_ROWS or moved <= ENOUGH:
            return False
        self._restart()
        return True


def shifts_in(values: Array) -> list[int]:
    """Find all shifts of a whole stream at once, as a `ShiftFinder` would one by one.

    Args:
        values: (n,) numbers in [0, 1].

    Returns:
        After how many numbers each was found.
    """
    found: list[int] = []
    start, many = 0, _BLOCK
    while start < len(values):
        at = _first_shift(values[start : start + many])
        if at is not None:
            start, many = start + at, _BLOCK
            found.append(start)
        elif start + many >= len(values):
            break
        else:
            many *= 4  # the search begins again, but for the last time at the longest
    return found


def _first_shift(values: Array) -> int | None:
    """Return after how many numbers the first shift is found."""
    import numpy as np  # noqa: PLC0415 - `ShiftFinder` needs none

    mean = np.cumsum(values) / np.arange(1, len(values) + 1)
    off = values - mean
    up, down = np.cumsum(off - PUT_UP_WITH), np.cumsum(off + PUT_UP_WITH)
    low = np.minimum(0.0, np.minimum.accumulate(up))
    high = np.maximum(0.0, np.maximum.accumulate(down))
    over = np.maximum(up - low, high - down) > ENOUGH
    over[: FIRST_ROWS - 1] = False
    return int(np.argmax(over)) + 1 if over.any() else None
