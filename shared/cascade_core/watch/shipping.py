"""Makes the policies that a watch saves: with rules, a promise and where they came from."""

from __future__ import annotations

import math

import numpy as np

from cascade_core.calibration.measure import count_reference, measure
from cascade_core.calibration.points import ACCEPT_NOTHING
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.policy.evidence import Promise, Tuned
from cascade_core.policy.rules import Rule
from cascade_core.policy.withdrawal import TO_STRONGEST
from cascade_core.watch.steward import Chosen, Steward

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
        before: The policy that decided so far; its name and rules go on.
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
    rules = () if before is None else before.rules
    name = (None if before is None else before.name) or NAME
    return policy.model_copy(
        update={"name": name, "rules": without_all(rules), "promises": (promise,), "tuned": tuned}
    )


def strongest(before: Policy | None, tiers: int) -> Policy:
    """Return the policy that sends every request to the strongest tier, but where a rule says so.

    Args:
        before: The policy that decided so far; its name, rules and confidences go on.
        tiers: How many there are.
    """
    rules = without_all(() if before is None else before.rules)
    name = (None if before is None else before.name) or NAME
    every = Rule.model_validate(_ALL)
    calibrators = None if before is None else before.calibrators
    nothing = (ACCEPT_NOTHING,) * (tiers - 1)
    return Policy(name=name, calibrators=calibrators, thresholds=nothing, rules=(*rules, every))


def without_all(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return rules without the one that sends everything to the strongest tier."""
    return tuple(rule for rule in rules if rule.name != _ALL["name"])
