"""Turns a labelled table into a policy: `tune`.

The order of work: use what can be used, fit each tier's confidence, find out which requests
had better skip a tier, then pick thresholds. Where something is promised the rows are split
first: everything is fitted on one part, and the promise is tested on the other with exactly
the policy that ships.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.by_class import pays, pick_by_class, why_not
from cascade_core.calibration.fit_tiers import Fit, best, fit_tiers, with_route
from cascade_core.calibration.objective import Objective, TuningError, make_objective
from cascade_core.calibration.promise import Kept, keep, keep_by_class
from cascade_core.calibration.scores import Method
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.replaying import means
from cascade_core.evaluation.scored import (
    Scored,
    Served,
    by_row,
    check_tiers,
    score,
    serve,
    thresholds_of,
)
from cascade_core.labels import Table, check_learnable, read_table, usable
from cascade_core.labels.fingerprints import holds, marks
from cascade_core.policy.document import ClassRule, Policy
from cascade_core.policy.evidence import Figures, Promise, Tuned
from cascade_core.policy.reference import Reference
from cascade_core.statistics.bootstrap import Resamples
from cascade_core.statistics.folds import split

FEWEST = 20
"""Rows below which nothing is fitted."""
FITTED_SHARE = 0.3
"""Share of the rows that calibrators are fitted to where the rest is needed for a test."""
FITTED_ROWS = 150
"""Rows they get at least, as long as that is no more than half of all."""


def tune(  # noqa: PLR0913 - one argument for each thing that can be asked for
    table: Table | str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    quality: float | None = None,
    harm: float | None = None,
    max_cost: float | None = None,
    max_escalated: float | None = None,
    confidence: float | None = None,
    signals: Sequence[str] | None = None,
    method: Method = "auto",
    per_class: bool | None = None,
    skip: bool = True,
    policy: Policy | Mapping[str, Any] | str | Path | None = None,
    heaviest: float | None = None,
    name: str | None = None,
    seed: int = 0,
) -> Policy:
    """Make a policy of labelled rows.

    Args:
        table: A labelled table, or where to read one.
        quality: Cheapest policy with at least this share of the strongest tier's quality. With
            `confidence` it is a promise, else what the rows say.
        harm: Cheapest policy that loses at most this much quality a request by not asking the
            strongest tier, in (0, 1). Always a promise; `confidence` is 0.95 by default.
        max_cost: Best quality at a mean of at most this many USD a request.
        max_escalated: Best quality with at most this share of the requests escalated.
        confidence: How sure a promise is, in (0, 1).
        signals: Signals to use, each by the tiers that have it; None takes all in the table, paid
            ones where they are worth their price.
        method: How readings are combined; see `fit_calibrator`.
        per_class: Whether each class gets thresholds of its own. Where something is promised,
            they come with a promise for each class; else None (the default) gives them where
            they pay.
        skip: Whether to learn which requests had better go straight to a later tier.
        policy: A policy whose calibrators and route are kept as they are; then every row tests
            the thresholds, so none of them may have been used to fit that policy.
        heaviest: The most that a row can weigh, in this table or any like it; with groups, a
            whole group. A promise on weighted or grouped rows rests on it. None takes the most
            that one weighs here: too little where heavier ones are rare and bad.
        name: How records refer to the policy.
        seed: Of the random splits.

    Returns:
        The policy, with what was promised and where it came from in `promises` and `tuned`.

    Raises:
        TableError: The table is bad; the message names line and column.
        TuningError: The rows do not carry what was asked for; the message says what would.
        ConfigurationError: Arguments that do not go together.
    """
    objective = make_objective(
        quality=quality,
        harm=harm,
        max_cost=max_cost,
        max_escalated=max_escalated,
        confidence=confidence,
    )
    Policy(name=name)  # a name that could not be saved is refused before any work
    rows = read_table(table)
    mask, unused = usable(rows)
    check_learnable(rows)
    rows = rows.take(mask)
    if len(rows) < FEWEST:
        msg = f"{rows.source}: {len(rows)} usable rows; at least {FEWEST} are needed to tune"
        raise TuningError(msg)
    if per_class and rows.classes is None:
        msg = f"{rows.source} has no column class, which thresholds for each class need"
        raise TuningError(msg)
    frozen = Policy.load(policy)
    if policy is not None:
        _check_kept(frozen, rows, objective)
    if heaviest is not None and objective.confidence is None:
        msg = "heaviest= goes with a promise: harm=, or quality= with confidence="
        raise ConfigurationError(msg)
    fitted_rows, tested_rows = _parts(rows, objective, policy, seed)
    if policy is None:
        fit = fit_tiers(objective, fitted_rows, signals, method, seed)
    else:
        fit = Fit(frozen.calibrators or (), _kept(frozen, rows), score(fitted_rows, frozen))
    document = Policy(calibrators=fit.calibrators or None, route=frozen.route)
    if policy is None and skip:
        document, fit = with_route(document, fit, fitted_rows, objective, seed)
    tested = fit.scored if tested_rows is fitted_rows else score(tested_rows, document)
    try:
        kept = _thresholds(
            objective,
            fit.scored,
            tested,
            fitted_rows,
            tested_rows,
            seed=seed,
            per_class=per_class,
            heaviest=None if objective.confidence is None else _heaviest(rows, heaviest),
        )
    except TuningError as refused:
        if tested_rows is fitted_rows:
            raise
        share = f"{len(tested_rows):,} of {len(rows):,} labelled rows were for the test"
        raise TuningError(f"{refused} ({share})") from None
    document = document.model_copy(
        update={
            "name": name,
            "thresholds": kept.thresholds,
            "classes": {c: ClassRule(thresholds=t) for c, t in kept.classes.items()},
            "promises": kept.promises,
        }
    )
    thresholds = thresholds_of(document, tested_rows)
    served = serve(tested, thresholds)
    tuned = Tuned(
        table=rows.source,
        objective=str(objective),
        models=tuple(tier.model for tier in rows.tiers),
        paid=tuple(signal for signal in document.signals or () if signal in rows.paid),
        choices=fit.choices,
        rows_fitted=0 if policy is not None else len(fitted_rows),
        **_origin(frozen, fitted_rows if policy is None else None),
        rows_unused=dict(unused),
        refused=dict(kept.refused),
        figures=_figures(tested, served, tested_rows, seed),
        reference=_reference(tested, thresholds, served, kept.promises, tested_rows.groups),
        seed=seed,
    )
    return document.model_copy(update={"tuned": tuned})


def _parts(rows: Table, objective: Objective, policy: object, seed: int) -> tuple[Table, Table]:
    """Return the rows to fit on and those to test on: the same where nothing is promised."""
    # Two tiers and harm need no path of thresholds that is planned on other rows.
    planned = len(rows.tiers) > 2 or objective.kind != "harm"  # noqa: PLR2004
    if objective.confidence is None or (policy is not None and not planned):
        return rows, rows
    share = max(FITTED_SHARE, min(0.5, FITTED_ROWS / len(rows)))
    strata = np.round(rows.tiers[0].quality)
    fit, test = split(len(rows), share, groups=rows.groups, strata=strata, seed=seed)
    return rows.take(fit), rows.take(test)


def _kept(frozen: Policy, rows: Table) -> tuple[str, ...]:
    return ("kept as it was",) * (len(rows.tiers) - 1 if frozen.calibrators else 0)


def _origin(frozen: Policy, fitted: Table | None) -> dict[str, Any]:
    """Say which rows the calibrators were fitted to: these, or those that a kept policy names."""
    if fitted is not None:
        return {"fitted_table": fitted.source, "fitted_marks": marks(fitted)}
    if frozen.tuned is None:
        return {}
    return {
        "fitted_table": frozen.tuned.fitted_table,
        "fitted_marks": frozen.tuned.fitted_marks,
    }


def _check_kept(frozen: Policy, rows: Table, objective: Objective) -> None:
    """Raise `ConfigurationError` where a policy cannot be kept, or not be tested on these rows."""
    check_tiers(frozen, rows)
    if frozen.calibrators is None:
        msg = "policy= has no calibrators to keep: leave it out, and tune fits them"
        raise ConfigurationError(msg)
    tuned = frozen.tuned
    if objective.confidence is not None and tuned is not None and holds(rows, tuned.fitted_marks):
        msg = (
            f"{rows.source} holds rows of {tuned.fitted_table} that the policy was fitted to; "
            "a promise can only be tested on rows it has not seen: give others"
        )
        raise ConfigurationError(msg)


def _thresholds(  # noqa: PLR0913 - both parts, as tables and scored
    objective: Objective,
    fitted: Scored,
    tested: Scored,
    fitted_rows: Table,
    tested_rows: Table,
    *,
    seed: int,
    per_class: bool | None,
    heaviest: float | None,
) -> Kept:
    if objective.confidence is None:
        return _chosen(objective, fitted, fitted_rows, seed, per_class=per_class)
    if not per_class:
        return keep(objective, fitted, tested, tested_rows.groups, heaviest=heaviest)
    parts = {
        name: (_rows(fitted_rows, code), _rows(tested_rows, code))
        for code, name in enumerate(tested_rows.class_names)
    }
    return keep_by_class(
        objective,
        {name: fitted.take(before) for name, (before, _) in parts.items()},
        {name: tested.take(after) for name, (_, after) in parts.items()},
        {
            name: None if tested_rows.groups is None else tested_rows.groups[after]
            for name, (_, after) in parts.items()
        },
        heaviest=heaviest,
    )


def _heaviest(rows: Table, given: float | None) -> float:
    """Return the most that a row, or a group of them, weighs in the whole table or can weigh.

    Raises:
        ConfigurationError: One weighs more than it was said to.
    """
    most = 1.0 if rows.weights is None else float(rows.weights.max())
    if rows.groups is not None:
        whole = np.bincount(np.unique(rows.groups, return_inverse=True)[1], rows.weights)
        most = float(whole.max())
    if given is None:
        return most
    if isinstance(given, bool) or not isinstance(given, int | float) or not given < math.inf:
        msg = f"heaviest={given!r}: give a finite number"
        raise ConfigurationError(msg)
    if given < most:
        what = "row" if rows.groups is None else "group"
        msg = f"heaviest={given:g}: a {what} of {rows.source} weighs {most:g}; give at least that"
        raise ConfigurationError(msg)
    return given


def _chosen(
    objective: Objective, scored: Scored, rows: Table, seed: int, *, per_class: bool | None
) -> Kept:
    """Take the rows at their word."""
    thresholds = tuple(float(t) for t in best(objective, scored).thresholds[0])
    if rows.classes is None or per_class is False:
        return Kept(thresholds, ())
    columns = (objective, scored, rows.classes, rows.class_names)
    if per_class and (why := why_not(*columns[1:])) is not None:
        msg = f"{rows.source}: no thresholds for each class: {why}"
        raise TuningError(msg)
    if not per_class and not pays(*columns, rows.groups, seed):
        return Kept(thresholds, ())
    spread = pick_by_class(*columns)
    if spread is None:
        return Kept(thresholds, ())
    pooled = serve(scored, list(thresholds))
    own = serve(scored, by_row(thresholds, spread.thresholds, *columns[2:]))
    if _value(objective, pooled, scored.weights) > _value(objective, own, scored.weights):
        return Kept(thresholds, (), dict.fromkeys(spread.thresholds, thresholds))
    return Kept(thresholds, (), spread.thresholds)


def _value(objective: Objective, served: Served, weights: Array | None) -> float:
    quality, cost = (float(np.average(of, weights=weights)) for of in (served.quality, served.cost))
    return objective.value(quality, cost)


def _rows(rows: Table, code: int) -> Ints:
    assert rows.classes is not None  # noqa: S101 - asked for per class
    return np.flatnonzero(rows.classes == code)


def _figures(scored: Scored, served: Served, rows: Table, seed: int) -> Figures:
    found = means(scored, served)
    drawn = Resamples.draw(len(rows), groups=rows.groups, seed=seed)
    draws = drawn.means({"quality": served.quality}, scored.weights)["quality"]
    ends = drawn.interval(draws, share=True)
    known = not math.isnan(ends.low)
    return Figures(
        n=found.n,
        quality=found.quality,
        quality_low=ends.low if known else None,
        quality_high=ends.high if known else None,
        strong_quality=found.strong_quality,
        cost_usd=found.cost_usd,
        strong_cost_usd=found.strong_cost_usd,
        escalated=found.escalated,
        cost_share=found.cost_share,
        harm=found.harm,
        by_tier=found.by_tier,
    )


def _reference(
    scored: Scored,
    thresholds: Sequence[Array | float],
    served: Served,
    promises: Sequence[Promise],
    groups: Ints | None,
) -> Reference:
    """Count what a stream of the same requests would look like."""
    confidence, tier = np.full(len(scored), np.nan), np.zeros(len(scored), dtype=np.int64)
    for k, threshold in enumerate(thresholds):
        asked = served.asked[:, k]
        confidence[asked], tier[asked] = scored.told(k, threshold)[asked], k
    limits = [p.limit for p in promises if p.kind == "harm" and p.class_name is None]
    return Reference.of(
        confidence,
        served.tier == len(scored.confidences),
        served.harm,
        scored.weights,
        groups,
        limit=limits[0] if limits else None,
        tier=tier,
    )
