"""Bootstrap intervals: how far a figure would move on another sample like this one.

What is drawn again, with replacement, is the independent unit: a row, or a
group of rows that belong together (Efron and Tibshirani, "An Introduction to
the Bootstrap", 1993). A resample is held as how often each unit was drawn, so
nothing is copied, and figures of all resamples are one matrix product.

Beyond `UNITS` units the product would be large and is not needed: units are
first put together at random into that many blocks, which leaves the spread of
sums and means what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.curve import ROUNDING
from cascade_core.evaluation.paid import PaidReading
from cascade_core.statistics.columns import column, weighting

UNITS = 2000
"""Blocks that are drawn from; the spread of 2,000 is known to about 2 %."""

POSITIONS = 500
"""Places along a curve at which resamples are read; the line between is straight."""

RESAMPLES = 1000

FEWEST = 10
"""Units below which nothing is said: so few of them drawn again show nothing of the others."""

SHARES = (0.5, 0.8, 0.95)
"""Shares of the quality gap that CPT is customarily given for."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure lies, from `low` to `high`; NaN where it could not be had."""

    low: float
    high: float


NO_INTERVAL = Interval(nan, nan)


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """How often each unit was drawn in each resample.

    Attributes:
        counts: (resamples, units).
        unit: (n,) the unit of each row.
        independent: How many rows or groups there were before any were put together.
    """

    counts: Array
    unit: Ints
    independent: int

    @classmethod
    def draw(
        cls,
        rows: int,
        *,
        groups: npt.ArrayLike | None = None,
        resamples: int = RESAMPLES,
        seed: int = 0,
        units: int = UNITS,
    ) -> Resamples:
        """Draw units with replacement.

        Args:
            rows: How many rows there are.
            groups: (n,) code of what each row belongs with; None makes every row its own unit.
            resamples: How many times.
            seed: Of the draws.
            units: More units than this are put together at random into this many.
        """
        if rows < 1 or resamples < 1 or units < 1:
            msg = f"a bootstrap of {rows} rows, {resamples} times: both must be at least 1"
            raise ConfigurationError(msg)
        generator = np.random.default_rng(seed)
        unit = np.arange(rows, dtype=np.int64)
        if groups is not None:
            unit = _codes(groups, rows)
        many = independent = int(unit.max()) + 1
        if many > units:
            unit = (generator.permutation(many) % units)[unit]
            many = units
        drawn = generator.integers(0, many, size=(resamples, many), dtype=np.int64)
        drawn += np.arange(resamples)[:, None] * many
        counts = np.bincount(drawn.ravel(), minlength=resamples * many)
        return cls(counts.reshape(resamples, many).astype(np.float64), unit, independent)

    def interval(
        self, draws: npt.ArrayLike, *, confidence: float = 0.95, share: bool = False
    ) -> Interval:
        """Return the percentile interval of a figure's resamples.

        Args:
            draws: (resamples,); those that are NaN could not be computed and are left out.
            confidence: Share of the draws inside, in (0, 1).
            share: Whether the figure is a mean of numbers in [0, 1]. Where every one seen was 0
                (or 1), resamples are too, and the end is that of Clopper and Pearson (1934).

        Returns:
            The interval; none where there are fewer than `FEWEST` rows or groups.
        """
        if self.independent < FEWEST:
            return NO_INTERVAL
        found = interval(draws, confidence)
        unseen = ((1 - confidence) / 2) ** (1 / self.independent)
        if share and found.high <= 0:
            return Interval(found.low, 1 - unseen)
        if share and found.low >= 1:
            return Interval(unseen, found.high)
        return found

    def sums(self, values: Array) -> Array:
        """Return the sum of values over every resample, (resamples,)."""
        return self.counts @ np.bincount(self.unit, values, self.counts.shape[1])

    def means(
        self, columns: Mapping[str, npt.ArrayLike], weights: npt.ArrayLike | None = None
    ) -> dict[str, Array]:
        """Return the weighted mean of every column in every resample.

        Args:
            columns: Name to (n,); a column with NaN has NaN means.
            weights: (n,); None means 1 each.

        Returns:
            Name to (resamples,), so that ratios and differences of means are array arithmetic;
            `interval` turns any of them into an interval.
        """
        rows = len(self.unit)
        weight = weighting(weights, rows)
        weight = np.ones(rows) if weight is None else weight
        total = self.sums(weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                name: self.sums(column(name, values, rows) * weight) / total
                for name, values in columns.items()
            }

    def curve(
        self, confidence: npt.ArrayLike, value: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> tuple[Array, Array]:
        """Return running sums along the order of escalation in every resample.

        Args:
            confidence: (n,); lowest are escalated first, after those with NaN.
            value: (n,) what is summed.
            weights: (n,); None means 1 each.

        Returns:
            The weight escalated and the weighted sum of values escalated, both
            (resamples, positions + 1), from nothing to everything.
        """
        rows = len(self.unit)
        score = column("confidence", confidence, rows)
        weight = weighting(weights, rows)
        weight = np.ones(rows) if weight is None else weight
        place = _positions(score)
        places = int(place.max()) + 1
        return (
            self._running(place, weight, places),
            self._running(place, column("value", value, rows) * weight, places),
        )

    def paid(
        self,
        confidence: npt.ArrayLike,
        readings: Sequence[PaidReading],
        weights: npt.ArrayLike | None = None,
    ) -> Array:
        """Return what is paid for signals at every position of `curve` in every resample.

        Args:
            confidence: As for `curve`.
            readings: Paid signals of the same rows.
            weights: (n,); None means 1 each.

        Returns:
            Weighted sums, USD, (resamples, positions + 1).
        """
        rows = len(self.unit)
        score = column("confidence", confidence, rows)
        weight = weighting(weights, rows)
        place = _positions(score)
        places = int(place.max()) + 1
        # The threshold of a position lies above the surest draft that is escalated there.
        surest = np.full(places, -np.inf)
        np.maximum.at(surest, place, np.nan_to_num(score, nan=-np.inf))
        surest[-1] = np.inf  # a threshold that accepts nothing needs no reading
        total = np.zeros((len(self.counts), places + 1))
        for reading in readings:
            price = np.where(np.isnan(reading.low), 0.0, reading.price)
            price = price if weight is None else price * weight
            for sign, end in ((1, reading.low), (-1, reading.high)):
                first = np.searchsorted(surest, end, "left") + 1
                first[np.isneginf(end)] = 0
                total += sign * self._running(first, price, places + 2)[:, 1:-1]
        return total

    def _running(self, place: Ints, values: Array, places: int) -> Array:
        units = self.counts.shape[1]
        cells = np.bincount(self.unit * places + place, values, units * places)
        sums = np.zeros((len(self.counts), places + 1))
        np.cumsum(self.counts @ cells.reshape(units, places), axis=1, out=sums[:, 1:])
        return sums


def interval(draws: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the percentile interval of a figure's resamples.

    Args:
        draws: (resamples,); those that are NaN could not be computed and are left out.
        confidence: Share of the draws inside, in (0, 1).
    """
    if not 0 < confidence < 1:
        msg = f"confidence={confidence}: an interval needs a share between 0 and 1"
        raise ConfigurationError(msg)
    values = column("draws", draws)
    values = values[~np.isnan(values)]
    if not len(values):
        return NO_INTERVAL
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


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
        cost axis), and of `weak_quality` and `strong_quality`. Curves are read at up to 500
        places, straight lines between.
    """
    weak, strong = column("weak_quality", weak_quality), column("strong_quality", strong_quality)
    rows = len(weak)
    cheap, dear = column("weak_cost", weak_cost, rows), column("strong_cost", strong_cost, rows)
    draft = cheap if draft_cost is None else column("draft_cost", draft_cost, rows)
    again = Resamples.draw(rows, groups=groups, resamples=resamples, seed=seed)
    mean = again.means(
        {"weak": weak, "strong": strong, "cheap": cheap, "dear": dear, "draft": draft}, weights
    )
    weight, gain = again.curve(confidence, strong - weak, weights)
    total = weight[:, -1:]
    gap = mean["strong"] - mean["weak"]
    recovered = _over(gain / total, gap)
    escalated = weight / total
    cost = (
        again.curve(confidence, dear, weights)[1] + again.paid(confidence, paid, weights)
    ) / total
    place = _over(cost + (mean["cheap"] - mean["draft"])[:, None], mean["dear"] - mean["draft"])
    # Where some rows skip the weak tier, less is paid than for every draft.
    place = np.maximum(place, 0.0)
    start = np.zeros((resamples, 1))
    figures = {
        **_figures("", escalated, recovered),
        **_figures("_cost", np.hstack([start, place]), np.hstack([start, recovered])),
        "weak_quality": mean["weak"],
        "strong_quality": mean["strong"],
    }
    return {name: again.interval(draws, confidence=level) for name, draws in figures.items()}


def bootstrap(  # noqa: PLR0913 - choices with defaults
    statistic: Callable[[Array], float],
    rows: int,
    weights: npt.ArrayLike | None = None,
    *,
    groups: npt.ArrayLike | None = None,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the interval of any figure that takes weights, such as `auroc` or `ece`.

    Args:
        statistic: Computes the figure from (n,) weights; called once a resample.
        rows: How many rows there are.
        weights: (n,) what each row counts before it is drawn; None means 1 each.
        groups: (n,) rows that belong together.
        resamples: How many.
        level: Confidence of the interval.
        seed: Of the draws.
    """
    again = Resamples.draw(rows, groups=groups, resamples=resamples, seed=seed, units=rows)
    weight = weighting(weights, rows)
    base = np.ones(rows) if weight is None else weight
    draws = [statistic(base * counts[again.unit]) for counts in again.counts]
    return again.interval(draws, confidence=level)


def _codes(groups: npt.ArrayLike, rows: int) -> Ints:
    codes = np.asarray(groups)
    if codes.shape != (rows,):
        msg = f"groups: expected {rows} codes, one a row, got an array of shape {codes.shape}"
        raise ConfigurationError(msg)
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _positions(score: Array) -> Ints:
    """Return each row's place in the order of escalation, equal confidences at one place."""
    _, place = np.unique(np.where(np.isnan(score), -np.inf, score), return_inverse=True)
    if place.max() < POSITIONS:
        return place.astype(np.int64)
    mass = np.bincount(place)
    middle = (np.cumsum(mass) - mass / 2) / len(score)
    return (middle * POSITIONS).astype(np.int64)[place]


def _over(sums: Array, span: Array) -> Array:
    """Divide each resample by its span; NaN where that is not above 0."""
    return sums / np.where(span > 0, span, nan)[:, None]


def _figures(suffix: str, position: Array, recovered: Array) -> dict[str, Array]:
    found = {f"apgr{suffix}": _area(position, recovered)}
    for share in SHARES:
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
    """Return the mean height of each row's line over positions 0 to 1, (rows,)."""
    left, right = position[:, :-1], np.minimum(position[:, 1:], 1)
    width = position[:, 1:] - left
    slope = np.divide(np.diff(height), width, out=np.zeros_like(width), where=width > 0)
    inside = np.maximum(right - left, 0)
    return np.asarray(np.sum(inside * (height[:, :-1] + slope * inside / 2), axis=1))
