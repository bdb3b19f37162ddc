"""Means of a population of which each member was looked at with a known probability.

Where member i is looked at with probability p[i], each one seen stands for 1 / p[i] of its kind,
and the mean is Σ x/p ÷ Σ 1/p (Hájek, in “Foundations of Statistical Inference”, 1971; Särndal,
Swensson and Wretman, “Model Assisted Survey Sampling”, 1992, section 5.7). Nothing is assumed of
the values: chance is only in who was looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cascade_core.arrays import Array
from cascade_core.statistics.beta import beta_quantile
from cascade_core.statistics.bootstrap import Interval

_SMALLEST = 1e-12


def share_mean(values: Array, probability: Array) -> float | None:
    """Return the mean of a population.

    Args:
        values: (m,) of the members that were looked at.
        probability: (m,) with which each was picked, in (0, 1].

    Returns:
        The mean; None where nobody was looked at.
    """
    if not len(values):
        return None
    return float(np.average(values, weights=1 / probability))


def share_interval(values: Array, probability: Array, confidence: float = 0.95) -> Interval:
    """Return an interval for the mean of numbers in [0, 1], however rare those above 0 are.

    Each end is that of Clopper and Pearson (Biometrika 1934), carried over to weights and to
    values between 0 and 1. Theirs is a quantile of a beta distribution that counts one more
    success for the upper end, and one more failure for the lower. Here one more member is added,
    with the largest weight there is, as Fay and Feuer do for weighted rates (Statistics in
    Medicine 1997); and the beta distribution has the weighted mean and its linearised variance, as
    with Korn and Graubard (Survey Methodology 1998). For equal weights and values of 0 and 1 it
    is the interval of Clopper and Pearson.

    Args:
        values: (m,) in [0, 1], of the members that were looked at.
        probability: (m,) with which each was picked, in (0, 1].
        confidence: How often such an interval holds the mean, at least about, in (0, 1).

    Returns:
        The interval. All of [0, 1] where nobody was looked at; never [0, 0].
    """
    if not len(values):
        return Interval(0.0, 1.0)
    weight = 1 / probability
    each = (1 - confidence) / 2
    return Interval(
        _end(values, weight, 0.0, each),
        _end(values, weight, 1.0, 1 - each),
    )


def _end(values: Array, weight: Array, added: float, quantile: float) -> float:
    """Return the quantile with one more member of the largest weight and the value `added`."""
    heaviest = float(weight.max())
    total = float(weight.sum()) + heaviest
    mean = (float(weight @ values) + heaviest * added) / total
    squares = float(np.square(weight) @ np.square(values - mean))
    variance = (squares + (heaviest * (added - mean)) ** 2) / total**2
    spread = mean * (1 - mean)
    if spread <= _SMALLEST:  # all values, and the one added, are 0; or all are 1
        return added
    size = spread / max(variance, _SMALLEST * spread)
    return beta_quantile(quantile, size * mean, size * (1 - mean))


@dataclass(frozen=True, slots=True)
class Sum:
    """A population's estimated sum, and where it lies."""

    value: float
    interval: Interval


def sum_of(values: Array, probability: Array, members: int, confidence: float = 0.95) -> Sum:
    """Estimate the sum of any numbers over a population, such as of USD.

    The interval is about these very members: where all were looked at it is a point. Its variance
    is the linearised one for members picked independently. Costs have a long tail, and the end on
    its side is moved out by Hall's transformation (“On the removal of skewness by
    transformation”, JRSS B 1992).

    Args:
        values: (m,) of the members that were looked at; at least one.
        probability: (m,) with which each was picked, in (0, 1].
        members: How many there are in all.
        confidence: How often such an interval holds the sum, about, in (0, 1).
    """
    weight = 1 / probability
    total = float(weight.sum())
    mean = float(weight @ values) / total
    # 1 − p: a member that was sure to be looked at adds no chance.
    parts = weight * (values - mean) * members / total
    variance = float(np.square(parts) @ (1 - probability))
    found = mean * members
    if variance <= 0:
        return Sum(found, Interval(found, found))
    error = math.sqrt(variance * len(values) / max(1, len(values) - 1))
    skewness = float(np.power(parts, 3) @ (1 - probability)) / variance**1.5
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    # Of few members skewness shows too small, so the end that lies further out is taken.
    below, above = max(z, _hall(z, skewness)), min(-z, _hall(-z, skewness))
    return Sum(found, Interval(found - error * below, found - error * above))


def _hall(z: float, skewness: float) -> float:
    """Return the quantile of a studentised mean of this skewness where a normal one's is z."""
    if abs(skewness) < 1e-6:  # noqa: PLR2004 - the limit of what follows
        return z
    inner = 1 + skewness * (z - skewness / 6)
    return 3 / skewness * (math.copysign(abs(inner) ** (1 / 3), inner) - 1)
