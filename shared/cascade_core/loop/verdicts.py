"""Writes down how drafts of a request were judged, and the verdict in the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cascade_core.call import Reason
from cascade_core.draft import Draft
from cascade_core.loop.climb import Climb
from cascade_core.loop.failing import failing_tiers
from cascade_core.loop.strong import always_strong
from cascade_core.loop.trail import total
from cascade_core.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from cascade_core.tier import Tier


def note_judged(run: Climb, tier: Tier, judgement: Judgement) -> Judgement:
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
        judgement.merit,
        judgement.benefit,
        judgement.committed,
    )
    run.judgements.append(judged)
    return judged


def verdict_of(
    run: Climb, tier: Tier, draft: Draft, reason: Reason, *, accepted: bool = False
) -> Verdict:
    """Return the verdict on a request: whose draft is returned, and why."""
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
        calibrated=plan.calibrated and run.judged.merit is not None,
        unable=run.unable,
        failing=failing_tiers(plan.tiers, run.causes),
        judgements=run.judgements,
        budget=run.budget,
        void=run.void,
        held=run.request.held,
    )
