"""A bound on a running mean that may be looked at after every row.

Somebody bets against “the mean so far is at least m”: on every row the capital is multiplied by
1 + bet · (m − x). The bets are fixed before the first row, several sizes side by side. Let the
rows' expectations be μ[1], μ[2], …, whatever they are. Dividing each factor by 1 + bet · (m − μ)
leaves a fair game, and where the mean of the μ so far is m or more, the product of what was
divided by is at most 1 (its logarithm is concave in μ). So the capital reaches 1 / alpha at such an
m, at any time at all, with chance at most alpha (Ville). The bound is the smallest m at which
it has.

Unlike tests of a mean that stays the same, this needs no row to be like another; the price is
that bets cannot be adapted on the way.

Sources: Waudby-Smith and Ramdas, “Estimating means of bounded random variables by betting”, JRSS
B 2024; for means that change, Howard, Ramdas, McAuliffe and Sekhon, “Time-uniform, nonparametric,
nonasymptotic confidence sequences”, Annals of Statistics 2021.
"""

from __future__ import annotations

import math

import numpy as np

from cascade_core.arrays import Array

_BETS = 0.9 * 0.5 ** np.arange(12)
"""Parts of the largest bet that a row can stand; large ones serve few rows, small ones many."""
_STAKES = 1 / (1.0 + np.arange(12)) ** 1.5
_HALVINGS = 60


def running_bound(values: Array, largest: Array, confidence: float = 0.95) -> float:
    """Bound the mean of what was expected of all rows so far, from above.

    Args:
        values: (n,) ≥ 0, in the order in which they came: for a mean over all rows of which some
            were looked at, x / p of those and 0 for the others.
        largest: (n,) the most that each value could have been, known before it was seen: 1 / p.
        confidence: Chance, at the least, that the bound *never* falls below the mean so far,
            however often it is looked at; in (0, 1).

    Returns:
        The bound; infinite before there is anything to tell.
    """
    if not len(values):
        return math.inf
    bets, stakes = bets_of(largest)
    seen = values[values > 0]
    zeros = len(values) - len(seen)
    needed = math.log(1 / (1 - confidence))
    low, high = float(values.mean()), float(largest.max()) + 1
    if capital(high, zeros, seen, bets, stakes) < needed:
        return math.inf
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = capital(middle, zeros, seen, bets, stakes) >= needed
        low, high = (low, middle) if enough else (middle, high)
    return high


def bets_of(largest: Array) -> tuple[Array, Array]:
    """Return the bets that no row so far could have ruined, and what was staked on each.

    Args:
        largest: (n,), n ≥ 1, as for `running_bound`. The first row's sets the scale, for nothing
            is known before.
    """
    bets = _BETS / largest[0]
    stakes = _STAKES / _STAKES.sum()
    alive = bets * largest.max() < 1  # the others are given up for lost
    return bets[alive], stakes[alive]


def capital(mean: float, zeros: int, seen: Array, bets: Array, stakes: Array) -> float:
    """Return the logarithm of the capital that bets against a mean have made.

    Args:
        mean: What the mean is claimed to be at least.
        zeros: How many values were 0.
        seen: (k,) the others.
        bets: (b,), each less than 1 ÷ the largest value there can be.
        stakes: (b,) capital that each began with.
    """
    if not len(bets):
        return -math.inf
    logs = zeros * np.log1p(bets * mean)
    logs += np.log1p(bets[:, None] * (mean - seen[None, :])).sum(axis=1)
    logs += np.log(stakes)
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).sum()))
