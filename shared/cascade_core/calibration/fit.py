"""Fits one tier's confidence: candidates are cross-fitted, and the plainest good one is kept.

A candidate is a score (one signal, or a learned combination) and a curve. Each is judged
on rows that neither its score nor its curve was fitted to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias, get_args

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.areas import Ahead
from cascade_core.calibration.benefit import WeighBenefit, blend, check_benefit
from cascade_core.calibration.crossfit import (
    Data,
    cross_curve,
    cross_fit,
    filled_in,
    learn,
    readable_rows,
)
from cascade_core.calibration.fit_curves import Binned, CurveShape
from cascade_core.calibration.learn import CrossFit, Prepared, learnable, prepare
from cascade_core.calibration.progress import Told, unheard
from cascade_core.calibration.scores import Candidate, Method, candidates, has_learning
from cascade_core.calibration.trials import Trial, better_by, log_loss, pick_trial, standing
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scoring import inputs_of
from cascade_core.fitted.artefact import Calibrator, Isotonic, Platt
from cascade_core.fitted.score_forms import Learned, SignalScore
from cascade_core.fitted.scorer import Scorer
from cascade_core.fitted.texts import texts_read_once
from cascade_core.labels import Table

CurveKind: TypeAlias = Literal["auto"] | CurveShape

ISOTONIC_ROWS = 200
"""Rows from which an isotonic curve is tried."""
CLASS_ROWS = 200
"""Rows a class needs for a curve of its own."""
CLASS_RARE = 20
"""Outcomes of the rarer kind it needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted confidence, and what it says of rows that it was not fitted to.

    Attributes:
        calibrator: For the policy; fitted to all rows.
        confidence: For every row of the table, by a fit that did not see it: shape (n,),
            NaN where the calibrator has no reading.
        placed: The same with the calibrator's own curves, shape (n,): what thresholds are
            picked on and streams compared with, for it is spread as confidences in fresh rows
            are. Each fold's curve would make a scale of its own.
        choice: What was chosen and why, in one line.
        losses: Log loss out of fold of all that was tried, in nats, by label.
        won: What computes the score.
    """

    calibrator: Calibrator
    confidence: Array
    placed: Array
    choice: str
    losses: Mapping[str, float]
    won: Candidate


@texts_read_once()
def fit_calibrator(  # noqa: PLR0913 - each is a choice of its own
    table: Table,
    tier: int,
    *,
    signals: Sequence[str] | None = None,
    method: Method = "auto",
    curve: CurveKind = "auto",
    target: Array | None = None,
    texts: Collection[str] = ("request", "draft"),
    like: Candidate | None = None,
    fine: bool = False,
    benefit: WeighBenefit = "auto",
    seed: int = 0,
    told: Told = unheard,
) -> Fitted:
    """Fit the confidence in one tier's drafts.

    Candidates are compared by their log loss out of fold; a plainer one is preferred
    within a quarter of a standard error of the best. On more than `POOL` rows they are compared,
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
        like: What won for another target. Only that is fitted, where so many rows carry it, and
            beside a signal by itself the plainest that is learned; None compares all.
        fine: Whether the confidence has to tell drafts apart finely, as promises need:
            then a signal that gives many drafts one reading, such as an agreement of
            yes or no, does not stand alone where a combination can be learned, and the
            curve that is chosen is one without flat parts.
        benefit: Whether the calibrator also weighs what asking the last tier would gain: `"auto"`
            where that serves better out of fold, True always, False never. It needs the quality
            of the last tier, and is not fitted for another `target`.
        seed: Settles folds and samples.
        told: Told of progress.

    Raises:
        ConfigurationError: There is no such method; or the table has nothing to read, lacks a
            signal that is named, or has fewer than two rows (or groups) with an outcome.
        ModuleNotFoundError: What was asked for needs scikit-learn, which is missing.
    """
    if method not in get_args(Method):
        methods = ", ".join(map(repr, get_args(Method)))
        raise ConfigurationError(f"method={method!r}: choose one of {methods}")
    inputs = inputs_of(table, tier)
    chosen = tuple(inputs.signals) if signals is None else tuple(signals)
    for name in chosen:
        if name not in inputs.signals:
            held = ", ".join(inputs.signals) or "none"
            msg = f"{table.source} has no signal {name!r} for tier {tier}; it has: {held}"
            raise ConfigurationError(msg)
    outcome = table.tiers[tier].quality if target is None else target
    gated = table.tiers[tier].gated
    if gated is not None:  # a draft that failed a gate never meets a calibrator
        outcome = np.where(gated, np.nan, outcome)
    data = Data.of(table, inputs, outcome, seed)
    tried = candidates(data.inputs, chosen, tuple(texts), data.target, method, fine=fine)
    if like is not None:
        tried = _alike(tried, like)
    if not tried:
        texts_too = "" if method == "signal" else f", or the columns request and t{tier}_response"
        msg = (
            f"{table.source}: nothing to read a confidence in tier {tier}'s drafts off: "
            f"add a column t{tier}_signal_NAME{texts_too}"
        )
        raise ConfigurationError(msg)
    names = tuple(dict.fromkeys(name for candidate in tried for name in candidate.names))
    words = tuple(dict.fromkeys(text for candidate in tried for text in candidate.words))
    prepared = prepare(names, data.inputs, data.pool, words)
    if fine and curve == "auto":
        curve = "platt"  # an isotonic curve gives many scores one confidence
    found = _try_all(data, tried, prepared, curve, told)
    if found is None:
        held = " and ".join(f"t{tier}_signal_{name}" for name in chosen)
        msg = f"{table.source}: no row with an outcome has a reading in {held}"
        raise ConfigurationError(msg)
    winner, losses, known = found
    score, scores = _final_score(data, winner.candidate, prepared, known)
    fitted, honest = _with_curves(data, score, scores, winner.curve)
    confidence, placed = np.empty(len(table)), np.empty(len(table))
    scorer = Scorer(fitted)
    confidence[data.rows], placed[data.rows] = honest, scorer.confidences(scores, data.inputs)
    unseen = np.flatnonzero(~np.isin(np.arange(len(table)), data.rows, assume_unique=True))
    if unseen.size:
        confidence[unseen] = placed[unseen] = scorer.rows(inputs.take(unseen))
    alone = Fitted(
        fitted, confidence, placed, _say(winner, losses, fitted, data), losses, winner.candidate
    )
    again = partial(fit_calibrator, table, tier, curve=curve, texts=texts, fine=fine, seed=seed)
    weighed = benefit if target is None else False
    return _blended(alone, table, tier, again, chosen, method, weighed)


def _blended(  # noqa: PLR0913, PLR0917 - the fit, and how it was made
    alone: Fitted,
    table: Table,
    tier: int,
    again: Callable[..., Fitted],
    signals: Sequence[str],
    method: Method,
    benefit: WeighBenefit,
) -> Fitted:
    """Weigh in what asking the last tier would gain, where that is wanted."""
    check_benefit(benefit)
    if benefit is False or tier == len(table.tiers) - 1:
        return alone
    last = table.tiers[-1]
    found = blend(
        table,
        tier,
        alone,
        Ahead(last.quality, last.cost),
        lambda target, own, _what, without=(): again(
            target=target,
            method=own or method,
            like=None if own or without else alone.won,
            signals=[name for name in signals if name not in without],
        ),
        always=benefit is True,
    )
    choice = "; ".join(filter(None, (alone.choice, found.choice)))
    return replace(alone, calibrator=found.calibrator, choice=choice)


def _alike(tried: list[Candidate], won: Candidate) -> list[Candidate]:
    """Return what won before, with what it is made of; all where it is not among what is tried."""
    own = {won, *won.parts}
    if won.kind == "signal":
        own.update([c for c in tried if c.kind != "signal"][:1])
    return [c for c in tried if c in own] if won in tried else tried


def _try_all(
    data: Data, tried: Sequence[Candidate], prepared: Prepared, curve: CurveKind, told: Told
) -> tuple[Trial, dict[str, float], dict[str, CrossFit]] | None:
    """Return the winner, the mean loss of all, and what was found out of fold, by label.

    None where no row has a reading.
    """
    target, weights, groups = data.part(data.pool)
    fold = data.fold[data.pool]
    kinds: tuple[CurveShape, ...] = ("platt", "isotonic") if curve == "auto" else (curve,)
    if curve == "auto" and len(target) < ISOTONIC_ROWS:
        kinds = ("platt",)
    trials: list[Trial] = []
    known: dict[str, CrossFit] = {}
    for place, candidate in enumerate(tried):
        told(place / len(tried))
        found = cross_fit(data, candidate, prepared, known)
        if np.isnan(found.scores).all():
            continue
        known[candidate.label] = found
        for kind in kinds:
            confidence = cross_curve(found.scores, target, weights, fold, kind)
            filled = filled_in(confidence, target, weights, fold)
            trials.append(Trial(candidate, kind, log_loss(filled, target)))
    if not trials:
        return None
    winner = pick_trial(standing(trials, weights, groups), weights, groups)
    losses = {t.label: float(np.average(t.losses, weights=weights)) for t in trials}
    return winner, losses, known


def _final_score(
    data: Data, candidate: Candidate, prepared: Prepared, known: Mapping[str, CrossFit]
) -> tuple[SignalScore | Learned, Array]:
    """Return the score fitted to the whole pool, and every row's score by one that saw it not."""
    if candidate.kind == "signal":
        name = candidate.names[0].partition(":")[2]
        return SignalScore(signal=name), data.inputs.signals[name]
    own = prepared.pick(candidate.names, candidate.words)
    fit = np.flatnonzero(readable_rows(own))
    score = learn(data, candidate, own.take(fit), data.pool[fit], known)
    scores = np.empty(len(data.rows))
    scores[data.pool] = known[candidate.label].scores
    others = np.setdiff1d(np.arange(len(data.rows)), data.pool, assume_unique=True)
    if others.size:
        scores[others] = Scorer(Calibrator(score=score)).scores(data.inputs.take(others))
    return score, scores


def _with_curves(
    data: Data, score: SignalScore | Learned, scores: Array, kind: CurveShape
) -> tuple[Calibrator, Array]:
    """Return the calibrator, with curves for classes that gain by one, and all confidences."""
    confidence = cross_curve(scores, data.target, data.weights, data.fold, kind)
    curve = Binned(scores, data.target, data.weights).fit(kind)
    class_curves: dict[str, Platt | Isotonic] = {}
    classes = data.inputs.classes
    for code, name in enumerate(() if classes is None else data.inputs.class_names):
        rows = np.flatnonzero((classes == code) & ~np.isnan(scores))
        target, weights, groups = data.part(rows)
        rare = min((target > 0).sum(), (target < 1).sum())
        if len(rows) < CLASS_ROWS or rare < CLASS_RARE:
            continue
        own = cross_curve(scores[rows], target, weights, data.fold[rows], kind)
        before, after = log_loss(confidence[rows], target), log_loss(own, target)
        gain, error = better_by(after, before, weights, groups)
        if gain > error:
            class_curves[name] = Binned(scores[rows], target, weights).fit(kind)
            confidence[rows] = own
    return Calibrator(score=score, curve=curve, class_curves=class_curves), confidence


def _say(winner: Trial, losses: Mapping[str, float], fitted: Calibrator, data: Data) -> str:
    """Say in one line what was chosen and why."""
    own = losses[winner.label]
    said = f"{winner.label} (log loss {own:.3f} out of fold on {len(data.pool):,} rows"
    least = min(losses, key=lambda label: losses[label])
    if least != winner.label:
        said += f"; {least} has {losses[least]:.3f}, hardly less"
    elif len(losses) > 1:
        said += f", the least of {len(losses)} tried"
    said += ")"
    if fitted.class_curves:
        said += f"; own curves for {', '.join(fitted.class_curves)}"
    if not learnable(data.target):
        said += "; every outcome is the same, so nothing can be told apart"
    elif not has_learning():
        said += (
            "; combinations were not tried, for scikit-learn is not installed (extra: calibrate)"
        )
    return said
