"""What a policy would have done with the rows of a labelled table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cascade_core.arrays import Array
from cascade_core.evaluation.scored import (
    Scored,
    Served,
    score,
    serve,
    thresholds_of,
)
from cascade_core.labels import Table, TableError, read_table, usable
from cascade_core.policy.document import Policy


@dataclass(frozen=True, slots=True)
class Means:
    """Means a request.

    Attributes:
        n: Rows.
        quality: In [0, 1].
        strong_quality: Of always asking the strongest tier.
        weak_quality: Of always taking the cheapest tier's draft.
        cost_usd: Every paid call counted; None where a call is unpriced.
        strong_cost_usd: Of always asking the strongest tier.
        weak_cost_usd: Of the cheapest tier's draft alone.
        escalated: Share that the cheapest tier did not answer.
        harm: Quality lost by not asking the strongest tier.
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
        """`(cost − weak) / (strong − weak)`, every paid call counted; None where unpriced."""
        if self.cost_usd is None or self.strong_cost_usd is None or self.weak_cost_usd is None:
            return None
        span = self.strong_cost_usd - self.weak_cost_usd
        return (self.cost_usd - self.weak_cost_usd) / span if span > 0 else None


@dataclass(frozen=True, slots=True)
class Replay:
    """What a policy did with a table.

    Attributes:
        means: Over all rows that could be used.
        by_class: The same for every class.
        unused: How many rows could not be used, by reason.
        table: The rows that could be.
        scored: Their confidences, costs and qualities.
        served: What was done with each.
    """

    means: Means
    by_class: Mapping[str, Means]
    unused: Mapping[str, int]
    table: Table = field(repr=False)
    scored: Scored = field(repr=False)
    served: Served = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON."""
        means = self.means
        return {
            "n": means.n,
            "quality": means.quality,
            "strong_quality": means.strong_quality,
            "cost_usd": means.cost_usd,
            "strong_cost_usd": means.strong_cost_usd,
            "escalated": means.escalated,
            "harm": means.harm,
        }


def replay(
    table: Table | str | Path | Mapping[str, Any],
    policy: Policy | Mapping[str, Any] | str | Path,
) -> Replay:
    """Run a policy over a labelled table.

    Args:
        table: A labelled table, or where to read one.
        policy: A policy with thresholds, or where to read one. Without calibrators the
            lowest reading of a row is its confidence, as in a cascade.

    Raises:
        TableError: The table is bad; the message names line and column.
        ConfigurationError: The policy does not fit the table.
    """
    rows = read_table(table)
    document = Policy.load(policy)
    mask, unused = usable(rows)
    if not mask.any():
        why = "; ".join(f"{reason} ({n:,} rows)" for reason, n in unused.items())
        raise TableError(f"{rows.source}: no row can be used: {why}")
    rows = rows.take(mask)
    scored = score(rows, document)
    served = serve(scored, thresholds_of(document, rows))
    return Replay(
        means=means(scored, served),
        by_class=_by_class(rows, scored, served),
        unused=unused,
        table=rows,
        scored=scored,
        served=served,
    )


def means(scored: Scored, served: Served, rows: Array | None = None) -> Means:
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


def _by_class(table: Table, scored: Scored, served: Served) -> dict[str, Means]:
    if table.classes is None:
        return {}
    found = {}
    for code, name in enumerate(table.class_names):
        rows = table.classes == code
        if rows.any():
            found[name] = means(scored, served, rows)
    return found
