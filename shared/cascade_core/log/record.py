"""A verdict as plain JSON: what callers find on an answer and in the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from cascade_core.call import Call
from cascade_core.costs.rate import in_usd
from cascade_core.frozen import frozen
from cascade_core.log.upgrade import RECORD_FIELDS, upgraded
from cascade_core.signals.readings import Evidenced, plain_readings
from cascade_core.usage import Usage
from cascade_core.verdict import Committed, Failing, Judgement, Verdict

Record: TypeAlias = dict[str, Any]

VERSION = 2
"""Of the records that are written; those of version 1 name none."""


@frozen
class Asked:
    """What a record says of a request, however it was decided.

    Attributes:
        at: When it was asked.
        latency_ms: Milliseconds until its answer was known.
        class_name: The kind of request.
        policy: Name of the policy.
        cascade: The cascade's name.
        framework: `langchain` or `llamaindex`.
        thread: The conversation it belongs to.
        tags: The caller's tags.
        metadata: Those of the caller's metadata that are to be kept.
        input_tokens: Tokens of the prompt.
        digest: A keyed digest of the request; None where there is no log.
        rule: The rule that fired.
        policy_version: Which version of the policy decided: a number where it is kept in a
            database, else a digest of what decides.
        audit: With which probability the request was to be audited, and whether it is; None
            where nothing is audited.
        deadline: Seconds that it might take; None where nothing limited it.
    """

    at: datetime
    latency_ms: float
    class_name: str | None = None
    policy: str | None = None
    cascade: str | None = None
    framework: str | None = None
    thread: str | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    input_tokens: int | None = None
    digest: str | None = None
    rule: str | None = None
    policy_version: str | int | None = None
    audit: Mapping[str, Any] | None = None
    deadline: float | None = None


def as_record(verdict: Verdict, record_id: str, asked: Asked) -> Record:
    """Write a verdict as plain JSON.

    Args:
        verdict: The verdict.
        record_id: The decision's id.
        asked: What else there is to say of the request.

    Returns:
        `id`, `tier` and `model` (who answered), `accepted` (a threshold or the
        gates of a tool call were met), `reason` (see `verdict.Reason`),
        `confidence`, `threshold` and `signals` of the last judged draft,
        `calibrated`, `calls`, `cost_usd` (null = unpriced), `class`, `policy`,
        `strong_cost_usd` with `strong_cost_is_estimate`; in shadow mode
        `shadow`; where a tier was passed over because it lacks what the request
        needs, `unable`; where one fails again and again, `failing`; where answers are audited,
        `audit`; where it had a deadline, `deadline`; where a budget had no room for a call,
        `budget`; where the answer met no threshold and went no further for want of budget or time,
        `promise` (`"void"`); where earlier steps had decided on a tier, `held`; where the last
        tier's answer was judged, `sent_on`; where it
        stayed below its threshold, `handoff`, with `handed_to` where somebody answered in its
        place. No prompt or answer text. Version 2 adds the fields of `Asked`, and `judged`: how
        every judged draft was judged.
    """
    judged = verdict.judged
    record: Record = {
        "id": record_id,
        "tier": verdict.tier,
        "model": verdict.draft.model,
        "accepted": verdict.accepted,
        "reason": verdict.reason,
        "confidence": judged.confidence,
        "benefit": judged.benefit,
        "merit": judged.merit,
        "threshold": judged.threshold,
        "calibrated": verdict.calibrated,
        "signals": plain_readings(judged.signals),
        "calls": [call_record(call) for call in verdict.calls],
        "cost_usd": in_usd(verdict.cost),
        "class": asked.class_name,
        "policy": asked.policy,
        "strong_cost_usd": in_usd(verdict.strong_cost),
        "strong_cost_is_estimate": not verdict.strong_cost_exact,
        **_asked(asked),
        "strong_cost_basis": verdict.strong_cost_basis,
        "judged": [_judgement(each) for each in verdict.judgements],
    }
    if asked.audit is not None:
        record["audit"] = dict(asked.audit)
    record.update(_deadline(asked))
    if verdict.held is not None:
        record["held"] = asdict(verdict.held)
    if verdict.shadow is not None:
        record["shadow"] = dict(verdict.shadow)
    if verdict.unable:
        record["unable"] = [
            {"tier": tier, "missing": list(lacks)} for tier, lacks in verdict.unable.items()
        ]
    if verdict.failing:
        record["failing"] = [asdict(each) for each in verdict.failing]
    if verdict.budget is not None:
        record["budget"] = verdict.budget
    if verdict.void:
        record["promise"] = "void"
    if verdict.accepted and judged.committed is not None:
        record["committed"] = _committed(judged.committed)
    return record | _of_the_last_tier(verdict)


def _of_the_last_tier(verdict: Verdict) -> Record:
    """Return what there is to say where the last tier's answer was judged."""
    handed_to = verdict.handed_to if verdict.handoff else None
    said = {"sent_on": verdict.sent_on, "handoff": verdict.handoff or None, "handed_to": handed_to}
    return {name: value for name, value in said.items() if value is not None}


def exhausted_record(  # noqa: PLR0913 - all that there is to say
    calls: Sequence[Call],
    cost: Decimal | None,
    record_id: str,
    asked: Asked,
    *,
    failing: Sequence[Failing] = (),
    reason: Literal["exhausted", "cancelled"] = "exhausted",
    budget: str | None = None,
    committed: Committed | None = None,
) -> Record:
    """Write down a request that no tier answered, with the same keys.

    Args:
        calls: Every call made, paid ones included.
        cost: USD of all of them; None where one is unpriced.
        record_id: The decision's id.
        asked: What else there is to say of the request.
        failing: Tiers that fail again and again.
        reason: Whether all tiers failed, or nobody waited for an answer any longer.
        budget: What the budget is called that refused it, if one did.
        committed: That the beginning of a draft was shown, where it was.
    """
    record: Record = {
        "id": record_id,
        "tier": None,
        "model": None,
        "accepted": False,
        "reason": reason,
        "confidence": None,
        "benefit": None,
        "merit": None,
        "threshold": None,
        "calibrated": False,
        "signals": {},
        "calls": [call_record(call) for call in calls],
        "cost_usd": in_usd(cost),
        "class": asked.class_name,
        "policy": asked.policy,
        "strong_cost_usd": None,
        "strong_cost_is_estimate": True,
        **_asked(asked),
        "strong_cost_basis": None,
        "judged": [],
    }
    record.update(_deadline(asked))
    if failing:
        record["failing"] = [asdict(each) for each in failing]
    if budget is not None:
        record["budget"] = budget
    if committed is not None:
        record["committed"] = _committed(committed)
    return record


def reused_record(record: Mapping[str, Any], record_id: str, asked: Asked) -> Record:
    """Write down an answer that was kept: who made it and why, of a decision that cost nothing.

    Args:
        record: Of the decision that the answer comes from, of any version.
        record_id: This decision's id.
        asked: What there is to say of this request.
    """
    known = upgraded(record)
    tokens = known["input_tokens"] if known["input_tokens"] is not None else asked.input_tokens
    return {
        **{key: known[key] for key in RECORD_FIELDS},
        "id": record_id,
        "reason": "cached",
        "calls": [],
        "cost_usd": 0.0,
        "class": asked.class_name,
        **_asked(asked),
        "input_tokens": tokens,
        "judged": [],
        **{key: known[key] for key in ("handoff", "handed_to") if key in known},
    }


def calls_of(record: Mapping[str, Any]) -> list[Call]:
    """Read the calls of a cascade that is itself a tier back from its record."""
    return [
        Call(
            tier=call["tier"],
            model=call["model"],
            purpose=call["purpose"],
            usage=None
            if call["usage"] is None
            else Usage(**call["usage"], source=call["tokens_source"]),
            cost=None if call["cost_usd"] is None else Decimal(str(call["cost_usd"])),
            seconds=call["latency_ms"] / 1000,
            outcome=call["outcome"],
            note=call.get("note"),
            tokens_saved=call.get("tokens_saved"),
            error=call.get("error"),
        )
        for call in record["calls"]
    ]


def _asked(asked: Asked) -> Record:
    return {
        "version": VERSION,
        "at": asked.at.isoformat(),
        "latency_ms": round(asked.latency_ms, 3),
        "cascade": asked.cascade,
        "framework": asked.framework,
        "thread": asked.thread,
        "tags": list(asked.tags),
        "metadata": dict(asked.metadata),
        "input_tokens": asked.input_tokens,
        "digest": asked.digest,
        "rule": asked.rule,
        "policy_version": asked.policy_version,
    }


def _deadline(asked: Asked) -> Record:
    """Return what a record says of a deadline: how many seconds, and whether it was met."""
    seconds = asked.deadline
    if seconds is None:
        return {}
    return {"deadline": {"seconds": seconds, "met": asked.latency_ms <= 1000 * seconds}}


def _committed(committed: Committed) -> Record:
    said: Record = {"tokens": committed.tokens, "live": committed.live}
    return said if committed.error is None else {**said, "error": committed.error}


def _judgement(judgement: Judgement) -> Record:
    signals = judgement.signals
    evidence = {n: read.evidence for n, read in signals.items() if isinstance(read, Evidenced)}
    record: Record = {
        "tier": judgement.tier,
        "model": judgement.model,
        "reason": judgement.reason,
        "confidence": judgement.confidence,
        "benefit": judgement.benefit,
        "merit": judgement.merit,
        "threshold": judgement.threshold,
        "signals": plain_readings(signals),
    }
    return {**record, "evidence": evidence} if evidence else record


def call_record(call: Call) -> Record:
    """Return one call as a record lists it."""
    usage = call.usage
    record: Record = {
        "tier": call.tier,
        "model": call.model,
        "purpose": call.purpose,
        "usage": None if usage is None else tokens_of(usage),
        "tokens_source": None if usage is None else usage.source,
        "cost_usd": in_usd(call.cost),
        "latency_ms": round(call.seconds * 1000, 3),
        "outcome": call.outcome,
    }
    if call.note is not None:
        record["note"] = call.note
    if call.tokens_saved is not None:
        record["tokens_saved"] = call.tokens_saved
    if call.error is not None:
        record["error"] = call.error
    return record


def tokens_of(usage: Usage) -> Record:
    """Return the counts, leaving out details that are zero."""
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    if usage.cached_tokens:
        counts["cached_tokens"] = usage.cached_tokens
    if usage.cache_write_tokens:
        counts["cache_write_tokens"] = usage.cache_write_tokens
    if usage.cache_write_1h_tokens:
        counts["cache_write_1h_tokens"] = usage.cache_write_1h_tokens
    if usage.reasoning_tokens:
        counts["reasoning_tokens"] = usage.reasoning_tokens
    return counts
