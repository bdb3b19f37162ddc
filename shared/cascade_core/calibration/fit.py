"""Fits one tier's confidence: candidates are cross-fitted, and the plainest good one is kept.

A candidate is a score (one signal, or a learned combination) and a curve. Each is judged
on rows that neither its score nor its curve was fitted to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.apply import Inputs, Scorer
from cascade_core.calibration.artefact import (
    Boosting,
    Calibrator,
    Isotonic,
    Logistic,
    Platt,
    Signal,
)
from cascade_core.calibration.choose import (
    ISOTONIC_ROWS,
    Candidate,
    CurveKind,
    Fixed,
    Method,
    Trial,
    better_by,
    candidates,
    choose,
    has_learning,
    log_loss,
)
from cascade_core.calibration.curves import Binned, make_curve
from cascade_core.calibration.folds import folds, split
from cascade_core.calibration.learn import (
    Prepared,
    fit_boosting,
    fit_logistic,
    learnable,
    learned_scores,
    prepare,
)
from cascade_core.errors import ConfigurationError
from cascade_core.table import Table

POOL = 20_000
"""Rows that candidates are chosen and scores are learned on at most; curves use all."""
FOLDS = 5
FEW = 200
"""Rows below which there are twice as many folds, for each fit to have enough."""
CLASS_ROWS = 200
"""Rows a class needs for a curve of its own."""
CLASS_RARE = 20
"""Outcomes of the rarer kind it needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a fit gives.

    Attributes:
        calibrator: For the policy; fitted to all rows.
        confidence: For every row of the table, by a fit that did not see it: shape (n,),
            NaN where the calibrator has no reading.
        choice: What was chosen and why, in one line.
        losses: Log loss out of fold of all that was tried, in nats, by label.
    """

    calibrator: Calibrator
    confidence: Array
    choice: str
    losses: Mapping[str, float]


def fit_calibrator(  # noqa: PLR0913 - each is a choice of its own
    table: Table,
    tier: int,
    *,
    signals: Sequence[str] | None = None,
    method: Method = "auto",
    curve: CurveKind = "auto",
    target: Array | None = None,
    texts: Collection[str] = ("request", "draft"),
    seed: int = 0,
) -> Fitted:
    """Fit the confidence in one tier's drafts.

    Candidates are compared by their log loss out of fold; a plainer one is preferred
    within one standard error of the best. On more than `POOL` rows they are compared,
    and scores are learned, on a sample of that size; curves are fitted to all rows.

    Args:
        table: Labelled rows; those without an outcome are only scored.
        tier: Whose drafts.
        signals: Signals to use; None takes all that the table has for the tier.
        method: `"signal"` takes the best single signal; `"logistic"` and `"boosting"`
            learn a combination; `"auto"` tries what so many rows can carry.
        curve: Shape of the curve; `"auto"` chooses.
        target: What is to be predicted, in [0, 1], shape (n,), NaN where not known;
            None takes the quality of the tier's drafts.
        texts: Texts whose features may be used, where the table has them: `request`,
            `draft`. Before a draft is there, only the request can be read.
        seed: Settles folds and samples.

    Raises:
        ConfigurationError: The table has nothing to read, lacks a signal that is named,
            or has fewer than two rows (or groups) with an outcome.
        ModuleNotFoundError: What was asked for needs scikit-learn, which is missing.
    """
    inputs = Inputs.of(table, tier)
    names = tuple(inputs.signals) if signals is None else tuple(signals)
    for name in names:
        if name not in inputs.signals:
            held = ", ".join(inputs.signals) or "none"
            msg = f"{table.source} has no signal {name!r} for tier {tier}; it has: {held}"
            raise ConfigurationError(msg)
    outcome = table.tiers[tier].quality if target is None else target
    data = _Data.of(table, inputs, outcome, seed)
    tried = candidates(data.inputs, names, tuple(texts), data.target, method)
    winner, losses, scores = _try_all(data, tried, curve)
    score, scores = _final_score(data, winner.candidate, scores)
    fitted, known = _with_curves(data, score, scores, winner.curve)
    confidence = np.empty(len(table))
    confidence[data.rows] = known
    unseen = np.flatnonzero(~np.isin(np.arange(len(table)), data.rows, assume_unique=True))
    if unseen.size:
        confidence[unseen] = Scorer(fitted).rows(inputs.take(unseen))
    return Fitted(fitted, confidence, _say(winner, losses, fitted, data), losses)


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """The rows that have an outcome; all arrays are of those rows, but `rows` itself."""

    rows: Ints  # which rows of the table they are
    inputs: Inputs
    target: Array
    weights: Array | None
    groups: Ints | None
    fold: Ints
    pool: Ints  # positions of those that scores are learned on
    seed: int

    @classmethod
    def of(cls, table: Table, inputs: Inputs, target: Array, seed: int) -> _Data:
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


def _try_all(
    data: _Data, tried: Sequence[Candidate], curve: CurveKind
) -> tuple[Trial, dict[str, float], Array]:
    """Return the winner, the mean loss of all, and the winner's scores of the pool."""
    names = tuple(dict.fromkeys(name for candidate in tried for name in candidate.names))
    prepared = prepare(names, data.inputs, data.pool, words=any(c.words for c in tried))
    target, weights, groups = data.part(data.pool)
    fold = data.fold[data.pool]
    kinds: tuple[Fixed, ...] = ("platt", "isotonic") if curve == "auto" else (curve,)
    if curve == "auto" and len(target) < ISOTONIC_ROWS:
        kinds = ("platt",)
    trials, scores = [], {}
    for candidate in tried:
        found = _cross_scores(data, candidate, prepared)
        scores[candidate.label] = found
        for kind in kinds:
            confidence = _cross_curve(found, target, weights, fold, kind)
            filled = _filled(confidence, target, weights, fold)
            trials.append(Trial(candidate, kind, log_loss(filled, target)))
    winner = choose(trials, weights, groups)
    losses = {t.label: float(np.average(t.losses, weights=weights)) for t in trials}
    return winner, losses, scores[winner.candidate.label]


def _cross_scores(data: _Data, candidate: Candidate, prepared: Prepared) -> Array:
    """Return the score of every row of the pool, by a fit that did not see it."""
    own = prepared.pick(candidate.names, words=candidate.words)
    if candidate.kind == "signal":
        values: Array = own.values[0]
        return values
    fold = data.fold[data.pool]
    scores = np.full(len(fold), np.nan)
    readable = _readable(own)
    for of in range(int(fold.max()) + 1):
        fit = np.flatnonzero((fold != of) & readable)
        test = np.flatnonzero((fold == of) & readable)
        if fit.size and test.size:
            score = _learn(data, candidate, own.take(fit), data.pool[fit])
            scores[test] = learned_scores(score, own.take(test))
    return scores


def _learn(
    data: _Data, candidate: Candidate, prepared: Prepared, positions: Ints
) -> Logistic | Boosting:
    target, weights, groups = data.part(positions)
    if not learnable(target):
        return _level(prepared.names, float(target[0]))
    if candidate.kind == "boosting":
        return fit_boosting(prepared, target, weights, data.seed)
    return fit_logistic(prepared, target, weights, groups, data.seed)


def _level(names: tuple[str, ...], outcome: float) -> Logistic:
    """Return a score that is the same for all, for want of outcomes that differ."""
    zeros = (0.0,) * len(names)
    return Logistic(
        inputs=names,
        low=zeros,
        high=zeros,
        fill=zeros,
        weights=zeros,
        missing=zeros,
        intercept=4.0 * (2.0 * outcome - 1.0),
    )


def _readable(prepared: Prepared) -> npt.NDArray[np.bool_]:
    """Tell which rows have a reading, or need none."""
    signals = [j for j, name in enumerate(prepared.names) if name.startswith("signal:")]
    if not signals:
        return np.ones(prepared.values.shape[1], dtype=np.bool_)
    return np.asarray((~np.isnan(prepared.values[signals])).any(axis=0))


def _cross_curve(
    scores: Array, target: Array, weights: Array | None, fold: Ints, kind: Fixed
) -> Array:
    """Return the confidence in every row, by a curve that was not fitted to it."""
    confidence = np.full(len(scores), np.nan)
    if np.isnan(scores).all():
        return confidence
    binned = Binned(scores, target, weights, fold)
    for of in range(int(fold.max()) + 1):
        rows = fold == of
        confidence[rows] = make_curve(binned.fit(kind, without=of))(scores[rows])
    return confidence


def _filled(confidence: Array, target: Array, weights: Array | None, fold: Ints) -> Array:
    """Put the mean outcome of other folds' rows without a reading where there is none."""
    unread = np.isnan(confidence)
    if not unread.any():
        return confidence
    filled = confidence.copy()
    weight = np.ones(len(target)) if weights is None else weights / weights.mean()
    for of in range(int(fold.max()) + 1):
        others = unread & (fold != of)
        mass = weight[others].sum()
        filled[unread & (fold == of)] = (weight[others] @ target[others] + 1) / (mass + 2)
    return filled


def _final_score(
    data: _Data, candidate: Candidate, pool_scores: Array
) -> tuple[Signal | Logistic | Boosting, Array]:
    """Return the score fitted to the whole pool, and every row's score by one that saw it not."""
    if candidate.kind == "signal":
        name = candidate.names[0].partition(":")[2]
        return Signal(signal=name), data.inputs.signals[name]
    prepared = prepare(candidate.names, data.inputs, data.pool, words=candidate.words)
    fit = np.flatnonzero(_readable(prepared))
    score = _learn(data, candidate, prepared.take(fit), data.pool[fit])
    scores = np.empty(len(data.rows))
    scores[data.pool] = pool_scores
    others = np.setdiff1d(np.arange(len(data.rows)), data.pool, assume_unique=True)
    if others.size:
        scores[others] = Scorer(Calibrator(score=score)).scores(data.inputs.take(others))
    return score, scores


def _with_curves(
    data: _Data, score: Signal | Logistic | Boosting, scores: Array, kind: Fixed
) -> tuple[Calibrator, Array]:
    """Return the calibrator, with curves for classes that gain by one, and all confidences."""
    confidence = _cross_curve(scores, data.target, data.weights, data.fold, kind)
    if np.isnan(scores).all():
        raise ConfigurationError("no row has both a reading and an outcome to fit to")
    curve = Binned(scores, data.target, data.weights).fit(kind)
    class_curves: dict[str, Platt | Isotonic] = {}
    for code, name in enumerate(data.inputs.class_names if data.inputs.classes is not None else ()):
        rows = np.flatnonzero((data.inputs.classes == code) & ~np.isnan(scores))
        target, weights, groups = data.part(rows)
        rare = min((target > 0).sum(), (target < 1).sum())
        if len(rows) < CLASS_ROWS or rare < CLASS_RARE:
            continue
        own = _cross_curve(scores[rows], target, weights, data.fold[rows], kind)
        before, after = log_loss(confidence[rows], target), log_loss(own, target)
        gain, error = better_by(after, before, weights, groups)
        if gain > error:
            class_curves[name] = Binned(scores[rows], target, weights).fit(kind)
            confidence[rows] = own
    return Calibrator(score=score, curve=curve, class_curves=class_curves), confidence


def _say(winner: Trial, losses: Mapping[str, float], fitted: Calibrator, data: _Data) -> str:
    """Say in one line what was chosen and why."""
    own = losses[winner.label]
    said = f"{winner.label} (log loss {own:.3f} out of fold on {len(data.pool):,} rows"
    least = min(losses, key=lambda label: losses[label])
    if least != winner.label:
        said += f"; {least} has {losses[least]:.3f}, within one standard error"
    elif len(losses) > 1:
        said += f", the least of {len(losses)} tried"
    said += ")"
    if fitted.class_curves:
        said += f"; own curves for {', '.join(fitted.class_curves)}"
    if not learnable(data.target):
        said += "; every outcome is the same, so nothing can be told apart"
    elif not has_learning():
        said += "; combinations were not tried, for scikit-learn is not installed"
    return said
