"""Picks thresholds for each class of requests, and tells whether that pays.

All classes share one price of quality, in USD per unit (a Lagrange multiplier): each class takes
the threshold whose quality × price − cost is greatest, and the price is searched at which all
classes together meet the objective. More thresholds also fit chance better, so they pay only where
they beat one threshold for all on rows that they were not picked on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.points import OperatingPoints
from cascade_core.calibration.thresholds import best_point, operating_points, pick_point
from cascade_core.evaluation.scored import Scored, by_row, serve
from cascade_core.statistics.folds import folds
from cascade_core.statistics.standard_error import mean_with_error

_PRICES = 161
"""Prices of quality that are tried, each a little above the last."""
_ROUNDS = 3
"""How often the search is repeated on a finer grid around the best price."""
_CLASS_ROWS = 50
"""Rows a class needs for thresholds of its own."""
_HALVES = 2


@dataclass(frozen=True, slots=True)
class ClassThresholds:
    """Thresholds of each class's own.

    Attributes:
        thresholds: For every class that has its own.
        worth: USD that one unit of quality was worth where they were picked.
    """

    thresholds: Mapping[str, tuple[float, ...]]
    worth: float


def pick_by_class(
    objective: Objective, scored: Scored, classes: Ints, names: Sequence[str]
) -> ClassThresholds | None:
    """Return the thresholds of each class that serve an objective over all rows best.

    Args:
        objective: What is asked for, over all rows together.
        scored: Rows.
        classes: Codes into `names`, shape (n,); -1 for none.
        names: The classes.

    Returns:
        The thresholds; None where fewer than two classes have rows enough, a cost is not known,
        or the objective cannot be met.
    """
    parts = {
        code: np.flatnonzero(classes == code)
        for code in range(-1, len(names))
        if (classes == code).any()
    }
    if why_not(scored, classes, names) is not None:
        return None
    among = {code: operating_points(scored.take(rows)) for code, rows in parts.items()}
    mass = np.ones(len(scored)) if scored.weights is None else scored.weights
    shares = {code: float(mass[rows].sum() / mass.sum()) for code, rows in parts.items()}
    strong = float(np.average(scored.costs[-1], weights=scored.weights))
    best = float(np.average(scored.qualities[-1], weights=scored.weights))
    worths = strong * np.geomspace(1e-3, 1e3, _PRICES)
    for _ in range(_ROUNDS):
        taken = {
            code: np.array([int(np.argmax(of.quality * worth - of.cost)) for worth in worths])
            for code, of in among.items()
        }
        try:
            place = pick_point(_together(among, taken, shares), objective, best)
        except TuningError:
            return None
        worth = float(worths[place])
        chosen = {code: int(taken[code][place]) for code in among}
        worths = np.geomspace(
            worths[max(0, place - 1)], worths[min(place + 1, _PRICES - 1)], _PRICES
        )
    return ClassThresholds(
        thresholds={
            names[code]: tuple(float(t) for t in of.thresholds[chosen[code]])
            for code, of in among.items()
            if code >= 0 and len(parts[code]) >= _CLASS_ROWS
        },
        worth=worth,
    )


def why_not(scored: Scored, classes: Ints, names: Sequence[str]) -> str | None:
    """Say why classes cannot have thresholds of their own, or None where they can."""
    if not scored.priced:
        return "the cost of a call is not known"
    large = [name for code, name in enumerate(names) if (classes == code).sum() >= _CLASS_ROWS]
    if len(large) < 2:  # noqa: PLR2004 - one class alone is all requests
        return f"fewer than two classes have {_CLASS_ROWS} rows"
    return None


def pays(  # noqa: PLR0913, PLR0917 - the rows' columns
    objective: Objective,
    scored: Scored,
    classes: Ints,
    names: Sequence[str],
    groups: Ints | None,
    seed: int,
) -> bool:
    """Tell whether thresholds by class beat one for all on rows they were not picked on.

    What counts is quality, at its price, less cost; the gain must exceed its standard error.
    """
    fold = folds(len(scored), _HALVES, groups, seed)
    gain = np.zeros(len(scored))
    for half in range(_HALVES):
        picked, tried = np.flatnonzero(fold != half), np.flatnonzero(fold == half)
        rows = scored.take(picked)
        by_class = pick_by_class(objective, rows, classes[picked], names)
        if by_class is None:
            return False
        one = best_point(objective, rows).thresholds[0]
        other = scored.take(tried)
        pooled = serve(other, list(one))
        own = serve(other, by_row(one, by_class.thresholds, classes[tried], names))
        gain[tried] = (own.quality - pooled.quality) * by_class.worth - (own.cost - pooled.cost)
    mean, error = mean_with_error(gain, scored.weights)
    return mean > error


def _together(
    among: Mapping[int, OperatingPoints], taken: Mapping[int, Ints], shares: Mapping[int, float]
) -> OperatingPoints:
    """Return what all classes do together at each price."""

    def total(name: str) -> Array:
        whole = np.zeros(_PRICES)
        for code, of in among.items():
            whole += shares[code] * getattr(of, name)[taken[code]]
        return whole

    return OperatingPoints(
        thresholds=np.zeros((_PRICES, 0)),
        quality=total("quality"),
        cost=total("cost"),
        escalated=total("escalated"),
        harm=total("harm"),
    )
