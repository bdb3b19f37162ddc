"""Whether the tiers of a table are in an order that a cascade can ask them in: cheapest first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from cascade_core.arrays import Array
from cascade_core.costs.names import same_model
from cascade_core.labels.table import Table, TierColumns


def odd_order(table: Table) -> Iterator[str]:
    """Say which tiers are one model, or in the wrong order.

    Args:
        table: The table; only rows on which both tiers are known are compared.
    """
    tiers = list(enumerate(table.tiers))
    for (first, one), (second, other) in combinations(tiers, 2):
        names = f"{_label(first, one)} and {_label(second, other)}"
        if one.model and other.model and same_model([one.model], [other.model]):
            yield f"{table.source}: {names} are one and the same: escalating buys nothing"
            return
    for (first, one), (second, other) in combinations(tiers, 2):
        costs = _means(one.cost, other.cost, table.weights)
        if costs is None or not costs[0] > costs[1]:
            continue
        better = _means(one.quality, other.quality, table.weights)
        how = "and is no worse" if better is not None and better[0] >= better[1] else "yet is worse"
        yield (
            f"{table.source}: {_label(first, one)} costs more than {_label(second, other)} "
            f"(USD {costs[0]:.3g} against {costs[1]:.3g} per request) {how}: tiers go cheapest "
            "first, and what is tuned in this order saves nothing by asking it first"
        )
        return


def _label(place: int, tier: TierColumns) -> str:
    return f"tier {place}" + (f" ({tier.model})" if tier.model else "")


def _means(one: Array, other: Array, weights: Array | None) -> tuple[float, float] | None:
    known = ~(np.isnan(one) | np.isnan(other))
    if not known.any():
        return None
    even = None if weights is None else weights[known]
    if even is not None and not even.sum():
        return None
    return float(np.average(one[known], weights=even)), float(
        np.average(other[known], weights=even)
    )
