"""Bounds the confidence in a draft before it is finished, so that a hopeless one can be cut off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from cascade_core.fitted.combiners import Reach, ScoreModel
from cascade_core.fitted.curves import Curved, logit, sigmoid

SIGNALS = ("signal", "logit")
"""The sources of inputs that are a signal's reading."""

SLACK = 1e-9
"""What rounding may cost: an upper bound is raised by it, a lower one lowered."""


class Unfinished:
    """Bounds the confidence in any draft of one request; made by `Scorer.begin`."""

    def __init__(
        self,
        inputs: Sequence[tuple[str, str]],
        model: ScoreModel | None,
        curve: Curved,
        words: tuple[float, float],
        reach: Reach,
    ) -> None:
        self._model = model
        self._curve = curve
        self._words = words
        self._reach = reach
        self._signals = [(j, *given) for j, given in enumerate(inputs) if given[0] in SIGNALS]

    def between(self, readings: Mapping[str, float | None]) -> tuple[float, float]:
        """Return a bound below and one above, as `best` is; readings as there."""
        worst = max(0.0, self._end(readings, upper=False) - SLACK)
        return worst, self.best(readings)

    def best(self, readings: Mapping[str, float | None]) -> float:
        """Return a bound that the confidence in an unfinished draft cannot exceed.

        Interval arithmetic: every input that is not settled is put where it helps most.

        Args:
            readings: Readings so far: a signal that has one may end anywhere from 0
                to it; any other may end anywhere, or with no reading.

        Returns:
            At least `Scorer.one` of whatever the draft becomes, wherever that is not None.
        """
        return min(1.0, self._end(readings, upper=True) + SLACK)

    def _end(self, readings: Mapping[str, float | None], *, upper: bool) -> float:
        reach = self._reach.copy()
        for j, source, name in self._signals:
            value = number(readings.get(name))
            if not math.isnan(value):
                reach.high[j] = end_of(source, value)
                reach.low[j] = end_of(source, 0.0)
                reach.missable[j] = False
        if self._model is None:
            score = (reach.high if upper else reach.low)[0]
        else:
            slack = SLACK if upper else -SLACK
            score = sigmoid(self._model.bound(reach, upper=upper) + self._words[upper] + slack)
        return float(self._curve(score)[0])


def end_of(source: str, reading: float) -> float:
    """Return where an input ends if its signal ends at a reading."""
    return float(logit(np.array([reading]))[0]) if source == "logit" else reading


def number(reading: float | None) -> float:
    """Return a reading as a number, NaN for none."""
    return math.nan if reading is None else float(reading)
