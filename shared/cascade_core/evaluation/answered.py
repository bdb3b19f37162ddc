"""Which rows of a table a cascade answers, where it hands off what its last tier is not sure of.

A row is handed off where it comes to the last tier and that tier's draft fails a gate, has no
reading, or has a confidence below the last tier's threshold. Readings of that tier are taken as
the table has them; what paid ones cost is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Flags
from cascade_core.evaluation.scored import Served
from cascade_core.evaluation.scoring import inputs_of, lowest_reading
from cascade_core.fitted.scorer import Scorer
from cascade_core.labels import Table
from cascade_core.policy.document import Policy


@dataclass(frozen=True, slots=True)
class AnsweredShare:
    """What is answered and not handed off.

    Attributes:
        share: Of all requests.
        quality: Mean quality of those answers; None where nothing is answered.
    """

    share: float
    quality: float | None


def answered_of(table: Table, policy: Policy, served: Served) -> AnsweredShare | None:
    """Return what a policy answers of a table; None where it hands nothing off.

    Args:
        table: The rows.
        policy: The policy.
        served: What its other thresholds did with them.
    """
    answers = which_answered(table, policy, served)
    return None if answers is None else shares_of(answers, served, table.weights)


def which_answered(table: Table, policy: Policy, served: Served) -> Flags | None:
    """Tell of every row whether it is answered and not handed off, shape (n,).

    Args:
        table: The rows.
        policy: The policy.
        served: What its other thresholds did with them.

    Returns:
        None where the policy hands nothing off.
    """
    tiers = len(table.tiers)
    floor = np.full(len(table), policy.handoff(tiers) or 0.0)
    if table.classes is not None:
        for code, name in enumerate(table.class_names):
            floor[table.classes == code] = policy.handoff(tiers, name) or 0.0
    if not floor.any():
        return None
    confidence = last_confidence(table, policy)
    found: Flags = (served.tier < tiers - 1) | (floor <= 0) | (confidence >= floor)
    return found


def shares_of(answers: Flags, served: Served, weights: Array | None) -> AnsweredShare:
    """Return the share of rows that are answered, and how well."""
    counts = np.ones(len(answers)) if weights is None else weights
    share = float(np.average(answers, weights=counts))
    kept = np.where(answers, counts, 0.0)
    quality = float(np.average(served.quality, weights=kept)) if kept.any() else None
    return AnsweredShare(share, quality)


def last_confidence(table: Table, policy: Policy) -> Array:
    """Return the confidence in every draft of the last tier, shape (n,).

    Returns:
        −inf where a gate failed or nothing was read.
    """
    last = len(table.tiers) - 1
    if policy.calibrators is None:
        found = lowest_reading(list(table.tiers[last].signals.values()), len(table))
    else:
        found = Scorer(policy.calibrators[last]).rows(inputs_of(table, last))
    return below_all(table, found)


def below_all(table: Table, confidence: Array) -> Array:
    """Return confidences in the last tier's drafts with −inf where they can pass no threshold."""
    gated = table.tiers[-1].gated
    lost = np.isnan(confidence) if gated is None else np.isnan(confidence) | gated
    return np.where(lost, -np.inf, confidence)
