"""How a test of a promise ends, and how many labels a refused promise would have taken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError
from cascade_core.statistics.pvalues import binomial_p, check_level

_MOST_LABELS = 100_000_000  # beyond this, “more labels” is no advice


@dataclass(frozen=True, slots=True)
class Certified:
    """A promise the rows can carry.

    Attributes:
        threshold: Accept where confidence ≥ threshold; NaN for a path.
        index: Which point of the path; for a sweep, how many distinct confidences are accepted − 1.
        loss: Weighted mean loss seen there (harm, for a promise about harm), in its own units.
        p_value: Of the test that the true mean is above the limit.
        rows: Independent units tested: rows, or groups where rows belong together.
        accepted: Weighted share of all rows accepted, in [0, 1]; NaN for a path.
        method: `"binomial"` (exact) or `"betting"`.
    """

    threshold: float
    index: int
    loss: float
    p_value: float
    rows: int
    accepted: float
    method: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No promise, and why.

    Attributes:
        reason: One line for the user.
        labels_needed: Estimated rows to test on with which the strictest choice would pass if its
            loss stayed as seen, or fell well below the limit where that is not yet to be told;
            None where no number would do.
    """

    reason: str
    labels_needed: int | None


def labels_needed(limit: float, delta: float, *, harm: float = 0.0) -> int | None:
    """Count the rows with which the exact test passes if the share of harmed rows is `harm`.

    Args:
        limit: The promise, in (0, 1).
        delta: 1 − confidence, in (0, 1).
        harm: Share of harmed rows expected, in [0, 1].

    Returns:
        The rows (299 for no harm, limit 1 %, delta 5 %), or None where `harm` is so near the limit
        or above it that no affordable number would do.
    """
    check_level("limit", limit)
    check_level("delta", delta)
    if not 0.0 <= harm <= 1.0:
        raise ConfigurationError(f"harm must be in [0, 1], got {harm!r}")
    if harm >= limit:
        return None

    def passes(n: int) -> bool:
        return binomial_p(math.ceil(harm * n - 1e-9), n, limit) <= delta

    high = math.ceil(math.log(delta) / math.log1p(-limit) - 1e-9)
    if passes(high):
        return high
    low = high
    while not passes(high):
        low, high = high, 2 * high
        if high > _MOST_LABELS:
            return None
    while high - low > max(1, high // 10_000):  # whole harmed rows make it jagged: near is enough
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high


def units_needed(losses: Array, limit: float, delta: float) -> int | None:
    """Estimate the units a betting test would take if losses stayed distributed as seen.

    The best constant stake multiplies the capital by exp(growth) a unit; 1/delta is to be reached.

    Args:
        losses: (n,), each in [0, 1].
        limit: The mean loss that is to be ruled out.
        delta: 1 − confidence.

    Returns:
        The units, or None where the mean seen is at the limit or above.
    """
    if float(losses.mean()) >= limit:
        return None
    values, counts = np.unique(losses, return_counts=True)
    shares = counts / len(losses)
    ruin = (1.0 - 1e-9) / (1.0 - limit)
    growth = max(
        float(np.dot(np.log1p(stake * (limit - values)), shares))
        for stake in np.geomspace(ruin / 1000, ruin, 41)
    )
    needed = -math.log(delta) / growth if growth > 0.0 else math.inf
    return math.ceil(needed - 1e-6) if needed <= _MOST_LABELS else None
