"""What a policy gives and costs on average, per request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cascade_core.arrays import Array, Flags
from cascade_core.evaluation.scored import Scored, Served


@dataclass(frozen=True, slots=True)
class Means:
    """Means per request.

    Attributes:
        n: Rows.
        quality: In [0, 1].
        strong_quality: Of always asking the last tier.
        weak_quality: Of always taking the cheapest tier's draft.
        cost_usd: Every paid call counted; None where a call is unpriced.
        strong_cost_usd: Of always asking the last tier.
        weak_cost_usd: Of the cheapest tier's draft alone.
        escalated: Share that the cheapest tier did not answer.
        harm: Quality lost by not asking the last tier.
        by_tier: Share answered by each tier.
        asked: Share of requests for which each tier was asked.
    """

    n: int
    quality: float
    strong_quality: float
    weak_quality: float
    cost_usd: float | None
    strong_cost_usd: float | None
    weak_cost_usd: float | None
    escalated: float
    harm: float
    by_tier: tuple[float, ...]
    asked: tuple[float, ...]

    @property
    def cost_share(self) -> float | None:
        """`(cost − cheap) / (strong − cheap)`, every paid call counted; None where unpriced."""
        if self.cost_usd is None or self.strong_cost_usd is None or self.weak_cost_usd is None:
            return None
        span = self.strong_cost_usd - self.weak_cost_usd
        return (self.cost_usd - self.weak_cost_usd) / span if span > 0 else None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures that every report begins with, as plain JSON."""
        return {
            "n": self.n,
            "quality": self.quality,
            "strong_quality": self.strong_quality,
            "cost_usd": self.cost_usd,
            "strong_cost_usd": self.strong_cost_usd,
            "escalated": self.escalated,
            "harm": self.harm,
        }


def means(scored: Scored, served: Served, rows: Flags | None = None) -> Means:
    """Return the means over all rows, or over some.

    Args:
        scored: Costs and qualities.
        served: What was done.
        rows: Which rows, as booleans; None takes all.
    """
    weights = np.ones(len(scored)) if scored.weights is None else scored.weights
    if rows is not None:
        weights = np.where(rows, weights, 0.0)
    total = float(weights.sum())

    def mean(values: Any) -> float:
        if scored.weights is None and rows is None:
            return float(np.mean(values))
        return float(np.where(weights > 0, values, 0.0) @ weights / total)

    def share(values: Any) -> float:
        return min(1.0, max(0.0, mean(values)))  # a sum of many may end a rounding beyond

    def money(values: Array) -> float | None:
        found = mean(values)
        return None if np.isnan(found) else found

    tiers = len(scored.qualities)
    return Means(
        n=len(scored) if rows is None else int(np.count_nonzero(rows)),
        quality=share(served.quality),
        strong_quality=share(scored.qualities[-1]),
        weak_quality=share(scored.qualities[0]),
        cost_usd=money(served.cost),
        strong_cost_usd=money(scored.costs[-1]),
        weak_cost_usd=money(scored.drafts[0]),
        escalated=share(served.tier > 0),
        harm=share(served.harm),
        by_tier=tuple(share(served.tier == k) for k in range(tiers)),
        asked=tuple(share(served.asked[:, k]) for k in range(tiers)),
    )
