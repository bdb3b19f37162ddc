"""The audit of one request: whatever answers are missing are drawn, then all are compared.

A generator like the loop itself (see `flow`): it yields effects and is sent replies. When it runs,
and where its findings go, is decided in `audits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cascade_core.costs.rate import EXACT
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Compute, Failed, Note, Steps
from cascade_core.errors import NotAskedError, error_name
from cascade_core.loop.climb import Climb
from cascade_core.loop.drafting import draft_of, note_failure
from cascade_core.loop.judging import judge
from cascade_core.loop.trail import Trail, total
from cascade_core.setup.audit import Compare, comparator_name
from cascade_core.setup.gates import not_empty
from cascade_core.signals.agreement import same
from cascade_core.signals.judge import Judge
from cascade_core.signals.readings import as_reading
from cascade_core.usage import Usage
from cascade_core.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from cascade_core.request import Request, ToolSpec
    from cascade_core.setup.plan import Plan
    from cascade_core.tier import Tier


@dataclass(slots=True)
class TierAnswer:
    """One tier's answer.

    Attributes:
        tier: The tier.
        draft: Its answer.
        cost: USD of it; None where unpriced.
        judgement: How it was judged; None of the last tier's.
        drawn: Whether the audit asked for it.
        quality: In [0, 1], once it is known.
    """

    tier: Tier
    draft: Draft
    cost: Decimal | None
    judgement: Judgement | None = None
    drawn: bool = False
    quality: float | None = None


@dataclass(slots=True)
class Comparison:
    """What an audit has found.

    Attributes:
        answers: Every answer that is known, by tier.
        given: Index of the tier whose answer was given.
        strongest: Index of the last tier.
        failed: Why there is nothing to compare; None where the answers were compared.
        why: What is to be said of a comparison: `undecided` where it could not tell.
        forgone: Why it was not asked for what it needs: `budget` where a budget had no room.
    """

    answers: dict[int, TierAnswer]
    given: int
    strongest: int
    failed: str | None = None
    why: str | None = None
    forgone: str | None = None

    @property
    def quality(self) -> float | None:
        """Of the answer that was given."""
        return self.answers[self.given].quality

    @property
    def strong_quality(self) -> float | None:
        """Of the strongest tier's answer."""
        strong = self.answers.get(self.strongest)
        return None if strong is None else strong.quality

    @property
    def harm(self) -> float | None:
        """Quality lost by not asking the strongest tier."""
        if self.quality is None or self.strong_quality is None:
            return None
        return max(0.0, self.strong_quality - self.quality)

    @property
    def strong_cost(self) -> Decimal | None:
        """What the strongest tier's answer cost, in USD."""
        strong = self.answers.get(self.strongest)
        return None if strong is None else strong.cost


def audited(  # noqa: PLR0913 - what was asked, what came of it, and how to compare
    plan: Plan,
    request: Request,
    verdict: Verdict,
    compare: Compare,
    trail: Trail,
    *,
    called: Callable[..., Any] | None = None,
) -> Steps[Comparison]:
    """Find out what the tiers that were not asked would have said, and compare.

    Args:
        plan: How the cascade was set up.
        request: What was asked.
        verdict: What was answered.
        compare: What compares; see `setup.audit`.
        trail: Where the audit's own calls are written down.
        called: Calls the caller's function that compares, where it is to be called otherwise.

    Returns:
        What was found.
    """
    run = Climb(plan, request, False, trail, Judgement("only_tier"), purpose="audit")  # noqa: FBT003
    strongest = plan.tiers[-1]
    found = Comparison(answers_of(plan, verdict), verdict.tier, strongest.index)
    for tier in missing_tiers(plan, request, verdict):
        yield from (_draw_strongest if tier is strongest else _draw)(run, tier, found)
    if strongest.index not in found.answers:
        error = run.causes[-1][1]
        found.failed = error_name(error)
        found.forgone = error.reason if isinstance(error, NotAskedError) else None
        return found
    if isinstance(compare, Judge):
        problem = yield from _graded(run, found, compare)
    elif callable(compare):
        problem = yield from _called(request, found, called or compare)
    else:
        problem = None
        _compared(found, request.tools)
        if found.why is not None:
            yield Note(
                "audit:undecided",
                "audits by compare='auto' meet free texts of which it cannot tell whether they say "
                "the same; they count as different, so that harm is overstated: use "
                "compare=Judge(model) or a function",
            )
    if problem is not None:
        found.failed = problem.partition(":")[0]
        yield Note(
            "audit:compare",
            f"an audit could not be finished, for {comparator_name(compare)} gave no quality "
            f"({problem}); such audits count as not covered",
        )
    return found


def answers_of(plan: Plan, verdict: Verdict) -> dict[int, TierAnswer]:
    """Return the answers that a request has brought already."""
    known = {
        judged.tier: TierAnswer(
            plan.tiers[judged.tier], judged.draft, _cost(verdict, judged.tier, judged.paid), judged
        )
        for judged in verdict.judgements
        if judged.draft is not None and judged.tier is not None
    }
    tier = verdict.tier
    if tier not in known:
        known[tier] = TierAnswer(plan.tiers[tier], verdict.draft, _cost(verdict, tier, {}))
    return known


def _cost(verdict: Verdict, tier: int, paid: Mapping[str, Decimal | None]) -> Decimal | None:
    """Return what a tier's draft cost, without the signals that were paid to read it."""
    calls = [call for call in verdict.calls if call.tier == tier]
    if not paid:
        return total(calls)
    return total(call for call in calls if call.purpose == "draft")


def missing_tiers(plan: Plan, request: Request, verdict: Verdict) -> Iterator[Tier]:
    """Return the tiers whose answers an audit has to draw.

    Cheaper ones that a rule, the route or a missing reading passed over, or whose draft was cut
    off; and the strongest. A tier that failed, cannot take the request or came too late for it has
    no answer that could have been given.
    """
    known = answers_of(plan, verdict)
    failed = {call.tier for call in verdict.calls if call.outcome == "failed"}
    for tier in plan.tiers[:-1]:
        index = tier.index
        if index in known or index >= verdict.tier or index in failed:
            continue
        if index in verdict.unable or index < request.first:
            continue
        yield tier
    if plan.tiers[-1].index not in known:
        yield plan.tiers[-1]


def _draw(run: Climb, tier: Tier, found: Comparison) -> Steps[None]:
    """Draw a cheaper tier's answer, and judge it as it would have been."""
    calls = run.trail.calls
    begun = len(calls)
    answer = yield from draft_of(run, tier)
    if isinstance(answer, Judgement):  # it failed, and could not have been given
        return
    run.trail.add(answer.draft, tier, "audit", "used")
    cost = total(calls[begun:])
    judged = yield from judge(run.plan, run.request, run.trail, tier, answer.draft)
    found.answers[tier.index] = TierAnswer(tier, answer.draft, cost, judged, drawn=True)


def _draw_strongest(run: Climb, tier: Tier, found: Comparison) -> Steps[None]:
    """Draw the strongest tier's answer."""
    calls = run.trail.calls
    begun = len(calls)
    reply = yield Ask(tier, run.request, purpose="audit")
    if isinstance(reply, Failed):
        yield from note_failure(run, tier, reply)
        return
    draft = reply.drafts[0]
    if not draft.cached:
        tier.failures.answered()
    run.trail.add(draft, tier, "audit", "used")
    found.answers[tier.index] = TierAnswer(tier, draft, total(calls[begun:]), drawn=True)


def _compared(found: Comparison, tools: Sequence[ToolSpec]) -> None:
    """Ask of every answer whether it says the same as the strongest tier's."""
    strong = found.answers[found.strongest]
    strong.quality = 1.0
    for answer in _cheaper(found):
        agreed = same(answer.draft, strong.draft, tools)
        answer.quality = float(agreed or False)
        if agreed is None:
            found.why = "undecided"


def _graded(run: Climb, found: Comparison, by: Judge) -> Steps[str | None]:
    """Have a judge grade every answer; an empty one is worth nothing unasked."""
    for answer in found.answers.values():
        if not not_empty(run.request, answer.draft):
            answer.quality = 0.0
            continue
        read = yield from run.trail.read(by, run.request, answer.draft, answer.tier)
        answer.quality, problem = read
        if answer.quality is None:
            failed = run.trail.calls[-1:]
            error = next((c.error for c in failed if c.outcome == "failed"), None)
            return error or problem or "no_reading"
    return None


def _called(request: Request, found: Comparison, function: Callable[..., Any]) -> Steps[str | None]:
    """Have a caller's function compare every answer with the strongest tier's."""
    strong = found.answers[found.strongest]
    # Where no other answer is known, its own quality may still be.
    for answer in _cheaper(found) or [strong]:
        reply = yield Compute(function, (request, answer.draft, strong.draft))
        if isinstance(reply, Failed):
            return error_name(reply.error)
        graded = reply.value
        pair = graded if isinstance(graded, tuple | list) else (graded, 1.0)
        if len(pair) != 2:  # noqa: PLR2004 - a pair
            return f"wrong_quality: it returned {len(pair)} values"
        for of, value in zip((answer, strong), pair, strict=True):
            quality, odd = as_reading(value)
            if quality is None:
                return f"wrong_quality: it returned {odd or 'None'}"
            if of is answer or of.quality is None or answer.tier.index == found.given:
                of.quality = quality
    return None


def _cheaper(found: Comparison) -> list[TierAnswer]:
    return [answer for index, answer in found.answers.items() if index != found.strongest]


def expected_cost(plan: Plan, verdict: Verdict, missing: Sequence[Tier]) -> Decimal | None:
    """Return what answers will cost at about: as long as what was given, and nothing from a cache.

    Args:
        plan: Whose prices count.
        verdict: What was answered.
        missing: The tiers to be asked; those without a model's name, chains, count as nothing.

    Returns:
        USD; None where a tier is unpriced.
    """
    used = next((c.usage for c in reversed(verdict.calls) if c.usage is not None), None)
    usage = used and Usage(used.input_tokens, used.output_tokens)
    expected = Decimal(0)
    for tier in missing:
        if tier.model is None or usage is None:
            continue
        cost = plan.prices.cost(tier.price_names(tier.model), usage)
        if cost is None:
            return None
        expected = EXACT.add(expected, cost)
    return expected
