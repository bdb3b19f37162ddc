"""Accepts a draft by its first tokens, by the rule of the policy: to commit *is* to accept.

A stream that is committed to is live from then on, and nothing can take it back: not a gate that
it fails at its end, nor its breaking off. Both are errors of the accepted answer, and are written
down. A draft that came whole is held against the same rule, so that it is decided on as its stream
would have been, but for one thing: its gates are asked first, for they can still be heeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cascade_core.draft import Draft
from cascade_core.effects import Chunk, Done, Emit, Failed, Note, Pull, Steps
from cascade_core.errors import CascadeExhausted
from cascade_core.loop.climb import Answered, Climb
from cascade_core.loop.trail import Trail
from cascade_core.verdict import Committed, Judgement

if TYPE_CHECKING:
    from cascade_core.fitted.commitment import Course, Reached
    from cascade_core.request import Request
    from cascade_core.setup.plan import Plan
    from cascade_core.tier import Tier


def may_commit(request: Request, tier: Tier) -> bool:
    """Tell whether a tier's draft can be told to be good by its first tokens at all.

    What may become a tool call or an object is nothing before it is whole; nor is a chain's
    answer, or one that may begin with a thought.
    """
    plain = not (tier.tool_only or tier.composite or tier.thinks_unmarked)
    asked = request.tools or request.output_schema is not None or tier.output_schema is not None
    return plain and not (asked or request.acts_in_text)


def first_tokens(request: Request, tier: Tier, draft: Draft) -> Sequence[float]:
    """Return the log-probabilities that a rule may go by of a draft; none where it may not."""
    said = draft.logprobs is not None and draft.text
    if not said or draft.tool_calls or draft.is_object or not may_commit(request, tier):
        return ()
    assert draft.logprobs is not None  # noqa: S101 - said so above
    return draft.logprobs.values


def course_of(plan: Plan, request: Request, tier: Tier) -> Course | None:
    """Return what follows a draft by its policy's rule; None where it has none for it."""
    rule = plan.commits[tier.index] if tier.index < len(plan.commits) else None
    if rule is None or not request.ruling.escalate or request.holds(tier.index):
        return None
    if not may_commit(request, tier):
        return None
    text = request.question if rule.reads_request else ""
    return rule.follow(text, request.class_name, plan.threshold(tier, request))


def reached_by(plan: Plan, request: Request, tier: Tier, draft: Draft) -> Reached | None:
    """Return where a draft that came whole would have been committed to."""
    course = course_of(plan, request, tier)
    return None if course is None else course.feed(first_tokens(request, tier, draft))


def go_live(run: Climb, tier: Tier, held: Sequence[object], reached: Reached) -> Steps[Answered]:
    """Show a draft that is committed to: what was held back, then the rest as it comes.

    Args:
        run: What the request has come to.
        tier: Whose draft it is.
        held: The chunks so far.
        reached: Where it is committed to.

    Raises:
        CascadeExhausted: Its stream broke; no other tier's words may follow.
    """
    run.trail.committed = Committed(reached.tokens, live=True)
    for chunk in held:
        yield Emit(chunk)
    reply = yield Pull()
    while isinstance(reply, Chunk):
        yield Emit(reply.native)
        reply = yield Pull()
    if isinstance(reply, Done):
        return Answered(reply.draft, reached=reached)
    assert isinstance(reply, Failed)  # noqa: S101 - nothing else ends a stream
    raise broken_off(run, tier, reply)


def broken_off(run: Climb, tier: Tier, failed: Failed) -> CascadeExhausted:
    """Write down that a stream broke whose beginning is out, and return what is raised for it."""
    committed = run.trail.committed
    assert committed is not None  # noqa: S101 - it is live
    run.trail.committed = replace(committed, error="failed")
    run.trail.fail(failed, tier, run.purpose)
    run.causes.append((tier.label, failed.error))
    exhausted = CascadeExhausted(run.causes, run.trail.calls)
    exhausted.__cause__ = failed.error
    return exhausted


def commit(  # noqa: PLR0913, PLR0917 - what was decided, and all that is still to be read
    plan: Plan,
    request: Request,
    trail: Trail,
    tier: Tier,
    draft: Draft,
    reached: Reached,
    committed: Committed,
) -> Steps[Judgement]:
    """Return the judgement of a draft that was accepted by its first tokens.

    The signals that cost nothing are read of all of it, for whoever looks at it later.
    """
    readings: dict[str, float | None] = {}
    for signal in plan.signals:
        if signal.paid:
            continue
        reading, problem = yield from trail.read(signal, request, draft, tier)
        readings[signal.name] = reading
        if problem is not None:
            yield Note(
                f"signal:{signal.name}:{tier.index}",
                f"signal {signal.name!r} {problem} on {tier.label}; that counts as no reading",
            )
    threshold = plan.threshold(tier, request)
    return Judgement(
        "confident",
        accepted=True,
        draft=draft,
        confidence=reached.confidence,
        threshold=threshold,
        signals=readings,
        merit=reached.confidence,
        committed=committed,
    )
