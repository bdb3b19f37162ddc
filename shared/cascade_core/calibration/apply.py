"""The confidence that a fitted calibrator gives: for one request, or for a million rows.

There is one implementation: a single request is an array of length one, so a threshold
tuned on a table meets the very same numbers in a running cascade.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.artefact import Calibrator, Signal, names_of
from cascade_core.calibration.curves import Curved, logit, make_curve, sigmoid
from cascade_core.calibration.inputs import (
    Inputs,
    check_features,
    read_request,
    read_values,
    read_words,
)
from cascade_core.calibration.models import Model, Reach, make_model
from cascade_core.errors import ConfigurationError

__all__ = ["Begun", "Inputs", "Scorer"]

SIGNALS = ("signal", "logit")
"""The sources of inputs that are a signal's reading."""

BLOCK = 16_384
"""Rows that are worked off at a time, so that memory stays small."""

CERTAIN = math.nextafter(1.0, 0.0)
"""The most confidence there is, so that a threshold of 1 accepts nothing."""

SLACK = 1e-9
"""What rounding may cost: an upper bound is raised by it."""


class Scorer:
    """A calibrator made ready for use; it may be shared between threads.

    Args:
        calibrator: What a policy holds for one tier.

    Raises:
        ConfigurationError: The calibrator reads a feature of the texts that this
            version does not know.
    """

    def __init__(self, calibrator: Calibrator) -> None:
        score = calibrator.score
        self.calibrator = calibrator
        self.inputs = calibrator.inputs
        self.signals = calibrator.signals
        self._words = None if isinstance(score, Signal) else getattr(score, "words", None)
        self._model = None if isinstance(score, Signal) else make_model(score)
        self._curve = make_curve(calibrator.curve)
        self._class_curves = {n: make_curve(c) for n, c in calibrator.class_curves.items()}
        self._split = [
            (source, name) for source, _, name in (i.partition(":") for i in self.inputs)
        ]
        self._of_signals = np.array([s in SIGNALS for s, _ in self._split], dtype=np.bool_)
        check_features(self.inputs)

    def rows(self, inputs: Inputs, classes: Sequence[str | None] | None = None) -> Array:
        """Return the confidence of every row.

        Args:
            inputs: What there is to read.
            classes: Class of every row, in place of those that `inputs` has.

        Returns:
            Confidences in [0, 1), shape (n,); NaN where the calibrator reads
            signals and none of them has a reading.

        Raises:
            ConfigurationError: `inputs` lacks a signal or texts that are read.
        """
        if classes is not None:
            inputs = _with_classes(inputs, classes)
        scores = self.scores(inputs)
        confidence = self._curve(scores)
        if inputs.classes is not None:
            for code, name in enumerate(inputs.class_names):
                if name in self._class_curves:
                    of_class = inputs.classes == code
                    confidence[of_class] = self._class_curves[name](scores[of_class])
        return np.minimum(confidence, CERTAIN)

    def scores(self, inputs: Inputs) -> Array:
        """Return what orders the rows, before any curve: shape (n,), NaN for no reading.

        Raises:
            ConfigurationError: `inputs` lacks a signal or texts that are read.
        """
        self._check_held(inputs)
        if self._model is None:
            return np.array(inputs.signals[self.signals[0]], dtype=np.float64)
        scores = np.empty(inputs.n)
        for start in range(0, inputs.n, BLOCK):
            rows = slice(start, min(start + BLOCK, inputs.n))
            values = read_values(self.inputs, inputs, rows)
            logits = self._model.logits(values)
            if self._words is not None and inputs.requests is not None:
                logits += [self._word_logit(text) for text in inputs.requests[rows]]
            scores[rows] = sigmoid(logits)
            if self.signals:
                scores[rows][np.isnan(values[self._of_signals]).all(axis=0)] = np.nan
        return scores

    def one(
        self,
        readings: Mapping[str, float | None],
        request_text: str = "",
        draft_text: str = "",
        class_name: str | None = None,
    ) -> float | None:
        """Return the confidence in one draft.

        Args:
            readings: Reading by signal; a missing name or None is no reading.
            request_text: Text of the request; looked at only where the calibrator
                `reads_request`.
            draft_text: Text of the draft; looked at only where it `reads_draft`.
            class_name: Class of the request, if it has one.

        Returns:
            A probability, or None where signals are read and none has a reading.
        """
        signals = {name: np.array([_number(readings.get(name))]) for name in self.signals}
        codes = None if class_name is None else np.zeros(1, dtype=np.int64)
        names = () if class_name is None else (class_name,)
        inputs = Inputs(1, signals, (request_text,), (draft_text,), codes, names)
        confidence = float(self.rows(inputs)[0])
        return None if math.isnan(confidence) else confidence

    def best(
        self,
        readings: Mapping[str, float | None],
        *,
        request_text: str = "",
        class_name: str | None = None,
        exact: Collection[str] = (),
    ) -> float:
        """Return a bound that the confidence in an unfinished draft cannot exceed.

        Interval arithmetic: every input that is not settled is put where it helps
        most. Where one request is asked about again and again, keep `begin`.

        Args:
            readings: Readings so far: a signal that has one may end anywhere from 0
                to it; any other may end anywhere, or with no reading.
            request_text: Text of the request.
            class_name: Class of the request, if it has one.
            exact: Signals that are settled: with their reading, or with none.

        Returns:
            At least `one` of whatever the draft becomes, wherever that is not None;
            NaN where it can only be None.
        """
        return self.begin(request_text, class_name).best(readings, exact=exact)

    def begin(self, request_text: str = "", class_name: str | None = None) -> Begun:
        """Return the bounds of one request, whose text is read only here."""
        size = len(self.inputs)
        low, high = np.full(size, -np.inf), np.full(size, np.inf)
        readable, missable = np.ones(size, dtype=np.bool_), np.ones(size, dtype=np.bool_)
        features = read_request(request_text) if names_of(self.inputs, "request") else {}
        for j, (source, name) in enumerate(self._split):
            if source in SIGNALS:
                low[j], high[j] = _end(source, 0.0), _end(source, 1.0)
            elif source in {"request", "class"}:
                value = (
                    float(name == class_name) if source == "class" else features.get(name, math.nan)
                )
                low[j] = high[j] = value
                readable[j], missable[j] = not math.isnan(value), math.isnan(value)
        curve = self._class_curves.get(class_name, self._curve) if class_name else self._curve
        words = 0.0 if self._words is None else self._word_logit(request_text)
        return Begun(self._split, self._model, curve, words, Reach(low, high, readable, missable))

    def _word_logit(self, text: str) -> float:
        """Return what the words of a request add, in logits."""
        if self._words is None:
            return 0.0
        hashed, weights = read_words(text, self._words.buckets), self._words.weights
        return math.fsum(value * weights.get(bucket, 0.0) for bucket, value in hashed.items())

    def _check_held(self, inputs: Inputs) -> None:
        for name in self.signals:
            if name not in inputs.signals:
                known = ", ".join(inputs.signals) or "none"
                msg = f"the calibrator reads the signal {name!r}; the signals there are: {known}"
                raise ConfigurationError(msg)
        if self.calibrator.reads_text and inputs.requests is None:
            msg = "the calibrator reads the text of requests, and there is none: give `request`"
            raise ConfigurationError(msg)
        if self.calibrator.reads_draft and inputs.responses is None:
            msg = "the calibrator reads the text of drafts, and there is none: give the responses"
            raise ConfigurationError(msg)


class Begun:
    """What the confidence in any draft of one request can be; made by `Scorer.begin`."""

    def __init__(
        self,
        inputs: Sequence[tuple[str, str]],
        model: Model | None,
        curve: Curved,
        words: float,
        reach: Reach,
    ) -> None:
        self._model = model
        self._curve = curve
        self._words = words
        self._reach = reach
        self._signals = [(j, *given) for j, given in enumerate(inputs) if given[0] in SIGNALS]

    def best(self, readings: Mapping[str, float | None], *, exact: Collection[str] = ()) -> float:
        """Return the highest confidence still in reach; see `Scorer.best`."""
        reach = self._reach.copy()
        for j, source, name in self._signals:
            value = _number(readings.get(name))
            if not math.isnan(value):
                reach.high[j] = _end(source, value)
                reach.low[j] = _end(source, value if name in exact else 0.0)
                reach.missable[j] = False
            elif name in exact:
                reach.readable[j] = False
        if self._signals and not any(reach.readable[j] for j, _, _ in self._signals):
            return math.nan
        if self._model is None:
            score = float(reach.high[0])
        else:
            score = float(sigmoid(np.array([self._model.best(reach) + self._words + SLACK]))[0])
        return min(1.0, float(self._curve(np.array([score]))[0]) + SLACK)


def _end(source: str, reading: float) -> float:
    """Return where an input ends if its signal ends at a reading."""
    return float(logit(np.array([reading]))[0]) if source == "logit" else reading


def _number(reading: float | None) -> float:
    return math.nan if reading is None else float(reading)


def _with_classes(inputs: Inputs, classes: Sequence[str | None]) -> Inputs:
    names = sorted({c for c in classes if c is not None})
    place: dict[str | None, int] = {name: code for code, name in enumerate(names)}
    codes = np.array([place.get(c, -1) for c in classes], dtype=np.int64)
    return replace(inputs, classes=codes, class_names=tuple(names))
