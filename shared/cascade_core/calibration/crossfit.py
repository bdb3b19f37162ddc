"""Cross-fitting: the score and the confidence of every row, by models that were not fitted to it.

A fold's scores come from a model of the other folds. A fold's curve is fitted to the scores that
the rows of the other folds got in the same way, so it is fitted to the kind of scores that it
meets in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.fit_curves import Binned, CurveShape
from cascade_core.calibration.learn import (
    CrossFit,
    Prepared,
    learnable,
    learned_scores,
    level,
    relative,
)
from cascade_core.calibration.logistic import cross_logistic, fit_logistic
from cascade_core.calibration.scores import Candidate
from cascade_core.calibration.trees import RANDOM_TREES, fit_boosting, fit_forest
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.curves import logit, make_curve, sigmoid
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.score_forms import Boosting, Learned, Logistic, Mean
from cascade_core.labels import Table
from cascade_core.statistics.folds import folds, split

POOL = 20_000
"""Rows that candidates are chosen and scores are learned on at most; curves use all."""
FOLDS = 5
FEW = 200
"""Rows below which there are twice as many folds, for each fit to have enough."""
UNTAUGHT = 0.5
"""Confidence in the rows of a fold where no other fold has a row to fit a curve to."""


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """The rows of a table that have an outcome.

    Attributes:
        rows: Their numbers in the table, shape (n,).
        inputs: What there is to read of them.
        target: Outcomes in [0, 1], shape (n,).
        weights: Shape (n,), or None for all alike.
        groups: Codes of what belongs together, shape (n,), or None.
        fold: Shape (n,).
        pool: Positions among them of those that scores are learned on.
        seed: Of all that is random.
    """

    rows: Ints
    inputs: Inputs
    target: Array
    weights: Array | None
    groups: Ints | None
    fold: Ints
    pool: Ints
    seed: int

    @classmethod
    def of(cls, table: Table, inputs: Inputs, target: Array, seed: int) -> Data:
        """Return the rows of a table that have an outcome, dealt into folds.

        Raises:
            ConfigurationError: There are fewer than two, or all belong together.
        """
        there = ~np.isnan(target)
        if table.weights is not None:
            there &= table.weights > 0
        rows = np.flatnonzero(there)
        if len(rows) < len(target):
            inputs, target = inputs.take(rows), target[rows]
        groups = None if table.groups is None else table.groups[rows]
        n = len(rows)
        if n < 2 or (groups is not None and len(np.unique(groups)) < 2):  # noqa: PLR2004
            msg = (
                f"{table.source}: {n} rows with an outcome; "
                "a fit needs at least two that belong to different groups"
            )
            raise ConfigurationError(msg)
        count = FOLDS if n >= FEW else 2 * FOLDS
        # In a large sample, every fold has its share of the outcomes anyway.
        fold = folds(n, count, groups, seed, strata=target if n <= POOL else None)
        pool = np.arange(n)
        if n > POOL:
            pool, _ = split(n, POOL / n, groups, None, seed)
        weights = None if table.weights is None else table.weights[rows]
        return cls(rows, inputs, target, weights, groups, fold, pool, seed)

    def part(self, positions: Ints) -> tuple[Array, Array | None, Ints | None]:
        """Return outcomes, weights and groups of some of the rows."""
        return (
            self.target[positions],
            None if self.weights is None else self.weights[positions],
            None if self.groups is None else self.groups[positions],
        )


def cross_fit(
    data: Data, candidate: Candidate, prepared: Prepared, known: Mapping[str, CrossFit]
) -> CrossFit:
    """Score every row of the pool by a fit that did not see it.

    Args:
        data: The rows.
        candidate: What is fitted.
        prepared: What it may read of the pool.
        known: The fits of those before it, by label: a mean is of these.
    """
    if candidate.kind == "mean":
        parts = [logit(known[part.label].scores) for part in candidate.parts]
        return CrossFit(sigmoid(np.mean(parts, axis=0)))
    own = prepared.pick(candidate.names, candidate.words)
    if candidate.kind == "signal":
        return CrossFit(own.values[0])
    fold = data.fold[data.pool]
    scores = np.full(len(fold), np.nan)
    readable = np.flatnonzero(readable_rows(own))
    if len(np.unique(fold[readable])) < 2:  # noqa: PLR2004 - nothing to fit to but themselves
        return CrossFit(scores)
    if candidate.kind == "logistic":
        target, weights, _ = data.part(data.pool[readable])
        found = cross_logistic(own.take(readable), target, weights, fold[readable])
        scores[readable] = found.scores
        return found._replace(scores=scores)
    for of in np.unique(fold[readable]):
        fit, test = readable[fold[readable] != of], readable[fold[readable] == of]
        score = _learn_trees(data, candidate, own.take(fit), data.pool[fit], tried=True)
        scores[test] = learned_scores(score, own.take(test))
    return CrossFit(scores)


def learn(
    data: Data,
    candidate: Candidate,
    prepared: Prepared,
    positions: Ints,
    known: Mapping[str, CrossFit],
) -> Learned:
    """Fit a candidate's score to prepared rows.

    Args:
        data: The rows.
        candidate: What is fitted.
        prepared: What it may read of the rows it is fitted to.
        positions: Which these are.
        known: What was found out of fold, by label.
    """
    if candidate.kind == "mean":
        fits = [
            learn(data, part, prepared.pick(part.names, part.words), positions, known)
            for part in candidate.parts
        ]
        return mean_of([fit for fit in fits if not isinstance(fit, Mean)])
    target, weights, _ = data.part(positions)
    if candidate.kind == "logistic" and learnable(target):
        return fit_logistic(prepared, target, weights, penalty=known[candidate.label].penalty)
    return _learn_trees(data, candidate, prepared, positions)


def _learn_trees(
    data: Data, candidate: Candidate, prepared: Prepared, positions: Ints, *, tried: bool = False
) -> Logistic | Boosting:
    """Fit trees, or a level where outcomes are all alike.

    Where they are only `tried`, on all folds but one, half of the random ones do.
    """
    target, weights, _ = data.part(positions)
    if not learnable(target):
        return _level(prepared.names, target)
    if candidate.kind == "boosting":
        return fit_boosting(prepared, target, weights, data.seed)
    trees = RANDOM_TREES // 2 if tried else RANDOM_TREES
    return fit_forest(prepared, target, weights, data.seed, trees=trees)


def mean_of(parts: Sequence[Logistic | Boosting]) -> Mean:
    """Return the mean of learned scores' logits, as a score."""
    return Mean(parts=tuple(parts), weights=(1 / len(parts),) * len(parts))


def _level(names: tuple[str, ...], target: Array) -> Logistic:
    """Return a score that is the same for all, for want of outcomes that differ."""
    zeros = (0.0,) * len(names)
    return Logistic(
        inputs=names,
        low=zeros,
        high=zeros,
        fill=zeros,
        weights=zeros,
        missing=zeros,
        intercept=level(target),
    )


def readable_rows(prepared: Prepared) -> npt.NDArray[np.bool_]:
    """Tell which rows have a reading, or need none."""
    signals = [j for j, name in enumerate(prepared.names) if name.startswith("signal:")]
    if not signals:
        return np.ones(prepared.values.shape[1], dtype=np.bool_)
    return np.asarray((~np.isnan(prepared.values[signals])).any(axis=0))


def cross_curve(
    scores: Array, target: Array, weights: Array | None, fold: Ints, kind: CurveShape
) -> Array:
    """Return the confidence in every row, by a curve that was not fitted to it."""
    confidence = np.full(len(scores), np.nan)
    if np.isnan(scores).all():
        return confidence
    binned = Binned(scores, target, weights, fold)
    for of in range(int(fold.max()) + 1):
        rows = fold == of
        if not binned.holds(without=of):
            confidence[rows] = np.where(np.isnan(scores[rows]), np.nan, UNTAUGHT)
            continue
        confidence[rows] = make_curve(binned.fit(kind, without=of))(scores[rows])
    return confidence


def filled_in(confidence: Array, target: Array, weights: Array | None, fold: Ints) -> Array:
    """Put the mean outcome of other folds' rows without a reading where there is none."""
    unread = np.isnan(confidence)
    if not unread.any():
        return confidence
    filled = confidence.copy()
    weight = relative(weights, len(target))
    for of in range(int(fold.max()) + 1):
        others = unread & (fold != of)
        mass = weight[others].sum()
        filled[unread & (fold == of)] = (weight[others] @ target[others] + 1) / (mass + 2)
    return filled
