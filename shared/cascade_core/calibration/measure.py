"""Measures a finished policy on the rows it was tested on, for what it says of itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.evaluation.means import means
from cascade_core.evaluation.scored import Scored, Served
from cascade_core.policy.evidence import Figures, Promise
from cascade_core.policy.reference import Reference
from cascade_core.statistics.bootstrap import Resamples


def measure(scored: Scored, served: Served, groups: Ints | None, seed: int) -> Figures:
    """Return what a policy gives and costs on rows, with the interval of its quality.

    Args:
        scored: The rows.
        served: What the policy did with them.
        groups: Which of them belong together, shape (n,).
        seed: Of the bootstrap.
    """
    found = means(scored, served)
    drawn = Resamples.draw(len(scored), groups=groups, seed=seed)
    draws = drawn.means({"quality": served.quality}, scored.weights)["quality"]
    ends = drawn.interval(draws, share=True)
    known = not math.isnan(ends.low)
    return Figures(
        **found.as_dict(),
        quality_low=ends.low if known else None,
        quality_high=ends.high if known else None,
        cost_share=found.cost_share,
        by_tier=found.by_tier,
    )


def count_reference(
    scored: Scored,
    thresholds: Sequence[Array | float],
    served: Served,
    promises: Sequence[Promise],
    groups: Ints | None,
) -> Reference:
    """Count what a stream of the same requests would look like.

    Args:
        scored: Rows that nothing was fitted to.
        thresholds: One for every tier but the last; a number, or one per row.
        served: What the policy did with them.
        promises: What was promised; a limit on harm is watched.
        groups: Which of the rows belong together, shape (n,).
    """
    confidence, tier = np.full(len(scored), np.nan), np.zeros(len(scored), dtype=np.int64)
    for k, threshold in enumerate(thresholds):
        asked = served.asked[:, k]
        confidence[asked], tier[asked] = scored.told(k, threshold)[asked], k
    limits = [p.limit for p in promises if p.kind == "harm" and p.class_name is None]
    return Reference.of(
        confidence,
        served.tier == len(scored.confidences),
        served.harm,
        scored.weights,
        groups,
        limit=limits[0] if limits else None,
        tier=tier,
    )
