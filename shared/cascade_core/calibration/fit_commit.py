"""Fits when drafts are accepted by their first tokens: a confidence at each of some places.

Each is fitted like any confidence, to the quality of the whole draft, with nothing to read but the
first tokens and the request. What comes of all of them together with the threshold is tested as
one rule, on rows that none of them has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.benefit import WeighBenefit, check_benefit
from cascade_core.calibration.fit import fit_calibrator
from cascade_core.calibration.fit_tiers import Fit
from cascade_core.calibration.objective import TuningError
from cascade_core.calibration.progress import Progress
from cascade_core.calibration.scores import Method, has_learning
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.early import (
    first_shown,
    inputs_so_far,
    trajectories_of,
    with_early,
)
from cascade_core.evaluation.scored import Scored, Served
from cascade_core.fitted.commitment import Checkpoint, CommitRule
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.policy.evidence import ShownEarly

CHECKPOINTS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Numbers of tokens at which a draft may be committed to."""

CHECKPOINT_ROWS = 100
"""Drafts that must be that long for a place to be looked at."""

CHECKPOINT_RARE = 10
"""Of these, how many must be of the rarer kind, good or bad."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedCommit:
    """Rules, and what they say of rows that they were not fitted to.

    Attributes:
        rules: One for every tier but the last.
        confidences: At their checkpoints, out of fold, each of shape (n, checkpoints).
    """

    rules: tuple[CommitRule, ...]
    confidences: tuple[Array, ...]


def fit_commit(rows: Table, method: Method, seed: int, progress: Progress) -> FittedCommit:
    """Fit the rules of every tier but the last.

    Args:
        rows: Labelled rows with the courses of drafts.
        method: How readings are combined.
        seed: Of folds and samples.
        progress: Told of it.

    Raises:
        ConfigurationError: The table does not say how drafts went.
        TuningError: Too few drafts are known token by token for any place.
    """
    rules, confidences = [], []
    for tier in range(len(rows.tiers) - 1):
        rule, found = _fit_tier(rows, tier, method, seed, progress)
        rules.append(rule)
        confidences.append(found)
    if not any(rule.checkpoints for rule in rules):
        msg = (
            f"{rows.source}: commit= needs {CHECKPOINT_ROWS} fitted rows with a trajectory, "
            f"{CHECKPOINT_RARE} good and {CHECKPOINT_RARE} bad drafts among them: label more rows"
        )
        raise TuningError(msg)
    return FittedCommit(tuple(rules), tuple(confidences))


def _fit_tier(
    rows: Table, tier: int, method: Method, seed: int, progress: Progress
) -> tuple[CommitRule, Array]:
    trajectories = trajectories_of(rows, tier)
    places, columns = [], []
    told = progress.part(f"fitting when drafts of tier {tier} are shown")
    for done, tokens in enumerate(CHECKPOINTS):
        told(done / len(CHECKPOINTS))
        reached, inputs = inputs_so_far(rows, trajectories, tokens)
        if not _enough(rows.tiers[tier].quality[reached]):
            break  # later ones have fewer rows yet
        part = rows.take(reached)
        # A gate is asked of whole drafts: by then this one is out, whatever it says.
        known = replace(
            part.tiers[tier], signals=inputs.signals, paid={}, responses=None, gated=None
        )
        tiers = (*part.tiers[:tier], known, *part.tiers[tier + 1 :])
        fit = fit_calibrator(
            replace(part, tiers=tiers),
            tier,
            method=_plainer(method),
            fine=True,
            seed=seed,
            texts=("request",),
        )
        places.append(Checkpoint(tokens=tokens, calibrator=fit.calibrator))
        columns.append(_over_all(len(rows), reached, fit.placed))
    found = np.stack(columns, axis=1) if columns else np.empty((len(rows), 0))
    return CommitRule(checkpoints=tuple(places)), found


def _plainer(method: Method) -> Method:
    """Return how a checkpoint's confidence is fitted: there are many, and all are looked at.

    Trees would make a policy of megabytes, and take as long for each token looked at as for a
    whole draft.
    """
    if method != "auto":
        return method
    return "logistic" if has_learning() else "signal"


def _enough(quality: Array) -> bool:
    good, bad = int((quality > 0).sum()), int((quality < 1).sum())
    return len(quality) >= CHECKPOINT_ROWS and min(good, bad) >= CHECKPOINT_RARE


def _over_all(n: int, rows: Ints, values: Array) -> Array:
    column = np.full(n, np.nan)
    column[rows] = values
    return column


def benefit_beside(benefit: WeighBenefit, *, commit: bool, kept: bool) -> WeighBenefit:
    """Return whether a benefit is weighed beside a rule that accepts drafts by first tokens.

    First tokens are held against the same threshold as whole drafts, as the chance to be good.

    Raises:
        ConfigurationError: A rule is asked for, and what does not go with it.
    """
    check_benefit(benefit)
    if commit and benefit is True:
        msg = (
            "commit= holds the chance that a draft is good against its threshold, and benefit=True "
            "what asking on would gain: leave one of them out"
        )
        raise ConfigurationError(msg)
    if commit and kept:
        msg = (
            "commit= fits a rule, and policy= keeps what was fitted: leave commit= out (a rule "
            "that the policy has is kept, too), or tune without policy="
        )
        raise ConfigurationError(msg)
    return False if commit else benefit


def with_commit(  # noqa: PLR0913, PLR0917 - what there is, and what for
    document: Policy, fit: Fit, rows: Table, method: Method, seed: int, progress: Progress
) -> tuple[Policy, Fit]:
    """Give a policy rules of accepting drafts by their first tokens; see `fit_commit`.

    Args:
        document: The policy.
        fit: What it was fitted to, scored.
        rows: The same rows.
        method: How readings are combined.
        seed: Of folds and samples.
        progress: Told of it.
    """
    fitted = fit_commit(rows, method, seed, progress)
    scored = with_early(fit.scored, rows, fitted.rules, fitted.confidences)
    return document.model_copy(update=committing(fitted.rules)), replace(fit, scored=scored)


def committing(rules: Sequence[CommitRule] | None) -> dict[str, Any]:
    """Return what a policy holds where drafts are accepted by their first tokens."""
    return {} if rules is None else {"commit": rules, "defaults": {"streaming_policy": "commit"}}


def shown_of(
    scored: Scored, served: Served, thresholds: Sequence[Array | float], rows: Table
) -> ShownEarly | None:
    """Return how soon accepted drafts are shown; None where they are shown whole."""
    found = first_shown(scored, served, thresholds, rows) if scored.early else None
    return None if found is None else ShownEarly(committed=found.committed, after=found.after)
