"""The two combiners at work: logits of rows, and the highest logit still in reach.

Values come as one row an input and one column a draft. Sums run input by input, or
tree by tree, so that a draft's logit is the same number alone and among a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.artefact import LEAF, Boosting, Logistic


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Where each input may still end; arrays of shape (d,).

    Attributes:
        low: The least it may be.
        high: The most it may be.
        readable: Whether it may have a reading.
        missable: Whether it may have none.
    """

    low: Array
    high: Array
    readable: npt.NDArray[np.bool_]
    missable: npt.NDArray[np.bool_]

    def copy(self) -> Reach:
        """Return one that can be changed."""
        return Reach(self.low.copy(), self.high.copy(), self.readable.copy(), self.missable.copy())


class Model(Protocol):
    """A combiner made ready for use."""

    def logits(self, values: Array) -> Array:
        """Return logits, shape (n,), of values of shape (d, n), NaN for no reading."""
        ...

    def best(self, reach: Reach) -> float:
        """Return a logit that nothing within reach exceeds."""
        ...


class Linear:
    """A logistic combiner made ready, its words aside."""

    def __init__(self, score: Logistic) -> None:
        self._low, self._high = _column(score.low), _column(score.high)
        self._fill, self._missing = _column(score.fill), _column(score.missing)
        self._weights = _column(score.weights)
        self._intercept = score.intercept

    def logits(self, values: Array) -> Array:
        """Return logits, shape (n,), of values of shape (d, n)."""
        absent = np.isnan(values)
        inside = np.minimum(np.maximum(values, self._low), self._high)
        terms = self._weights * np.where(absent, self._fill, inside) + self._missing * absent
        total = np.full(values.shape[1], self._intercept)
        for term in terms:
            total += term
        return total

    def best(self, reach: Reach) -> float:
        """Return a logit that nothing within reach exceeds."""
        low, high, weights = self._low[:, 0], self._high[:, 0], self._weights[:, 0]
        ends = np.stack([reach.low, reach.high])
        inside = np.minimum(np.maximum(ends, low), high)
        read = np.where(reach.readable, (weights * inside).max(axis=0), -np.inf)
        unread = weights * self._fill[:, 0] + self._missing[:, 0]
        top = np.maximum(read, np.where(reach.missable, unread, -np.inf))
        return self._intercept + float(top.sum())


class Trees:
    """Boosted trees made ready: all walked at once, a step down at a time."""

    def __init__(self, score: Boosting) -> None:
        nodes = np.arange(len(score.feature))
        self._base = score.base
        self._roots = np.array(score.roots, dtype=np.int64)
        feature = np.array(score.feature, dtype=np.int64)
        self._leaf = feature == LEAF
        # A leaf leads to itself, so that trees of different depth are walked together.
        self._feature = np.where(self._leaf, 0, feature)
        self._threshold = np.array(score.threshold, dtype=np.float64)
        self._missing_left = np.array(score.missing_left, dtype=np.bool_)
        self._left = np.where(self._leaf, nodes, np.array(score.left, dtype=np.int64))
        self._right = np.where(self._leaf, nodes, np.array(score.right, dtype=np.int64))
        self._value = np.array(score.value, dtype=np.float64)
        self._levels = self._by_depth()

    def _by_depth(self) -> list[Ints]:
        """Return the inner nodes level by level, the roots first."""
        levels, here = [], self._roots
        while (inner := here[~self._leaf[here]]).size:
            levels.append(inner)
            here = np.concatenate([self._left[inner], self._right[inner]])
        return levels

    def logits(self, values: Array) -> Array:
        """Return logits, shape (n,), of values of shape (d, n)."""
        drafts = np.arange(values.shape[1])
        node = np.repeat(self._roots[:, None], values.shape[1], axis=1)
        for _ in self._levels:
            value = values[self._feature[node], drafts]
            left = np.where(
                np.isnan(value), self._missing_left[node], value <= self._threshold[node]
            )
            node = np.where(left, self._left[node], self._right[node])
        total = np.full(values.shape[1], self._base)
        for leaves in self._value[node]:
            total += leaves
        return total

    def best(self, reach: Reach) -> float:
        """Return a logit that nothing within reach exceeds: each tree's best leaf in reach."""
        feature, threshold = self._feature, self._threshold
        readable, missable = reach.readable[feature], reach.missable[feature]
        left = (readable & (reach.low[feature] <= threshold)) | (missable & self._missing_left)
        right = (readable & (reach.high[feature] > threshold)) | (missable & ~self._missing_left)
        top = self._value.copy()
        for nodes in reversed(self._levels):
            top[nodes] = np.maximum(
                np.where(left[nodes], top[self._left[nodes]], -np.inf),
                np.where(right[nodes], top[self._right[nodes]], -np.inf),
            )
        return self._base + float(top[self._roots].sum())


def make_model(score: Logistic | Boosting) -> Model:
    """Return a combiner made ready for use."""
    return Linear(score) if isinstance(score, Logistic) else Trees(score)


def _column(numbers: tuple[float, ...]) -> Array:
    return np.array(numbers, dtype=np.float64)[:, None]
