"""An audit as plain JSON, for the log: what was found of every tier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_core.costs.rate import in_usd
from cascade_core.log import LogEvent, audit_event
from cascade_core.log.record import call_record
from cascade_core.loop.audit_flow import Comparison, TierAnswer
from cascade_core.loop.trail import Trail, total
from cascade_core.signals.readings import plain_readings
from cascade_core.verdict import Judgement


def found_event(  # noqa: PLR0913 - what was found, and of what
    found: Comparison,
    trail: Trail,
    decision: str,
    *,
    probability: float,
    compare: str,
    rate: float | None = None,
    texts: Mapping[int, str] | None = None,
) -> LogEvent:
    """Write down what an audit found, or that it failed.

    Args:
        found: What was found.
        trail: The audit's own calls.
        decision: The decision's id.
        probability: With which the request was picked.
        compare: The comparator's name.
        rate: See `audit_event`.
        texts: Those of the answers, by tier, that are to be logged.
    """
    done = found.failed is None
    return audit_event(
        decision,
        status="done" if done else "failed",
        probability=probability,
        compare=compare,
        why=found.why if done else found.failed,
        tiers=rows_of_answers(found, texts or {}),
        quality=found.quality if done else None,
        strong_quality=found.strong_quality if done else None,
        harm=found.harm if done else None,
        strong_cost_usd=in_usd(found.strong_cost),
        rate=rate,
        **paid_for(trail),
    )


def paid_for(trail: Trail) -> dict[str, Any]:
    """Return what an event says of the calls that its audit has made."""
    calls = list(trail.calls)
    return {
        "cost_usd": in_usd(total(calls)),
        "calls": [call_record(call) for call in calls],
    }


def rows_of_answers(found: Comparison, texts: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return every answer as an audit's event has it: how it did, and the texts to be logged."""
    return [
        _plain(answer) | ({"response": texts[tier]} if tier in texts else {})
        for tier, answer in sorted(found.answers.items())
    ]


def _plain(answer: TierAnswer) -> dict[str, Any]:
    judged = answer.judgement or Judgement("only_tier")
    return {
        "tier": answer.tier.index,
        "model": answer.draft.model or answer.tier.model,
        "quality": answer.quality,
        "cost_usd": in_usd(answer.cost),
        "reason": None if answer.judgement is None else judged.reason,
        "confidence": judged.confidence,
        "benefit": judged.benefit,
        "merit": judged.merit,
        "threshold": judged.threshold,
        "signals": plain_readings(judged.signals),
        "paid": {name: in_usd(cost) for name, cost in judged.paid.items()},
        "drawn": answer.drawn,
    }
