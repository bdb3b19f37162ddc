"""How far the truth may be from what was counted on finitely many rows, at every sample size."""

from __future__ import annotations

import math


def highest_mean(mean: float, rows: float, alpha: float) -> float:
    """Bound the true mean of numbers in [0, 1] from above.

    Args:
        mean: Their mean, in [0, 1].
        rows: How many there were.
        alpha: Chance that the true mean is higher than what is returned.

    Returns:
        The bound, in [0, 1]. Source: Hoeffding, “Probability inequalities for sums
        of bounded random variables”, JASA 1963, theorem 1.
    """
    allowed = math.log(1 / alpha) / rows
    low, high = mean, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _divergence(mean, middle) <= allowed else (low, middle)
    return high


def _divergence(p: float, q: float) -> float:
    """Kullback–Leibler divergence of a coin with share p from one with share q, in nats."""
    inside = p * math.log(p / q) if p else 0.0
    if p == 1:
        return inside
    return math.inf if q >= 1 else inside + (1 - p) * math.log((1 - p) / (1 - q))


def band(rows: float, alpha: float) -> float:
    """Bound how far a whole distribution function is from the one counted on `rows` rows.

    Holds at every point at once, also at points chosen on those rows, and with ties.

    Args:
        rows: How many there were.
        alpha: Chance that it is further off somewhere.

    Returns:
        The largest difference of shares. Source: Massart, “The tight constant in the
        Dvoretzky–Kiefer–Wolfowitz inequality”, Annals of Probability 1990.
    """
    return math.sqrt(math.log(2 / alpha) / (2 * rows))
