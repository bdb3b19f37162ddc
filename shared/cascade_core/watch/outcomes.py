"""What many thresholds would each have done with the same rows: as `serve`, for all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cascade_core.arrays import Array
from cascade_core.evaluation.scored import Scored, serve


class ServedBy(NamedTuple):
    """What each of k policies did with n rows.

    Attributes:
        harm: (n, k) quality lost by not asking the last tier.
        cost: (n, k) USD of every call; where a price is not known, whether it was sent on.
        strong: (n,) the same of the last tier alone.
    """

    harm: Array
    cost: Array
    strong: Array


def served_by(scored: Scored, policies: Sequence[Sequence[Array | float]]) -> ServedBy:
    """Let the thresholds of several policies decide.

    Args:
        scored: The rows.
        policies: Thresholds as `serve` takes them, of each policy.
    """
    if len(scored.confidences) == 1 and not scored.read(0):
        harm, cost, sent_on = _of_two_tiers(scored, policies)
    else:
        served = [serve(scored, thresholds) for thresholds in policies]
        last = len(scored.qualities) - 1
        harm = np.column_stack([each.harm for each in served])
        cost = np.column_stack([each.cost for each in served])
        sent_on = np.column_stack([(each.tier == last).astype(np.float64) for each in served])
    strong = scored.costs[-1]
    if np.isnan(cost).any() or np.isnan(strong).any():
        cost, strong = sent_on, np.ones(len(scored))
    return ServedBy(harm, cost, strong)


def _of_two_tiers(
    scored: Scored, policies: Sequence[Sequence[Array | float]]
) -> tuple[Array, Array, Array]:
    cuts = np.stack([np.broadcast_to(given[0], len(scored)) for given in policies], axis=1)
    with np.errstate(invalid="ignore"):
        kept = scored.met(0)[:, None] >= cuts
    asked = np.broadcast_to(~scored.skipped[:, :1], kept.shape)
    if scored.calibrated:
        asked = asked & (cuts < 1)
    harm = np.where(kept, scored.losses()[0][:, None], 0.0)
    cost = np.where(asked, scored.costs[0][:, None], 0.0)
    cost = cost + np.where(kept, 0.0, scored.costs[1][:, None])
    return harm, cost, (~kept).astype(np.float64)
