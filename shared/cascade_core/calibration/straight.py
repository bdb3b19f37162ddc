"""Going straight to a later tier: what every cascade has to beat, and what to say where none does.

It loses nothing against the last tier where that is the tier, by definition, and pays for no
draft and no signal of a cheaper one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.points import ACCEPT_NOTHING
from cascade_core.costs.shown import dollars
from cascade_core.evaluation.scored import Scored, Served, serve
from cascade_core.labels import Table

SAME_COST = 1e-9
"""Costs that are so near to each other are the same."""


class StraightError(TuningError):
    """No cascade serves the objective better than one of its later tiers alone."""


def nothing_accepted(scored: Scored) -> tuple[float, ...]:
    """Return the thresholds with which every request goes straight to the last tier."""
    return (ACCEPT_NOTHING,) * len(scored.confidences)


def goes_straight(thresholds: Sequence[float]) -> bool:
    """Tell whether thresholds send every request straight to the last tier."""
    return all(threshold >= ACCEPT_NOTHING for threshold in thresholds)


def keeps(objective: Objective) -> bool:
    """Tell whether always asking the last tier keeps what is promised, by definition."""
    return objective.kind == "harm" or objective.limit <= 1


def cost_of(scored: Scored, thresholds: Sequence[Array | float]) -> float:
    """Return what thresholds cost, USD per request; NaN where a call is unpriced."""
    cost = serve(scored, thresholds).cost
    return float(np.average(cost, weights=scored.weights))


def pays_less(scored: Scored, thresholds: Sequence[float]) -> bool:
    """Tell whether always asking the last tier costs less than these thresholds do."""
    strong = float(np.average(scored.costs[-1], weights=scored.weights))
    return strong < cost_of(scored, thresholds) * (1 - SAME_COST)


def only_tier(served: Served, weights: Array | None) -> int | None:
    """Return the later tier that alone was asked about every row, if it is so."""
    counts = np.ones(len(served.tier), dtype=np.bool_) if weights is None else weights > 0
    asked = served.asked[counts].any(axis=0)
    (tiers,) = np.nonzero(asked)
    return int(tiers[0]) if len(tiers) == 1 and tiers[0] > 0 else None


def refuse(objective: Objective, rows: Table, tier: int, cost: float, other: str) -> StraightError:
    """Return the error that says that a later tier alone is best.

    Args:
        objective: What was asked for.
        rows: The labelled rows.
        tier: Which tier.
        cost: What it costs alone, USD per request; NaN where it is not known.
        other: What the best cascade does, in half a sentence.
    """
    last = len(rows.tiers) - 1
    which = "the last tier" if tier == last else f"tier {tier}"
    model = rows.tiers[tier].model
    named = f"{which} ({model})" if model else which
    price = "" if np.isnan(cost) else f", at {dollars(cost)} a request"
    return StraightError(
        f"{objective}: best served by always asking {named}{price}: {other}; no cascade is "
        f"written. Use that model alone, or --force (force=True) to have the cascade all the same"
    )
