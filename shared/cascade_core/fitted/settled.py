"""What one signal can still do to a score, through every input that it feeds at once.

A reading may stand in a score twice, as it is and as its logit, and trees ask for it in many
places. Bounds that put each of them where it helps most would let one reading be high here and low
there, or be there and missing; then a signal seems to matter that cannot change anything. So a
signal is tried out at the readings between which nothing happens.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.fitted.curves import CLIP, logit

Within: TypeAlias = Mapping[str, tuple[float, float]]
"""Between which readings signals may lie that are not read yet; others lie between 0 and 1."""

WHOLE = (0.0, 1.0)
"""Where any reading lies."""

Fed: TypeAlias = Mapping[str, Sequence[tuple[int, str]]]
"""The inputs that signals feed: each one's place, and whether it is the `signal` or its `logit`."""

_NEIGHBOURS = 3
"""Floating point numbers around a cut that are tried as well: a logit is rounded."""


def at(source: str, readings: Array) -> Array:
    """Return what an input is at some readings of its signal."""
    return logit(readings) if source == "logit" else readings


def between_ends(ends: Iterable[tuple[str, float]], slopes: Mapping[str, float]) -> Array:
    """Return readings among which a weighted sum has its highest and its lowest value.

    Args:
        ends: Where inputs are cut off, with their sources.
        slopes: Weight by source.
    """
    found = {0.0, CLIP, 1.0 - CLIP, 1.0}
    found.update(_reading(source, end) for source, end in ends)
    # The slope is a + b / (x (1 - x)), which is 0 where x (1 - x) = -b / a.
    a, b = slopes.get("signal", 0.0), slopes.get("logit", 0.0)
    if a and 0 < -4 * b / a <= 1:
        half = math.sqrt(1 + 4 * b / a) / 2
        found |= {0.5 - half, 0.5 + half}
    return np.array(sorted(found))


def limited(readings: Array, ends: tuple[float, float]) -> Array:
    """Return those readings that lie between two ends, and the ends."""
    low, high = ends
    return np.unique(np.append(readings[(readings > low) & (readings < high)], ends))


def around_cuts(cuts: Iterable[tuple[str, float]]) -> Array:
    """Return readings of which one falls on each side of every cut, in every combination there is.

    Args:
        cuts: Where trees split an input, with its source.
    """
    cuts = list(cuts)
    # What is as high as a cut falls on its left, with all that lies above the cut before.
    inner = np.array(sorted({_reading(*cut) for cut in cuts} | {0.0, 1.0}))
    if not any(source == "logit" for source, _ in cuts):
        return inner
    found = [inner, (inner[:-1] + inner[1:]) / 2]
    for way in (-math.inf, math.inf):
        near = inner
        for _ in range(_NEIGHBOURS):
            near = np.nextafter(near, way)
            found.append(near)
    return np.unique(np.clip(np.concatenate(found), 0.0, 1.0))


def _reading(source: str, value: float) -> float:
    """Return the reading at which an input has a value, or the nearest that there is."""
    if source == "logit":
        value = 0.0 if value < -700 else 1 / (1 + math.exp(-value))  # noqa: PLR2004 - exp's end
    return min(max(value, 0.0), 1.0)
