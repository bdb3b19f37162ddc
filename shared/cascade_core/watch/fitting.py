"""Makes a version: one confidence, fitted to audits, and a few thresholds from strict to loose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.fit_tiers import fit_tiers, with_route
from cascade_core.calibration.objective import Objective
from cascade_core.calibration.points import OperatingPoints, thin
from cascade_core.calibration.progress import Progress
from cascade_core.calibration.promise import plan_path
from cascade_core.calibration.rows import rows_to_tune
from cascade_core.evaluation.scored import Scored
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.watch.outcomes import served_by

SHARES = (0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.35, 1.6, 2.0)
"""What a version's policies are expected to lose, as shares of the limit. Strict ones pass early,
loose ones save more once there are audits enough to tell them from the limit; and what is expected
of few audits may be far off, to either side."""
_PATH = 80
"""Points of the path from strict to loose that thresholds are picked from."""
_PRIOR = 8.0
"""Harmed rows that were foreseen, by which what was seen is drawn towards it."""


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """What was fitted.

    Attributes:
        policies: From the strictest to the loosest; they differ in their thresholds.
        shares: (k,) what each is expected to lose, as a share of the limit.
        saving: (k,) the share of the strongest tier's cost that each saved on the rows.
    """

    policies: tuple[Policy, ...]
    shares: Array
    saving: Array


MakeVersion: TypeAlias = Callable[[Table, float, int], Version | None]
"""Fits a version to rows, for a limit, with a seed; None where nothing would save."""


def fit_version(rows: Table, limit: float, seed: int = 0) -> Version | None:
    """Fit a version to labelled rows, with whatever `tune` would fit.

    Args:
        rows: Audits, as a labelled table.
        limit: The most harm.
        seed: Of random splits.

    Returns:
        The version; None where no thresholds would save anything.

    Raises:
        ConfigurationError: The rows cannot tell a good policy from a bad one.
    """
    used, _ = rows_to_tune(rows, per_class=None)
    objective, progress = Objective("harm", limit, 0.95), Progress()
    fit = fit_tiers(objective, used, None, "auto", seed, progress)
    document = Policy(calibrators=fit.calibrators)
    document, fit = with_route(document, fit, used, objective, seed, progress)
    return version_of(document, fit.scored, limit)


def version_of(document: Policy, scored: Scored, limit: float) -> Version | None:
    """Give a document the thresholds that are to be tested.

    Args:
        document: The policy, without thresholds.
        scored: The rows it was fitted to, scored by models that had not seen them.
        limit: The most harm.
    """
    path = thin(plan_path(scored, cascade=True), _PATH)
    if not len(path):
        return None
    found, weights = served_by(scored, path.thresholds.tolist()), scored.weights
    seen = np.average(found.harm, axis=0, weights=weights)
    expected = _expected(path, seen, len(scored))
    places = _places(expected, limit)
    strong = float(np.average(found.strong, weights=weights))
    if not len(places) or not strong > 0:
        return None
    saving = 1 - np.average(found.cost[:, places], axis=0, weights=weights) / strong
    kept = saving > 0
    if not kept.any():
        return None
    policies = tuple(
        document.model_copy(update={"thresholds": tuple(float(t) for t in path.thresholds[place])})
        for place in places[kept]
    )
    return Version(policies, expected[places[kept]] / limit, saving[kept])


def _expected(path: OperatingPoints, seen: Array, n: int) -> Array:
    """Return the harm to expect of each point of a path: what was seen, drawn towards confidences.

    Of the few harmed rows at a low harm, which point accepts them is mostly chance.
    """
    foreseen = path.harm
    ratio = seen[-1] / foreseen[-1] if foreseen[-1] > 0 else 1.0
    drawn = (n * seen + _PRIOR * ratio) / (n * foreseen + _PRIOR)
    found: Array = np.maximum.accumulate(foreseen * drawn)
    return found


def _places(expected: Array, limit: float) -> Array:
    """Return the loosest points of a path that are expected to lose each share of the limit."""
    found = [int(np.searchsorted(expected, share * limit, side="right")) - 1 for share in SHARES]
    return np.unique([place for place in found if place >= 0]).astype(np.int64)
