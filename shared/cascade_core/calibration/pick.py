"""Picks the thresholds that serve an objective best: tested on other rows, or as these say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.by_class import pays, pick_by_class, why_not
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.promise import Picked, certify, certify_by_class
from cascade_core.calibration.rows import rows_to_label
from cascade_core.calibration.straight import SAME_COST, keeps, only_tier, refuse
from cascade_core.calibration.thresholds import best_point
from cascade_core.costs.shown import dollars
from cascade_core.evaluation.scored import Scored, Served, by_row, serve
from cascade_core.labels import Table


def pick_thresholds(  # noqa: PLR0913 - both parts, as tables and scored
    objective: Objective,
    fitted: Scored,
    tested: Scored,
    fitted_rows: Table,
    tested_rows: Table,
    *,
    seed: int,
    per_class: bool | None,
    heaviest: float | None,
    kept: bool,
    force: bool,
) -> Picked:
    """Pick thresholds.

    Args:
        objective: What is asked for.
        fitted: Rows that everything was fitted to, scored by models that had not seen them.
        tested: Rows that test a promise; the same where nothing is promised.
        fitted_rows: The table of the first.
        tested_rows: The table of the second.
        seed: Of the random splits.
        per_class: As for `tune`.
        heaviest: The most that a row, or a group of them, can weigh.
        kept: Whether all rows test, as nothing is fitted to any.
        force: Whether going straight to the last tier is no choice.

    Raises:
        TuningError: The rows do not carry what is asked for.
    """
    if objective.confidence is None:
        return _as_seen(objective, fitted, fitted_rows, seed, per_class=per_class, force=force)
    to_label = _only_tests if kept else rows_to_label
    if not per_class:
        return certify(
            objective,
            fitted,
            tested,
            tested_rows.groups,
            heaviest=heaviest,
            to_label=to_label,
            force=force,
        )
    assert fitted_rows.classes is not None  # noqa: S101 - asked for per class
    assert tested_rows.classes is not None  # noqa: S101 - the same rows
    parts = {}
    for code, name in enumerate(tested_rows.class_names):
        before = np.flatnonzero(fitted_rows.classes == code)
        after = np.flatnonzero(tested_rows.classes == code)
        groups = None if tested_rows.groups is None else tested_rows.groups[after]
        parts[name] = (fitted.take(before), tested.take(after), groups)
    return certify_by_class(objective, parts, heaviest=heaviest, to_label=to_label, force=force)


def _only_tests(tested: int, _share: float) -> int:
    return tested


def _as_seen(  # noqa: PLR0913 - what is asked for, and the rows
    objective: Objective,
    scored: Scored,
    rows: Table,
    seed: int,
    *,
    per_class: bool | None,
    force: bool,
) -> Picked:
    """Pick what is best on these rows, without a test on others."""
    best = best_point(objective, scored, cascade=force)
    thresholds = tuple(float(t) for t in best.thresholds[0])
    if rows.classes is None or per_class is False:
        return Picked(thresholds, ())
    columns = (objective, scored, rows.classes, rows.class_names)
    if per_class and (why := why_not(*columns[1:])) is not None:
        msg = f"{rows.source}: no thresholds for each class: {why}"
        raise TuningError(msg)
    if not per_class and not pays(*columns, rows.groups, seed):
        return Picked(thresholds, ())
    by_class = pick_by_class(*columns)
    if by_class is None:
        return Picked(thresholds, ())
    pooled = serve(scored, list(thresholds))
    own = serve(scored, by_row(thresholds, by_class.thresholds, *columns[2:]))
    if _value(objective, pooled, scored.weights) > _value(objective, own, scored.weights):
        return Picked(thresholds, (), dict.fromkeys(by_class.thresholds, thresholds))
    return Picked(thresholds, (), by_class.thresholds)


def _value(objective: Objective, served: Served, weights: Array | None) -> float:
    quality, cost = (float(np.average(of, weights=weights)) for of in (served.quality, served.cost))
    return objective.value(quality, cost)


def check_straight(objective: Objective, scored: Scored, picked: Picked, rows: Table) -> None:
    """Refuse a cascade that no request has a use for.

    Args:
        objective: What was asked for.
        scored: The rows that thresholds were picked on.
        picked: The thresholds.
        rows: The rows' table.

    Raises:
        StraightError: One later tier alone serves the objective better.
    """
    thresholds: Sequence[Array | float] = picked.thresholds
    if picked.classes and rows.classes is not None:
        thresholds = by_row(picked.thresholds, picked.classes, rows.classes, rows.class_names)
    served = serve(scored, thresholds)
    cost, strong = (
        float(np.average(of, weights=scored.weights)) for of in (served.cost, scored.costs[-1])
    )
    last = len(rows.tiers) - 1
    alone = only_tier(served, scored.weights)
    if alone is None:
        seeks_cheapest = objective.kind in {"quality", "harm"} and keeps(objective)
        if seeks_cheapest and strong < cost * (1 - SAME_COST):
            other = f"the best cascade costs {dollars(cost)}"
            raise refuse(objective, rows, last, strong, other)
    elif alone < last:
        raise refuse(objective, rows, alone, cost, "no other tier would be asked for anything")
    elif picked.classes:
        raise refuse(objective, rows, last, strong, "no class has a cascade that costs less")
    else:
        raise refuse(objective, rows, last, strong, _best_cascade(objective, scored))


def _best_cascade(objective: Objective, scored: Scored) -> str:
    """Say what the best cascade does, in half a sentence."""
    try:
        best = best_point(objective, scored, cascade=True)
    except TuningError:
        return "no cascade does what is asked for"
    quality, cost = float(best.quality[0]), float(best.cost[0])
    price = "" if np.isnan(cost) else f" at {dollars(cost)}"
    return f"the best cascade has quality {quality:.4f}{price}"
