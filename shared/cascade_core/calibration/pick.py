"""Picks the thresholds that serve an objective best: tested on other rows, or as these say."""

from __future__ import annotations

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.by_class import pays, pick_by_class, why_not
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.promise import Picked, certify, certify_by_class
from cascade_core.calibration.thresholds import best_point
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

    Raises:
        TuningError: The rows do not carry what is asked for.
    """
    if objective.confidence is None:
        return _as_seen(objective, fitted, fitted_rows, seed, per_class=per_class)
    if not per_class:
        return certify(objective, fitted, tested, tested_rows.groups, heaviest=heaviest)
    assert fitted_rows.classes is not None  # noqa: S101 - asked for per class
    assert tested_rows.classes is not None  # noqa: S101 - the same rows
    parts = {}
    for code, name in enumerate(tested_rows.class_names):
        before = np.flatnonzero(fitted_rows.classes == code)
        after = np.flatnonzero(tested_rows.classes == code)
        groups = None if tested_rows.groups is None else tested_rows.groups[after]
        parts[name] = (fitted.take(before), tested.take(after), groups)
    return certify_by_class(objective, parts, heaviest=heaviest)


def _as_seen(
    objective: Objective, scored: Scored, rows: Table, seed: int, *, per_class: bool | None
) -> Picked:
    """Pick what is best on these rows, without a test on others."""
    thresholds = tuple(float(t) for t in best_point(objective, scored).thresholds[0])
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
