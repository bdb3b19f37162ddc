"""Change detectors for one stream of numbers: Page–Hinkley and ADWIN.

They need no reference: each compares a stream with its own past, in constant
or logarithmic memory. What they lack is a bound on false alarms over a stream
of any length; for that, and for a comparison with what a policy was tuned on,
see `monitor`.
"""

from __future__ import annotations

import math
from typing import Protocol

from cascade_core.errors import ConfigurationError


class Detector(Protocol):
    """Reads a stream and says when it has changed."""

    def update(self, x: float) -> bool:
        """Read one number; tell whether a change has just been found."""
        ...


class PageHinkley:
    """Finds a change of the mean by the sum of deviations from it, in constant memory.

    Raises an alarm where that sum has left its lowest (or highest) point by
    more than `threshold`, then starts afresh. Source: Page, “Continuous
    inspection schemes”, Biometrika 41 (1954); Hinkley, “Inference about the
    change-point from cumulative sum tests”, Biometrika 58 (1971).

    Args:
        delta: Deviation a step that is put up with, in units of the stream; half
            the smallest change worth finding.
        threshold: Sum of deviations that raises an alarm; larger is slower and
            more seldom wrong.
        rows: Numbers to read before the first alarm.

    Raises:
        ConfigurationError: An argument is out of range.
    """

    __slots__ = ("_down", "_high", "_low", "_up", "delta", "mean", "rows", "seen", "threshold")

    def __init__(self, delta: float = 0.005, threshold: float = 50.0, rows: int = 30) -> None:
        if not (delta >= 0 and threshold > 0 and rows >= 1):
            msg = "PageHinkley needs delta >= 0, threshold > 0 and rows >= 1"
            raise ConfigurationError(msg)
        self.delta, self.threshold, self.rows = delta, threshold, rows
        self._restart()

    def _restart(self) -> None:
        self.seen, self.mean = 0, 0.0
        self._up = self._low = self._down = self._high = 0.0

    def update(self, x: float) -> bool:
        """Read one number; tell whether a change has just been found."""
        self.seen += 1
        self.mean += (x - self.mean) / self.seen
        self._up += x - self.mean - self.delta
        self._down += x - self.mean + self.delta
        self._low, self._high = min(self._low, self._up), max(self._high, self._down)
        moved = max(self._up - self._low, self._high - self._down)
        if self.seen < self.rows or moved <= self.threshold:
            return False
        self._restart()
        return True


class Adwin:
    """Keeps the longest recent window whose mean has not changed, in logarithmic memory.

    The window is held as sums over runs of 1, 2, 4, … numbers, at most
    `per_size` of each. Where two parts of it differ by more than chance allows,
    the older part is dropped. Source: Bifet and Gavaldà, “Learning from
    time-changing data with adaptive windowing”, SIAM Data Mining 2007 (ADWIN2,
    with the bound that uses the variance). `delta` bounds false alarms of one
    look at the window, not of a whole stream.

    Args:
        delta: Share of looks that may drop numbers for nothing.
        every: Looks at the window once every so many numbers.
        per_size: Runs of each length.
        shortest: Numbers that either part must hold.

    Raises:
        ConfigurationError: An argument is out of range.
    """

    __slots__ = ("_runs", "_seen", "delta", "every", "per_size", "shortest")

    def __init__(
        self, delta: float = 0.002, every: int = 32, per_size: int = 5, shortest: int = 5
    ) -> None:
        if not (0 < delta < 1 and every >= 1 and per_size >= 2 and shortest >= 1):  # noqa: PLR2004 - two make one
            msg = "Adwin needs 0 < delta < 1, every >= 1, per_size >= 2 and shortest >= 1"
            raise ConfigurationError(msg)
        self.delta, self.every, self.per_size, self.shortest = delta, every, per_size, shortest
        self._seen = 0
        # At [k]: runs of 2**k numbers, oldest first, as (sum, sum of squared deviations).
        self._runs: list[list[tuple[float, float]]] = [[]]

    @property
    def width(self) -> int:
        """Numbers in the window."""
        return sum(len(runs) << k for k, runs in enumerate(self._runs))

    @property
    def mean(self) -> float:
        """Mean of the window; 0 where it is empty."""
        return sum(run[0] for runs in self._runs for run in runs) / max(1, self.width)

    @property
    def runs(self) -> int:
        """How many sums are held."""
        return sum(map(len, self._runs))

    def update(self, x: float) -> bool:
        """Read one number; tell whether a change has just been found."""
        self._seen += 1
        self._add(x)
        if self._seen % self.every:
            return False
        changed = False
        while self._differs():
            self._drop()
            changed = True
        return changed

    def _add(self, x: float) -> None:
        self._runs[0].append((x, 0.0))
        for k, runs in enumerate(self._runs):
            if len(runs) <= self.per_size:
                return
            if k + 1 == len(self._runs):
                self._runs.append([])
            older, newer = runs.pop(0), runs.pop(0)
            self._runs[k + 1].append(_joined(older, 1 << k, newer, 1 << k))

    def _drop(self) -> None:
        self._runs[-1].pop(0)
        while len(self._runs) > 1 and not self._runs[-1]:
            self._runs.pop()

    def _differs(self) -> bool:
        """Tell whether some split of the window leaves means that differ."""
        width = self.width
        if width < 2 * self.shortest:
            return False
        whole, n = (0.0, 0.0), 0
        for k, run in self._oldest_first():
            whole, n = _joined(whole, n, run, 1 << k), n + (1 << k)
        log = math.log(2 * math.log(width) / self.delta)
        old, n = 0.0, 0
        for k, run in self._oldest_first():
            old, n = old + run[0], n + (1 << k)
            if n < self.shortest:
                continue
            if width - n < self.shortest:
                return False
            harmonic = 1 / n + 1 / (width - n)
            bound = math.sqrt(2 * harmonic * whole[1] / width * log) + 2 / 3 * harmonic * log
            if abs(old / n - (whole[0] - old) / (width - n)) > bound:
                return True
        return False

    def _oldest_first(self) -> list[tuple[int, tuple[float, float]]]:
        return [(k, run) for k in range(len(self._runs) - 1, -1, -1) for run in self._runs[k]]


def _joined(a: tuple[float, float], n: int, b: tuple[float, float], m: int) -> tuple[float, float]:
    """Sum and squared deviations of two runs of `n` and `m` numbers together."""
    if not n:
        return b
    apart = a[0] / n - b[0] / m
    return a[0] + b[0], a[1] + b[1] + apart * apart * n * m / (n + m)
