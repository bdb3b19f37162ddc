"""Checks the columns that figures are computed from: one float a row, each in its range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError


def column(name: str, values: npt.ArrayLike, rows: int | None = None) -> Array:
    """Return values as one float a row, or raise naming the column that is not."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or (rows is not None and len(array) != rows):
        wanted = "one number a row" if rows is None else f"{rows} numbers, one a row"
        msg = f"{name}: expected {wanted}, got an array of shape {array.shape}"
        raise ConfigurationError(msg)
    return array


def observed(name: str, values: npt.ArrayLike, rows: int | None = None) -> Array:
    """Return a column in which every row has a number in [0, 1]: a quality or a target."""
    array = column(name, values, rows)
    bad = np.flatnonzero(~((array >= 0) & (array <= 1)))
    if len(bad):
        found = "none" if np.isnan(array[bad[0]]) else f"{array[bad[0]]:g}"
        msg = (
            f"{name}: every row needs a number in [0, 1]; row {bad[0]} has {found} "
            f"({len(bad)} of {len(array)} rows are like that): leave them out"
        )
        raise ConfigurationError(msg)
    return array


def weighting(weights: npt.ArrayLike | None, rows: int) -> Array:
    """Return checked weights, one per row; None means 1 each."""
    if weights is None:
        return np.ones(rows)
    array = column("weights", weights, rows)
    if not np.isfinite(array).all() or (array < 0).any() or not array.any():
        msg = "weights: every weight is a finite number, none negative, and one at least above 0"
        raise ConfigurationError(msg)
    return array
