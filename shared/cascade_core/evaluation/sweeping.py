"""Draws the exact cost–quality curve of two tiers.

One sort and a few cumulative sums give a point for every threshold that tells
two rows apart, so no grid is needed and nothing is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.curve import Curve
from cascade_core.evaluation.paid import PaidReading, paid_at
from cascade_core.statistics.columns import column, observed, weighting


def sweep(  # noqa: PLR0913, PLR0917 - a row has that many columns
    confidence: npt.ArrayLike,
    weak_quality: npt.ArrayLike,
    strong_quality: npt.ArrayLike,
    weak_cost: npt.ArrayLike,
    strong_cost: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    draft_cost: npt.ArrayLike | None = None,
    paid: Sequence[PaidReading] = (),
) -> Curve:
    """Draw the exact curve of a two-tier cascade in O(n log n).

    Args:
        confidence: (n,) of the cheap drafts; equal ones are accepted together, NaN never is.
        weak_quality: (n,) in [0, 1].
        strong_quality: (n,) in [0, 1].
        weak_cost: (n,) USD that every request pays: the draft, and signals that are always paid.
        strong_cost: (n,) USD of the strong model's answer, paid on top when a request escalates.
        weights: (n,) how much a row counts; None means 1 each.
        draft_cost: (n,) USD of the draft alone, where `weak_cost` holds more; it sets the zero of
            the cost axis.
        paid: Paid signals that are read only where they can change the outcome.

    Returns:
        A point for every distinct confidence and one that accepts nothing. Thresholds lie midway
        between neighbouring confidences, so that the last bit of a float decides nothing.

    Raises:
        ConfigurationError: No rows, columns of unequal length, a quality that is missing or not
            in [0, 1], or weights that are negative, not finite or all 0.
    """
    score = column("confidence", confidence)
    rows = len(score)
    if not rows:
        msg = "a curve needs at least one row: none was given"
        raise ConfigurationError(msg)
    weak = observed("weak_quality", weak_quality, rows)
    strong = observed("strong_quality", strong_quality, rows)
    cheap = column("weak_cost", weak_cost, rows)
    dear = column("strong_cost", strong_cost, rows)
    draft = cheap if draft_cost is None else column("draft_cost", draft_cost, rows)
    weight = None if weights is None else weighting(weights, rows)
    total = float(rows) if weight is None else float(weight.sum())

    order = np.argsort(score)
    scored = rows - int(np.isnan(score).sum())
    ranked = np.sort(score)[:scored]  # quicker than picking them by that order
    ends = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
    points = np.concatenate(([0], ends, [scored]))

    def mean(values: Array) -> float:
        return float(values.mean() if weight is None else values @ weight / total)

    def escalated(values: Array) -> Array:
        """Return the mean over all rows of what the rows that each point escalates hold."""
        sums = np.concatenate((values[scored:].sum(keepdims=True), values[:scored]))
        np.cumsum(sums, out=sums)
        sums /= total
        return sums if len(points) == len(sums) else sums[points]

    def ordered(values: Array) -> Array:
        return (values if weight is None else values * weight)[order]

    gain = ordered(strong - weak)
    quality = escalated(gain)
    quality += mean(weak)
    thresholds = _between(ranked[points[:-1]] if scored else ranked)
    cost = escalated(ordered(dear))
    cost += mean(cheap)
    if paid:
        cost += paid_at(paid, thresholds, weight) / total
    harm = escalated(np.maximum(gain, 0, out=gain))
    weak_harm = float(harm[-1])
    np.subtract(weak_harm, harm, out=harm)
    unread = float(rows - scored)
    counted = points + unread if weight is None else escalated(weight[order]) * total
    curve = Curve(
        threshold=thresholds,
        escalated=counted / total,
        quality=quality,
        cost=cost,
        harm=np.maximum(harm, 0, out=harm),
        weak_quality=mean(weak),
        strong_quality=mean(strong),
        weak_harm=weak_harm,
        weak_cost=mean(draft),
        strong_cost=mean(dear),
        rows=rows,
    )
    # The sums end a rounding error away from what full escalation is.
    curve.quality[-1], curve.escalated[-1] = curve.strong_quality, 1.0
    return curve


def _between(distinct: Array) -> Array:
    """Return one threshold a point: midway between neighbours, open at both ends."""
    lower, upper = distinct[:-1], distinct[1:]
    with np.errstate(invalid="ignore", over="ignore"):
        middle = upper - lower
        middle /= 2
        middle += lower
    # Neighbouring floats have nothing between them: the upper one itself is accepted.
    np.copyto(middle, upper, where=~(middle > lower))
    lenient = 0.0 if not len(distinct) or distinct[0] >= 0 else -inf
    return np.concatenate(([lenient], middle, [inf]))
