"""Tuning with a policy whose calibrators are kept: may these rows test its new thresholds?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cascade_core.calibration.fit_tiers import Fit
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scoring import check_tiers, score
from cascade_core.labels import Table
from cascade_core.labels.fingerprints import holds
from cascade_core.policy.document import Policy


def load_kept(
    policy: Policy | Mapping[str, Any] | str | Path, rows: Table, *, promised: bool
) -> Policy:
    """Read a policy whose calibrators are to be kept.

    Raises:
        ConfigurationError: It has none, is for another number of tiers, or was fitted to some of
            the rows that are to test a promise.
    """
    kept = Policy.load(policy)
    check_tiers(kept, rows)
    if kept.calibrators is None:
        msg = "policy= has no calibrators to keep: leave it out, and tune fits them"
        raise ConfigurationError(msg)
    tuned = kept.tuned
    if promised and tuned is not None and holds(rows, tuned.fitted_marks):
        msg = (
            f"{rows.source} holds rows of {tuned.fitted_table} that the policy was fitted to; "
            "a promise can only be tested on rows it has not seen: give others"
        )
        raise ConfigurationError(msg)
    return kept


def kept_fit(kept: Policy, rows: Table) -> Fit:
    """Return kept calibrators as if they had just been fitted, with rows scored by them."""
    calibrators = (kept.calibrators or ())[: len(rows.tiers) - 1]
    return Fit(calibrators, ("kept as it was",) * len(calibrators), score(rows, kept))
