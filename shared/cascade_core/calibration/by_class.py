"""Thresholds of each class's own, where they pay.

One price for quality serves all classes: each class takes the threshold at which a further unit
of quality would cost more than that price, and the price is turned until all classes together
meet what was asked for. More thresholds also fit chance better, so they are only kept where they
do better than one for all on rows that they were not picked on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.objective import Objective, TuningError, choose
from cascade_core.calibration.scores import mean_with_error
from cascade_core.calibration.thresholds import Candidates, candidates
from cascade_core.evaluation.scored import Scored, by_row, serve
from cascade_core.statistics.folds import folds

PRICES = 161
"""Prices of quality that are tried, each a little above the last."""
ROUNDS = 3
"""How often the prices are looked at more closely around the best of them."""
FEWEST = 50
"""Rows a class needs for thresholds of its own."""
HALVES = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """Thresholds by class.

    Attributes:
        thresholds: For every class that has its own.
        worth: USD that one unit of quality was worth where they were picked.
    """

    thresholds: Mapping[str, tuple[float, ...]]
    worth: float


def pick_by_class(
    objective: Objective, scored: Scored, classes: Ints, names: Sequence[str]
) -> Spread | None:
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
    among = {code: candidates(scored.take(rows)) for code, rows in parts.items()}
    mass = np.ones(len(scored)) if scored.weights is None else scored.weights
    shares = {code: float(mass[rows].sum() / mass.sum()) for code, rows in parts.items()}
    strong = float(np.average(scored.costs[-1], weights=scored.weights))
    best = float(np.average(scored.qualities[-1], weights=scored.weights))
    worths = strong * np.geomspace(1e-3, 1e3, PRICES)
    for _ in range(ROUNDS):
        taken = {
            code: np.array([int(np.argmax(of.quality * worth - of.cost)) for worth in worths])
            for code, of in among.items()
        }
        try:
            place = choose(_together(among, taken, shares), objective, best)
        except TuningError:
            return None
        worth = float(worths[place])
        chosen = {code: int(taken[code][place]) for code in among}
        worths = np.geomspace(worths[max(0, place - 1)], worths[min(place + 1, PRICES - 1)], PRICES)
    return Spread(
        thresholds={
            names[code]: tuple(float(t) for t in of.thresholds[chosen[code]])
            for code, of in among.items()
            if code >= 0 and len(parts[code]) >= FEWEST
        },
        worth=worth,
    )


def why_not(scored: Scored, classes: Ints, names: Sequence[str]) -> str | None:
    """Say why classes cannot have thresholds of their own, or None where they can."""
    if not scored.priced:
        return "the cost of a call is not known"
    large = [name for code, name in enumerate(names) if (classes == code).sum() >= FEWEST]
    if len(large) < 2:  # noqa: PLR2004 - one class alone is all requests
        return f"fewer than two classes have {FEWEST} rows"
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
    fold = folds(len(scored), HALVES, groups, seed)
    gain = np.zeros(len(scored))
    best = scored.qualities[-1]
    for half in range(HALVES):
        picked, tried = np.flatnonzero(fold != half), np.flatnonzero(fold == half)
        rows = scored.take(picked)
        spread = pick_by_class(objective, rows, classes[picked], names)
        if spread is None:
            return False
        among = candidates(rows)
        strong = float(np.average(best[picked], weights=rows.weights))
        one = among.thresholds[choose(among, objective, strong)]
        other = scored.take(tried)
        pooled = serve(other, list(one))
        own = serve(other, by_row(one, spread.thresholds, classes[tried], names))
        gain[tried] = (own.quality - pooled.quality) * spread.worth - (own.cost - pooled.cost)
    mean, error = mean_with_error(gain, scored.weights)
    return mean > error


def _together(
    among: Mapping[int, Candidates], taken: Mapping[int, Ints], shares: Mapping[int, float]
) -> Candidates:
    """Return what all classes do together at each price."""

    def total(name: str) -> Array:
        whole = np.zeros(PRICES)
        for code, of in among.items():
            whole += shares[code] * getattr(of, name)[taken[code]]
        return whole

    return Candidates(
        thresholds=np.zeros((PRICES, 0)),
        quality=total("quality"),
        cost=total("cost"),
        escalated=total("escalated"),
        harm=total("harm"),
    )
