"""Compares what was tried by its log loss out of fold, and keeps the plainest near the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.fit_curves import CurveShape
from cascade_core.calibration.scores import Candidate
from cascade_core.statistics.standard_error import mean_with_error

CAUTION = 0.25
"""Standard errors by which a less plain candidate has to be better."""


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
    """Return the plainest trial that is within `CAUTION` standard errors of the best.

    As in the rule of Breiman et al. (Classification and Regression Trees, 1984), with the error
    that of the paired difference. Their whole error is for a long list of trials, of which the
    best looks better than it is; few are compared here, for parts of a mean stand back for it.
    """
    means = [float(np.average(trial.losses, weights=weights)) for trial in trials]
    best = trials[int(np.argmin(means))]
    close = []
    for mean, trial in zip(means, trials, strict=True):
        gain, error = better_by(best.losses, trial.losses, weights, groups)
        if gain <= CAUTION * error:
            close.append((trial.candidate.rank, mean, trial))
    return min(close, key=lambda found: found[:2])[2]


def standing(trials: Sequence[Trial], weights: Array | None, groups: Ints | None) -> list[Trial]:
    """Leave out the trials of what is part of a mean, unless one is clearly better than the mean.

    Which of the parts is the best on so few rows is mostly chance; their mean is nearly as good
    as the best of them, or better. A part that is plainer stays: a regression on signals alone.
    """
    least: dict[Candidate, Trial] = {}
    for trial in trials:
        known = least.get(trial.candidate)
        if known is None or np.average(trial.losses, weights=weights) < np.average(
            known.losses, weights=weights
        ):
            least[trial.candidate] = trial
    means = {part: mean for mean in least for part in mean.parts if part.rank > 1}

    def stands(trial: Trial) -> bool:
        mean = means.get(trial.candidate)
        if mean is None:
            return True
        gain, error = better_by(trial.losses, least[mean].losses, weights, groups)
        return gain > error

    return [trial for trial in trials if stands(trial)]


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
