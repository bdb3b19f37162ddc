"""Learns from requests alone which drafts will hardly be accepted, so that they are not paid for.

The same logistic machinery as for confidences, with nothing to read but the request. Whether
leaving tiers out pays is then decided by `policy.route`; here that is checked on rows that the
models had not seen, and a route that saves nothing is not kept.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.calibration.artefact import Calibrator, Logistic
from cascade_core.calibration.curves import fit_platt, make_curve
from cascade_core.calibration.features import REQUEST
from cascade_core.calibration.folds import folds
from cascade_core.calibration.inputs import Inputs
from cascade_core.calibration.learn import Prepared, fit_logistic, learned_scores, prepare
from cascade_core.calibration.pipeline import Scored, Served, serve
from cascade_core.policy.route import Route, Stage, skips, values
from cascade_core.table import Table

FOLDS = 5
EACH_WAY = 30
"""Accepted and rejected drafts that a tier needs before anything is learned about it."""
WORDS_FROM = 500
"""Rows from which on the words of requests are read, not only their counts."""
MOST_ROWS = 50_000
"""Rows that are learned from at most."""
SURE = 2.0
"""Standard errors by which a saving must stand above zero."""


def fit_request_model(
    rows: Table, target: Array, *, which: Ints | None = None, seed: int = 0
) -> tuple[Calibrator, Array]:
    """Fit the probability of something from the request alone.

    Args:
        rows: A table with requests.
        target: Outcomes in [0, 1], shape (n,).
        which: Rows to learn from; None takes all.
        seed: Of the folds.

    Returns:
        The model, and what models that had not seen a row say of it, shape (n,).

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    rng = np.random.default_rng(seed)
    chosen = np.arange(len(rows)) if which is None else which
    if len(chosen) > MOST_ROWS:
        chosen = np.sort(rng.permutation(chosen)[:MOST_ROWS])
    names = tuple(f"request:{name}" for name in REQUEST)
    names += tuple(f"class:{name}" for name in rows.class_names)
    inputs = Inputs(len(rows), {}, rows.requests, None, rows.classes, rows.class_names)
    words = len(chosen) >= WORDS_FROM
    read = prepare(names, inputs, chosen, words=words)
    weights = None if rows.weights is None else rows.weights[chosen]
    groups = None if rows.groups is None else rows.groups[chosen]
    goal = target[chosen]
    fold = folds(len(chosen), FOLDS, groups, seed, strata=goal)
    score = np.empty(len(chosen))
    for k in range(int(fold.max()) + 1):
        fit, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        score[test] = learned_scores(_fit(read, goal, weights, groups, fit, seed), read.take(test))
    curve = fit_platt(score, goal, weights)
    whole = _fit(read, goal, weights, groups, np.arange(len(chosen)), seed)
    said = np.empty(len(rows))
    said[chosen] = make_curve(curve)(score)
    rest = np.setdiff1d(np.arange(len(rows)), chosen)
    if len(rest):  # not learned from, so the model that ships may speak
        others = prepare(names, inputs, rest, words=words)
        said[rest] = make_curve(curve)(learned_scores(whole, others))
    return Calibrator(score=whole, curve=curve), said


def fit_route(
    rows: Table, scored: Scored, served: Served, *, seed: int = 0
) -> tuple[Route, Flags] | None:
    """Find out which requests had better skip which tiers.

    Args:
        rows: The rows to learn from, with requests.
        scored: The same rows' confidences, costs and qualities.
        served: What thresholds did with them while every tier was asked.
        seed: Of the folds.

    Returns:
        The route, and which tiers each row would have skipped by models that had not seen it,
        shape (n, tiers). None where there are no requests or costs to go by, too few rows, no
        scikit-learn, or no saving that stands out from chance.
    """
    costs = np.stack(scored.costs, axis=1)
    if rows.requests is None or np.isnan(costs).any() or find_spec("sklearn") is None:
        return None
    stages: list[Stage] = []
    accepts: list[Array] = []
    for k in range(len(scored.confidences)):
        asked = np.flatnonzero(served.asked[:, k])
        taken = (served.tier == k).astype(np.float64)
        good = int(taken[asked].sum())
        if min(good, len(asked) - good) < EACH_WAY:
            return None
        model, said = fit_request_model(rows, taken, which=asked, seed=seed)
        accepts.append(said)
        stages.append(
            Stage(
                cost_usd=_mean(scored.costs[k], scored.weights),
                quality=_mean(scored.qualities[k][taken > 0], None),
                accepted=good / len(asked),
                accepts=model,
            )
        )
    last = _mean(scored.costs[-1], scored.weights), _mean(scored.qualities[-1], scored.weights)
    route = Route(stages=(*stages, Stage(cost_usd=last[0], quality=last[1])))
    skipped = skips(values(route, accepts))
    return (route, skipped) if _pays(scored, served, skipped) else None


def skipping(scored: Scored, skipped: Flags) -> Scored:
    """Return rows as they are where some tiers are not asked."""
    tiers = range(len(scored.confidences))
    return replace(
        scored,
        confidences=tuple(np.where(skipped[:, k], np.nan, scored.confidences[k]) for k in tiers),
        costs=(*(np.where(skipped[:, k], 0.0, scored.costs[k]) for k in tiers), scored.costs[-1]),
        skipped=skipped,
    )


def _pays(scored: Scored, served: Served, skipped: Flags) -> bool:
    """Tell whether skipping saved money on rows its models had not seen, beyond chance."""
    if not skipped.any():
        return False
    # The thresholds that were used accept exactly what was accepted.
    certain = tuple(np.where(served.tier == k, 1.0, 0.0) for k in range(len(scored.confidences)))
    again = serve(skipping(replace(scored, confidences=certain), skipped), [0.5] * len(certain))
    saved = served.cost - again.cost
    weights = np.ones(len(saved)) if scored.weights is None else scored.weights
    mean = float(np.average(saved, weights=weights))
    error = float(np.sqrt(np.sum(weights**2 * (saved - mean) ** 2)) / weights.sum())
    return mean > SURE * error


def _fit(  # noqa: PLR0913, PLR0917 - the columns of the rows
    read: Prepared,
    target: Array,
    weights: Array | None,
    groups: Ints | None,
    which: Ints,
    seed: int,
) -> Logistic:
    return fit_logistic(
        read.take(which),
        target[which],
        None if weights is None else weights[which],
        None if groups is None else groups[which],
        seed,
    )


def _mean(of: Array, weights: Array | None) -> float:
    return float(np.average(of, weights=weights)) if len(of) else 0.0
