"""The curves that a cost–quality curve is measured against: perfect hindsight, and a coin."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import numpy.typing as npt

from cascade_core.evaluation.curve import Axis, Curve
from cascade_core.evaluation.sweeping import sweep
from cascade_core.statistics.columns import column, observed


def oracle(  # noqa: PLR0913 - a row has that many columns
    weak_quality: npt.ArrayLike,
    strong_quality: npt.ArrayLike,
    weak_cost: npt.ArrayLike,
    strong_cost: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    axis: Axis = "escalated",
) -> Curve:
    """Draw the best curve that any confidence could give these rows, known only in hindsight.

    Args:
        weak_quality: (n,) in [0, 1].
        strong_quality: (n,) in [0, 1].
        weak_cost: (n,) USD of the draft; an oracle needs no paid signal.
        strong_cost: (n,) USD of the strong model's answer.
        weights: (n,); None means 1 each.
        axis: "escalated" escalates where most is gained first, "cost" where most is gained a
            dollar, which is the best order along that axis (a fractional knapsack).

    Returns:
        A curve whose thresholds only order the rows and mean nothing to a policy.
    """
    gain = observed("strong_quality", strong_quality) - observed("weak_quality", weak_quality)
    if axis == "cost":
        price = column("strong_cost", strong_cost, len(gain))
        free = np.where(gain == 0, 0.0, np.copysign(inf, gain))
        worth = np.divide(gain, price, out=free, where=price > 0)
        gain = np.where(np.isnan(price), gain, worth)
    return sweep(-gain, weak_quality, strong_quality, weak_cost, strong_cost, weights)


def random_line(curve: Curve) -> Curve:
    """Return the line of a router that tosses a coin, from the cheap to the strong model alone.

    A router asks one tier only, so its line ends at the strong model's own cost, which a cascade
    that escalates everything exceeds: the line to beat on either axis.
    """
    return replace(
        curve,
        threshold=np.array([0.0, inf]),
        escalated=np.array([0.0, 1.0]),
        quality=np.array([curve.weak_quality, curve.strong_quality]),
        cost=np.array([curve.weak_cost, curve.strong_cost]),
        harm=np.array([curve.weak_harm, 0.0]),
    )
