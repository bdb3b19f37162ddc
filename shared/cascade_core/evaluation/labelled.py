"""The cost–quality curve of a labelled table: whose confidence, and which calls were paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.curve import Curve
from cascade_core.evaluation.paid import PaidReading
from cascade_core.evaluation.scoring import score
from cascade_core.evaluation.sweeping import sweep
from cascade_core.labels import Table, TierColumns, read_table
from cascade_core.policy.document import Policy
from cascade_core.statistics.columns import column


def cost_quality_curve(
    table: Table | str | Path | Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
    policy: Policy | Mapping[str, Any] | str | Path | None = None,
    *,
    signal: str | None = None,
    confidence: npt.ArrayLike | None = None,
) -> Curve:
    """Draw what every threshold between the cheapest and the last tier gives and costs.

    Rows in which one of the two qualities was not observed are left out and counted in
    `left_out`. Tiers in between are not asked; `replay` shows what a policy does with them.

    Args:
        table: The labelled table, or where to read it.
        policy: Its calibrators and route are used, its thresholds are not. Without calibrators a
            row's lowest reading is its confidence, as in a cascade.
        signal: The signal of the cheapest tier whose readings are taken as they are.
        confidence: (n,) confidences of your own, one per row of the table; NaN where there is none.
            Every paid signal in the table is then counted, since any of them may be in it.

    Returns:
        The curve. With none of the three given, the table's only signal is used. Paid signals that
        the confidence reads are part of every request's cost; under a policy, of those requests'
        whose outcome they can still change, as in a cascade.

    Raises:
        ConfigurationError: More than one of the three is given; the signal is not in the table;
            none is given and the table has not exactly one; or no row can be used.
    """
    table = read_table(table)
    cheap, strong = table.tiers[0], table.tiers[-1]
    policy = None if policy is None else Policy.load(policy)
    if sum(given is not None for given in (policy, signal, confidence)) > 1:
        msg = "cost_quality_curve takes one of policy, signal= and confidence=, not several"
        raise ConfigurationError(msg)
    read: Sequence[PaidReading] = ()
    if policy is not None:
        scored = score(table, policy)
        reading, paid, read = scored.met(0), scored.costs[0], scored.read(0)
    elif confidence is not None:
        reading = column("confidence", confidence, len(table))
        paid = cheap.cost + _paid_signals(cheap, tuple(cheap.paid))
    else:
        name = _chosen(table, signal)
        reading, paid = cheap.signals[name], cheap.cost + _paid_signals(cheap, (name,))
    usable = ~(np.isnan(cheap.quality) | np.isnan(strong.quality))
    if not usable.any():
        msg = (
            f"{table.source}: no row has the quality of both the cheapest and the last tier; "
            "a curve needs at least one"
        )
        raise ConfigurationError(msg)
    left_out = int((~usable).sum())
    rows = np.flatnonzero(usable) if left_out else slice(None)  # a slice copies nothing
    curve = sweep(
        reading[rows],
        cheap.quality[rows],
        strong.quality[rows],
        paid[rows],
        strong.cost[rows],
        None if table.weights is None else table.weights[rows],
        draft_cost=cheap.cost[rows],
        paid=[own.take(rows) for own in read],
    )
    return replace(curve, left_out=left_out)


def _paid_signals(tier: TierColumns, signals: Sequence[str]) -> Array:
    """Return what each row paid for these signals, (n,) USD; NaN where a price is not known.

    A reading that was never taken cost nothing, and a signal without a price column is free.
    """
    total = np.zeros(len(tier.cost))
    for name in signals:
        if name not in tier.paid:
            continue
        price = tier.paid[name]
        taken = ~np.isnan(tier.signals[name]) if name in tier.signals else np.ones(len(price), bool)
        total += np.where(np.isnan(price) & ~taken, 0.0, price)
    return total


def _chosen(table: Table, signal: str | None) -> str:
    known: tuple[str, ...] = tuple(table.tiers[0].signals)
    listed = ", ".join(known) or "none"
    if signal is None:
        if len(known) == 1:
            return known[0]
        msg = (
            f"{table.source}: a curve needs to know which confidence to use; pass signal= "
            f"(tier 0 has: {listed}), a policy, or confidence="
        )
        raise ConfigurationError(msg)
    if signal not in known:
        msg = f"{table.source}: tier 0 has no signal {signal!r}; it has: {listed}"
        raise ConfigurationError(msg)
    return signal
