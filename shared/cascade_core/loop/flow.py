"""The cascade: start reading here.

`cascade` is the one decision loop of the project. It is a generator that
yields effects and is sent replies (see `effects`); it never calls a model,
waits, or reads a clock. Whole answers and streams, sync and async, LangChain
and LlamaIndex all run this code.

For every tier but the last: get a draft → gates → signals → confidence →
threshold → accept, or go on (`judging`). The last tier's answer is returned as it is, unless it
has a threshold of its own (`last`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cascade_core.call import Reason
from cascade_core.costs.rate import in_usd
from cascade_core.effects import (
    Steps,
)
from cascade_core.loop.climb import Answered, Climb
from cascade_core.loop.drafting import draft_of
from cascade_core.loop.handing import show
from cascade_core.loop.judging import (
    begin_signals,
    judge_answer,
    pointless,
)
from cascade_core.loop.last import answer_of_last
from cascade_core.loop.notes import no_reading_note
from cascade_core.loop.route import passed_over
from cascade_core.loop.trail import Trail, total
from cascade_core.loop.verdicts import note_judged, verdict_of
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
    if plan.mode == "learn":
        pinned = request.ruling.pin is not None
        return (yield from answer_of_last(run, "pinned" if pinned else "learning"))
    accepted = yield from _climb(run)
    if accepted is None:
        return (yield from answer_of_last(run, run.judged.reason))
    tier, judgement, answer = accepted
    if streamed and answer.reached is None:  # else it is out
        yield from show(answer, tier)
    if not judgement.accepted:
        return verdict_of(run, tier, answer.draft, _unjudged(judgement))
    return verdict_of(run, tier, answer.draft, judgement.reason, accepted=True)


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
        yield from begin_signals(plan, request, run.trail, tier)
        answer = yield from draft_of(run, tier)
        if isinstance(answer, Judgement):
            run.judged = answer
            if answer.reason not in _NO_DRAFT:
                note_judged(run, tier, answer)
            continue
        entry = run.trail.add(answer.draft, tier, "draft")
        judged = yield from judge_answer(run, tier, answer, held=held)
        if judged.reason == "held":  # nobody judged it
            entry.settle("returned")
            return tier, judged, answer
        judgement = note_judged(run, tier, judged)
        run.drafts.append((tier, judgement, entry))
        if judgement.accepted:
            entry.settle("accepted", judgement.error)
            return tier, judgement, answer
        if not ruling.escalate and answer.draft.parse_error is None:  # else it is no answer
            entry.settle("returned", judgement.reason)
            return tier, judgement, answer
        entry.settle("rejected", judgement.reason)
    return None


def served(
    plan: Plan, request: Request, trail: Trail | None = None, *, streamed: bool = False
) -> Steps[Verdict]:
    """Answer as shadow mode does, with the last tier; see `cascade`.

    What the cascade would have done is found out by `shadowed`, afterwards.
    """
    run = Climb(plan, request, streamed, trail or Trail(plan.prices), _UNJUDGED)
    verdict = yield from answer_of_last(run, "shadow")
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
    return replace(verdict_of(run, answered, verdict.draft, verdict.reason), shadow=shadow)


def _unjudged(judgement: Judgement) -> Reason:
    """Return why a draft is the answer that met no threshold."""
    return "held" if judgement.reason == "held" else "kept"
