"""Which tiers a record names because they keep failing, or were left alone for that."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_core.errors import CascadeExhausted, TierOpenError
from cascade_core.tier import Tier
from cascade_core.verdict import Failing


def failing_tiers(
    tiers: Sequence[Tier], causes: Sequence[tuple[str, BaseException]]
) -> Sequence[Failing]:
    """Return the tiers that fail again and again, and those that the request left alone.

    Args:
        tiers: All of the cascade.
        causes: Why tiers gave the request no answer, by label.
    """
    own = (error for _, error in causes if not isinstance(error, CascadeExhausted))
    alone = {error.tier for error in own if isinstance(error, TierOpenError)}
    return [
        Failing(
            tier.index,
            tier.model,
            tier.failures.count,
            tier.failures.error,
            open=tier.index in alone,
        )
        for tier in tiers
        if tier.failures.long or tier.index in alone
    ]
