"""The rows that tuning works on: which are used, which test a promise, what one can weigh."""

from __future__ import annotations

import math

import numpy as np

from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.errors import ConfigurationError
from cascade_core.labels import Table, check_learnable, usable
from cascade_core.statistics.folds import split

FEWEST_ROWS = 20
"""Rows below which nothing is fitted."""
FITTED_SHARE = 0.3
"""Share of the rows that calibrators are fitted to where the rest is needed for a test."""
FITTED_ROWS = 150
"""Rows they get at least, as long as that is no more than half of all."""


def rows_to_tune(rows: Table, *, per_class: bool | None) -> tuple[Table, dict[str, int]]:
    """Return the rows that can be used, and how many others there are by reason.

    Raises:
        TableError: The rows cannot tell a good policy from a bad one.
        TuningError: There are too few, or no classes although thresholds for each are asked for.
    """
    mask, unused = usable(rows)
    check_learnable(rows)
    rows = rows.take(mask)
    if len(rows) < FEWEST_ROWS:
        msg = f"{rows.source}: {len(rows)} usable rows; at least {FEWEST_ROWS} are needed to tune"
        raise TuningError(msg)
    if per_class and rows.classes is None:
        msg = f"{rows.source} has no column class, which thresholds for each class need"
        raise TuningError(msg)
    return rows, unused


def split_rows(rows: Table, objective: Objective, seed: int, *, kept: bool) -> tuple[Table, Table]:
    """Return the rows to fit on and those to test on: the same where nothing is promised.

    Args:
        rows: All rows.
        objective: What is asked for.
        seed: Of the split.
        kept: Whether calibrators are kept, so that rows are only needed to plan thresholds.
    """
    # Two tiers and harm need no path of thresholds that is planned on other rows.
    planned = len(rows.tiers) > 2 or objective.kind != "harm"  # noqa: PLR2004
    if objective.confidence is None or (kept and not planned):
        return rows, rows
    share = max(FITTED_SHARE, min(0.5, FITTED_ROWS / len(rows)))
    strata = np.round(rows.tiers[0].quality)
    fit, test = split(len(rows), share, groups=rows.groups, strata=strata, seed=seed)
    return rows.take(fit), rows.take(test)


def rows_to_label(tested: int, share: float = 1.0) -> int:
    """Return how many rows to label so that so many of them test a promise, as `split_rows` splits.

    Args:
        tested: Rows to test on, as many as the promise takes.
        share: Share of all rows that the promise is about, in (0, 1].

    Returns:
        Rows that the promise is about, to two digits: it is an estimate.
    """
    tests = tested / share
    rows = 2 * tests
    if tests >= FITTED_ROWS:
        rows = max(tests + FITTED_ROWS, tests / (1 - FITTED_SHARE))
    place = 10.0 ** max(0, math.floor(math.log10(rows * share)) - 1)
    return int(math.ceil(rows * share / place) * place)


def heaviest_weight(rows: Table, given: float | None) -> float:
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
