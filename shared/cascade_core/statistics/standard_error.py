"""A weighted mean and its standard error."""

from __future__ import annotations

import numpy as np

from cascade_core.arrays import Array, Ints


def mean_with_error(
    values: Array, weights: Array | None, groups: Ints | None = None
) -> tuple[float, float]:
    """Return the mean of values and its standard error, rows of one group as one observation."""
    weight = np.ones(len(values)) if weights is None else weights
    mean = float(np.average(values, weights=weight))
    parts = weight * (values - mean)
    if groups is not None:
        _, code = np.unique(groups, return_inverse=True)
        parts = np.bincount(code, parts).astype(np.float64)
    return mean, float(np.sqrt(np.square(parts).sum()) / weight.sum())
