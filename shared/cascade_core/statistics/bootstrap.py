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

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.statistics.columns import column, weighting

UNITS = 2000
"""Blocks that are drawn from; the spread of 2,000 is known to about 2 %."""

RESAMPLES = 1000

FEWEST_UNITS = 10
"""Rows or groups below which there is no interval: drawing so few again shows little of others."""


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
    ) -> Resamples:
        """Draw units with replacement.

        Args:
            rows: How many rows there are.
            groups: (n,) code of what each row belongs with; None makes every row its own unit.
            resamples: How many times.
            seed: Of the draws.
        """
        if rows < 1 or resamples < 1:
            msg = f"a bootstrap of {rows} rows, {resamples} times: both must be at least 1"
            raise ConfigurationError(msg)
        generator = np.random.default_rng(seed)
        unit = np.arange(rows, dtype=np.int64)
        if groups is not None:
            unit = _codes(groups, rows)
        many = independent = int(unit.max()) + 1
        if many > UNITS:
            unit = (generator.permutation(many) % UNITS)[unit]
            many = UNITS
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
            The interval; none where there are fewer than `FEWEST_UNITS` rows or groups.
        """
        if self.independent < FEWEST_UNITS:
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
        total = self.sums(weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                name: self.sums(column(name, values, rows) * weight) / total
                for name, values in columns.items()
            }

    def running_sums(self, place: Ints, values: Array, places: int) -> Array:
        """Return sums over the rows up to each place in every resample.

        Args:
            place: (n,) where each row stands, from 0 to `places` − 1.
            values: (n,) what is summed.
            places: How many places there are.

        Returns:
            (resamples, places + 1), from the sum over nothing to the sum over all rows.
        """
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


def mean_interval(
    values: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the bootstrap interval of a mean, such as of the harm of requests that were served.

    Args:
        values: (n,); where all lie in [0, 1], a mean of 0 or 1 has an interval too.
        weights: (n,); None means 1 each.
        groups: (n,) code of what each value belongs with; None makes every one its own unit.
        confidence: Share of such samples whose interval holds the true mean, about; in (0, 1).
        seed: Of the draws.

    Returns:
        The interval; none (NaN) for fewer than ten values or groups, or where a value is NaN.
    """
    given = column("values", values)
    drawn = Resamples.draw(len(given), groups=groups, seed=seed)
    means = drawn.means({"mean": given}, weights)["mean"]
    share = bool(np.all((given >= 0) & (given <= 1)))
    return drawn.interval(means, confidence=confidence, share=share)


def _codes(groups: npt.ArrayLike, rows: int) -> Ints:
    codes = np.asarray(groups)
    if codes.shape != (rows,):
        msg = f"groups: expected {rows} codes, one a row, got an array of shape {codes.shape}"
        raise ConfigurationError(msg)
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
