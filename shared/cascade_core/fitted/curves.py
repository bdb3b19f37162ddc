"""Turns a score into a probability by a fitted curve.

A curve never falls, so it leaves the order of drafts as the score has it, and the
best that a score can still become bounds the best confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.fitted.artefact import Isotonic, Platt

CLIP = 1e-6
"""Scores are kept this far from 0 and 1 before their logit is taken."""

SATURATED = 30.0
"""Logits end here, so that no probability is rounded to 0 or 1."""

Curved: TypeAlias = Callable[[Array], Array]
"""Confidence at each score; NaN stays NaN."""


def sigmoid(logits: Array) -> Array:
    """Return `1 / (1 + exp(-logits))`, kept off 0 and 1."""
    inside = np.minimum(np.maximum(logits, -SATURATED), SATURATED)
    return np.asarray(1.0 / (1.0 + np.exp(-inside)))


def logit(scores: Array) -> Array:
    """Return `log(s / (1 - s))` of scores clipped off 0 and 1."""
    inside = np.minimum(np.maximum(scores, CLIP), 1.0 - CLIP)
    return np.asarray(np.log(inside / (1.0 - inside)))


def make_curve(curve: Platt | Isotonic | None) -> Curved:
    """Return a curve made ready for use, as a function of scores; None changes nothing."""
    if curve is None:
        return np.copy
    if isinstance(curve, Platt):
        slope, intercept = curve.slope, curve.intercept
        return lambda scores: sigmoid(slope * logit(scores) + intercept)
    x, y = np.array(curve.x), np.array(curve.y)
    if len(x) == 1:  # `interp` would read a level curve even where there is no score
        return lambda scores: np.where(np.isnan(scores), np.nan, y[0])
    return lambda scores: np.interp(scores, x, y)
