"""What one signal is worth on scored rows: what it saves, what it costs, what it may cost.

A signal is worth what the best policy with it saves on the best without it, both scored out of
fold; how that is found is `thresholds.best_point`, as when tuning. How far it would move on another
table like this one is seen by drawing the rows again (`statistics.bootstrap`), thresholds picked
anew each time; calibrators are not fitted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan, sqrt

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.points import ACCEPT_NOTHING
from cascade_core.calibration.thresholds import best_point
from cascade_core.evaluation.scored import Scored, serve
from cascade_core.evaluation.sweeping import sweep
from cascade_core.statistics.bootstrap import Resamples

DRAWS = 100
"""Resamples of the rows; a standard error of so many is known to 7 %."""

_STEPS = 24
_DEAREST = 1024.0
"""Times its price at which nothing is looked for any more."""


@dataclass(frozen=True, slots=True)
class Gained:
    """What is gained by one set of signals over another, per request.

    Attributes:
        gain: What is sought, the more the better: USD saved, or quality won.
        error: Its standard error; NaN where the rows are too few to tell.
        area: What the average performance gap recovered, on the cost axis, rises by; NaN for more
            than two tiers.
        area_error: Its standard error.
    """

    gain: float
    error: float
    area: float = nan
    area_error: float = nan


@dataclass(frozen=True, slots=True)
class SpentOn:
    """What is spent on one signal.

    Attributes:
        usd: USD per request.
        readings: Readings per request.
    """

    usd: float
    readings: float


def worth(objective: Objective, with_it: Scored, without: Scored, again: Resamples) -> Gained:
    """Return what the best policy with a signal gains on the best without it.

    Args:
        objective: What is sought.
        with_it: The rows, scored with the signal.
        without: The same rows, scored without.
        again: The rows, drawn again.
    """
    gain = reached(objective, with_it) - reached(objective, without)
    area = _area(with_it) - _area(without)
    gains, areas = [], []
    for counts in again.counts[:DRAWS]:
        drawn = [_weighted(scored, counts[again.unit]) for scored in (with_it, without)]
        gains.append(_gain(objective, *drawn))
        areas.append(_area(drawn[0]) - _area(drawn[1]))
    return Gained(gain, _spread(gains), area, _spread(areas))


def _gain(objective: Objective, with_it: Scored, without: Scored) -> float:
    """Return what is gained on a resample; NaN where nothing serves what is sought there."""
    try:
        return reached(objective, with_it) - reached(objective, without)
    except TuningError:
        return nan


def reached(objective: Objective, scored: Scored) -> float:
    """Return what the best thresholds reach: quality, or minus the USD a request costs."""
    best = best_point(objective, scored)
    return objective.value(float(best.quality[0]), float(best.cost[0]))


def spent_on(objective: Objective, scored: Scored, places: Sequence[int | None]) -> SpentOn:
    """Return what the best thresholds spend on one signal.

    Args:
        objective: What is sought.
        scored: The rows.
        places: Where the signal stands among the paid ones of every tier but the last; None where
            it is not read.
    """
    thresholds = best_point(objective, scored).thresholds[0]
    asked = serve(scored, list(thresholds)).asked
    spent, read = np.zeros(len(scored)), np.zeros(len(scored))
    for k, place in enumerate(places):
        if place is None or thresholds[k] >= ACCEPT_NOTHING:
            continue
        reading, threshold = scored.read(k)[place], float(thresholds[k])
        with np.errstate(invalid="ignore"):
            meant = asked[:, k] & (reading.low < threshold) & (reading.high >= threshold)
        spent += np.where(meant, reading.price, 0.0)
        read += meant
    usd, share = (float(np.average(of, weights=scored.weights)) for of in (spent, read))
    return SpentOn(usd, share)


def at_price(scored: Scored, places: Sequence[int | None], times: float) -> Scored:
    """Return the rows with one signal at so many times its price.

    Args:
        scored: The rows.
        places: See `spent_on`.
        times: The multiple.
    """
    paid = []
    for k, place in enumerate(places):
        readings = list(scored.read(k))
        if place is not None:
            readings[place] = replace(readings[place], price=readings[place].price * times)
        paid.append(tuple(readings))
    return replace(scored, paid=tuple(paid))


def price_ceiling(gain_at: Callable[[float], float], *, dearest: float = _DEAREST) -> float:
    """Return the multiple of its price at which a signal gains nothing any more.

    Args:
        gain_at: What it gains at a multiple of its price; it never rises with that.
        dearest: The multiple beyond which nothing is looked for.

    Returns:
        NaN where it gains nothing even for nothing; infinite where it gains at any price.
    """
    if gain_at(0.0) <= 0:
        return nan
    low, high = 0.0, 1.0
    while gain_at(high) > 0:
        low, high = high, 2 * high
        if high > dearest:
            return float("inf")
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if gain_at(middle) > 0 else (low, middle)
    return low


def _weighted(scored: Scored, counts: Array) -> Scored:
    weights = counts if scored.weights is None else counts * scored.weights
    return replace(scored, weights=weights)


def _area(scored: Scored) -> float:
    """Return the APGR on the cost axis; NaN for more than two tiers, where no line is the curve."""
    if len(scored.qualities) != 2:  # noqa: PLR2004
        return nan
    (weak, strong), (draft, answer) = scored.qualities, scored.costs
    paid = scored.read(0)
    curve = sweep(scored.met(0), weak, strong, draft, answer, scored.weights, paid=paid)
    return curve.apgr("cost")


def _spread(values: Sequence[float]) -> float:
    known = [value for value in values if not isnan(value)]
    if len(known) < max(2, len(values) // 2):
        return nan
    mean = sum(known) / len(known)
    return sqrt(sum((value - mean) ** 2 for value in known) / (len(known) - 1))
