"""What spans and metrics say of requests and calls, in OpenTelemetry's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cascade_core.costs.rate import in_usd
from cascade_core.log.redaction import redacted
from cascade_core.telemetry import names

if TYPE_CHECKING:
    from cascade_core.call import Call
    from cascade_core.tier import Tier

OtelAttributes = dict[str, Any]

_RECORDED = {
    names.CASCADE: "cascade",
    names.FRAMEWORK: "framework",
    names.TIER: "tier",
    names.RESPONSE_MODEL: "model",
    names.REASON: "reason",
    names.ACCEPTED: "accepted",
    names.DRAFT_CONFIDENCE: "confidence",
    names.THRESHOLD: "threshold",
    names.CALIBRATED: "calibrated",
    names.HANDOFF: "handoff",
    names.HANDED_TO: "handed_to",
    names.COST: "cost_usd",
    names.CLASS: "class",
    names.RULE: "rule",
    names.POLICY: "policy",
    names.POLICY_VERSION: "policy_version",
    names.CONVERSATION: "thread",
}


def without_gaps(found: Mapping[str, Any]) -> OtelAttributes:
    """Return attributes without those that are not known."""
    return {name: value for name, value in found.items() if value is not None}


def of_request(session: Any, outcome: str) -> OtelAttributes:
    """Return what a decision's span says."""
    record = session.record
    if record is None:  # it failed, or was left: what the rules said is known
        record = {
            "cascade": session.engine.name,
            "framework": session.engine.framework,
            "class": session.class_name,
            "rule": session.rule,
            "policy": session.plan.policy,
            "policy_version": session.plan.policy_version,
            "thread": session.thread,
        }
    found = {name: record.get(key) for name, key in _RECORDED.items()}
    return without_gaps({names.DECISION_ID: session.id, names.OUTCOME: outcome, **found})


def of_call(call: Call, tiers: Sequence[Tier]) -> OtelAttributes:
    """Return what a call's span says."""
    usage = call.usage
    found = {
        names.OPERATION: names.CHAT,
        **asked_of_whom(call, tiers),
        names.RESPONSE_MODEL: call.model if call.outcome != "failed" else None,
        names.TIER: call.tier,
        names.PURPOSE: call.purpose,
        names.CALL_OUTCOME: call.outcome,
        names.REASON: call.note,
        names.COST: in_usd(call.cost),
        names.ERROR_TYPE: call.error,
    }
    if usage is not None:
        found |= {
            names.INPUT_TOKENS: usage.input_tokens,
            names.OUTPUT_TOKENS: usage.output_tokens,
            names.CACHED_TOKENS: usage.cached_tokens or None,
            names.CACHE_WRITE_TOKENS: usage.cache_write_tokens or None,
            names.REASONING_TOKENS: usage.reasoning_tokens or None,
            names.TOKENS_SOURCE: usage.source,
        }
    return without_gaps(found)


def asked_of_whom(call: Call, tiers: Sequence[Tier]) -> OtelAttributes:
    """Return the provider and the model that were asked, as far as they are known.

    A judge's call names the tier that it judges, so only its own model's name is known.
    """
    own = call.purpose in ("draft", "sample", "verbalize", "audit")
    if not own or call.tier is None or not 0 <= call.tier < len(tiers):
        return {names.REQUEST_MODEL: call.model}
    tier = tiers[call.tier]
    return {names.PROVIDER: tier.provider, names.REQUEST_MODEL: tier.model or call.model}


def content(session: Any) -> OtelAttributes:
    """Return a request's prompt and answer, through the cascade's `redact=`.

    A rule that forbids the log their texts forbids them here, too; what cannot be read or redacted
    is left out.
    """
    verdict, request = session.verdict, session.request
    if verdict is None or request.ruling.log_content is False:
        return {}
    try:
        turns = request.turns
        texts = redacted(session.engine.redact, [*(t.text for t in turns), verdict.draft.text])
    except Exception:  # noqa: BLE001 - what cannot be read cannot be shown
        return {}
    if texts is None:
        return {}
    *asked, answered = texts
    said = [_message(turn.role, text) for turn, text in zip(turns, asked, strict=True)]
    answer = {**_message("assistant", answered), "finish_reason": verdict.draft.finish or "stop"}
    return {
        names.INPUT_MESSAGES: json.dumps(said, ensure_ascii=False),
        names.OUTPUT_MESSAGES: json.dumps([answer], ensure_ascii=False),
    }


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def is_unpriced(call: Call) -> bool:
    """Tell whether nobody knows what a call cost; see `loop.trail.total`."""
    return call.cost is None and (call.usage is not None or call.outcome != "failed")
