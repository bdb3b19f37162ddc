"""What became of a request, in a word: for tracers of the frameworks and for OpenTelemetry."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

RequestOutcome: TypeAlias = Literal[
    "accepted", "escalated", "straight", "cached", "shadow", "exhausted", "failed", "cancelled"
]

LEFT = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt)
"""What ends a request that nobody waits for any longer."""


def outcome_of(
    record: Mapping[str, Any] | None, error: BaseException | None = None
) -> RequestOutcome:
    """Say in a word what became of a request.

    `accepted`: the first tier that was asked answered, as its threshold or the gates allowed;
    `escalated`: a later tier did; `straight`: a rule, a route or a need chose the tier.

    Args:
        record: Its record; None where it has none.
        error: What ended it without one.
    """
    if record is None:
        return "cancelled" if isinstance(error, LEFT) else "failed"
    if record["reason"] == "cancelled":
        return "cancelled" if error is None or isinstance(error, LEFT) else "failed"
    if record["tier"] is None:
        return "exhausted"
    if record["reason"] == "cached":
        return "cached"
    if record.get("shadow") is not None or record["reason"] == "shadow":
        return "shadow"
    if record["tier"] > _first(record["calls"], record["tier"]):
        return "escalated"
    return "accepted" if record["accepted"] else "straight"


def _first(calls: Sequence[Mapping[str, Any]], answered: int) -> int:
    """Return the cheapest tier that was asked for a draft."""
    asked = [c["tier"] for c in calls if c["purpose"] == "draft" and c["tier"] is not None]
    return min(asked, default=answered)
