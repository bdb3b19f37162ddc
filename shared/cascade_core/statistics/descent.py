"""How far down the confidences a promise holds: the search behind `guarantee.certify_sweep`.

Both searches count how many of the distinct confidences, from the highest down, pass the test one
after the other. They sort nothing and look at no row twice, or at log₂(n) thresholds.
"""

from __future__ import annotations

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.statistics.pvalues import betting_p, binomial_p, most_harmed, stakes
from cascade_core.statistics.units import Units


def exact_descent(
    harm: Array, order: Ints, ends: Ints, *, limit: float, delta: float
) -> tuple[int, float]:
    """Descend by the binomial test: as far as the harmed rows stay within what it allows.

    Args:
        harm: (n,), each 0 or 1.
        order: Rows with a confidence, highest first.
        ends: For every distinct confidence, the place in `order` of its last row.
        limit: On the mean over all n rows.
        delta: The level.

    Returns:
        How many distinct confidences passed, and the p-value at the last of them (at the first,
        where none passed).
    """
    harmed = np.cumsum(harm[order])[ends]
    passed = int(np.searchsorted(harmed, most_harmed(len(harm), limit, delta), side="right"))
    return passed, binomial_p(int(harmed[max(0, passed - 1)]), len(harm), limit)


def betting_descent(  # noqa: PLR0913 - what is swept, and how it is tested
    harm: Array, order: Ints, ends: Ints, units: Units, *, limit: float, delta: float, seed: int
) -> tuple[int, float]:
    """Descend by betting, with the same stakes at every threshold.

    Stakes that followed the losses at the threshold under test could make the p-value fall where
    losses rise. These follow instead the size of harm in earlier rows whether accepted or not: so
    the p-value rises along the descent and the first failure can be bisected.

    Args:
        harm: (n,), harm if the row is accepted, in [0, 1].
        order: Rows with a confidence, highest first.
        ends: For every distinct confidence, the place in `order` of its last row.
        units: What is independent.
        limit: On the weighted mean over all rows.
        delta: The level.
        seed: Of the order of bets.

    Returns:
        As `exact_descent`.
    """
    turn = np.random.default_rng(seed).permutation(len(units))
    places = np.flatnonzero(harm[order] > 0.0)
    harmed = order[places]
    weighted = harm[harmed] * units.row[harmed]
    everything = units.sums(weighted, harmed)[turn]
    stake = stakes(_spread_at_limit(everything, units.total[turn], limit), limit, delta)

    def p_at(end: int) -> float:
        accepted = int(np.searchsorted(places, end, side="right"))
        sums = units.sums(weighted[:accepted], harmed[:accepted])
        return betting_p(units.of_sums(sums, limit)[turn], limit, stake)

    first = p_at(int(ends[0]))
    if first > delta:
        return 0, first
    low, p, high = 0, first, len(ends)  # `low` passes, `high` fails or is past the end
    while high - low > 1:
        middle = (low + high) // 2
        tried = p_at(int(ends[middle]))
        if tried <= delta:
            low, p = middle, tried
        else:
            high = middle
    return low + 1, p


def _spread_at_limit(sums: Array, total: Array, limit: float) -> Array:
    """Guess the variance of a unit's loss at the threshold where harm meets the limit.

    There the mean is known, and E[S²] = E[S] · r with r the usual size of a harm. r is read off
    earlier units, all rows accepted; two full harms stand in until some were seen.
    """
    rows = np.arange(len(sums))
    squares = 2.0 + np.cumsum(sums**2) - sums**2
    usual = squares / (2.0 + np.cumsum(sums) - sums)
    mean = limit * (1.0 + np.cumsum(total) - total) / (1.0 + rows)
    return np.maximum(mean * (usual - mean), 0.0)


def between(lowest_accepted: float, next_lower: float) -> float:
    """Give the midpoint, unless rounding would make it accept the lower one."""
    middle = next_lower + (lowest_accepted - next_lower) / 2
    return middle if next_lower < middle <= lowest_accepted else lowest_accepted
