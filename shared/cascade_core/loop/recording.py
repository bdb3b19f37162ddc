"""What a record says of a request beside its verdict, and the content that goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from cascade_core.call import Call
from cascade_core.costs.tokens import estimate_usage
from cascade_core.log import Asked, Record
from cascade_core.log.redaction import cut, kept_metadata, kept_tags, redacted
from cascade_core.request import Request
from cascade_core.setup.engine import Engine
from cascade_core.setup.plan import Plan
from cascade_core.verdict import Verdict


class Decided(NamedTuple):
    """A verdict and its record."""

    verdict: Verdict
    record: Record


def asked_of(  # noqa: PLR0913 - all that there is to say
    engine: Engine,
    plan: Plan,
    request: Request,
    calls: Sequence[Call],
    *,
    at: datetime,
    seconds: float,
    deadline: float | None = None,
) -> Asked:
    """Return what a record says of a request, however it was decided.

    Args:
        engine: The cascade's engine.
        plan: What decided.
        request: What was asked.
        calls: The calls made for it.
        at: When it was asked.
        seconds: Until the answer was known.
        deadline: How many it might have taken, where that was limited.
    """
    tags, thread, keys = request.tags, request.thread, engine.log_metadata
    logged = engine.registered is not None
    return Asked(
        at=at,
        latency_ms=seconds * 1000,
        class_name=request.class_name,
        policy=plan.policy,
        cascade=engine.name,
        framework=engine.framework,
        thread=None if thread is None else cut(thread),
        tags=kept_tags(tags) if tags else (),
        metadata=kept_metadata(request.metadata, keys) if keys else {},
        input_tokens=_input_tokens(plan, request, calls, count=logged),
        digest=_digest(engine, plan, request) if logged else None,
        rule=request.ruling.rule,
        policy_version=plan.policy_version,
        audit=request.audit,
        deadline=deadline,
    )


def _input_tokens(
    plan: Plan, request: Request, calls: Sequence[Call], *, count: bool
) -> int | None:
    """Return the tokens of a prompt: those of the first draft, else counted where that is wanted.

    Counting takes a while, and is for the log.
    """
    for call in calls:
        if call.purpose == "draft" and call.usage is not None:
            return call.usage.input_tokens
    if not count:
        return None
    try:
        texts = [turn.text for turn in request.turns]
        return estimate_usage(texts, "", plan.tiers[0].model, 0).input_tokens
    except Exception:  # noqa: BLE001 - what nobody could read is not counted either
        return None


def _digest(engine: Engine, plan: Plan, request: Request) -> str | None:
    assert engine.registered is not None  # noqa: S101 - there is a log
    try:
        return engine.registered.digest(request)
    except Exception as error:  # noqa: BLE001 - the answer is paid for and must get out
        plan.notices.give(
            "digest",
            f"the digest of a request cannot be made ({type(error).__name__}): its record has none",
        )
        return None


def content_of(engine: Engine, plan: Plan, request: Request, verdict: Verdict | None) -> Record:
    """Return the prompt and the answer, where the caller wants them logged."""
    if verdict is None or not wants_content(engine, request):
        return {}
    try:
        turns = request.turns
        texts = redacted(engine.redact, [*(turn.text for turn in turns), verdict.draft.text])
    except Exception:  # noqa: BLE001 - what cannot be read cannot be logged
        return {}
    if texts is None:
        plan.notices.give(
            "redact",
            "redact= raised an error or returned no text: such a prompt and its answer are left "
            "out of the log, and the rest of the record is kept",
        )
        return {}
    *asked, answered = texts
    said = [{"role": turn.role, "text": text} for turn, text in zip(turns, asked, strict=True)]
    return {"request": said, "response": answered}


def audited_content(
    engine: Engine, plan: Plan, request: Request, texts: Mapping[int, str]
) -> dict[int, str]:
    """Return what other tiers have answered, by tier, where the caller wants content logged."""
    if not texts or not wants_content(engine, request):
        return {}
    kept = redacted(engine.redact, list(texts.values()))
    if kept is None:
        plan.notices.give(
            "redact:audit",
            "redact= raised an error or returned no text: the answers that an audit compared are "
            "left out of the log, and what it found is kept",
        )
        return {}
    return dict(zip(texts, kept, strict=True))


def wants_content(engine: Engine, request: Request) -> bool:
    """Tell whether prompt and answer go into the log: a rule's word goes before the cascade's."""
    ruled = request.ruling.log_content
    return engine.log_content if ruled is None else ruled
