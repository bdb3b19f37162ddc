"""Fits the curves that turn a score into a probability, on rows or on all folds of them but one."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.artefact import Isotonic, Platt
from cascade_core.fitted.curves import logit, sigmoid

CurveShape: TypeAlias = Literal["isotonic", "platt"]

MOST_BINS = 4096
"""Where there are more different scores, they are joined to this many bins of equal mass."""

SAME = 1e-9
"""Scores that follow each other this closely count as one."""

TILT = 1e-3
"""How far an isotonic curve still rises beyond its first and last block, to keep the order."""

NEWTON_STEPS = 60
"""Most Newton steps of a Platt fit."""


class Binned:
    """Scores and outcomes summed by score and fold, so that all folds cost one sort.

    Args:
        score: Scores in [0, 1], shape (n,); rows with NaN are left out.
        target: Outcomes in [0, 1], shape (n,); NaN is left out.
        weights: Weight of each row, shape (n,); None weighs all alike.
        fold: Fold of each row, shape (n,); None puts all in one.

    Raises:
        ConfigurationError: No row has both a score and an outcome.
    """

    def __init__(
        self,
        score: Array,
        target: Array,
        weights: Array | None = None,
        fold: Ints | None = None,
    ) -> None:
        used = ~(np.isnan(score) | np.isnan(target))
        if weights is not None:
            used &= weights > 0
        if not used.any():
            raise ConfigurationError("a curve needs rows that have both a reading and an outcome")
        score, target = score[used], target[used]
        weight = np.ones(len(score)) if weights is None else weights[used]
        # Weights say how much rows matter to each other; the sample is as large as this:
        # Kish, Survey Sampling (1965).
        weight = weight * (weight.sum() / np.square(weight).sum())
        folded = np.zeros(len(score), dtype=np.int64) if fold is None else fold[used]
        count = 1 if fold is None else int(fold.max()) + 1
        place, self._size = _bins(score)
        cell = folded * self._size + place
        sums = [
            np.bincount(cell, of, minlength=count * self._size).reshape(count, self._size)
            for of in (weight, weight * target, weight * score)
        ]
        self._weight, self._good, self._score = sums

    def holds(self, *, without: int) -> bool:
        """Tell whether there is a row to fit to in all folds but one."""
        return bool(self._weight.sum() > self._weight[without].sum() + 1e-9)

    def fit(self, kind: CurveShape, without: int | None = None) -> Platt | Isotonic:
        """Fit either curve on all folds, or on all but one."""
        return self.platt(without) if kind == "platt" else self.isotonic(without)

    def platt(self, without: int | None = None) -> Platt:
        """Fit a logistic curve on the score's logit.

        The outcomes are drawn off 0 and 1 as Platt (1999) does, so the curve is finite where the
        score separates good from bad, and modest where there are few rows.

        Args:
            without: A fold to leave out; None takes all.

        Returns:
            The curve; level where the score says nothing or the contrary.
        """
        weight, good, score = self._sums(without)
        bad = weight - good
        total, lost = good.sum(), bad.sum()
        high, low = (total + 1) / (total + 2), 1 / (lost + 2)
        slope, intercept = _newton(logit(score), good * high + bad * low, weight)
        return Platt(slope=slope, intercept=intercept)

    def isotonic(self, without: int | None = None) -> Isotonic:
        """Fit the best curve that never falls.

        Pool-adjacent-violators (Ayer et al. 1955), each pooled block standing at its mean score
        with straight lines between: centred isotonic regression (Oron & Flournoy, Statistics in
        Biopharmaceutical Research 2017), which has no steps and so keeps the order within a block.
        The outermost blocks are drawn off 0 and 1 by half a row, and beyond them the curve rises
        by at most `TILT`.

        Args:
            without: A fold to leave out; None takes all.
        """
        weight, good, score = self._sums(without)
        blocks = _pool(weight, good, weight * score)
        mass, y, x = blocks[:, 0], blocks[:, 1] / blocks[:, 0], blocks[:, 2] / blocks[:, 0]
        inward = (mass * y + 0.5) / (mass + 1)
        if len(y) == 1:
            y = inward
        else:
            first = max(y[0], min(inward[0], (y[0] + y[1]) / 2))
            last = min(y[-1], max(inward[-1], (y[-1] + y[-2]) / 2))
            y[0], y[-1] = first, last
        if x[0] > SAME:
            x, y = np.append(0.0, x), np.append(y[0] - min(TILT, y[0] / 2), y)
        if x[-1] < 1 - SAME:
            x, y = np.append(x, 1.0), np.append(y, y[-1] + min(TILT, (1 - y[-1]) / 2))
        return Isotonic(x=tuple(x.tolist()), y=tuple(np.maximum.accumulate(y).tolist()))

    def _sums(self, without: int | None) -> tuple[Array, Array, Array]:
        """Return weight, good weight and mean score of the bins that are not empty."""
        kept = np.ones(len(self._weight), dtype=np.bool_)
        if without is not None:
            kept[without] = False
        weight, good, score = (
            of[kept].sum(axis=0) for of in (self._weight, self._good, self._score)
        )
        filled = weight > 0
        if not filled.any():
            raise ConfigurationError("a curve needs rows that have both a reading and an outcome")
        weight, good = weight[filled], good[filled]
        return weight, np.clip(good, 0.0, weight), score[filled] / weight


def _bins(score: Array) -> tuple[Ints, int]:
    """Return the bin of each score, ascending with it, and how many bins there are."""
    ordered = np.sort(score)
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > SAME)
    if len(starts) > MOST_BINS:
        starts = np.unique(
            starts[
                np.searchsorted(starts, np.arange(MOST_BINS) * len(score) // MOST_BINS, "right") - 1
            ]
        )
    edges = ordered[starts]
    return np.searchsorted(edges, score, "right") - 1, len(edges)


def _pool(weight: Array, good: Array, score: Array) -> Array:
    """Pool neighbours until means rise; rows of (weight, good, weighted score)."""
    blocks: list[tuple[float, float, float]] = []
    for w, g, s in zip(weight.tolist(), good.tolist(), score.tolist(), strict=True):
        block = (w, g, s)
        # Means that a rounding tells apart are one.
        while blocks and blocks[-1][1] * block[0] >= (block[1] - block[0] * SAME) * blocks[-1][0]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    return np.array(blocks)


def _newton(x: Array, good: Array, weight: Array) -> tuple[float, float]:
    """Return the slope, at least 0, and intercept of least log loss."""
    mean = float(np.average(x, weights=weight))
    spread = math.sqrt(float(np.average(np.square(x - mean), weights=weight)))
    level = math.log(good.sum() / (weight - good).sum())
    if spread <= 1e-9:  # noqa: PLR2004 - one score tells nothing apart
        return 0.0, level
    z = (x - mean) / spread
    at = np.array([0.0, level])
    best = _loss(at, z, good, weight)
    for _ in range(NEWTON_STEPS):
        p = sigmoid(at[0] * z + at[1])
        rest, curved = weight * p - good, weight * p * (1 - p)
        gradient = np.array([rest @ z, rest.sum()])
        cross = curved @ z
        hessian = np.array([[curved @ (z * z), cross], [cross, curved.sum()]])
        step = np.linalg.solve(hessian + 1e-10 * weight.sum() * np.eye(2), gradient)
        scale = 1.0
        while (loss := _loss(at - scale * step, z, good, weight)) > best and scale > 1e-6:  # noqa: PLR2004
            scale /= 2
        at = at - scale * step
        if best - loss <= 1e-12 * (1 + abs(best)):
            break
        best = loss
    if at[0] <= 0:
        return 0.0, level
    return float(at[0] / spread), float(at[1] - at[0] * mean / spread)


def _loss(at: Array, z: Array, good: Array, weight: Array) -> float:
    logits = at[0] * z + at[1]
    return float(weight @ np.logaddexp(0.0, logits) - good @ logits)
