"""The cascade: start reading here.

`cascade` is the one decision loop of the project. It is a generator that
yields effects and is sent replies (see `effects`); it never calls a model,
waits, or reads a clock. Whole answers and streams, sync and async, LangChain
and LlamaIndex all run this code.

For every tier but the last: get a draft → gates → signals → confidence →
threshold → accept, or go on (`judging`). The last tier's answer is returned as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cascade_core.call import Reason
from cascade_core.costs.rate import in_usd
from cascade_core.draft import Draft
from cascade_core.effects import (
    Ask,
    Chunk,
    Done,
    Drafts,
    Emit,
    Failed,
    Open,
    Pull,
    Steps,
)
from cascade_core.errors import CascadeExhausted
from cascade_core.loop.climb import Answered, Climb
from cascade_core.loop.drafting import draft_of, note_failure
from cascade_core.loop.failing import failing_tiers
from cascade_core.loop.judging import (
    failed_custom_gate,
    failed_gate,
    judge,
    pointless,
)
from cascade_core.loop.notes import no_reading_note
from cascade_core.loop.route import passed_over
from cascade_core.loop.short import best_draft, cheapest_tier
from cascade_core.loop.strong import always_strong
from cascade_core.loop.trail import Trail, total
from cascade_core.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from cascade_core.request import Request
    from cascade_core.setup.plan import Plan
    from cascade_core.tier import Tier

_UNJUDGED = Judgement("only_tier")

_NO_DRAFT: frozenset[Reason] = frozenset({"failed", "budget", "open", "deadline", "overtaken"})

UNFINISHED: Mapping[str, object] = {
    "tier": None,
    "reason": "unfinished",
    "accepted": None,
    "cost_usd": None,
}
"""What the cascade would have done, as long as nobody knows."""


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
    run = Climb(plan, request, streamed, trail or Trail(plan.prices), _UNJUDGED)
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
    if not judgement.accepted:
        return _verdict(run, tier, answer.draft, _unjudged(judgement))
    return _verdict(run, tier, answer.draft, judgement.reason, accepted=True)


def _climb(run: Climb) -> Steps[tuple[Tier, Judgement, Answered] | None]:
    """Try every tier but the last until a draft is accepted, or may not be sent on."""
    plan, request = run.plan, run.request
    ruling = request.ruling
    if ruling.pin is not None:
        run.judged = replace(run.judged, reason="pinned")
        return None
    skipped = plan.skipped(request) if ruling.escalate else ()
    for tier in plan.tiers[:-1]:
        # A tier with no draft to judge gives the reason; the numbers stay the last judged draft's.
        if passed := passed_over(run, tier, skipped):
            run.judged = replace(run.judged, reason=passed)
            continue
        silent = plan.reads_logprobs and tier.logprobs.absent and not tier.logprobs.retry()
        unread = silent or tier.index in request.mute
        held = request.holds(tier.index)
        if unread and ruling.escalate and not held and pointless(plan, request, tier):
            run.judged = replace(run.judged, reason="no_reading")
            yield no_reading_note(plan, tier)
            continue
        answer = yield from draft_of(run, tier)
        if isinstance(answer, Judgement):
            run.judged = answer
            if answer.reason not in _NO_DRAFT:
                _judged(run, tier, answer)
            continue
        entry = run.trail.add(answer.draft, tier, "draft")
        judged = yield from judge(plan, request, run.trail, tier, answer.draft, held=held)
        if judged.reason == "held":  # nobody judged it
            entry.settle("returned")
            return tier, judged, answer
        judgement = _judged(run, tier, judged)
        run.drafts.append((tier, judgement, entry))
        if judgement.accepted:
            entry.settle("accepted")
            return tier, judgement, answer
        if not ruling.escalate and answer.draft.parse_error is None:  # else it is no answer
            entry.settle("returned", judgement.reason)
            return tier, judgement, answer
        entry.settle("rejected", judgement.reason)
    return None


def _judged(run: Climb, tier: Tier, judgement: Judgement) -> Judgement:
    """Note whose draft a judgement is about."""
    model = None if judgement.draft is None else judgement.draft.model
    run.judged = judged = Judgement(  # `replace` takes as long as judging does
        judgement.reason,
        judgement.accepted,
        judgement.draft,
        judgement.confidence,
        judgement.threshold,
        judgement.signals,
        tier.index,
        model or tier.model,
        judgement.paid,
    )
    run.judgements.append(judged)
    return judged


def _last(run: Climb, reason: Reason, instead: Tier | None = None) -> Steps[Verdict]:
    """Ask the last tier, or the only one allowed, and return what it says, or fall back."""
    plan = run.plan
    tier = instead or plan.tiers[run.request.answered_by(-1)]
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
    yield from note_failure(run, tier, reply)
    # Tokens that were shown cannot be taken back, so no other draft may follow them.
    if not shown and (kept := best_draft(run, reply.error)):
        tier, best, reason = kept
        if run.streamed:
            yield Emit(best.native, tier)
        return _verdict(run, tier, best, reason)
    if not shown and (cheaper := cheapest_tier(run, reply.error)):
        return (yield from _last(run, "budget", cheaper))
    raise CascadeExhausted(run.causes, run.trail.calls) from reply.error


def served(
    plan: Plan, request: Request, trail: Trail | None = None, *, streamed: bool = False
) -> Steps[Verdict]:
    """Answer as shadow mode does, with the last tier; see `cascade`.

    What the cascade would have done is found out by `shadowed`, afterwards.
    """
    run = Climb(plan, request, streamed, trail or Trail(plan.prices), _UNJUDGED)
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
    run = Climb(plan, request, streamed=False, trail=trail, judged=_UNJUDGED)
    begun = len(trail.calls)
    accepted = yield from _climb(run)
    tried = trail.calls[begun:]
    if run.request.ruling.pin is not None:  # there was nothing to decide
        return replace(verdict, shadow=None, reason="pinned", calls=trail.calls)
    if accepted is None:
        would: dict[str, object] = {"tier": verdict.tier, "reason": run.judged.reason}
        paid = total(trail.calls)
    else:
        judged = accepted[1]
        reason = judged.reason if judged.accepted else _unjudged(judged)
        would = {"tier": accepted[0].index, "reason": reason}
        paid = total(tried)
        for call in tried:  # nothing of it was served
            if call.outcome in ("accepted", "returned"):
                call.outcome, call.note = "rejected", "shadow"
    shadow = {
        **would,
        "accepted": accepted is not None and accepted[1].accepted,
        "cost_usd": in_usd(paid),
    }
    run.budget, run.void = verdict.budget, verdict.void  # of the answer that was served
    answered = plan.tiers[verdict.tier]
    return replace(_verdict(run, answered, verdict.draft, verdict.reason), shadow=shadow)


def _unjudged(judgement: Judgement) -> Reason:
    """Return why a draft is the answer that met no threshold."""
    return "held" if judgement.reason == "held" else "kept"


def _drafted(reply: Drafts | Done | Failed) -> Draft | None:
    if isinstance(reply, Drafts):
        return reply.drafts[0]
    return reply.draft if isinstance(reply, Done) else None


def _verdict(
    run: Climb, tier: Tier, draft: Draft, reason: Reason, *, accepted: bool = False
) -> Verdict:
    plan, calls = run.plan, run.trail.calls
    strong = always_strong(calls, plan.tiers[-1], plan.prices, run.request)
    return Verdict(
        tier=tier.index,
        draft=draft if draft.model or not tier.model else replace(draft, model=tier.model),
        reason=reason,
        accepted=accepted,
        judged=run.judged,
        calls=calls,
        cost=total(calls),
        strong_cost=strong.cost,
        strong_cost_exact=strong.exact,
        strong_cost_basis=strong.basis,
        class_name=run.request.class_name,
        policy=plan.policy,
        calibrated=plan.calibrated and run.judged.confidence is not None,
        unable=run.unable,
        failing=failing_tiers(plan.tiers, run.causes),
        judgements=run.judgements,
        budget=run.budget,
        void=run.void,
        held=run.request.held,
    )
