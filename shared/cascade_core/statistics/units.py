"""Turns weighted and grouped rows into independent losses in [0, 1] whose mean can be tested.

The promise is about the weighted mean loss, Σ w·loss / Σ w. Rows of one group may depend on each
other, so what is independent is the group (a row without groups is its own). Let W be a unit's
summed weight, S the sum of its w·loss and B the largest W there can be. Then

    X = S / B + limit · (1 − W / B)

lies in [0, 1], because 0 ≤ S ≤ W ≤ B, and X − limit = (S − limit · W) / B. So E[X] ≤ limit exactly
where E[S] ≤ limit · E[W], that is where the weighted mean loss is at most `limit`.

Units are taken as independent draws of (W, S). B is a fact about how the rows were sampled and
grouped, not about the draw; the largest W seen stands in for it unless the caller knows better.
The stakes keep a tenth of their room whenever they are raised, and for more than a few hundred
rows lie far from what B allows, so that a slightly larger W unseen changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The independent units of a table: rows, or groups of rows that belong together.

    Attributes:
        row: (n,), w / B of every row.
        total: (units,), W / B of every unit.
        code: (n,), the unit of every row; None where every row is its own.
        plain: Whether all units are single rows of one weight.
    """

    row: Array
    total: Array
    code: Ints | None
    plain: bool

    def __len__(self) -> int:
        return len(self.total)

    def losses(self, per_row: Array, limit: float) -> Array:
        """Give X of every unit for losses of (n,) rows, each in [0, 1]."""
        return self.of_sums(self.sums(per_row * self.row, None), limit)

    def sums(self, weighted: Array, rows: Ints | None) -> Array:
        """Add up S / B over `rows` (all where None), of which `weighted` holds w·loss / B."""
        if self.code is None:
            if rows is None:
                return weighted
            spread = np.zeros(len(self))
            spread[rows] = weighted
            return spread
        codes = self.code if rows is None else self.code[rows]
        sums = np.bincount(codes, weights=weighted, minlength=len(self))
        return sums.astype(np.float64, copy=False)

    def of_sums(self, sums: Array, limit: float) -> Array:
        """Give X from S / B, held in [0, 1] against rounding."""
        return sums if self.plain else np.clip(sums + limit * (1.0 - self.total), 0.0, 1.0)


def make_units(
    n: int, weights: Array | None, groups: Ints | None, heaviest: float | None = None
) -> Units:
    """Read weights and groups.

    Args:
        n: Rows.
        weights: (n,), not negative; None = all 1.
        groups: (n,), equal code = belong together; None = every row alone.
        heaviest: The largest weight a unit can have; None = the largest seen.

    Returns:
        The units; those of weight 0 are kept and change nothing.

    Raises:
        ConfigurationError: Shapes differ, a weight is negative or not finite, or all are 0.
    """
    for name, column in (("weights", weights), ("groups", groups)):
        if column is not None and column.shape != (n,):
            raise ConfigurationError(f"{name} must have one value a row ({n}), got {column.shape}")
    row = np.ones(n) if weights is None else weights
    if not (np.isfinite(row).all() and row.min() >= 0.0 and row.max() > 0.0):
        raise ConfigurationError("weights must be finite, not negative and not all 0")
    code = None if groups is None else np.unique(groups, return_inverse=True)[1].astype(np.int64)
    total = row
    if code is not None:
        total = np.bincount(code, weights=row).astype(np.float64, copy=False)
        if len(total) == n:
            code, total = None, row
    largest = float(total.max())
    if heaviest is not None:
        if heaviest < largest:
            raise ConfigurationError(
                f"a unit weighs {largest:g}, more than the heaviest there can be ({heaviest:g})"
            )
        largest = heaviest
    plain = code is None and bool(total.min() == largest)
    return Units(row=row / largest, total=total / largest, code=code, plain=plain)
