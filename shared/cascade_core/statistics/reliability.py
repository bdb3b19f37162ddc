"""Reliability and calibration error: of the drafts given confidence 0.8, are 80 % good?

The calibration error of few rows is never 0, even for perfect confidences: every
bin misses by chance. `ece_noise_floor` says by how much, so that a figure can be
read beside what no calibration could beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.statistics.metrics import judged

Equal: TypeAlias = Literal["mass", "width"]
"""What bins have in common: how much of the rows they hold, or how wide they are."""

SIMULATED = 20_000_000
"""Simulated outcomes that are enough; many rows need few repetitions for the same precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """The bins of a reliability diagram, lowest confidence first; empty ones are not kept.

    Attributes:
        low: (b,) smallest confidence in the bin.
        high: (b,) largest.
        confidence: (b,) mean confidence.
        quality: (b,) mean target: what the confidence should have been.
        share: (b,) share of the weight.
        count: (b,) rows.
    """

    low: Array
    high: Array
    confidence: Array
    quality: Array
    share: Array
    count: Ints

    @property
    def ece(self) -> float:
        """Expected calibration error: the mean distance of confidence and quality over rows."""
        if not len(self.share):
            return nan
        return float(np.sum(self.share * np.abs(self.confidence - self.quality)))


def reliability(
    confidence: npt.ArrayLike,
    target: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    bins: int = 10,
    equal: Equal = "mass",
) -> Reliability:
    """Sort rows into bins by confidence and compare each with what came true.

    Args:
        confidence: (n,) in [0, 1]; rows with NaN are left out.
        target: (n,) in [0, 1].
        weights: (n,); None means 1 each.
        bins: How many.
        equal: "mass" for bins of equal weight; equal confidences stay together, so that the
            order of rows decides nothing, and a very common one can leave fewer bins. "width"
            for bins of equal width.
    """
    said, true, weight = judged(confidence, target, weights)
    bin_of = _bins(said, weight, bins, equal)
    used, bin_of = np.unique(bin_of, return_inverse=True)
    size = len(used)
    mass = np.bincount(bin_of, weight, size)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, bin_of, said)
    np.maximum.at(high, bin_of, said)
    return Reliability(
        low=low,
        high=high,
        confidence=np.bincount(bin_of, weight * said, size) / mass,
        quality=np.bincount(bin_of, weight * true, size) / mass,
        share=mass / mass.sum(),
        count=np.bincount(bin_of, minlength=size),
    )


def ece(
    confidence: npt.ArrayLike,
    target: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    bins: int = 10,
    equal: Equal = "mass",
) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015).

    By default with bins of equal mass (Nixon et al., "Measuring Calibration in Deep Learning",
    2019), which empty ranges cannot distort.

    Args:
        confidence: (n,) in [0, 1]; rows with NaN are left out.
        target: (n,) in [0, 1].
        weights: (n,); None means 1 each.
        bins: How many.
        equal: "mass" or "width", as in `reliability`.

    Returns:
        A number in [0, 1]; NaN where no row has a confidence.
    """
    return reliability(confidence, target, weights, bins=bins, equal=equal).ece


def ece_noise_floor(  # noqa: PLR0913 - the same choices as for the error itself
    confidence: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    bins: int = 10,
    equal: Equal = "mass",
    repetitions: int = 200,
    seed: int = 0,
) -> float:
    """Simulate the calibration error that true confidences would show on as many rows.

    Outcomes are drawn as right or wrong with the confidence's own probability and the error is
    taken with the same bins (the consistency resampling of Bröcker and Smith, 2007). Targets that
    are fractions vary less, so for them the floor is on the high side.

    Args:
        confidence: (n,) in [0, 1]; rows with NaN are left out.
        weights: (n,); None means 1 each.
        bins: How many.
        equal: "mass" or "width".
        repetitions: Simulations; fewer, at least 20, are run where rows are so many that each of
            them is precise.
        seed: Of the simulated outcomes.

    Returns:
        The mean over simulations; NaN where no row has a confidence.
    """
    said = np.asarray(confidence, dtype=np.float64)
    said, _, weight = judged(said, np.zeros(len(said)), weights)
    if not len(said):
        return nan
    bin_of = _bins(said, weight, bins, equal)
    order = np.argsort(bin_of, kind="stable")
    bin_of, said, weight = bin_of[order], said[order], weight[order] / weight.sum()
    starts = np.flatnonzero(np.diff(bin_of, prepend=-1))
    generator = np.random.default_rng(seed)
    times = max(min(repetitions, SIMULATED // len(said)), min(repetitions, 20))
    missed = 0.0
    for _ in range(times):
        wrong_by = ((generator.random(len(said)) < said) - said) * weight
        missed += float(np.abs(np.add.reduceat(wrong_by, starts)).sum())
    return missed / times


def _bins(said: Array, weight: Array, bins: int, equal: Equal) -> Ints:
    """Return the bin of every row, counted from 0."""
    if bins < 1:
        msg = f"bins={bins}: at least one bin is needed"
        raise ConfigurationError(msg)
    if equal == "width":
        return np.minimum((said * bins).astype(np.int64), bins - 1)
    if equal != "mass":
        msg = f"equal={equal!r}: choose 'mass' or 'width'"
        raise ConfigurationError(msg)
    _, which = np.unique(said, return_inverse=True)
    mass = np.bincount(which, weight)
    # A value belongs where the middle of its weight falls.
    middle = (np.cumsum(mass) - mass / 2) / max(mass.sum(), np.finfo(float).tiny)
    place: Ints = np.minimum((middle * bins).astype(np.int64), bins - 1)
    return place[which]
