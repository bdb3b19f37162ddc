"""Operating points of three tiers and more, on a grid of thresholds.

Each tier gets thresholds at quantiles of its drafts' merits. Rows are summed by the cell of the
grid that they fall into; what every combination of thresholds would have done then follows from
sums over cells, so the number of rows matters only for filling them.
"""

from __future__ import annotations

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.points import ACCEPT_NOTHING, OperatingPoints
from cascade_core.evaluation.paid import PaidReading
from cascade_core.evaluation.scored import Scored

COMBINATIONS = 20_000
"""Most threshold vectors looked at."""
MOST_EDGES = 100
"""Most thresholds a tier."""


def grid_points(scored: Scored) -> OperatingPoints:
    """Return the operating points of every combination of some thresholds a tier.

    Args:
        scored: Rows of three tiers or more.
    """
    tiers = len(scored.confidences)
    steps = min(MOST_EDGES, int(COMBINATIONS ** (1 / tiers)) - 1)
    merits = scored.merits or scored.confidences
    edges = [_edges(merit, steps) for merit in merits]
    cells = [_cells(merit, e) for merit, e in zip(merits, edges, strict=True)]
    sums = _Cells(cells, [len(e) + 1 for e in edges], scored)
    shape = tuple(len(e) for e in edges)
    losses = (*scored.losses(), np.zeros(len(scored)))
    quality, cost, harm = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for k in range(tiers + 1):
        quality += sums.answered(scored.qualities[k], k)
        harm += sums.answered(losses[k], k)
        reached = sums.reached(scored.costs[k], k)
        if k < tiers:
            for reading in scored.read(k):
                reached = reached + sums.paid(reading, k, edges[k])
        if scored.calibrated and k < tiers:  # what accepts nothing is not asked
            along = [1] * tiers
            along[k] = -1
            reached = np.where(edges[k].reshape(along) < ACCEPT_NOTHING, reached, 0.0)
        cost += reached
    first = sums.answered(np.ones(len(scored)), 0)
    grid = np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1).reshape(-1, tiers)
    # Differences of sums may end a rounding below 0.
    harm, escalated = np.maximum(harm, 0.0), np.clip(1 - first, 0.0, 1.0)
    return OperatingPoints(grid, quality.ravel(), cost.ravel(), escalated.ravel(), harm.ravel())


def _edges(merit: Array, steps: int) -> Array:
    """Return thresholds from one that accepts every reading to one that accepts none."""
    read = merit[~np.isnan(merit)]
    quantiles = np.quantile(read, np.linspace(0, 1, steps)) if len(read) else np.empty(0)
    edges: Array = np.unique(np.append(quantiles, ACCEPT_NOTHING))
    return edges


def _cells(merit: Array, edges: Array) -> Ints:
    """Return each row's cell: 0 holds what no threshold accepts, i ≥ 1 what the i lowest do."""
    cells: Ints = np.searchsorted(edges, np.nan_to_num(merit), side="right")
    return np.where(np.isnan(merit), 0, cells)


class _Cells:
    """Weighted sums over the cells of a grid of thresholds."""

    def __init__(self, cells: list[Ints], sizes: list[int], scored: Scored) -> None:
        self._sizes = sizes
        self._flat = np.zeros(len(scored), dtype=np.int64)
        self._prefix: list[Ints] = []
        for cell, size in zip(cells, sizes, strict=True):
            self._flat = self._flat * size + cell
            self._prefix.append(self._flat)
        self._weights = scored.weights
        self._total = len(scored) if scored.weights is None else float(scored.weights.sum())

    def reached(self, values: Array, k: int) -> Array:
        """Return the mean of values over rows that every tier before k rejected."""
        if k == 0:
            mean = self._sum(values, 0) / self._total
            return np.full([size - 1 for size in self._sizes], mean)
        below = self._sum(values, k)
        for axis in range(k):
            below = _below(below, axis)
        return self._spread(below / self._total, k)

    def paid(self, reading: PaidReading, k: int, edges: Array) -> Array:
        """Return the mean that rows reaching tier k pay for one of its paid signals."""
        price = np.where(np.isnan(reading.low), 0.0, reading.price)
        # Read at the thresholds above the lowest confidence possible, up to the highest.
        above = self._sum(price, k + 1, _cells(reading.low, edges))
        above -= self._sum(price, k + 1, _cells(reading.high, edges))
        for axis in range(k + 1):
            above = _below(above, axis)
        return self._spread(above / self._total, k + 1)

    def answered(self, values: Array, k: int) -> Array:
        """Return the mean over all rows of values where tier k answers, else 0."""
        if k == len(self._sizes):
            return self.reached(values, k)
        inside = self._sum(values, k + 1)
        for axis in range(k):
            inside = _below(inside, axis)
        accepted = inside.sum(axis=k, keepdims=True) - _below(inside, k)
        return self._spread(accepted / self._total, k + 1)

    def _sum(self, values: Array, axes: int, cells: Ints | None = None) -> Array:
        """Add values up over the cells of the first tiers; `cells` replaces those of the last."""
        weighted = values if self._weights is None else values * self._weights
        if axes == 0:
            return np.asarray(weighted.sum())
        shape = self._sizes[:axes]
        place = self._prefix[axes - 1]
        if cells is not None:
            place = cells if axes == 1 else self._prefix[axes - 2] * shape[-1] + cells
        sums = np.bincount(place, weighted, int(np.prod(shape)))
        return sums.astype(np.float64, copy=False).reshape(shape)

    def _spread(self, means: Array, axes: int) -> Array:
        """Repeat means along the thresholds that do not matter to them."""
        rest = [size - 1 for size in self._sizes[axes:]]
        wide = means.reshape(means.shape + (1,) * len(rest))
        return np.broadcast_to(wide, (*means.shape, *rest))


def _below(sums: Array, axis: int) -> Array:
    """Return sums over the cells below each threshold: threshold i rejects cells 0..i."""
    total = np.cumsum(sums, axis=axis)
    return np.delete(total, -1, axis=axis)
