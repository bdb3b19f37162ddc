"""Bends merits near 0 and 1, as a gain that is not a probability may lead beyond."""

from __future__ import annotations

import numpy as np

from cascade_core.arrays import Array

SOFT = 0.1
"""From so near to 0 or 1 on, merits that are made of more than a confidence draw near to it."""


def soften(merit: Array) -> Array:
    """Bend what lies near 0 or 1, or beyond, so that it stays between them in the same order."""
    high, low = (np.exp(np.minimum(of, SOFT) / SOFT - 1) for of in (1 - merit, merit))
    bent = np.where(merit > 1 - SOFT, 1 - SOFT * high, np.where(merit < SOFT, SOFT * low, merit))
    return np.asarray(bent)


def straighten(merit: Array) -> Array:
    """Return what `soften` made merits of, shape (n,); what is 0 or 1 is taken for all but that."""
    merit = np.clip(merit, np.finfo(float).tiny, 1 - np.finfo(float).epsneg)
    high, low = (SOFT * (1 + np.log(np.minimum(of, SOFT) / SOFT)) for of in (1 - merit, merit))
    return np.where(merit > 1 - SOFT, 1 - high, np.where(merit < SOFT, low, merit))
