"""The search behind `certify_sweep`: the lowest confidence at which the test of harm still passes.

The distinct confidences are thresholds, tried from the highest down; each lower one accepts more
rows and so more harm, and the search stops at the first that fails. With the exact test that place
follows from the number of harmed rows it allows; with betting it is found by bisection, in
log₂(n) tests.
"""

from __future__ import annotations

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.statistics.pvalues import betting_p, binomial_p, most_harmed, stakes
from cascade_core.statistics.units import Units


def exact_descent(
    harm: Array, order: Ints, ends: Ints, *, limit: float, delta: float
) -> tuple[int, float]:
    """Find the last threshold at which the binomial test passes, by counting harmed rows.

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
    """Find the last threshold at which the betting test passes, by bisection.

    Bisection needs p-values that only rise as more rows are accepted. Stakes that were chosen by
    the losses at each threshold could break that, so one set of stakes serves all thresholds: it is
    chosen by the harm of earlier rows, accepted or not.

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

    There the mean E[S] is known, and E[S²] = E[S] · r, where r is the usual size of a harm. r is
    estimated from earlier units with all their rows accepted, starting from two full harms.
    """
    rows = np.arange(len(sums))
    squares = 2.0 + np.cumsum(sums**2) - sums**2
    usual = squares / (2.0 + np.cumsum(sums) - sums)
    mean = limit * (1.0 + np.cumsum(total) - total) / (1.0 + rows)
    return np.maximum(mean * (usual - mean), 0.0)


def between(lowest_accepted: float, next_lower: float) -> float:
    """Return the midpoint of two thresholds; the upper one where rounding leaves none between."""
    middle = next_lower + (lowest_accepted - next_lower) / 2
    return middle if next_lower < middle <= lowest_accepted else lowest_accepted
