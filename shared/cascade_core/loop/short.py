"""What becomes of a request that has no answer of the last tier: the best draft, or another tier.

A budget that is short and says `when_short="cheapest"` has the request answered by what is paid for
already, else by the cheapest tier that may be asked; its record then says that no promise about
quality holds for it (`"promise": "void"`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_core.call import Reason
from cascade_core.draft import Draft
from cascade_core.errors import BudgetExceeded, CutShortError, OutOfTimeError
from cascade_core.loop.able import missing
from cascade_core.loop.climb import Climb
from cascade_core.loop.trail import TrailEntry
from cascade_core.verdict import Judgement

if TYPE_CHECKING:
    from cascade_core.tier import Tier


def best_draft(run: Climb, error: BaseException) -> tuple[Tier, Draft, Reason] | None:
    """Return the draft to fall back on after the last tier gave no answer, and why it is returned.

    Args:
        run: What the request has come to so far.
        error: Why the last tier gave none.

    Returns:
        Whose draft it is, the draft and the reason; None where there is none, or it may not be
        returned.
    """
    short = settles_for_less(run, error)
    if not run.drafts or not (short or run.plan.on_exhausted == "best_draft"):
        return None
    tier, judgement, entry = max(run.drafts, key=_worth)
    entry.settle("returned", judgement.reason)
    if short or isinstance(error, OutOfTimeError | CutShortError):
        run.void = True
    assert judgement.draft is not None  # noqa: S101 - only judged drafts are kept
    return tier, judgement.draft, "budget" if short else "best_draft"


def cheapest_tier(run: Climb, error: BaseException) -> Tier | None:
    """Return the tier to be asked in the place of one that no budget has room for, if any.

    It is none that a rule keeps the request from, that lacks what the request needs, or that has
    been asked in vain.
    """
    if not settles_for_less(run, error):
        return None
    request = run.request
    tried = {label for label, _ in run.causes}
    for tier in run.plan.tiers[request.first :]:
        barred = tier.index in request.ruling.bypass or tier.label in tried
        if not barred and not missing(tier, request):
            run.void = True
            return tier
    return None


def settles_for_less(run: Climb, error: BaseException) -> bool:
    """Tell whether a budget is short that would rather have a cheaper answer than none."""
    if not isinstance(error, BudgetExceeded) or error.when_short != "cheapest":
        return False
    return run.request.ruling.pin is None


def _worth(judged: tuple[Tier, Judgement, TrailEntry]) -> tuple[bool, float, int]:
    """Order drafts: those that passed the gates, then by merit, then by tier."""
    tier, judgement, _ = judged
    merit = -1.0 if judgement.merit is None else judgement.merit
    return not judgement.reason.startswith("gate_"), merit, tier.index
