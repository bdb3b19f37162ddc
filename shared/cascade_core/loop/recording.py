"""What is written down of a request beside its verdict."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from cascade_core.log import Asked, Record
from cascade_core.request import Request
from cascade_core.setup.engine import Engine
from cascade_core.setup.plan import Plan
from cascade_core.verdict import Verdict


class Decided(NamedTuple):
    """A verdict and its record."""

    verdict: Verdict
    record: Record


def asked_of(engine: Engine, plan: Plan, request: Request, at: datetime, seconds: float) -> Asked:
    """Return what a record says of a request, however it was decided.

    Args:
        engine: The cascade's engine.
        plan: What decided.
        request: What was asked.
        at: When.
        seconds: Until the answer was known.
    """
    return Asked(
        at=at,
        latency_ms=seconds * 1000,
        class_name=request.class_name,
        policy=plan.policy,
        cascade=engine.name,
        framework=engine.framework,
        thread=request.thread,
        tags=request.tags,
        rule=request.ruling.rule,
        policy_version=plan.policy_version,
        audit=request.audit,
    )


def content_of(engine: Engine, request: Request, verdict: Verdict | None) -> Record:
    """Return the prompt and the answer, where the caller wants them logged."""
    ruled = request.ruling.log_content
    wanted = engine.log_content if ruled is None else ruled
    if not wanted or verdict is None:
        return {}
    turns = [{"role": turn.role, "text": turn.text} for turn in request.turns]
    return {"request": turns, "response": verdict.draft.text}
