"""The thresholds worth looking at on scored rows, and those that serve an objective best.

Of two tiers, every threshold that tells two rows apart is looked at; of more, a grid.
"""

from __future__ import annotations

import numpy as np

from cascade_core.arrays import Array, Flags
from cascade_core.calibration.grid import grid_points
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.points import ACCEPT_NOTHING, OperatingPoints
from cascade_core.evaluation.scored import Scored
from cascade_core.evaluation.sweeping import sweep

_ROUNDING = 1e-12  # sums of a million shares end a few last digits off


def operating_points(scored: Scored) -> OperatingPoints:
    """Return every threshold vector worth looking at, with what it would have done.

    Args:
        scored: Rows with confidences, costs and qualities.
    """
    return _exact(scored) if len(scored.confidences) == 1 else grid_points(scored)


def best_point(objective: Objective, scored: Scored, *, cascade: bool = False) -> OperatingPoints:
    """Return the one point that serves an objective best on these rows.

    Args:
        objective: What is asked for.
        scored: Rows.
        cascade: Whether going straight to the last tier is none of them.

    Raises:
        TuningError: None of them does.
    """
    points = operating_points(scored)
    if cascade:
        points = points.cascades()
    strong = float(np.average(scored.qualities[-1], weights=scored.weights))
    return points.take(np.array([pick_point(points, objective, strong)]))


def pick_point(points: OperatingPoints, objective: Objective, strong_quality: float) -> int:
    """Return the place of the point that serves an objective best, on these rows.

    Args:
        points: Operating points.
        objective: What is asked for.
        strong_quality: Mean quality of the last tier alone, in [0, 1].

    Raises:
        TuningError: None of them does; the message says how close they come.
    """
    if objective.kind in {"quality", "harm"}:
        if objective.kind == "quality":
            fits = points.quality >= objective.limit * strong_quality - _ROUNDING
        else:
            fits = points.harm <= objective.limit + _ROUNDING
        if not fits.any():
            best = points.quality.max()
            msg = (
                f"no threshold reaches quality {objective.limit * strong_quality:.4f} "
                f"({objective.limit:g} × the last tier's {strong_quality:.4f}); "
                f"the best reaches {best:.4f}"
            )
            raise TuningError(msg)
        return _first(fits, points.price, -points.quality)
    if objective.kind == "max_cost":
        if np.isnan(points.cost).any():
            msg = "max_cost needs the cost of every tier, but some costs in the table are empty"
            raise TuningError(msg)
        fits, least = points.cost <= objective.limit, points.cost.min()
        unit = "USD a request"
    else:
        fits, least = points.escalated <= objective.limit + _ROUNDING, points.escalated.min()
        unit = "of the requests escalated"
    if not fits.any():
        msg = (
            f"{objective.kind}={objective.limit:g} cannot be met: "
            f"the least any threshold takes is {least:.6g} {unit}"
        )
        raise TuningError(msg)
    return _first(fits, -points.quality, points.price)


def _exact(scored: Scored) -> OperatingPoints:
    (weak, strong), (draft, answer) = scored.qualities, scored.costs
    curve = sweep(scored.met(0), weak, strong, draft, answer, scored.weights, paid=scored.read(0))
    thresholds = np.minimum(curve.threshold, ACCEPT_NOTHING)[:, None]
    cost = curve.cost
    if scored.calibrated:  # a tier of which nothing would be accepted is not asked
        unasked = float(np.average(draft, weights=scored.weights))
        cost = np.where(thresholds[:, 0] >= ACCEPT_NOTHING, cost - unasked, cost)
    return OperatingPoints(thresholds, curve.quality, cost, curve.escalated, curve.harm)


def _first(fits: Flags, by: Array, then: Array) -> int:
    """Return the place that is least `by`, and where several are but for a rounding, `then`."""
    places = np.flatnonzero(fits)
    least = by[places].min()
    places = places[by[places] <= least + _ROUNDING * abs(least)]
    return int(places[np.argmin(then[places])])
