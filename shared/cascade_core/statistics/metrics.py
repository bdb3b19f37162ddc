"""How well a confidence ranks drafts: AUROC and the risk–coverage curve.

Everywhere a target is what the draft turned out to be worth, in [0, 1]. One
between 0 and 1 counts in part as right and in part as wrong, which is what a
coin tossed with that probability would give on average; with targets of 0 and
1 the figures are the ordinary ones.

A row without a confidence (NaN) ranks below all others, tied with its like:
it is never accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError
from cascade_core.statistics.columns import column, observed, weighting


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """A risk–coverage curve: the mean error of what is accepted, at each share accepted.

    Attributes:
        coverage: (k,) share accepted, rising to 1.
        risk: (k,) mean of `1 − target` over what is accepted.
    """

    coverage: Array
    risk: Array


def auroc(
    confidence: npt.ArrayLike, target: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Area under the ROC curve: how often a good draft has more confidence than a bad one.

    Ties count one half (Mann and Whitney, 1947; Hanley and McNeil, 1982).

    Args:
        confidence: (n,); any scale.
        target: (n,) in [0, 1].
        weights: (n,); None means 1 each.

    Returns:
        A number in [0, 1], 0.5 for a confidence that says nothing; NaN where all drafts are good
        or all are bad.
    """
    _, good, bad = _ranked(confidence, target, weights)
    below = np.cumsum(bad) - bad
    pairs = good.sum() * bad.sum()
    return float(good @ (below + bad / 2) / pairs) if pairs > 0 else nan


def risk_coverage(
    confidence: npt.ArrayLike, target: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> RiskCoverage:
    """Draw the risk–coverage curve (El-Yaniv and Wiener, JMLR 2010), equal confidences together.

    Args:
        confidence: (n,).
        target: (n,) in [0, 1].
        weights: (n,); None means 1 each.
    """
    _, good, bad = _ranked(confidence, target, weights)
    accepted = np.cumsum((good + bad)[::-1])
    wrong = np.cumsum(bad[::-1])
    some = accepted > 0
    return RiskCoverage(accepted[some] / accepted[-1], wrong[some] / accepted[some])


def judged(
    confidence: npt.ArrayLike, target: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> tuple[Array, Array, Array]:
    """Return checked confidences, targets and weights of the rows that have a confidence and count.

    Raises:
        ConfigurationError: Unequal lengths, a confidence or target outside [0, 1], a missing
            target, or weights that cannot be.
    """
    said, true, weight = _columns(confidence, target, weights)
    has = ~np.isnan(said) & (weight > 0)
    said, true, weight = said[has], true[has], weight[has]
    if len(said) and not (said.min() >= 0 and said.max() <= 1):
        msg = "confidence: a probability lies in [0, 1]; calibrate scores of another scale first"
        raise ConfigurationError(msg)
    return said, true, weight


def _columns(
    confidence: npt.ArrayLike, target: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Array, Array, Array]:
    said = column("confidence", confidence)
    true = observed("target", target, len(said))
    return said, true, weighting(weights, len(said))


def _ranked(
    confidence: npt.ArrayLike, target: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Array, Array, Array]:
    """Return the distinct confidences, lowest first, and the good and bad weight at each."""
    said, true, weight = _columns(confidence, target, weights)
    said = np.where(np.isnan(said), -np.inf, said)
    order = np.argsort(said)
    said, true, weight = said[order], true[order], weight[order]
    if not len(said):
        return said, said, said
    starts = np.append(0, np.flatnonzero(said[1:] != said[:-1]) + 1)
    good, bad = true * weight, (1 - true) * weight
    return said[starts], np.add.reduceat(good, starts), np.add.reduceat(bad, starts)
