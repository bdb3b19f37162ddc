"""Bootstrap intervals of a cost–quality curve's figures: APGR, CPT and the qualities at its ends.

Sorting every resample anew would take a second per curve. Instead rows are sorted once and put at
up to `MOST_PLACES` places along the order of escalation; a resample is then running sums over
places, and all resamples together are one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Ints
from cascade_core.evaluation.curve import CPT_SHARES, ROUNDING
from cascade_core.evaluation.paid import PaidReading
from cascade_core.statistics.bootstrap import RESAMPLES, Interval, Resamples
from cascade_core.statistics.columns import column, weighting

MOST_PLACES = 500
"""Places along a curve at which resamples are read; the line between is straight."""


def curve_intervals(  # noqa: PLR0913, PLR0917 - a row has that many columns
    confidence: npt.ArrayLike,
    weak_quality: npt.ArrayLike,
    strong_quality: npt.ArrayLike,
    weak_cost: npt.ArrayLike,
    strong_cost: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    draft_cost: npt.ArrayLike | None = None,
    paid: Sequence[PaidReading] = (),
    groups: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return intervals of a whole curve's figures.

    Args:
        confidence: As for `sweep`, like the columns that follow.
        weak_quality: (n,).
        strong_quality: (n,).
        weak_cost: (n,) USD.
        strong_cost: (n,) USD.
        weights: (n,); None means 1 each.
        draft_cost: (n,) USD.
        paid: Paid signals that are read only where they can change the outcome.
        groups: (n,) rows that belong together.
        resamples: How many.
        level: Confidence of the intervals.
        seed: Of the draws.

    Returns:
        Intervals of `apgr`, `cpt50`, `cpt80`, `cpt95`, of each with `_cost` (the same along the
        cost axis), and of `weak_quality` and `strong_quality`.
    """
    weak, strong = column("weak_quality", weak_quality), column("strong_quality", strong_quality)
    rows = len(weak)
    cheap, dear = column("weak_cost", weak_cost, rows), column("strong_cost", strong_cost, rows)
    draft = cheap if draft_cost is None else column("draft_cost", draft_cost, rows)
    again = Resamples.draw(rows, groups=groups, resamples=resamples, seed=seed)
    mean = again.means(
        {"weak": weak, "strong": strong, "cheap": cheap, "dear": dear, "draft": draft}, weights
    )
    order = Escalation.of(again, confidence, weights)
    weight = order.sums(np.ones(rows))
    total = weight[:, -1:]
    recovered = _over(order.sums(strong - weak) / total, mean["strong"] - mean["weak"])
    cost = (order.sums(dear) + order.paid(paid)) / total
    place = _over(cost + (mean["cheap"] - mean["draft"])[:, None], mean["dear"] - mean["draft"])
    # Where some rows skip the cheap model, less is paid than for every draft.
    place = np.maximum(place, 0.0)
    start = np.zeros((resamples, 1))
    figures = {
        **_figures("", weight / total, recovered),
        **_figures("_cost", np.hstack([start, place]), np.hstack([start, recovered])),
        "weak_quality": mean["weak"],
        "strong_quality": mean["strong"],
    }
    return {name: again.interval(draws, confidence=level) for name, draws in figures.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Escalation:
    """Resampled rows in the order in which they are escalated as the threshold rises.

    Attributes:
        again: The resamples.
        place: (n,) each row's place, lowest confidence first, equal confidences at one place.
        surest: (places,) highest confidence that is escalated at each place.
        weight: (n,).
    """

    again: Resamples
    place: Ints
    surest: Array
    weight: Array

    @classmethod
    def of(
        cls, again: Resamples, confidence: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> Escalation:
        """Put rows in order.

        Args:
            again: The resamples.
            confidence: (n,); lowest are escalated first, after those with NaN.
            weights: (n,); None means 1 each.
        """
        rows = len(again.unit)
        score = column("confidence", confidence, rows)
        score = np.where(np.isnan(score), -np.inf, score)
        place = _places(score)
        surest = np.full(int(place.max()) + 1, -np.inf)
        np.maximum.at(surest, place, score)
        return cls(again, place, surest, weighting(weights, rows))

    def sums(self, values: Array) -> Array:
        """Return the weighted sum of (n,) values over the rows escalated up to each place.

        Returns:
            (resamples, places + 1), from nothing escalated to everything.
        """
        return self.again.running_sums(self.place, values * self.weight, len(self.surest))

    def paid(self, readings: Sequence[PaidReading]) -> Array:
        """Return what all rows together pay for signals when each place is where the line is drawn.

        Args:
            readings: Paid signals of the same rows.

        Returns:
            Weighted sums, USD, (resamples, places + 1).
        """
        places = len(self.surest)
        # The threshold of a place lies above the surest draft that is escalated there.
        surest = self.surest.copy()
        surest[-1] = np.inf  # a threshold that accepts nothing needs no reading
        total = np.zeros((len(self.again.counts), places + 1))
        for reading in readings:
            price = np.where(np.isnan(reading.low), 0.0, reading.price) * self.weight
            for sign, end in ((1, reading.low), (-1, reading.high)):
                first = np.searchsorted(surest, end, "left") + 1
                first[np.isneginf(end)] = 0
                total += sign * self.again.running_sums(first, price, places + 2)[:, 1:-1]
        return total


def _places(score: Array) -> Ints:
    """Return each row's place in the order of escalation, equal scores at one place."""
    _, place = np.unique(score, return_inverse=True)
    if place.max() < MOST_PLACES:
        return place.astype(np.int64)
    mass = np.bincount(place)
    middle = (np.cumsum(mass) - mass / 2) / len(score)
    return (middle * MOST_PLACES).astype(np.int64)[place]


def _over(sums: Array, span: Array) -> Array:
    """Divide each resample by its span; NaN where that is not above 0."""
    return sums / np.where(span > 0, span, nan)[:, None]


def _figures(suffix: str, position: Array, recovered: Array) -> dict[str, Array]:
    found = {f"apgr{suffix}": _area(position, recovered)}
    for share in CPT_SHARES:
        found[f"cpt{100 * share:.0f}{suffix}"] = _crossing(position, recovered, share)
    return found


def _crossing(position: Array, height: Array, wanted: float) -> Array:
    """Return where each row's line first reaches a height, (rows,)."""
    reached = height >= wanted - ROUNDING
    after = np.maximum(np.argmax(reached, axis=1), 1)
    row = np.arange(len(height))
    x, y = position[row, after - 1], height[row, after - 1]
    rise, run = height[row, after] - y, position[row, after] - x
    part = np.divide(wanted - y, rise, out=np.zeros_like(rise), where=rise > 0)
    return np.asarray(np.where(reached.any(axis=1), x + part * run, nan))


def _area(position: Array, height: Array) -> Array:
    """Return the mean height of each row's line over positions 0 to 1, (rows,).

    Where a line goes back a little, as where a stricter threshold reads fewer paid signals, what
    it passes twice is taken off again.
    """
    start, end = np.minimum(position[:, :-1], 1), np.minimum(position[:, 1:], 1)
    width = np.diff(position)
    slope = np.divide(np.diff(height), width, out=np.zeros_like(width), where=width != 0)
    middle = (start + end) / 2 - position[:, :-1]
    return np.asarray(np.sum((end - start) * (height[:, :-1] + slope * middle), axis=1))
