"""Everything a table says of one request: every tier's answer, judged in every way.

A cascade stops at the first good answer; here every tier is asked, and every
signal read, because what a cascade would have saved can only be told from all
of them. Tiers are called as the cascade calls them: the last one plainly, the
others with what the signals read. Where the last tier is to have a threshold too, it is
called like the others, and the signals that cost nothing are read of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from types import MappingProxyType

from cascade_core.collect.case import Case, Grade, Grader
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Drafts, Failed, Note, Steps
from cascade_core.errors import error_name
from cascade_core.loop.committing import first_tokens
from cascade_core.loop.judging import failed_custom_gate, failed_gate
from cascade_core.loop.trail import Trail, total
from cascade_core.request import Request
from cascade_core.setup.plan import Plan
from cascade_core.signals.agreement import written
from cascade_core.signals.asked import ask_with_logprobs
from cascade_core.signals.base import Signal
from cascade_core.tier import Tier
from cascade_core.trajectory import trajectory_cell


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking one tier.

    Attributes:
        tier: The tier.
        draft: Its answer; None where it failed.
        cost: USD of the answer alone; None where it failed or is unpriced.
        readings: Each signal's reading of it, in [0, 1]; empty where it failed a
            gate, or where it is the last tier's and nobody judges that.
        paid: USD of each paid signal's reading; None where unpriced.
        error: What a failed tier raised: type and HTTP status, never its text.
        gate: Reason of the gate that it failed; None where it passed, or nobody judges it.
        trajectory: How surprising its tokens were, as a table says it; None where that is not
            known, or it could be told nothing by.
    """

    tier: Tier
    draft: Draft | None = field(default=None, repr=False)
    cost: Decimal | None = None
    readings: Mapping[str, float | None] = field(default_factory=dict)
    paid: Mapping[str, Decimal | None] = field(default_factory=dict)
    error: str | None = None
    gate: str | None = None
    trajectory: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Examined:
    """One request, examined.

    Attributes:
        answers: One a tier, cheapest first.
        grades: How good each is.
        cost: USD of every call made, grading included; None where one is unpriced.
    """

    answers: tuple[Answer, ...]
    grades: tuple[Grade, ...]
    cost: Decimal | None


def examine(  # noqa: PLR0913, PLR0917 - all there is to a request
    plan: Plan,
    request: Request,
    grader: Grader,
    text: str,
    reference: str | None = None,
    known: Mapping[int, Answer] = MappingProxyType({}),
    of_last: Sequence[Signal] = (),
) -> Steps[Examined]:
    """Ask every tier, read every signal, and grade every answer.

    Args:
        plan: The tiers, gates, signals and prices.
        request: What is asked.
        grader: Says how good an answer is.
        text: The request as one text, for graders.
        reference: The right answer, where it is known.
        known: Answers that are there already, by tier: those tiers are not asked.
        of_last: What the last tier's answer is read by; it is not judged without any.
    """
    trail = Trail(plan.prices)
    answers: list[Answer] = []
    for tier in plan.tiers:
        answer = known.get(tier.index)
        if answer is None:
            last = tier is plan.tiers[-1]
            signals = of_last if last else plan.signals
            request.judged_to_end = last and bool(of_last)
            answer = yield from _answer(plan, request, tier, trail, signals)
        answers.append(answer)
    case = Case(request, text, reference, tuple((a.tier, a.draft) for a in answers), trail)
    grades = yield from grader.grade(case)
    return Examined(tuple(answers), tuple(grades), total(trail.calls))


def regrade(  # noqa: PLR0913, PLR0917 - the same as for `examine`, and the answers
    plan: Plan,
    request: Request,
    grader: Grader,
    drafts: Sequence[Draft | None],
    text: str,
    reference: str | None = None,
) -> Steps[tuple[tuple[Grade, ...], Decimal | None]]:
    """Grade answers that are there already; no tier is asked.

    Args:
        plan: The tiers and prices.
        request: What was asked.
        grader: Says how good an answer is.
        drafts: Every tier's answer, None where it failed.
        text: The request as one text, for graders.
        reference: The right answer, where it is known.

    Returns:
        A grade for every tier, and USD of the calls made for it; None where one is unpriced.
    """
    trail = Trail(plan.prices)
    answers = tuple(zip(plan.tiers, drafts, strict=True))
    grades = yield from grader.grade(Case(request, text, reference, answers, trail))
    return tuple(grades), total(trail.calls)


def _answer(
    plan: Plan, request: Request, tier: Tier, trail: Trail, signals: Sequence[Signal]
) -> Steps[Answer]:
    start = len(trail.calls)
    judged = tier is not plan.tiers[-1] or bool(signals)
    reply = yield from _ask(plan, request, tier, trail, judged=judged)
    if isinstance(reply, Failed):
        return Answer(tier, error=error_name(reply.error))
    draft = reply.drafts[0]
    trail.add(draft, tier, "draft", "returned")
    cost = total(trail.calls[start:])
    if odd := _unwritable(draft):
        yield Note(
            f"unwritable:{tier.index}",
            f"an answer of {tier.label} cannot be written down ({odd}): the row counts as one "
            "that this tier failed on",
        )
        return Answer(tier, cost=cost, error=f"an answer that cannot be written down ({odd})")
    if not judged:
        return Answer(tier, draft, cost)
    last = tier is plan.tiers[-1]
    course = None if last else trajectory_cell(first_tokens(request, tier, draft))
    gate = failed_gate(plan, request.asking(tier.output_schema), draft)
    if gate is None and plan.custom_gates:
        gate = yield from failed_custom_gate(plan, request, draft)
    if gate is not None:
        return Answer(tier, draft, cost, gate=gate, trajectory=course)
    readings: dict[str, float | None] = {}
    paid: dict[str, Decimal | None] = {}
    for signal in signals:
        begun = trail.mark()
        reading, problem = yield from trail.read(signal, request, draft, tier)
        if problem is not None:
            yield Note(
                f"signal:{signal.name}:{tier.index}",
                f"signal {signal.name!r} {problem} on {tier.label}; that counts as no reading",
            )
        readings[signal.name] = reading
        if signal.paid:
            paid[signal.name] = total(trail.read_since(begun))
    return Answer(tier, draft, cost, readings, paid, trajectory=course)


def _ask(
    plan: Plan, request: Request, tier: Tier, trail: Trail, *, judged: bool
) -> Steps[Drafts | Failed]:
    """Ask for one answer; a tier that refuses logprobs is asked again without."""

    def ask(*, logprobs: bool) -> Steps[Drafts | Failed]:
        top = plan.top_logprobs if logprobs else 0
        reply: Drafts | Failed = yield Ask(tier, request, logprobs=logprobs, top_logprobs=top)
        return reply

    if judged and plan.reads_logprobs and (tier.logprobs.asked or tier.logprobs.retry()):
        failed = partial(trail.fail, tier=tier, purpose="draft")
        reply = yield from ask_with_logprobs(tier.logprobs, ask, failed)
    else:
        reply = yield from ask(logprobs=False)
    if isinstance(reply, Failed):
        trail.fail(reply, tier, "draft")
    return reply


def _unwritable(draft: Draft) -> str | None:
    """Say why an answer cannot be written down, as one nested a thousand deep cannot; else None."""
    try:
        for call in draft.tool_calls:
            json.dumps([call.name, call.arguments], default=str)
        written(draft.text, draft.tool_calls)
        if not isinstance(draft.text, str):
            return f"a text of type {type(draft.text).__name__}"
    except (ValueError, TypeError, RecursionError) as error:
        return type(error).__name__
    return None
