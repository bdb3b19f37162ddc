"""What becomes known of a decision after its record is written: feedback, audits.

Events are plain JSON like records, and are kept by the same logs; `event` tells them apart.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias
from uuid import uuid4

LogEvent: TypeAlias = dict[str, Any]

Status = Literal["done", "failed", "skipped"]
"""What became of an audit that a request was picked for; `skipped` where a budget forbade it."""


def feedback_event(
    decision: str,
    quality: float,
    *,
    by: str | None = None,
    corrected: str | None = None,
    note: str | None = None,
) -> LogEvent:
    """Write down what somebody says of an answer.

    Args:
        decision: The decision's id.
        quality: Of the answer, in [0, 1].
        by: Who says so.
        corrected: What the answer should have been; it is content.
        note: What else there is to say; it is content.
    """
    return {
        **_event("feedback", decision),
        "quality": quality,
        "by": by,
        "corrected": corrected,
        "note": note,
    }


def audit_event(  # noqa: PLR0913 - one key each
    decision: str,
    *,
    status: Status,
    probability: float,
    compare: str,
    why: str | None = None,
    tiers: list[dict[str, Any]] | None = None,
    quality: float | None = None,
    strong_quality: float | None = None,
    harm: float | None = None,
    strong_cost_usd: float | None = None,
    cost_usd: float | None = 0.0,
    calls: list[dict[str, Any]] | None = None,
    rate: float | None = None,
) -> LogEvent:
    """Write down one audit.

    Args:
        decision: The decision's id.
        status: What became of it; whatever is not `done` is not covered.
        probability: With which the request was picked, in (0, 1].
        compare: What compared the answers: `auto`, `judge:MODEL`, `function:NAME`.
        why: What kept it from being done: `budget`, or an error's name.
        tiers: Of every tier whose answer is known: `tier`, `model`, `quality` in [0, 1],
            `cost_usd` of its draft, `reason` (as a record's), `confidence`, `threshold`,
            `signals`, `paid` (USD of each paid signal by name), and `drawn`, whether the audit
            asked for it; where content is logged, `response`, the text of an answer that the
            record does not have.
        quality: Of the answer that was given, in [0, 1].
        strong_quality: Of the strongest tier's answer.
        harm: Quality lost by not asking the strongest tier, in [0, 1].
        strong_cost_usd: What the strongest tier's answer cost; None = unpriced.
        cost_usd: What the audit cost: drawn answers and comparing; None = unpriced.
        calls: The calls that it made, like those of a record.
        rate: The probability that a request had at that time where nothing was special about it
            or about what was left to spend; None where that is `probability`.
    """
    return {
        **_event("audit", decision),
        **({} if rate is None else {"rate": rate}),
        "status": status,
        "probability": probability,
        "compare": compare,
        "why": why,
        "tiers": tiers or [],
        "quality": quality,
        "strong_quality": strong_quality,
        "harm": harm,
        "strong_cost_usd": strong_cost_usd,
        "cost_usd": cost_usd,
        "calls": calls or [],
    }


def counting_audit(before: LogEvent | None, later: LogEvent) -> LogEvent:
    """Return which of two audits of one decision counts."""
    if before is None or counts_over(before["status"], later["status"]):
        return later
    return before


def counts_over(before: str | None, later: str | None) -> bool:
    """Tell whether the later of two audits of one decision counts, by what became of each.

    An audit may be skipped, or fail, and be made later: the last that was done counts, and where
    none was, the last.
    """
    return before != "done" or later == "done"


def _event(kind: Literal["audit", "feedback"], decision: str) -> LogEvent:
    at = datetime.now(UTC).isoformat()
    return {"event": kind, "id": str(uuid4()), "decision": decision, "at": at}
