"""Which tiers are not asked at all, as far as that is known before any of them is."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from cascade_core.call import Reason
from cascade_core.loop.able import missing
from cascade_core.loop.climb import Climb

if TYPE_CHECKING:
    from cascade_core.tier import Tier


def passed_over(run: Climb, tier: Tier, skipped: Collection[int]) -> Reason | None:
    """Say why a tier is not asked, as far as the request alone tells; None where it is.

    Args:
        run: What the request has come to so far; what the tier lacks is noted there.
        tier: The tier.
        skipped: Those that had better not be asked, judging by the request alone.
    """
    request = run.request
    if tier.index < request.first:
        return "sticky"
    if request.held is not None and tier.index < request.held.tier:
        return "held"
    if tier.index in request.ruling.bypass:
        return "bypassed"
    if lacks := missing(tier, request):
        run.unable[tier.index] = lacks
        return "unable"
    return "difficult" if tier.index in skipped and not request.holds(tier.index) else None
