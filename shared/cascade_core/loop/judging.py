"""Judges one draft of one tier: gates, then signals, then the threshold.

Which tier is asked next, and what is returned in the end, is decided in `flow`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cascade_core.call import Reason
from cascade_core.draft import Draft
from cascade_core.effects import Begin, Compute, Computed, Failed, Note, Steps
from cascade_core.loop.committing import commit, reached_by
from cascade_core.loop.notes import no_reading_note
from cascade_core.loop.trail import Trail, total
from cascade_core.verdict import Committed, Judgement

if TYPE_CHECKING:
    from cascade_core.fitted.commitment import Reached
    from cascade_core.loop.climb import Answered, Climb
    from cascade_core.request import Request
    from cascade_core.setup.plan import Plan
    from cascade_core.tier import Tier


def begin_signals(plan: Plan, request: Request, trail: Trail, tier: Tier) -> Steps[None]:
    """Ask what signals ask together with a draft, where a reading of it may matter."""
    reads = not request.holds(tier.index) or request.reads_held(tier.index)
    if not (plan.begins and reads and request.ruling.escalate):
        return
    if plan.threshold(tier, request) <= 0:
        return
    for signal in plan.signals:
        if getattr(signal, "eager", False) and signal.name in plan.confidences[tier.index].signals:
            for ask in signal.asks(request):  # type: ignore[attr-defined]
                if not trail.knows(ask):
                    yield Begin(ask, tier)


def judge(  # noqa: PLR0913 - what is judged, by what, and who pays
    plan: Plan, request: Request, trail: Trail, tier: Tier, draft: Draft, *, held: bool = False
) -> Steps[Judgement]:
    """Judge a draft: gates, then signals, then the threshold.

    Args:
        plan: How the cascade was set up.
        request: What was asked.
        trail: Where calls of signals are noted.
        tier: Whose draft it is; the last only where it has a threshold.
        draft: The draft.
        held: Whether an earlier step has decided on the tier: then gates alone are asked, unless
            that holds for tool calls and this draft is the turn's answer.

    Returns:
        What was decided, and by what.
    """
    failed = yield from _failed(plan, request, tier, draft)
    if failed is not None:
        return Judgement(failed, draft=draft)
    if held and not (request.reads_held(tier.index) and not _wordless(draft)):
        return Judgement("held", draft=draft)
    if (reached := reached_by(plan, request, tier, draft)) is not None:
        said = Committed(reached.tokens)
        return (yield from commit(plan, request, trail, tier, draft, reached, said))
    threshold = plan.threshold(tier, request)
    read = yield from _read(plan, request, trail, tier, draft)
    unread = Judgement(
        "no_reading", draft=draft, threshold=threshold, signals=read.readings, paid=read.paid
    )
    if read.broken:
        return unread
    maker = plan.confidences[tier.index]
    if read.bound is None:
        merit, confidence, benefit, odd = maker.of(read.readings, request, draft)
        if odd is not None:
            yield Note(
                f"combine:{tier.index}",
                f"combine= on {tier.label} gave no number in [0, 1] ({odd}); "
                "that counts as no confidence",
            )
        if merit is None:
            return (yield from _judge_unread(plan, tier, unread, said=odd is not None))
    else:
        merit, benefit = read.bound, None
        confidence = None if maker.weighs else merit
    accepted = merit >= threshold
    return Judgement(
        "confident" if accepted else "low_confidence",
        accepted,
        draft,
        confidence,
        threshold,
        read.readings,
        paid=read.paid,
        merit=merit,
        benefit=benefit,
    )


def judge_answer(run: Climb, tier: Tier, answer: Answered, *, held: bool) -> Steps[Judgement]:
    """Judge what a tier answered; see `judge`."""
    if answer.reached is None:
        return (yield from judge(run.plan, run.request, run.trail, tier, answer.draft, held=held))
    return (yield from _judge_live(run, tier, answer.draft, answer.reached))


def _judge_live(run: Climb, tier: Tier, draft: Draft, reached: Reached) -> Steps[Judgement]:
    """Judge a draft that the caller has: it is accepted; a gate it fails is an error of it."""
    failed = yield from _failed(run.plan, run.request, tier, draft)
    committed = Committed(reached.tokens, live=True, error=failed)
    run.trail.committed = committed
    return (yield from commit(run.plan, run.request, run.trail, tier, draft, reached, committed))


def _failed(plan: Plan, request: Request, tier: Tier, draft: Draft) -> Steps[Reason | None]:
    """Return the reason of the first gate the draft fails, the caller's own among them."""
    failed = failed_gate(plan, request.asking(tier.output_schema), draft)
    if failed is None and plan.custom_gates:
        failed = yield from failed_custom_gate(plan, request, draft)
    return failed


class _Read(NamedTuple):
    """What was read of a draft.

    Attributes:
        readings: By signal.
        paid: USD that each paid one costs where this tier alone is asked, by signal; None =
            unpriced.
        bound: The bound on the merit that settled the matter, where a paid signal was left
            out for it; None elsewhere.
        broken: Whether a paid signal was asked and could not read.
    """

    readings: dict[str, float | None]
    paid: Mapping[str, Decimal | None]
    bound: float | None = None
    broken: bool = False


def _read(plan: Plan, request: Request, trail: Trail, tier: Tier, draft: Draft) -> Steps[_Read]:
    """Read a draft's signals, paid ones only where they can change the outcome."""
    readings: dict[str, float | None] = {}
    paid: dict[str, Decimal | None] = {}
    threshold, maker = plan.threshold(tier, request), plan.confidences[tier.index]
    # Where one that says nothing sends the request on, what it would do to the confidence is idle.
    missable = plan.on_no_score != "escalate"
    for signal in plan.signals:
        if signal.paid:
            if signal.name not in maker.signals or not request.ruling.escalate:
                continue  # it could change nothing
            lowest, highest = maker.span(readings, request, draft, missable=missable)
            if not lowest < threshold <= highest:
                # What was not read can neither help nor harm by its absence.
                return _Read(readings, paid, lowest if lowest >= threshold else highest)
        begun = trail.mark()
        reading, problem = yield from trail.read(signal, request, draft, tier)
        readings[signal.name] = reading
        if signal.paid:
            paid[signal.name] = total(trail.read_since(begun))
        if problem is not None:
            yield Note(
                f"signal:{signal.name}:{tier.index}",
                f"signal {signal.name!r} {problem} on {tier.label}; that counts as no reading",
            )
        if signal.paid and reading is None and plan.on_no_score == "escalate":
            # Whoever pays for a second opinion does not mean to do without it: a judge that
            # is down must not wave drafts through.
            return _Read(readings, paid, broken=True)
    return _Read(readings, paid)


def _judge_unread(
    plan: Plan, tier: Tier, judged: Judgement, *, said: bool = False
) -> Steps[Judgement]:
    """Judge a draft that passed every gate and has no confidence.

    Args:
        plan: How the cascade was set up.
        tier: Whose draft it is.
        judged: What is known of it.
        said: Whether it has been said why there is none.
    """
    assert judged.draft is not None  # noqa: S101 - it has just been judged
    draft = judged.draft
    acts = _wordless(draft)
    if acts and plan.on_tool_call == "gates":
        yield Note(
            f"tool_call:{tier.index}",
            f"{tier.label} answers tool calls without a confidence reading; those that pass "
            'every gate are accepted (on_tool_call="escalate" sends them on instead)',
        )
        return replace(judged, reason="tool_call", accepted=True)
    if plan.on_no_score == "accept":
        return replace(judged, accepted=True)
    if not said:
        yield _sent_on_note(plan, tier) if acts else no_reading_note(plan, tier, draft.unread)
    return judged


def _wordless(draft: Draft) -> bool:
    """Tell whether a draft is something else than a text."""
    return bool(draft.tool_calls or draft.speechless or draft.is_object)


def failed_gate(plan: Plan, request: Request, draft: Draft) -> Reason | None:
    """Return the reason of the first built-in gate the draft fails, or None."""
    for gate in plan.gates:
        if gate.own and not gate.passes(request, draft):
            return gate.reason
    return None


def failed_custom_gate(plan: Plan, request: Request, draft: Draft) -> Steps[Reason | None]:
    """Return the reason of the first of the caller's gates the draft fails, or None.

    A check that raises has not passed.
    """
    for gate in plan.gates:
        if gate.own:
            continue
        reply = yield Compute(gate.passes, (request, draft), blocks=gate.blocks)
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


def pointless(plan: Plan, request: Request, tier: Tier) -> bool:
    """Tell whether a draft of a tier without logprobs would be thrown away unread."""
    if plan.on_no_score == "accept" or not plan.reads_only_logprobs:
        return False
    return not ((request.needs_tool or tier.tool_only) and plan.on_tool_call == "gates")


def _sent_on_note(plan: Plan, tier: Tier) -> Note:
    if tier.index == len(plan.tiers) - 1:
        return Note(
            f"sent_on:{tier.index}",
            f"{tier.label} answers tool calls without a confidence reading, as nearly all models "
            'do, and on_tool_call="escalate" hands every one of them off ("gates" accepts those '
            "that pass every gate)",
        )
    return Note(
        f"sent_on:{tier.index}",
        f"{tier.label} answers tool calls without a confidence reading, as nearly all models do, "
        'and on_tool_call="escalate" sends every one of them on: both tiers are paid for them '
        '("gates" accepts those that pass every gate, and SelfConsistency() can read them)',
    )
