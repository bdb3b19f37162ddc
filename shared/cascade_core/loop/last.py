"""Asks the last tier, or the only one allowed, and returns what it says, or falls back.

Its answer is returned as it is, unless it has a threshold too: then it is judged like any draft,
and below the threshold handed off (`handing`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cascade_core.call import Reason
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Chunk, Done, Drafts, Emit, Failed, Open, Pull, Steps
from cascade_core.errors import CascadeExhausted
from cascade_core.loop.climb import Climb
from cascade_core.loop.drafting import draft_of, note_failure
from cascade_core.loop.handing import hand_off, show
from cascade_core.loop.judging import failed_custom_gate, failed_gate, judge
from cascade_core.loop.short import best_draft, cheapest_tier
from cascade_core.loop.verdicts import note_judged, verdict_of
from cascade_core.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from cascade_core.tier import Tier


def answer_of_last(run: Climb, reason: Reason, instead: Tier | None = None) -> Steps[Verdict]:
    """Ask the last tier, or the only one allowed, and return what it says, or fall back."""
    plan, request = run.plan, run.request
    pin = request.ruling.pin
    tier = instead or plan.tiers[-1 if pin is None else pin]
    if instead is None and _decides(run):
        return (yield from _judged(run, tier, reason))
    shown = False
    if run.streamed:
        reply = yield Open(tier, request, live=True)
        while isinstance(reply, Chunk):
            shown = True
            yield Emit(reply.native)
            reply = yield Pull()
    else:
        reply = yield Ask(tier, request)
    draft = _drafted(reply)
    if draft is not None:
        if not draft.cached:
            tier.failures.answered()
        entry = run.trail.add(draft, tier, "draft")
        failed = failed_gate(plan, request, draft)
        if failed is None and plan.custom_gates:
            failed = yield from failed_custom_gate(plan, request, draft)
        entry.settle("returned", failed)
        return verdict_of(run, tier, draft, reason)
    yield from note_failure(run, tier, reply)
    return (yield from _without(run, reply.error, shown=shown))


def _decides(run: Climb) -> bool:
    """Tell whether the last tier's answer is judged: it has a threshold, and nothing overrides."""
    ruling = run.request.ruling
    free = ruling.pin is None and ruling.escalate and run.plan.mode == "serve"
    return free and run.plan.handoff(run.request) is not None


def _judged(run: Climb, tier: Tier, sent_on: Reason) -> Steps[Verdict]:
    """Ask the last tier for a draft, judge it, and hand it off below its threshold.

    It is held back until then, also of a stream.

    Args:
        run: What the request has come to.
        tier: The last tier.
        sent_on: Why the request came to it; the verdict's reason is about its own draft.
    """
    run.request.judged_to_end = True
    answer = yield from draft_of(run, tier)
    if isinstance(answer, Judgement):
        run.request.judged_to_end = False
        return (yield from _without(run, run.causes[-1][1], shown=False))
    entry = run.trail.add(answer.draft, tier, "draft")
    judged = yield from judge(run.plan, run.request, run.trail, tier, answer.draft)
    judgement = note_judged(run, tier, judged)
    if not judgement.accepted:
        verdict = yield from hand_off(run, tier, judgement, entry, answer)
        return replace(verdict, sent_on=sent_on)
    entry.settle("accepted")
    if run.streamed:
        yield from show(answer, tier)
    verdict = verdict_of(run, tier, answer.draft, judgement.reason, accepted=True)
    return replace(verdict, sent_on=sent_on)


def _without(run: Climb, error: BaseException, *, shown: bool) -> Steps[Verdict]:
    """Fall back where the last tier gave no answer.

    Args:
        run: What the request has come to.
        error: Why it gave none.
        shown: Whether anything of it was shown.

    Raises:
        CascadeExhausted: There is nothing to fall back on.
    """
    # Tokens that were shown cannot be taken back, so no other draft may follow them.
    if not shown and (kept := best_draft(run, error)):
        tier, best, reason = kept
        if run.streamed:
            yield Emit(best.native, tier)
        return verdict_of(run, tier, best, reason)
    if not shown and (cheaper := cheapest_tier(run, error)):
        return (yield from answer_of_last(run, "budget", cheaper))
    raise CascadeExhausted(run.causes, run.trail.calls) from error


def _drafted(reply: Drafts | Done | Failed) -> Draft | None:
    if isinstance(reply, Drafts):
        return reply.drafts[0]
    return reply.draft if isinstance(reply, Done) else None
