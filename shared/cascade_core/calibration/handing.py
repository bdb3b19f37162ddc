"""Picks the last tier's threshold, below which answers are handed off: `tune --answered`."""

from __future__ import annotations

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.fit import fit_calibrator
from cascade_core.calibration.objective import TuningError
from cascade_core.calibration.scores import Method
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.answered import below_all
from cascade_core.evaluation.scored import Served
from cascade_core.labels import Table
from cascade_core.policy.document import Policy


def check_answered(answered: float | None) -> None:
    """Raise `ConfigurationError` where a share of answered requests cannot be one."""
    if answered is not None and not 0 < answered < 1:
        msg = f"answered={answered:g}: give a share between 0 and 1, e.g. 0.95"
        raise ConfigurationError(msg)


def with_handoff(  # noqa: PLR0913, PLR0917 - what there is, and what for
    document: Policy, rows: Table, served: Served, answered: float, method: Method, seed: int
) -> tuple[Policy, str]:
    """Give a policy a calibrator and a threshold for the last tier.

    The confidence is fitted like any tier's, without paid signals, and the threshold is picked on
    confidences out of fold.

    Args:
        document: The policy, with its other thresholds.
        rows: What it was fitted to.
        served: What those thresholds do with them.
        answered: The share of requests that is to be answered.
        method: How readings are combined.
        seed: Of the random splits.

    Returns:
        The policy, and how the confidence was fitted.

    Raises:
        ConfigurationError: The table has nothing to read of the last tier's drafts.
        TuningError: So many cannot be answered, for nothing is known of too many drafts.
    """
    last = len(rows.tiers) - 1
    tier = rows.tiers[last]
    free = tuple(name for name in tier.signals if name not in tier.paid)
    fit = fit_calibrator(rows, last, signals=free, method=method, seed=seed)
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    reached = served.tier == last
    threshold = highest_threshold(
        below_all(rows, fit.placed)[reached],
        weights[reached],
        (1 - answered) * float(weights.sum()),
    )
    if threshold is None:
        msg = (
            f"answered={answered:g} is too much: more of the requests than that leaves come to the "
            "last tier without a reading, or fail a gate there"
        )
        raise TuningError(msg)
    made = document.model_copy(
        update={
            "calibrators": (*(document.calibrators or ()), fit.calibrator),
            "thresholds": (*(document.thresholds or ()), threshold),
        }
    )
    return made, fit.choice


def highest_threshold(confidence: Array, weights: Array, spare: float) -> float | None:
    """Return the highest threshold that hands off no more than a weight.

    Args:
        confidence: Of the rows that come to the last tier, shape (n,); −inf where there is none.
        weights: Of the same, shape (n,).
        spare: The weight that may be handed off.

    Returns:
        One of the confidences; 0 where no row comes to the tier; None where rows without a
        confidence alone weigh more.
    """
    if not len(confidence):
        return 0.0
    values, places = np.unique(confidence, return_inverse=True)
    below = np.concatenate([[0.0], np.cumsum(np.bincount(places, weights=weights))[:-1]])
    fits = np.flatnonzero((below <= spare * (1 + 1e-12)) & np.isfinite(values))
    return float(values[fits[-1]]) if len(fits) else None
