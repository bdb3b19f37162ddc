"""A decision as flat metadata and tags: what tracers of either framework show beside their runs.

One table for both adapters. How a framework's tracers are handed it does not belong here, nor do
OpenTelemetry's own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from cascade_core.costs.rate import in_usd
from cascade_core.loop.outcomes import outcome_of
from cascade_core.loop.trail import total

if TYPE_CHECKING:
    from cascade_core.loop.session import Session

RunFacts: TypeAlias = dict[str, Any]

DECISION = {
    "cascade_decision_id": "the decision's id, as in the log",
    "cascade_outcome": "what became of the request, in a word",
    "cascade_tier": "index of the tier that answered",
    "cascade_model": "the model that answered",
    "cascade_reason": "why, as in the record",
    "cascade_confidence": "confidence in the last judged draft",
    "cascade_threshold": "what it had to reach",
    "cascade_cost_usd": "USD of all calls of the request",
    "cascade_class": "the request's class",
    "cascade_rule": "the rule that fired",
    "cascade_policy": "the policy that decided",
}
"""What a decision's run says, in this order; what is not known is left out."""

CALL = {
    "cascade_decision_id": "the decision that the call is part of",
    "cascade_tier": "index of the tier that is called; none for a judge",
    "cascade_purpose": "draft, sample, judge or audit",
}
"""What the run of one call says."""

_RECORDED = {
    "cascade_tier": "tier",
    "cascade_model": "model",
    "cascade_reason": "reason",
    "cascade_confidence": "confidence",
    "cascade_threshold": "threshold",
    "cascade_cost_usd": "cost_usd",
    "cascade_class": "class",
    "cascade_rule": "rule",
    "cascade_policy": "policy",
}


def call_metadata(decision_id: str, tier: int | None, purpose: str) -> RunFacts:
    """Return what the run of one call is to say of it.

    Args:
        decision_id: Of the decision that it is made for.
        tier: The tier's index; None for a judge.
        purpose: What it is made for.
    """
    said: RunFacts = {"cascade_decision_id": decision_id, "cascade_purpose": purpose}
    if tier is not None:
        said["cascade_tier"] = tier
    return said


def decision_metadata(session: Session) -> RunFacts:
    """Return what the run of a request is to say of its decision, as far as it is known.

    A request that something else ended has no record: what its calls had cost is said, and what
    the rules said of it.
    """
    record = session.record
    if record is not None:
        found = {name: record.get(key) for name, key in _RECORDED.items()}
        if record["reason"] == "cancelled":  # what is known of it; the rest nobody knows
            found["cascade_cost_usd"] = in_usd(total(c for c in session.calls if c.usage))
    else:
        request = session.request
        found = {
            "cascade_cost_usd": in_usd(total(session.calls)),
            "cascade_class": request.class_name,
            "cascade_rule": request.ruling.rule,
            "cascade_policy": session.plan.policy,
        }
    said = {
        "cascade_decision_id": session.id,
        "cascade_outcome": outcome_of(record, session.error),
        **found,
    }
    return {name: said[name] for name in DECISION if said.get(name) is not None}


def decision_tags(said: Mapping[str, Any]) -> list[str]:
    """Return the tags that go with a decision's metadata."""
    tags = [f"cascade:{said['cascade_outcome']}"]
    if "cascade_tier" in said:
        tags.append(f"cascade:answered-by:{said['cascade_tier']}")
    return tags
