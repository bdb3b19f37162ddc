"""Which rows of a table can be learnt from, and whether they can teach anything.

Nothing is dropped in silence: every row that cannot be used has its reason.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array
from cascade_core.labels.check import TableError
from cascade_core.labels.table import Table


def usable(table: Table) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Tell which rows have every tier's quality and cost, and why the others have not.

    Where a tier has no cost in any row it is unpriced, and rows are used without.

    The price of a paid signal that was read is a cost as well: unknown, it is unpriced, not 0;
    where no reading of it has a price, rows are used without.
    The last tier's signals are never read, so their prices do not matter.

    Args:
        table: Any labelled table.

    Returns:
        (n,) mask of the rows that can be used, and how many others there are by reason, the most
        frequent first. A row has one reason, so the counts add up to the rows left out.
    """
    lacking = _lacking(table)
    matrix = np.column_stack(list(lacking.values()))
    unused: npt.NDArray[np.bool_] = np.logical_or.reduce(matrix, axis=1)
    counts = Counter(map(tuple, matrix[unused].tolist()))
    names = list(lacking)
    reasons = {
        _sentence([name for name, lacks in zip(names, row, strict=True) if lacks]): count
        for row, count in counts.most_common()
    }
    return ~unused, reasons


def check_learnable(table: Table) -> None:
    """Check that thresholds can be learnt from a table.

    Args:
        table: Any labelled table; rows that cannot be used, or weigh nothing, do not count.

    Raises:
        TableError: No row can be used, or only one.
    """
    rows, reasons = usable(table)
    if not rows.any():
        listed = "; ".join(
            f"{reason} ({count} row{'s' * (count != 1)})" for reason, count in reasons.items()
        )
        raise TableError(table.source, f"no row can be used: {listed}", place=table.places(~rows))
    if table.weights is not None:
        rows &= table.weights > 0
    if not rows.any():
        raise TableError(table.source, "every row that can be used has weight 0", column="weight")
    if np.count_nonzero(rows) == 1:
        problem = "only this row can be used; thresholds need many"
        raise TableError(table.source, problem, place=table.places(rows))


def _lacking(table: Table) -> dict[str, npt.NDArray[np.bool_]]:
    """Return, by column, the rows in which it is empty and needed."""
    lacking: dict[str, npt.NDArray[np.bool_]] = {}
    for k, tier in enumerate(table.tiers):
        lacking[f"t{k}_quality"] = np.isnan(tier.quality)
        unpriced = np.isnan(tier.cost)
        if not unpriced.all():  # a model without any price can still be tuned for quality
            lacking[f"t{k}_cost_usd"] = unpriced
    for k, tier in enumerate(table.tiers[:-1]):
        for name, price in tier.paid.items():
            if not np.isnan(price).all():  # the same for a signal
                lacking[f"t{k}_paid_{name}_usd"] = _unpriced(price, tier.signals.get(name))
    return lacking


def _unpriced(price: Array, reading: Array | None) -> npt.NDArray[np.bool_]:
    unknown = np.isnan(price)
    return unknown if reading is None else unknown & ~np.isnan(reading)


def _sentence(columns: list[str]) -> str:
    *others, last = columns
    return f"{', '.join(others)} and {last} are empty" if others else f"{last} is empty"
