"""The cascade: start reading here.

`cascade` is the one decision loop of the project. It is a generator that
yields effects and is sent replies (see `effects`); it never calls a model,
waits, or reads a clock. Whole answers and streams, sync and async, LangChain
and LlamaIndex all run this code.

For every tier but the last: get a draft → gates → signals → confidence →
threshold → accept, or go on. The last tier's answer is returned as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cascade_core.bound import Bound
from cascade_core.costs.ledger import always_strong, total
from cascade_core.draft import Draft
from cascade_core.effects import (
    Ask,
    Chunk,
    Close,
    Compute,
    Computed,
    Done,
    Drafts,
    Emit,
    Failed,
    Note,
    Open,
    Pull,
    Steps,
)
from cascade_core.errors import CascadeExhausted, refuses_logprobs
from cascade_core.trail import Entry, Trail
from cascade_core.verdict import Judgement, Reason, Verdict

if TYPE_CHECKING:
    from cascade_core.plan import Plan
    from cascade_core.request import Request
    from cascade_core.tier import Tier

_BROKEN = -math.inf
"""No confidence, since a paid signal could not be read."""


_UNJUDGED = Judgement("only_tier")


@dataclass(slots=True)
class _Run:
    """What one request has come to so far."""

    plan: Plan
    request: Request
    streamed: bool
    trail: Trail
    judged: Judgement = field(default_factory=lambda: _UNJUDGED)
    drafts: list[tuple[Tier, Judgement, Entry]] = field(default_factory=list)
    causes: list[tuple[str, BaseException]] = field(default_factory=list)


@dataclass(slots=True)
class _Answer:
    """A tier's answer and the chunks it came in."""

    draft: Draft
    chunks: Sequence[object] = ()


def cascade(plan: Plan, request: Request, *, streamed: bool = False) -> Steps[Verdict]:
    """Decide one request.

    Args:
        plan: How the cascade was set up.
        request: What was asked.
        streamed: Whether to ask for streams and emit the answer in chunks.

    Returns:
        The verdict.

    Raises:
        CascadeExhausted: No tier gave an answer.
    """
    run = _Run(plan, request, streamed, Trail(plan.prices))
    if plan.mode == "shadow":
        return (yield from _shadow(run))
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
        if tier.index in request.unable:
            run.judged = replace(run.judged, reason="tool_support")
            continue
        if tier.index in skipped:
            run.judged = replace(run.judged, reason="difficult")
            continue
        if tier.logprobs.absent and _pointless(plan, request, tier):
            run.judged = replace(run.judged, reason="no_reading")
            yield _no_reading_note(plan, tier)
            continue
        answer = yield from _draft(run, tier)
        if isinstance(answer, Judgement):
            run.judged = answer
            continue
        entry = run.trail.add(answer.draft, tier, "draft", "returned")
        run.judged = judgement = yield from _judge(run, tier, answer.draft)
        run.drafts.append((tier, judgement, entry))
        if judgement.accepted:
            entry.settle("accepted")
            return tier, judgement, answer
        entry.settle("rejected", judgement.reason)
    return None


def _last(run: _Run, reason: Reason) -> Steps[Verdict]:
    """Ask the last tier and return what it says, or fall back as configured."""
    plan, tier = run.plan, run.plan.tiers[-1]
    shown = 0
    if run.streamed:
        reply = yield Open(tier, run.request, live=True)
        while isinstance(reply, Chunk):
            shown += 1
            yield Emit(reply.native)
            reply = yield Pull()
    else:
        reply = yield Ask(tier, run.request)
    draft = _drafted(reply)
    if draft is not None:
        entry = run.trail.add(draft, tier, "draft", "returned")
        failed = _failed_gate(run, draft)
        if failed is None and plan.custom_gates:
            failed = yield from _failed_custom_gate(run, draft)
        entry.settle("returned", failed)
        return _verdict(run, tier, draft, reason)
    run.trail.fail(reply, tier, "draft")
    run.causes.append((tier.label, reply.error))
    # Tokens that were shown cannot be taken back, so no other draft may follow them.
    if plan.on_exhausted == "best_draft" and run.drafts and not shown:
        tier, best, entry = max(run.drafts, key=_worth)
        assert best.draft is not None  # noqa: S101 - only judged drafts are kept
        entry.settle("returned", best.reason)
        if run.streamed:
            yield Emit(best.draft.native, tier)
        return _verdict(run, tier, best.draft, "best_draft")
    raise CascadeExhausted(run.causes, run.trail.calls) from reply.error


def _shadow(run: _Run) -> Steps[Verdict]:
    """Serve the last tier, then find out what the cascade would have done."""
    verdict = yield from _last(run, "shadow")
    served = len(run.trail.calls)
    streamed, run.streamed = run.streamed, False
    accepted = yield from _climb(run)
    run.streamed = streamed
    tried = run.trail.calls[served:]
    if accepted is None:
        would: dict[str, object] = {"tier": verdict.tier, "reason": run.judged.reason}
        paid = total(run.trail.calls)
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
    return replace(_verdict(run, run.plan.tiers[-1], verdict.draft, "shadow"), shadow=shadow)


def _draft(run: _Run, tier: Tier) -> Steps[_Answer | Judgement]:
    """Get a draft from a tier; a `Judgement` says why there is none."""
    plan = run.plan
    reads = plan.reads_logprobs and tier.logprobs.asked
    got = yield from _attempt(run, tier, logprobs=reads)
    if isinstance(got, Failed) and reads and refuses_logprobs(got.error):
        tier.logprobs.refuse()
        run.trail.fail(got, tier, "draft")
        got = yield from _attempt(run, tier, logprobs=False)
    if isinstance(got, Judgement):
        return got
    if isinstance(got, Failed):
        run.trail.fail(got, tier, "draft")
        run.causes.append((tier.label, got.error))
        return replace(run.judged, reason="failed")
    draft = got.draft
    if reads and draft.text and not (draft.tool_calls or draft.cached or draft.refusal):
        tier.logprobs.saw(draft.logprobs is not None)
    return got


def _attempt(run: _Run, tier: Tier, *, logprobs: bool) -> Steps[_Answer | Judgement | Failed]:
    """Ask for one draft, whole or streamed."""
    plan, request = run.plan, run.request
    top = plan.top_logprobs if logprobs else 0
    if not (run.streamed and tier.streams):
        reply = yield Ask(tier, request, logprobs=logprobs, top_logprobs=top)
        return _Answer(reply.drafts[0]) if type(reply) is Drafts else reply
    # A draft that was cut off could not be returned as the best one.
    aborts = plan.streaming_policy == "abort" and plan.on_exhausted != "best_draft"
    limit = tier.max_tokens if request.max_tokens is None else request.max_tokens
    bound = Bound(plan, tier, request, limit) if logprobs and aborts else None
    chunks = []
    reply = yield Open(tier, request, live=False, logprobs=logprobs, top_logprobs=top)
    while isinstance(reply, Chunk):
        chunks.append(reply.native)
        if bound is not None and reply.logprobs and bound.fell(reply.logprobs):
            done = yield Close()
            tier.logprobs.saw(True)  # noqa: FBT003
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


def _judge(run: _Run, tier: Tier, draft: Draft) -> Steps[Judgement]:
    """Judge a draft: gates, then signals, then the threshold."""
    plan = run.plan
    failed = _failed_gate(run, draft)
    if failed is None and plan.custom_gates:
        failed = yield from _failed_custom_gate(run, draft)
    if failed is not None:
        return Judgement(failed, draft=draft)
    threshold, maker = plan.threshold(tier, run.request), plan.confidences[tier.index]
    readings: dict[str, float | None] = {}
    confidence = yield from _read(run, tier, draft, readings)
    unread = Judgement("no_reading", draft=draft, threshold=threshold, signals=readings)
    if confidence == _BROKEN:
        return unread
    if confidence is None:
        confidence, odd = maker.of(readings, run.request, draft)
        if odd is not None:
            yield Note(
                f"combine:{tier.index}",
                f"combine= on {tier.label} gave no number in [0, 1] ({odd}); "
                "that counts as no confidence",
            )
    if confidence is None:
        return (yield from _judge_unread(plan, tier, unread))
    accepted = confidence >= threshold
    reason: Reason = "confident" if accepted else "low_confidence"
    return Judgement(reason, accepted, draft, confidence, threshold, readings)


def _read(
    run: _Run, tier: Tier, draft: Draft, readings: dict[str, float | None]
) -> Steps[float | None]:
    """Read a draft's signals into `readings`, paid ones only where they can change the outcome.

    Returns:
        The bound on the confidence that settled the matter where a paid signal was left out;
        `_BROKEN` where one that was asked could not read; None in any other case.
    """
    plan = run.plan
    threshold, maker = plan.threshold(tier, run.request), plan.confidences[tier.index]
    for signal in plan.signals:
        if signal.paid:
            lowest, highest = maker.span(readings, run.request, draft)
            if not lowest < threshold <= highest:
                # What was not read can neither help nor harm by its absence.
                bound = lowest if lowest >= threshold else highest
                return None if math.isnan(bound) else bound
        reading, problem = yield from run.trail.read(signal, run.request, draft, tier)
        readings[signal.name] = reading
        if problem is not None:
            yield Note(
                f"signal:{signal.name}:{tier.index}",
                f"signal {signal.name!r} {problem} on {tier.label}; that counts as no reading",
            )
        if signal.paid and reading is None and plan.on_no_score == "escalate":
            # Whoever pays for a second opinion does not mean to do without it: a judge that
            # is down must not wave drafts through.
            return _BROKEN
    return None


def _judge_unread(plan: Plan, tier: Tier, judged: Judgement) -> Steps[Judgement]:
    """Judge a draft that passed every gate and that no signal could read."""
    assert judged.draft is not None  # noqa: S101 - it has just been judged
    if judged.draft.tool_calls and plan.on_tool_call == "gates":
        yield Note(
            f"tool_call:{tier.index}",
            f"{tier.label} answers tool calls without a confidence reading; those that pass "
            'every gate are accepted (on_tool_call="escalate" sends them on instead)',
        )
        return replace(judged, reason="tool_call", accepted=True)
    if plan.on_no_score == "accept":
        return replace(judged, accepted=True)
    yield _no_reading_note(plan, tier)
    return judged


def _failed_gate(run: _Run, draft: Draft) -> Reason | None:
    """Return the reason of the first built-in gate the draft fails, or None."""
    for gate in run.plan.gates:
        if gate.own and not gate.passes(run.request, draft):
            return gate.reason
    return None


def _failed_custom_gate(run: _Run, draft: Draft) -> Steps[Reason | None]:
    """Return the reason of the first of the caller's gates the draft fails, or None.

    A check that raises has not passed.
    """
    for gate in run.plan.gates:
        if gate.own:
            continue
        reply = yield Compute(gate.passes, (run.request, draft))
        if isinstance(reply, Failed):
            name = getattr(gate.passes, "__name__", "gate")
            yield Note(
                f"gate:{name}",
                f"gate {name!r} raised {type(reply.error).__name__}; "
                "a draft it cannot check does not pass",
            )
        if not (isinstance(reply, Computed) and reply.value):
            return gate.reason
    return None


def _pointless(plan: Plan, request: Request, tier: Tier) -> bool:
    """Tell whether a draft of a tier without logprobs would be thrown away unread."""
    if plan.on_no_score == "accept" or not plan.reads_only_logprobs:
        return False
    return not ((request.needs_tool or tier.tool_only) and plan.on_tool_call == "gates")


def _no_reading_note(plan: Plan, tier: Tier) -> Note:
    if not plan.reads_only_logprobs:
        return Note(
            f"no_reading:{tier.index}",
            f"no signal could read a draft of {tier.label}; such requests go on to the next tier",
        )
    return Note(
        f"no_reading:{tier.index}",
        f"{tier.label} gives no confidence reading, so every request goes on to the next tier: "
        "this provider returns no logprobs; add SelfConsistency() or Judge(model) to signals= "
        "(in a chain of your own, ask for logprobs where the model is made: logprobs=True)",
    )


def _drafted(reply: Drafts | Done | Failed) -> Draft | None:
    if isinstance(reply, Drafts):
        return reply.drafts[0]
    return reply.draft if isinstance(reply, Done) else None


def _worth(judged: tuple[Tier, Judgement, Entry]) -> tuple[bool, float, int]:
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
    )
