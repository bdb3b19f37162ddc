"""The cascade: start reading here.

`cascade` is the one decision loop of the project. It is a generator that
yields effects and is sent replies (see `effects`); it never calls a model,
waits, or reads a clock. Whole answers and streams, sync and async, LangChain
and LlamaIndex all run this code.

For every tier but the last: get a draft → gates → signals → confidence →
threshold → accept, or go on (`judging`). The last tier's answer is returned as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from cascade_core.abilities import Missing
from cascade_core.call import Reason
from cascade_core.draft import Draft
from cascade_core.effects import (
    Ask,
    Chunk,
    Close,
    Done,
    Drafts,
    Emit,
    Failed,
    Open,
    Pull,
    Steps,
)
from cascade_core.errors import CascadeExhausted, error_name, is_lasting
from cascade_core.loop.able import missing
from cascade_core.loop.bound import Bound, may_cut
from cascade_core.loop.judging import (
    failed_custom_gate,
    failed_gate,
    judge,
    pointless,
)
from cascade_core.loop.notes import failing_note, no_reading_note
from cascade_core.loop.trail import Trail, TrailEntry, always_strong, total
from cascade_core.signals.asked import ask_with_logprobs
from cascade_core.verdict import Failing, Judgement, Verdict

if TYPE_CHECKING:
    from cascade_core.request import Request
    from cascade_core.setup.plan import Plan
    from cascade_core.tier import Tier

_UNJUDGED = Judgement("only_tier")

UNFINISHED: Mapping[str, object] = {
    "tier": None,
    "reason": "unfinished",
    "accepted": None,
    "cost_usd": None,
}
"""What the cascade would have done, as long as nobody knows."""


@dataclass(slots=True)
class _Run:
    """What one request has come to so far."""

    plan: Plan
    request: Request
    streamed: bool
    trail: Trail
    judged: Judgement
    drafts: list[tuple[Tier, Judgement, TrailEntry]] = field(default_factory=list)
    causes: list[tuple[str, BaseException]] = field(default_factory=list)
    unable: dict[int, Sequence[Missing]] = field(default_factory=dict)


@dataclass(slots=True)
class _Answer:
    """A tier's answer and the chunks it came in."""

    draft: Draft
    chunks: Sequence[object] = ()


def cascade(
    plan: Plan, request: Request, trail: Trail | None = None, *, streamed: bool = False
) -> Steps[Verdict]:
    """Decide one request.

    Args:
        plan: How the cascade was set up.
        request: What was asked.
        trail: Where calls are written down; a new one by default.
        streamed: Whether to ask for streams and emit the answer in chunks.

    Returns:
        The verdict.

    Raises:
        CascadeExhausted: No tier gave an answer.
    """
    run = _Run(plan, request, streamed, trail or Trail(plan.prices), _UNJUDGED)
    if plan.mode == "shadow":
        verdict = yield from served(plan, request, run.trail, streamed=streamed)
        return (yield from shadowed(plan, request, run.trail, verdict))
    accepted = yield from _climb(run)
    if accepted is None:
        return (yield from _last(run, run.judged.reason))
    tier, judgement, answer = accepted
    if streamed:
        if answer.chunks:
            for chunk in answer.chunks:
                yield Emit(chunk)
        else:
            yield Emit(answer.draft.native, tier)
    return _verdict(run, tier, answer.draft, judgement.reason, accepted=True)


def _climb(run: _Run) -> Steps[tuple[Tier, Judgement, _Answer] | None]:
    """Try every tier but the last until a draft is accepted."""
    plan, request = run.plan, run.request
    skipped = plan.skipped(request)
    for tier in plan.tiers[:-1]:
        # A tier with no draft to judge gives the reason; the numbers stay the last judged draft's.
        if tier.index < request.first:
            run.judged = replace(run.judged, reason="sticky")
            continue
        if lacks := missing(tier, request):
            run.unable[tier.index] = lacks
            run.judged = replace(run.judged, reason="unable")
            continue
        if tier.index in skipped:
            run.judged = replace(run.judged, reason="difficult")
            continue
        silent = plan.reads_logprobs and tier.logprobs.absent and not tier.logprobs.retry()
        unread = silent or tier.index in request.mute
        if unread and pointless(plan, request, tier):
            run.judged = replace(run.judged, reason="no_reading")
            yield no_reading_note(plan, tier)
            continue
        answer = yield from _draft(run, tier)
        if isinstance(answer, Judgement):
            run.judged = answer
            continue
        entry = run.trail.add(answer.draft, tier, "draft")
        run.judged = judgement = yield from judge(plan, request, run.trail, tier, answer.draft)
        run.drafts.append((tier, judgement, entry))
        if judgement.accepted:
            entry.settle("accepted")
            return tier, judgement, answer
        entry.settle("rejected", judgement.reason)
    return None


def _last(run: _Run, reason: Reason) -> Steps[Verdict]:
    """Ask the last tier and return what it says, or fall back as configured."""
    plan, tier = run.plan, run.plan.tiers[-1]
    shown = False
    if run.streamed:
        reply = yield Open(tier, run.request, live=True)
        while isinstance(reply, Chunk):
            shown = True
            yield Emit(reply.native)
            reply = yield Pull()
    else:
        reply = yield Ask(tier, run.request)
    draft = _drafted(reply)
    if draft is not None:
        tier.failures.answered()
        entry = run.trail.add(draft, tier, "draft")
        failed = failed_gate(plan, run.request, draft)
        if failed is None and plan.custom_gates:
            failed = yield from failed_custom_gate(plan, run.request, draft)
        entry.settle("returned", failed)
        return _verdict(run, tier, draft, reason)
    yield from _failed(run, tier, reply)
    # Tokens that were shown cannot be taken back, so no other draft may follow them.
    if plan.on_exhausted == "best_draft" and run.drafts and not shown:
        tier, best, entry = max(run.drafts, key=_worth)
        assert best.draft is not None  # noqa: S101 - only judged drafts are kept
        entry.settle("returned", best.reason)
        if run.streamed:
            yield Emit(best.draft.native, tier)
        return _verdict(run, tier, best.draft, "best_draft")
    raise CascadeExhausted(run.causes, run.trail.calls) from reply.error


def served(
    plan: Plan, request: Request, trail: Trail | None = None, *, streamed: bool = False
) -> Steps[Verdict]:
    """Answer as shadow mode does, with the last tier; see `cascade`.

    What the cascade would have done is found out by `shadowed`, afterwards.
    """
    run = _Run(plan, request, streamed, trail or Trail(plan.prices), _UNJUDGED)
    verdict = yield from _last(run, "shadow")
    return replace(verdict, shadow=UNFINISHED, calls=tuple(verdict.calls))  # the trail goes on


def shadowed(plan: Plan, request: Request, trail: Trail, verdict: Verdict) -> Steps[Verdict]:
    """Find out what the cascade would have done in place of an answer that is served.

    Args:
        plan: As for `served`.
        request: The same.
        trail: The same; it goes on.
        verdict: What `served` returned.

    Returns:
        The same verdict with all that is known now.
    """
    run = _Run(plan, request, streamed=False, trail=trail, judged=_UNJUDGED)
    begun = len(trail.calls)
    accepted = yield from _climb(run)
    tried = trail.calls[begun:]
    if accepted is None:
        would: dict[str, object] = {"tier": verdict.tier, "reason": run.judged.reason}
        paid = total(trail.calls)
    else:
        would = {"tier": accepted[0].index, "reason": accepted[1].reason}
        paid = total(tried)
        for call in tried:  # nothing of it was served
            if call.outcome == "accepted":
                call.outcome, call.note = "rejected", "shadow"
    shadow = {
        **would,
        "accepted": accepted is not None,
        "cost_usd": None if paid is None else float(paid),
    }
    return replace(_verdict(run, plan.tiers[-1], verdict.draft, verdict.reason), shadow=shadow)


def _draft(run: _Run, tier: Tier) -> Steps[_Answer | Judgement]:
    """Get a draft from a tier; a `Judgement` says why there is none."""
    plan = run.plan
    reads = plan.reads_logprobs and tier.logprobs.asked and tier.index not in run.request.mute
    got: _Answer | Judgement | Failed
    if reads:
        failed = partial(run.trail.fail, tier=tier, purpose="draft")
        ask = partial(_attempt, run, tier)
        got = yield from ask_with_logprobs(tier.logprobs, ask, failed)
    else:
        got = yield from _attempt(run, tier, logprobs=False)
    if isinstance(got, Judgement):
        return got
    if isinstance(got, Failed):
        yield from _failed(run, tier, got)
        return replace(run.judged, reason="failed")
    tier.failures.answered()
    draft = got.draft
    if draft.unread == "certain":
        yield no_reading_note(plan, tier, draft.unread)
    if reads and draft.text and not (draft.tool_calls or draft.cached or draft.refusal):
        tier.logprobs.saw(draft.logprobs is not None, unmarked=draft.unmarked)
    return got


def _attempt(run: _Run, tier: Tier, *, logprobs: bool) -> Steps[_Answer | Judgement | Failed]:
    """Ask for one draft, whole or streamed."""
    plan, request = run.plan, run.request
    top = plan.top_logprobs if logprobs else 0
    if not (run.streamed and tier.streams):
        reply = yield Ask(tier, request, logprobs=logprobs, top_logprobs=top)
        return _Answer(reply.drafts[0]) if type(reply) is Drafts else reply
    limit = tier.max_tokens if request.max_tokens is None else request.max_tokens
    bound = Bound(plan, tier, request, limit) if logprobs and may_cut(plan, tier) else None
    chunks = []
    reply = yield Open(tier, request, live=False, logprobs=logprobs, top_logprobs=top)
    while isinstance(reply, Chunk):
        chunks.append(reply.native)
        if bound is not None and reply.logprobs and bound.fell(reply.logprobs):
            done = yield Close()
            tier.logprobs.saw(True)  # noqa: FBT003
            tier.failures.answered()
            arrived = done.draft if isinstance(done, Done | Failed) else None
            # Where closing failed nobody knows what was used: paid for, at an unknown price.
            run.trail.abort(arrived or Draft(), tier, limit)
            return Judgement(
                "low_confidence",
                confidence=bound.best,
                threshold=bound.threshold,
                signals=dict(bound.readings),
            )
        reply = yield Pull()
    return _Answer(reply.draft, chunks) if isinstance(reply, Done) else reply


def _failed(run: _Run, tier: Tier, failed: Failed) -> Steps[None]:
    """Write down that a tier gave no answer; say so where it never does."""
    run.trail.fail(failed, tier, "draft")
    run.causes.append((tier.label, failed.error))
    error = error_name(failed.error)
    lasting = is_lasting(failed.error)
    streak = tier.failures.failed(error, lasting=lasting)
    if streak is not None:
        yield failing_note(run.plan, tier, failed.error, streak)


def _drafted(reply: Drafts | Done | Failed) -> Draft | None:
    if isinstance(reply, Drafts):
        return reply.drafts[0]
    return reply.draft if isinstance(reply, Done) else None


def _worth(judged: tuple[Tier, Judgement, TrailEntry]) -> tuple[bool, float, int]:
    """Order drafts: those that passed the gates, then by confidence, then by tier."""
    tier, judgement, _ = judged
    confidence = -1.0 if judgement.confidence is None else judgement.confidence
    return not judgement.reason.startswith("gate_"), confidence, tier.index


def _verdict(
    run: _Run, tier: Tier, draft: Draft, reason: Reason, *, accepted: bool = False
) -> Verdict:
    plan, calls = run.plan, run.trail.calls
    strong_cost, exact = always_strong(calls, plan.tiers[-1], plan.prices)
    return Verdict(
        tier=tier.index,
        draft=draft if draft.model or not tier.model else replace(draft, model=tier.model),
        reason=reason,
        accepted=accepted,
        judged=run.judged,
        calls=calls,
        cost=total(calls),
        strong_cost=strong_cost,
        strong_cost_exact=exact,
        class_name=run.request.class_name,
        policy=plan.policy,
        calibrated=plan.calibrated and run.judged.confidence is not None,
        unable=run.unable,
        failing=failing(plan.tiers),
    )


def failing(tiers: Sequence[Tier]) -> Sequence[Failing]:
    """Return the tiers that fail again and again."""
    return [
        Failing(tier.index, tier.model, tier.failures.count, tier.failures.error)
        for tier in tiers
        if tier.failures.long
    ]
