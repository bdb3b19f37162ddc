"""Computes learned scores: the logit of every draft, and bounds of it before all is read.

Values come as one row per input and one column per draft. Sums run input by input, or
tree by tree, so that a draft's logit is the same number alone and among a million.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.fitted.score_forms import LEAF, Boosting, Learned, Logistic, Mean
from cascade_core.fitted.settled import WHOLE, Fed, Within, around_cuts, at, between_ends, limited

_COMBINATIONS = 4096
"""The most combinations of readings that are tried; beyond them, bounds are looser."""

_COLUMNS = 16_384
"""Combinations of readings and drafts that are worked off at a time."""

_NOTHING = np.empty((1, 1))
"""The one combination of readings where none is missing."""

_UPPER, _LOWER = (np.maximum, -np.inf), (np.minimum, np.inf)
"""How ends in reach are compared, and what stands for one that is not in reach."""


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Bounds of every input of n drafts, some of which may not be read yet; arrays of shape (d, n).

    Attributes:
        low: The least it may be.
        high: The most it may be.
        readable: Whether it may have a reading.
        missable: Whether it may have none.
    """

    low: Array
    high: Array
    readable: Flags
    missable: Flags

    @classmethod
    def of(cls, values: Array) -> Reach:
        """Return bounds that are the values themselves, shape (d, n); NaN for none."""
        missing = np.isnan(values)
        return cls(values.copy(), values.copy(), ~missing, missing)

    def of_inputs(self, places: Ints) -> Reach:
        """Return the bounds of some of the inputs."""
        return Reach(
            self.low[places], self.high[places], self.readable[places], self.missable[places]
        )

    def copy(self) -> Reach:
        """Return one that can be changed."""
        return Reach(self.low.copy(), self.high.copy(), self.readable.copy(), self.missable.copy())


class ScoreModel(Protocol):
    """A learned score made ready for use."""

    def logits(self, values: Array) -> Array:
        """Return logits, shape (n,), of values of shape (d, n), NaN for no reading."""
        ...

    def bound(self, reach: Reach, *, upper: bool) -> Array:
        """Return logits, shape (n,), that nothing within reach exceeds, or stays below."""
        ...

    def cuts(self, places: Sequence[int]) -> Sequence[float]:
        """Return where the logit jumps along some inputs."""
        ...

    def span(
        self, values: Array, unread: Fed, *, missable: bool, within: Within
    ) -> tuple[Array, Array]:
        """Return the lowest and the highest logits, of shape (n,), that signals leave possible.

        Args:
            values: As for `logits`; those of unread signals are not looked at.
            unread: What signals feed that may still have any reading.
            missable: Whether they may still have none as well.
            within: Between which readings some of them lie.
        """
        ...


class Linear:
    """A logistic score made ready, its words aside."""

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
        return _sum(self._intercept, terms)

    def bound(self, reach: Reach, *, upper: bool) -> Array:
        """Return logits, shape (n,), that nothing within reach exceeds, or stays below."""
        choose, never = _UPPER if upper else _LOWER
        low, high = (
            self._weights * np.minimum(np.maximum(end, self._low), self._high)
            for end in (reach.low, reach.high)
        )
        read = np.where(reach.readable, choose(low, high), never)
        unread = self._weights * self._fill + self._missing
        terms: Array = choose(read, np.where(reach.missable, unread, never))
        return _sum(self._intercept, terms)

    def cuts(self, places: Sequence[int]) -> Sequence[float]:  # noqa: ARG002 - has none
        """Return nothing: a sum does not jump."""
        return ()

    def span(
        self, values: Array, unread: Fed, *, missable: bool, within: Within
    ) -> tuple[Array, Array]:
        """Return the lowest and the highest logits that signals leave possible: the sum says."""
        read = np.ones(len(values), dtype=np.bool_)
        read[[j for inputs in unread.values() for j, _ in inputs]] = False
        absent = np.isnan(values)
        inside = np.minimum(np.maximum(values, self._low), self._high)
        terms = self._weights * np.where(absent, self._fill, inside) + self._missing * absent
        known = _sum(self._intercept, terms[read])
        ends = [
            self._ends(inputs, within.get(name, WHOLE), missable=missable)
            for name, inputs in unread.items()
        ]
        low, high = known.copy(), known
        for worst, best in ends:
            low += worst
            high = high + best
        return low, high

    def _ends(
        self, inputs: Sequence[tuple[int, str]], ends: tuple[float, float], *, missable: bool
    ) -> tuple[float, float]:
        """Return the least and the most that one signal adds."""
        cuts = [(s, float(end[j, 0])) for j, s in inputs for end in (self._low, self._high)]
        readings = between_ends(cuts, {s: float(self._weights[j, 0]) for j, s in inputs})
        readings = limited(readings, ends)
        added = np.zeros(len(readings))
        for j, source in inputs:
            inside = np.minimum(np.maximum(at(source, readings), self._low[j]), self._high[j])
            added += self._weights[j] * inside
        if missable:
            none = sum(float((self._weights * self._fill + self._missing)[j, 0]) for j, _ in inputs)
            added = np.append(added, none)
        return float(added.min()), float(added.max())


class Trees:
    """Boosted trees made ready: all are walked at once, one level after the other."""

    def __init__(self, score: Boosting) -> None:
        nodes = np.arange(len(score.feature))
        self._base = score.base
        self._roots = np.array(score.roots)
        feature = np.array(score.feature)
        self._leaf = feature == LEAF
        # A leaf leads to itself, so that trees of different depth are walked together.
        self._feature = np.where(self._leaf, 0, feature)
        self._threshold = np.array(score.threshold)
        self._missing_left = np.array(score.missing_left)
        self._left = np.where(self._leaf, nodes, np.array(score.left))
        self._right = np.where(self._leaf, nodes, np.array(score.right))
        self._value = np.array(score.value)
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
        return _sum(self._base, self._value[node])

    def bound(self, reach: Reach, *, upper: bool) -> Array:
        """Return logits, shape (n,), that nothing within reach exceeds, or stays below.

        The sum of every tree's highest, or lowest, leaf in reach.
        """
        choose, never = _UPPER if upper else _LOWER
        ends = np.repeat(self._value[:, None], reach.low.shape[1], axis=1)
        for nodes in reversed(self._levels):
            feature, threshold = self._feature[nodes], self._threshold[nodes, None]
            readable, missable = reach.readable[feature], reach.missable[feature]
            goes_left = self._missing_left[nodes, None]
            left = (readable & (reach.low[feature] <= threshold)) | (missable & goes_left)
            right = (readable & (reach.high[feature] > threshold)) | (missable & ~goes_left)
            ends[nodes] = choose(
                np.where(left, ends[self._left[nodes]], never),
                np.where(right, ends[self._right[nodes]], never),
            )
        return _sum(self._base, ends[self._roots])

    def cuts(self, places: Sequence[int]) -> Sequence[float]:
        """Return where the trees split some inputs."""
        here = np.isin(self._feature, places) & ~self._leaf
        return [float(cut) for cut in np.unique(self._threshold[here])]

    def span(
        self, values: Array, unread: Fed, *, missable: bool, within: Within
    ) -> tuple[Array, Array]:
        """Return the lowest and the highest logits that signals leave possible.

        Every combination of readings that comes out differently is tried; where these are too many,
        each tree is bounded for itself.
        """
        tried = [
            self._readings(inputs, within.get(name, WHOLE), missable=missable)
            for name, inputs in unread.items()
        ]
        if math.prod(map(len, tried)) > _COMBINATIONS:
            reach = Reach.of(values)
            for name, (j, source) in ((n, each) for n in unread for each in unread[n]):
                reach.low[j], reach.high[j] = at(source, np.array(within.get(name, WHOLE)))
                reach.readable[j], reach.missable[j] = True, missable
            return self.bound(reach, upper=False), self.bound(reach, upper=True)
        n = values.shape[1]
        combined = np.stack([each.ravel() for each in np.meshgrid(*tried)]) if tried else _NOTHING
        low, high = np.full(n, np.inf), np.full(n, -np.inf)
        step = max(1, _COLUMNS // max(n, 1))
        for start in range(0, combined.shape[1], step):
            some = combined[:, start : start + step]
            columns = np.tile(values, some.shape[1])
            for readings, inputs in zip(some, unread.values(), strict=False):
                for j, source in inputs:
                    columns[j] = np.repeat(at(source, readings), n)
            logits = self.logits(columns).reshape(-1, n)
            low, high = np.minimum(low, logits.min(axis=0)), np.maximum(high, logits.max(axis=0))
        return low, high

    def _readings(
        self, inputs: Sequence[tuple[int, str]], ends: tuple[float, float], *, missable: bool
    ) -> Array:
        """Return readings of a signal that come out differently; NaN for none."""
        cuts = [
            (source, float(cut))
            for j, source in inputs
            for cut in np.unique(self._threshold[(self._feature == j) & ~self._leaf])
        ]
        readings = limited(around_cuts(cuts), ends)
        return np.append(readings, np.nan) if missable else readings


class Together:
    """A weighted sum of learned scores made ready, their words aside."""

    def __init__(self, score: Mean) -> None:
        place = {name: j for j, name in enumerate(score.inputs)}
        self._parts = [
            (weight, make_score_model(part), np.array([place[i] for i in part.inputs], np.int64))
            for weight, part in zip(score.weights, score.parts, strict=True)
        ]

    def logits(self, values: Array) -> Array:
        """Return logits, shape (n,), of values of shape (d, n)."""
        total = np.zeros(values.shape[1])
        for weight, model, places in self._parts:
            total += weight * model.logits(values[places])
        return total

    def bound(self, reach: Reach, *, upper: bool) -> Array:
        """Return logits, shape (n,), that nothing within reach exceeds, or stays below."""
        total = np.zeros(reach.low.shape[1])
        for weight, model, places in self._parts:
            total += weight * model.bound(reach.of_inputs(places), upper=upper)
        return total

    def cuts(self, places: Sequence[int]) -> Sequence[float]:
        """Return where any part jumps along some inputs."""
        return [
            cut
            for _, model, own in self._parts
            for cut in model.cuts(np.flatnonzero(np.isin(own, places)).tolist())
        ]

    def span(
        self, values: Array, unread: Fed, *, missable: bool, within: Within
    ) -> tuple[Array, Array]:
        """Return the lowest and the highest logits that signals leave possible.

        Each part is put where it is lowest, or highest: where all of them rise with a signal,
        these are the same readings.
        """
        low, high = np.zeros((2, values.shape[1]))
        for weight, model, places in self._parts:
            own = {int(place): j for j, place in enumerate(places)}
            fed = {
                name: [(own[j], source) for j, source in inputs if j in own]
                for name, inputs in unread.items()
            }
            held = {name: inputs for name, inputs in fed.items() if inputs}
            worst, best = model.span(values[places], held, missable=missable, within=within)
            low += weight * worst
            high += weight * best
        return low, high


def make_score_model(score: Learned) -> ScoreModel:
    """Return a learned score made ready for use."""
    if isinstance(score, Mean):
        return Together(score)
    return Linear(score) if isinstance(score, Logistic) else Trees(score)


def _sum(start: float, terms: Array) -> Array:
    """Add up terms of shape (m, n) one by one, for n sums that are the same for any n."""
    total = np.full(terms.shape[1], start)
    for term in terms:
        total += term
    return total


def _column(numbers: tuple[float, ...]) -> Array:
    return np.array(numbers, dtype=np.float64)[:, None]
