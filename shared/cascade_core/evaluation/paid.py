"""What paid signals cost: each is read only where it can still change what becomes of a draft.

A cascade asks a judge only while the lowest and the highest merit it leaves possible lie on both
sides of the threshold (`loop.judging`), or a narrower interval where that is not worth its price.
So what a row pays depends on the threshold, and whoever counts costs over many thresholds counts
them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints


@dataclass(frozen=True, slots=True, eq=False)
class PaidReading:
    """One paid signal of one tier: its price, and the thresholds at which it is read.

    Attributes:
        price: USD, shape (n,); NaN where it is not known.
        low: Threshold up to which the draft is accepted unread, shape (n,); NaN where it never is
            read.
        high: Threshold above which it is sent on unread, shape (n,).
    """

    price: Array
    low: Array
    high: Array

    def take(self, rows: Ints | slice) -> PaidReading:
        """Return some of the rows."""
        return PaidReading(self.price[rows], self.low[rows], self.high[rows])

    def at(self, threshold: Array | float) -> Array:
        """Return what every row pays at a threshold, USD, shape (n,)."""
        with np.errstate(invalid="ignore"):
            read = (self.low < threshold) & (self.high >= threshold)
        return np.where(read, self.price, 0.0)


def paid_at(readings: Sequence[PaidReading], thresholds: Array, weights: Array | None) -> Array:
    """Return what all rows together pay for paid signals at each threshold.

    Args:
        readings: Paid signals of one tier, each of n rows.
        thresholds: Shape (k,).
        weights: How much each row counts, shape (n,); None means 1 each.

    Returns:
        Weighted sums, USD, shape (k,); NaN at thresholds above which, or at which, a row of
        unknown price pays.
    """
    total = np.zeros(len(thresholds))
    for reading in readings:
        ever = np.flatnonzero(~np.isnan(reading.low))
        price = reading.price[ever]
        if weights is not None:
            price = price * weights[ever]
        total += _sum_below(reading.low[ever], price, thresholds)
        total -= _sum_below(reading.high[ever], price, thresholds)
    return total


def _sum_below(ends: Array, values: Array, thresholds: Array) -> Array:
    """Return the sum of the values whose ends lie below each threshold."""
    order = np.argsort(ends)
    sums = np.concatenate(([0.0], np.cumsum(values[order])))
    found: Array = sums[np.searchsorted(ends[order], thresholds, "left")]
    return found
