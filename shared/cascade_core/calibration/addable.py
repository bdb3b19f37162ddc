"""What a signal that is not in a table would have to tell to be worth its price.

A further reading says yes or no of a draft: yes of a share `a` of the good ones, and of `1 − a` of
the bad ones, whatever the signals that are there say of them. By Bayes' rule it moves their
confidence up or down; each row counts as both, as likely as they are. So nothing is drawn and
nothing is fitted: what comes out is what such a signal would gain, and from which `a` it pays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.objective import Objective
from cascade_core.calibration.worth import reached
from cascade_core.evaluation.paid import PaidReading
from cascade_core.evaluation.scored import Scored
from cascade_core.labels import Table

WORTH_HAVING = 0.01
"""What a signal has to gain to be worth having: a share of what always asking the last tier costs,
or of quality 1."""

_STEPS = 10
_BEST = 0.999
_NOTHING = 0.5 + 1e-6
_TOP = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Addable:
    """A signal that is not in the table.

    Attributes:
        name: The name it usually has.
        made: How it is made.
        price_usd: USD of a reading of the cheapest tier's drafts, reckoned from its drafts.
        priced_as: What that is, in words.
        needs: The share of good drafts that it has to say yes of, and of bad ones no, to gain
            `WORTH_HAVING`; NaN where not even one that is always right does.
        at_most: What one that is always right would gain, its price counted: USD saved, or quality
            won, per request.
    """

    name: str
    made: str
    price_usd: float
    priced_as: str
    needs: float
    at_most: float


_KNOWN = (
    ("agreement", "Agreement(another cheap model)", 1, "one more answer as dear as the draft"),
    ("self_consistency", "SelfConsistency(n=3)", 3, "three more answers as dear as the draft"),
)


def addable(
    objective: Objective, rows: Table, base: Scored, held: Collection[str]
) -> Iterator[Addable]:
    """Yield the signals that a table does not have, with what they would need to be.

    Args:
        objective: What is sought.
        rows: The table.
        base: Its rows, scored with the signals that have no price.
        held: The names of its signals.
    """
    # A reading that tells nothing still lets a threshold fall between two drafts that are alike.
    untold = [np.zeros(len(rows))] * (len(rows.tiers) - 1)
    without = max(reached(objective, base), reached(objective, told_more(base, _NOTHING, untold)))
    spends = objective.kind in {"quality", "harm"}
    strong = float(np.average(rows.tiers[-1].cost, weights=rows.weights)) if spends else 1.0
    for name, made, times, priced_as in _KNOWN:
        if name in held:
            continue
        prices = [tier.cost * times for tier in rows.tiers[:-1]]
        if name == "agreement":  # the other model is a cheap one, whichever draft it is asked about
            prices = [prices[0]] * len(prices)

        def gained(right: float, prices: list[Array] = prices) -> float:
            return reached(objective, told_more(base, right, prices)) - without

        yield Addable(
            name=name,
            made=made,
            price_usd=float(np.average(prices[0], weights=rows.weights)),
            priced_as=priced_as,
            needs=_least(gained, WORTH_HAVING * strong),
            at_most=gained(_BEST),
        )


def told_more(scored: Scored, right: float, prices: list[Array]) -> Scored:
    """Return rows of which a further signal tells more.

    Args:
        scored: The rows; their confidences are probabilities.
        right: The share of good drafts that it says yes of, and of bad ones no, in (0.5, 1).
        prices: USD of a reading, of shape (n,), for every tier but the last.

    Returns:
        Each row twice for every tier that is judged, as heavy as what was read is likely.
    """
    ratio = right / (1 - right)
    for k in range(len(prices)):
        low, high = (_moved(scored.confidences[k], times) for times in (1 / ratio, ratio))
        yes = scored.qualities[k] * right + (1 - scored.qualities[k]) * (1 - right)
        n = len(scored)
        weights = np.ones(n) if scored.weights is None else scored.weights
        twice = scored.take(np.tile(np.arange(n), 2))
        reading = PaidReading(*(np.tile(each, 2) for each in (prices[k], low, high)))
        paid = list(twice.paid) or [()] * len(prices)
        paid[k] = (*paid[k], reading)
        confidences = list(twice.confidences)
        confidences[k] = np.concatenate((high, low))
        scored = replace(
            twice,
            confidences=tuple(confidences),
            weights=np.concatenate((weights * yes, weights * (1 - yes))),
            paid=tuple(paid),
            merits=(),
        )
        prices = [np.tile(each, 2) for each in prices]
    return scored


def _moved(confidence: Array, times: float) -> Array:
    """Return confidences whose odds are so many times what they were."""
    odds = np.clip(confidence, 1e-9, _TOP)
    odds = odds / (1 - odds) * times
    return np.minimum(odds / (1 + odds), _TOP)


def _least(gained: Callable[[float], float], wanted: float) -> float:
    if gained(_BEST) <= wanted:
        return nan
    low, high = 0.5, _BEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if gained(middle) > wanted else (middle, high)
    return high
