"""Operating points: threshold vectors, with what each would have cost and given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints

ACCEPT_NOTHING = 1.0
"""The threshold that accepts nothing: a calibrated confidence stays below 1."""


@dataclass(frozen=True, slots=True, eq=False)
class OperatingPoints:
    """Threshold vectors and what each would have done; all means are per request.

    Attributes:
        thresholds: Shape (m, tiers − 1).
        quality: Mean quality, shape (m,).
        cost: Mean USD, every paid call counted, shape (m,).
        escalated: Share that the cheapest tier did not answer, shape (m,).
        harm: Mean quality lost by not asking the last tier, shape (m,).
    """

    thresholds: Array
    quality: Array
    cost: Array
    escalated: Array
    harm: Array

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.quality)

    @property
    def price(self) -> Array:
        """What is to be low, shape (m,): the cost, or the share escalated where one is unknown."""
        return self.escalated if np.isnan(self.cost).any() else self.cost

    def cascades(self) -> OperatingPoints:
        """Return those that do not send every request straight to the last tier."""
        return self.take(np.flatnonzero((self.thresholds < ACCEPT_NOTHING).any(axis=1)))

    def take(self, places: Ints) -> OperatingPoints:
        """Return some of them."""
        return OperatingPoints(
            self.thresholds[places],
            self.quality[places],
            self.cost[places],
            self.escalated[places],
            self.harm[places],
        )


def frontier(points: OperatingPoints) -> OperatingPoints:
    """Return the points that no other beats in both harm and price.

    Args:
        points: Any points.

    Returns:
        Those points from the lowest harm to the highest: a path of falling price.
    """
    order = np.lexsort((points.price, points.harm))
    lowest = np.minimum.accumulate(points.price[order])
    better = np.concatenate(([True], lowest[1:] < lowest[:-1]))
    return points.take(order[better])


def thin(path: OperatingPoints, most: int) -> OperatingPoints:
    """Return at most so many points of a path of rising harm, dense where harm is low.

    Args:
        path: As `frontier` returns it by harm.
        most: How many points to keep; the first and last are among them.
    """
    if len(path) <= most:
        return path
    place = np.sqrt(path.harm)
    wanted = np.linspace(place[0], place[-1], most)
    kept = np.searchsorted(place, wanted, side="right") - 1
    return path.take(np.unique(np.append(np.maximum(kept, 0), len(path) - 1)))
