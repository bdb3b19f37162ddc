"""Gets one draft from a tier, whole or streamed, or says why there is none."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cascade_core.call import Reason
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Chunk, Close, Done, Drafts, Failed, Note, Open, Pull, Steps
from cascade_core.errors import (
    BudgetExceeded,
    CascadeExhausted,
    CutShortError,
    UnboundedCallError,
    error_name,
    is_lasting,
    never_asked,
)
from cascade_core.loop.bound import Bound, may_cut
from cascade_core.loop.climb import Answered, Climb
from cascade_core.loop.committing import course_of, go_live
from cascade_core.loop.notes import failing_note, no_reading_note
from cascade_core.signals.asked import ask_with_logprobs
from cascade_core.verdict import Judgement

if TYPE_CHECKING:
    from cascade_core.tier import Tier


def draft_of(run: Climb, tier: Tier) -> Steps[Answered | Judgement]:
    """Get a draft from a tier; a `Judgement` says why there is none."""
    plan = run.plan
    reads = plan.reads_logprobs and tier.logprobs.asked and tier.index not in run.request.mute
    holds = run.request.holds(tier.index) and not run.request.reads_held(tier.index)
    reads = reads and not (holds and run.purpose == "draft")
    got: Answered | Judgement | Failed
    if reads:
        failed = partial(run.trail.fail, tier=tier, purpose=run.purpose)
        ask = partial(_attempt, run, tier)
        got = yield from ask_with_logprobs(tier.logprobs, ask, failed)
    else:
        got = yield from _attempt(run, tier, logprobs=False)
    if isinstance(got, Judgement):
        return got
    if isinstance(got, Failed):
        yield from note_failure(run, tier, got)
        return replace(run.judged, reason=_reason(got.error))
    draft = got.draft
    if not draft.cached:
        tier.failures.answered()
    if draft.unread == "certain":
        yield no_reading_note(plan, tier, draft.unread)
    if reads and draft.text and not (draft.tool_calls or draft.cached or draft.refusal):
        tier.logprobs.saw(draft.logprobs is not None, unmarked=draft.unmarked)
    return got


def _attempt(run: Climb, tier: Tier, *, logprobs: bool) -> Steps[Answered | Judgement | Failed]:
    """Ask for one draft, whole or streamed."""
    plan, request = run.plan, run.request
    top = plan.top_logprobs if logprobs else 0
    streams = tier.streams and (tier.streams_logprobs or not logprobs)
    # `beside` are the tools that are bound to the tier itself.
    streams = streams and (tier.streams_calls or not (request.tools or tier.beside))
    if not (run.streamed and streams):
        reply = yield Ask(tier, request, run.purpose, logprobs=logprobs, top_logprobs=top)
        return Answered(reply.drafts[0]) if type(reply) is Drafts else reply
    limit = tier.max_tokens if request.max_tokens is None else request.max_tokens or None
    # What begins as a text may become a tool call, which a held tier's step is not left for.
    cuts = logprobs and request.ruling.escalate and not request.reads_held(tier.index)
    cuts = cuts and may_cut(plan, tier)
    bound = Bound(plan, tier, request, limit) if cuts else None
    course = course_of(plan, request, tier) if logprobs and run.purpose == "draft" else None
    chunks = []
    reply = yield Open(tier, request, live=False, logprobs=logprobs, top_logprobs=top)
    while isinstance(reply, Chunk):
        chunks.append(reply.native)
        reached = None if course is None else course.feed(reply.logprobs)
        if reached is not None:
            return (yield from go_live(run, tier, chunks, reached))
        fell = bound is not None and reply.logprobs and bound.fell(reply.logprobs)
        if fell and bound is not None and (course is None or not course.may_come()):
            done = yield Close()
            tier.logprobs.saw(True)  # noqa: FBT003
            tier.failures.answered()
            arrived = done.draft if isinstance(done, Done | Failed) else None
            # Where closing failed nobody knows what was used: paid for, at an unknown price.
            run.trail.abort(arrived or Draft(), tier, limit)
            return bound.cut()
        reply = yield Pull()
    return Answered(reply.draft, chunks) if isinstance(reply, Done) else reply


def _reason(error: Exception) -> Reason:
    """Return why a tier gave no draft."""
    return error.reason if never_asked(error) or isinstance(error, CutShortError) else "failed"


def note_failure(run: Climb, tier: Tier, failed: Failed) -> Steps[None]:
    """Write down that a tier gave no answer; say so where it never does."""
    if never_asked(failed.error):
        run.causes.append((tier.label, failed.error))
        if isinstance(failed.error, BudgetExceeded):
            run.budget = failed.error.budget
            if failed.error.when_short != "cheapest" and run.purpose == "draft":
                raise CascadeExhausted(run.causes, run.trail.calls) from failed.error
        elif isinstance(failed.error, UnboundedCallError):
            yield Note(f"unbounded:{tier.index}", str(failed.error))
        return
    run.trail.fail(failed, tier, run.purpose)
    run.causes.append((tier.label, failed.error))
    if isinstance(failed.error, CutShortError):
        return
    error = error_name(failed.error)
    lasting = is_lasting(failed.error)
    streak = tier.failures.failed(error, lasting=lasting)
    if streak is not None:
        yield failing_note(run.plan, tier, failed.error, streak)
