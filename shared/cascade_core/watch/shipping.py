"""Makes the policies that a watch saves: with rules, a promise and where they came from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cascade_core.calibration.measure import count_reference, measure
from cascade_core.calibration.points import ACCEPT_NOTHING
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.fitted.commitment import CommitRule
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.policy.evidence import Promise, Tuned
from cascade_core.policy.rules import Rule
from cascade_core.policy.withdrawal import TO_STRONGEST, own_rules
from cascade_core.watch.steward import Chosen, Steward

_ACCEPTS_UNREAD = ("on_no_score", "accept")
NAME = "watch"
"""What records call a policy of a watch where the one before it had no name."""
_ALL = {
    "name": TO_STRONGEST,
    "match": {"input_tokens": {"over": 0}},
    "then": {"bypass": True},
}


def promised(steward: Steward, choice: Chosen, rows: Table, before: Policy | None) -> Policy:
    """Return a policy that passed its test, as it is saved.

    Args:
        steward: Whose choice it is.
        choice: Which policy.
        rows: The latest audits; those since it was frozen are measured.
        before: The policy that decided so far; its name, rules and defaults go on, and so does its
            threshold below which the last tier's answers are handed off.
    """
    trial, policy = steward.trial_of(choice), steward.policy_of(choice)
    strength = float(trial.strength()[choice.place])
    promise = Promise(
        kind="harm",
        limit=steward.goal.harm,
        confidence=steward.goal.confidence,
        rows=max(1, trial.rows),
        seen=float(trial.mean_harm()[choice.place]),
        p_value=min(1.0, math.exp(-max(0.0, strength))),
        method="running capital",
    )
    tested = rows.take(np.arange(max(0, len(rows) - max(1, trial.rows)), len(rows)))
    scored, thresholds = score(tested, policy), thresholds_of(policy, tested)
    served = serve(scored, thresholds)
    goal = steward.goal
    tuned = Tuned(
        table=rows.source,
        objective=f"cheapest at harm ≤ {goal.harm:.4g}, {goal.confidence!r} confidence (watch)",
        models=tuple(tier.model for tier in rows.tiers),
        paid=tuple(signal for signal in policy.signals or () if signal in rows.paid),
        choices=("fitted by a watch",) * (len(rows.tiers) - 1),
        rows_fitted=steward.tested_of(choice).fitted,
        figures=measure(scored, served, tested.groups, 0),
        reference=count_reference(scored, thresholds, served, [promise], tested.groups),
    )
    found = policy.model_copy(update={"promises": (promise,), "tuned": tuned})
    return _going_on(found, before, len(rows.tiers))


def strongest(before: Policy | None, tiers: int) -> Policy:
    """Return the policy that sends every request to the strongest tier, but where a rule says so.

    Args:
        before: The policy that decided so far, as for `promised`; its confidences go on, too.
        tiers: How many there are.
    """
    own = None if before is None or before.calibrators is None else before.calibrators[: tiers - 1]
    nothing = Policy(calibrators=own, thresholds=(ACCEPT_NOTHING,) * (tiers - 1))
    found = _going_on(nothing, before, tiers)
    return found.model_copy(update={"rules": (*found.rules, Rule.model_validate(_ALL))})


def _going_on(policy: Policy, before: Policy | None, tiers: int) -> Policy:
    """Return a policy with what a watch does not decide, as it was before.

    Args:
        policy: What it decides: confidences, and thresholds of every tier but the last.
        before: The policy that decided so far.
        tiers: How many there are.
    """
    if before is None:
        return policy.model_copy(update={"name": NAME})
    update: dict[str, Any] = {
        "name": before.name or NAME,
        "rules": own_rules(before.rules),
        # A draft that nothing was read of is accepted in no test.
        "defaults": {k: v for k, v in before.defaults.items() if (k, v) != _ACCEPTS_UNREAD},
    }
    if before.commit is not None:  # a cascade may be set up to commit, and refuse a policy without
        update["commit"] = (CommitRule(),) * (tiers - 1)
    handed_off = before.handoff(tiers)
    both = (policy.calibrators, before.calibrators)
    if handed_off is not None and (both[0] is None) is (both[1] is None):
        assert policy.thresholds is not None  # noqa: S101 - a watch gives all of its own some
        update["thresholds"] = (*policy.thresholds, handed_off)
        if both[0] is not None and both[1] is not None:
            update["calibrators"] = (*both[0], both[1][-1])
    return policy.model_copy(update=update)
