"""Compares what was tried by its log loss out of fold, and keeps the plainest near the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.fit_curves import CurveShape
from cascade_core.calibration.scores import Candidate
from cascade_core.statistics.standard_error import mean_with_error


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The losses of one candidate with one shape of curve.

    Attributes:
        candidate: Its score.
        curve: Its curve.
        losses: Log loss of every row, out of fold, shape (n,).
    """

    candidate: Candidate
    curve: CurveShape
    losses: Array

    @property
    def label(self) -> str:
        """What it is called, curve and all."""
        return f"{self.candidate.label}, {self.curve}"


def pick_trial(trials: Sequence[Trial], weights: Array | None, groups: Ints | None) -> Trial:
    """Return the plainest trial that is within one standard error of the best.

    The one-standard-error rule of Breiman et al. (Classification and Regression Trees,
    1984), with the error that of the paired difference.
    """
    means = [float(np.average(trial.losses, weights=weights)) for trial in trials]
    best = trials[int(np.argmin(means))]
    close = []
    for mean, trial in zip(means, trials, strict=True):
        gain, error = better_by(best.losses, trial.losses, weights, groups)
        if gain <= error:
            close.append((trial.candidate.rank, mean, trial))
    return min(close, key=lambda found: found[:2])[2]


def better_by(
    losses: Array, others: Array, weights: Array | None, groups: Ints | None
) -> tuple[float, float]:
    """Return by how much less the first losses are on average, and its standard error.

    Rows of one group count as one observation in the error.
    """
    return mean_with_error(others - losses, weights, groups)


def log_loss(confidence: Array, target: Array) -> Array:
    """Return the log loss of every row, in nats; outcomes may be fractions."""
    return -(target * np.log(confidence) + (1 - target) * np.log1p(-confidence))
