"""P-values for “the mean loss is above the limit”, valid at every sample size.

No normal approximation is used anywhere: a promise is sold on a few hundred rows with a handful of
harmed ones, where approximations fail. Every p-value here can only grow when a loss grows (for
given stakes), which is what lets a sweep over thresholds stop at its first failure. What is tested,
and on which rows, is in `fixed_sequence`; how weights and groups become independent losses, in
`units`.

Why these two: at 1,000 independent losses, limit 1 % and true mean .5 %, level 5 %, the limit was
passed in this share of simulated draws:

===============================  ===========  ==============  ==================
losses                           exact/round  betting (here)  Hoeffding–Bentkus
===============================  ===========  ==============  ==================
0 or 1                           .48          .31             .29
.1 … .4, sparse                  .41          .76             .08
quality ≥ 98 % (lost .02)        –            .78             .00
===============================  ===========  ==============  ==================

so 0/1 losses take the binomial and all others the betting one. (“Round” tosses a coin for each
fractional loss to make it 0/1: valid, but blind to how small the losses are.)
"""

from __future__ import annotations

import math

import numpy as np

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError

_BELOW_RUIN = 1.0 - 1e-9  # a stake of exactly 1 / (1 − limit) would take log(0) at a full loss
_BOLDEST = 0.9  # of that stake, where a bet is raised because losses were small so far
_HALVINGS = 60


def binomial_p(harmed: int, n: int, limit: float) -> float:
    """Exact p-value for 0/1 losses: the chance of so few harmed rows if the mean were `limit`.

    Args:
        harmed: Rows with loss 1.
        n: All rows, independent of each other.
        limit: The mean loss that is to be ruled out, in (0, 1).

    Returns:
        P(Binomial(n, limit) ≤ harmed), the inverse of Clopper & Pearson (1934).

    Raises:
        ConfigurationError: `harmed` is not in 0…n or `limit` not in (0, 1).
    """
    check_level("limit", limit)
    if not 0 <= harmed <= n or n < 1:
        raise ConfigurationError(f"harmed must be in 0…n and n at least 1, got {harmed} of {n}")
    if harmed == n:
        return 1.0
    return float(min(1.0, _binomial_cdf(harmed, n, limit)[-1]))


def most_harmed(n: int, limit: float, delta: float) -> int:
    """Count the harmed rows among `n` with which the exact test still passes.

    Returns:
        The largest k with `binomial_p(k, n, limit) ≤ delta`, or −1 where even 0 does not pass.
    """
    beyond = math.ceil(n * limit + 10 * math.sqrt(n) + 10)
    passing = _binomial_cdf(min(n - 1, beyond), n, limit) <= delta
    return int(np.count_nonzero(passing)) - 1


def _binomial_cdf(last: int, n: int, limit: float) -> Array:
    """P(Binomial(n, limit) ≤ k) for k = 0…last, by the recursion of neighbouring terms."""
    k = np.arange(1, last + 1, dtype=np.float64)
    steps = np.log((n - k + 1) / k) + (math.log(limit) - math.log1p(-limit))
    logs = n * math.log1p(-limit) + np.concatenate(([0.0], np.cumsum(steps)))
    return np.asarray(np.cumsum(np.exp(logs)), dtype=np.float64)


def bounded_mean_p(losses: Array, limit: float, *, delta: float = 0.05, seed: int = 0) -> float:
    """P-value for losses anywhere in [0, 1], by betting that their mean is below `limit`.

    A gambler starts with 1 and stakes a share of the capital on each row in turn; where the mean is
    `limit` or more, no staking plan that looks only at earlier rows makes the capital grow on
    average, so it ever reaches 1/p with chance at most p (Ville). The stakes are the predictable
    plug-in ones of Waudby-Smith & Ramdas (2024, JRSS-B 86(1)), one-sided, for a fixed number of
    rows. Two changes for sparse losses: the variance starts at its largest possible value at the
    limit, weighted as one full loss, and the stake never falls below what is best for 0/1 losses.
    With no loss at all, the limit is passed from as many rows on as by the exact test.

    Args:
        losses: (n,), each in [0, 1], independent of each other.
        limit: The mean loss that is to be ruled out, in (0, 1).
        delta: The level at which the stakes aim; the p-value is valid whatever it is.
        seed: The rows are taken in one random order, so that a sorted table does no harm.

    Returns:
        The p-value.

    Raises:
        ConfigurationError: A loss outside [0, 1], no rows, or a level outside (0, 1).
    """
    check_level("limit", limit)
    check_level("delta", delta)
    check_losses(losses)
    shuffled = losses[np.random.default_rng(seed).permutation(len(losses))]
    rows = np.arange(len(losses))
    most = limit * (1.0 - limit)
    squares = np.cumsum((shuffled - limit) ** 2) - (shuffled - limit) ** 2  # of earlier rows
    spread = (1.0 + squares) / (1.0 / most + rows)
    return betting_p(shuffled, limit, stakes(spread, limit, delta))


def stakes(spread: Array, limit: float, delta: float) -> Array:
    """Choose what to bet on each row, given the variance expected from earlier rows alone.

    Args:
        spread: (n,), variance expected of each row's loss; it may depend on earlier rows only.
        limit: The mean loss that is to be ruled out.
        delta: The level aimed at.

    Returns:
        (n,), the stakes: the capital is multiplied by 1 + stake × (limit − loss).
    """
    ruin = 1.0 / (1.0 - limit)
    least = min(_stake_for_whole_losses(len(spread), limit, delta), ruin * _BELOW_RUIN)
    largest = limit * (1.0 - limit)
    raised = least * np.sqrt(largest / np.clip(spread, 1e-12, largest))
    return np.minimum(raised, max(least, ruin * _BOLDEST))


def _stake_for_whole_losses(n: int, limit: float, delta: float) -> float:
    """Find the growth-optimal stake for 0/1 losses whose mean the test can only just tell apart.

    That mean m solves n · kl(m, limit) = log(1/delta) (Chernoff); m = 0 where n is too small.
    """
    need = -math.log(delta) / n
    low, high = 0.0, limit
    if -math.log1p(-limit) > need:
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            kl = middle * math.log(middle / limit) if middle > 0.0 else 0.0
            kl += (1.0 - middle) * math.log((1.0 - middle) / (1.0 - limit))
            low, high = (middle, high) if kl > need else (low, middle)
    return (limit - low) / (limit * (1.0 - limit))


def betting_p(losses: Array, limit: float, stake: Array) -> float:
    """Play the stakes and turn the highest capital ever held into a p-value.

    Args:
        losses: (n,), in [0, 1], in the order in which the stakes were chosen.
        limit: The mean loss that is to be ruled out.
        stake: (n,), each in [0, 1 / (1 − limit)), fixed before its row's loss was looked at.

    Returns:
        The p-value; it grows with every loss.
    """
    capital = np.cumsum(np.log1p(stake * (limit - losses)))
    return math.exp(-max(0.0, float(capital.max())))


def check_level(name: str, value: float) -> None:
    """Refuse a limit or level outside (0, 1)."""
    if not 0.0 < value < 1.0:
        raise ConfigurationError(f"{name} must be above 0 and below 1, got {value!r}")


def check_losses(losses: Array) -> None:
    """Refuse losses that are not numbers in [0, 1], or none at all."""
    if losses.ndim != 1 or len(losses) == 0:
        raise ConfigurationError(f"losses must be a non-empty column, got shape {losses.shape}")
    if not (losses.min() >= 0.0 and losses.max() <= 1.0):  # NaN fails as well
        row = int(np.flatnonzero(~((losses >= 0.0) & (losses <= 1.0)))[0])
        raise ConfigurationError(
            f"row {row}: a loss must be a number in [0, 1], got {losses[row]}; "
            "leave rows without an observed quality out"
        )
