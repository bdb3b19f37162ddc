"""What a log holds, of whatever kind it is: what `lines` and `tables` give, and `reading` takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cascade_core.traffic.columns import TrafficRow

LATEST_FAILED = 500
"""Requests with a failed call, the last ones, whose errors are counted."""


class AuditEntry(NamedTuple):
    """What is read of an audit; see `log.events`."""

    decision: str
    status: str
    probability: float
    compare: str
    why: str | None
    quality: float | None
    strong_quality: float | None
    harm: float | None
    strong_cost_usd: float | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What people volunteered to say of answers; no random sample of them.

    Attributes:
        n: How many times somebody said something.
        decisions: Of how many decisions.
        quality: The mean of it, in [0, 1]; None where nobody did.
        corrected: How often with what the answer should have been.
    """

    n: int = 0
    decisions: int = 0
    quality: float | None = None
    corrected: int = 0


@dataclass(slots=True)
class LogEntries:
    """What a log of any kind holds.

    Attributes:
        audits: All audits, oldest first.
        feedback: What people said in the part of its time that was asked for.
        chunks: Its decisions, to be read once, before what follows.
        failing: As in `LogRead`, like the rest.
        errors: Known once `chunks` is read.
        unreadable: Known once `chunks` is read.
    """

    audits: Sequence[AuditEntry]
    feedback: Feedback
    chunks: Iterator[Sequence[TrafficRow]]
    failing: tuple[Mapping[str, Any], ...] = ()
    errors: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
