"""The beta distribution's quantiles, as exact intervals of shares need them."""

from __future__ import annotations

import math

_STEPS = 200
_CLOSE = 1e-13
_TINY = 1e-300


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return where a beta distribution has this much of its mass below.

    Args:
        probability: In (0, 1).
        a: First parameter, > 0.
        b: Second parameter, > 0.

    Returns:
        The quantile, in [0, 1].
    """
    low, high = 0.0, 1.0
    x = a / (a + b)
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(_STEPS):
        off = beta_cdf(x, a, b) - probability
        low, high = (low, x) if off > 0 else (x, high)
        density = math.exp(
            min(700.0, logs + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x))
        )  # Newton's step where it stays between what is known, else halving
        step = x - off / density if density > 0 else math.inf
        new = step if low < step < high else (low + high) / 2
        if abs(new - x) <= _CLOSE * x or new in {0.0, 1.0}:
            return new
        x = new
    return x


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the mass of a beta distribution below x, the regularised incomplete beta function.

    Args:
        x: In [0, 1].
        a: First parameter, > 0.
        b: Second parameter, > 0.

    Returns:
        In [0, 1]. Source: the continued fraction of Didonato and Morris, “Algorithm 708”, ACM
        Transactions on Mathematical Software 1992 (also DLMF 8.17.22).
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # it converges fast on this side alone
        return 1.0 - beta_cdf(1 - x, b, a)
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logs + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1))
    fraction = d
    most = 200 + int(10 * math.sqrt(max(a, b)))
    for m in range(1, most):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away(1.0 + term * d)
            c = _away(1.0 + term / c)
            fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:  # noqa: PLR2004 - as close as floats get
            break
    return min(1.0, front * fraction)


def _away(value: float) -> float:
    """Keep a divisor away from 0 (Lentz, Applied Optics 1976)."""
    return value if abs(value) > _TINY else _TINY
