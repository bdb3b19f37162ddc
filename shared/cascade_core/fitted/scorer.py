"""Computes confidences by a fitted calibrator: for one request, or for a million rows.

What thresholds are held against, where a benefit is fitted too, is worked out in `merits`.

There is one implementation: a single request is an array of length one, so a threshold
tuned on a table meets the very same numbers in a running cascade.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cascade_core.arrays import Array, Flags
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.artefact import Calibrator, CurvedScore
from cascade_core.fitted.combiners import Reach, make_score_model
from cascade_core.fitted.curves import make_curve, sigmoid
from cascade_core.fitted.inputs import (
    Inputs,
    check_features,
    read_values,
)
from cascade_core.fitted.score_forms import SignalScore, names_of
from cascade_core.fitted.settled import WHOLE, Fed, Within
from cascade_core.fitted.spoken import Spoken
from cascade_core.fitted.texts import read_request
from cascade_core.fitted.unfinished import SIGNALS, SLACK, Unfinished, end_of, number

BLOCK = 16_384
"""Rows that are worked off at a time, so that memory stays small."""

CERTAIN = math.nextafter(1.0, 0.0)
"""The most confidence there is, so that a threshold of 1 accepts nothing."""

ANYWHERE: Within = {}

SPAN_BLOCK = 512
"""The same for spans, which keep every node of every tree."""


class Scorer:
    """A score and its curve made ready for use; it may be shared between threads.

    Args:
        calibrator: What a policy holds for one tier, of which it computes the confidence; or
            another score with a curve.

    Raises:
        ConfigurationError: The calibrator reads a feature of the texts that this
            version does not know.
    """

    def __init__(self, calibrator: CurvedScore) -> None:
        if isinstance(calibrator, Calibrator):
            calibrator = calibrator.alone
        score = calibrator.score
        self.calibrator = calibrator
        self.inputs = calibrator.inputs
        self.signals = calibrator.signals
        self._words = Spoken(score)
        self._model = None if isinstance(score, SignalScore) else make_score_model(score)
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
        return self.confidences(self.scores(inputs), inputs)

    def confidences(self, scores: Array, inputs: Inputs) -> Array:
        """Return the confidences that scores stand for.

        Args:
            scores: As `scores` returns them, shape (n,).
            inputs: Whose they are; only its classes are looked at.
        """
        return np.minimum(self._curved(scores, inputs), CERTAIN)

    def spans(
        self,
        inputs: Inputs,
        unread: Collection[str],
        classes: Sequence[str | None] | None = None,
        *,
        missable: bool = True,
    ) -> tuple[Array, Array]:
        """Return between which confidences every row's ends, whatever some signals will say.

        Args:
            inputs: What there is to read; what it holds of unread signals is not looked at.
            unread: Signals that may still have any reading.
            classes: Class of every row, in place of those that `inputs` has.
            missable: Whether unread signals may still have no reading as well.

        Returns:
            Lower and upper bounds of `rows`, each of shape (n,); NaN where there can be no
            confidence, as every signal that is read has said nothing. The lower one is -inf
            where nothing has been read yet, or nothing of those that were asked: no reading is
            never acceptance. Texts are something to read.

        Raises:
            ConfigurationError: `inputs` lacks a signal or texts that are read.
        """
        ((low, high),) = self.steps(inputs, unread, [ANYWHERE], classes, missable=missable)
        return np.where(self.nothing_read(inputs, unread) & ~np.isnan(low), -np.inf, low), high

    def steps(
        self,
        inputs: Inputs,
        unread: Collection[str],
        steps: Sequence[Within],
        classes: Sequence[str | None] | None = None,
        *,
        missable: bool = True,
    ) -> list[tuple[Array, Array]]:
        """Return what `spans` does for each of some places where unread signals may lie.

        Nothing stands for what has not been read at all: lower bounds are at least 0.
        """
        if classes is not None:
            inputs = _with_classes(inputs, classes)
        self._check_held(inputs)
        fed: dict[str, list[tuple[int, str]]] = {}
        for j, (source, name) in enumerate(self._split):
            if source in SIGNALS and name in unread:
                fed.setdefault(name, []).append((j, source))
        ends = np.empty((len(steps), 2, inputs.n))
        for start in range(0, inputs.n, SPAN_BLOCK):
            rows = slice(start, min(start + SPAN_BLOCK, inputs.n))
            values = read_values(self.inputs, inputs, rows)  # texts take long to read
            words = self._words.logits(inputs, rows)
            for step, within in enumerate(steps):
                ends[step, :, rows] = self._ends(
                    values, words, fed, missable=missable, within=within
                )
        return [
            (
                np.clip(self._curved(low, inputs) - SLACK, 0.0, CERTAIN),
                np.minimum(self._curved(high, inputs) + SLACK, 1.0),
            )
            for low, high in ends
        ]

    def nothing_read(self, inputs: Inputs, unread: Collection[str]) -> Flags:
        """Tell which rows had nothing read as yet, or nothing of what was asked, shape (n,)."""
        read = [~np.isnan(inputs.signals[name]) for name in self.signals if name not in unread]
        if read:
            return np.asarray(~np.logical_or.reduce(read))
        return np.full(inputs.n, not self.calibrator.reads_text)

    def _ends(
        self, values: Array, words: Array, unread: Fed, *, missable: bool, within: Within
    ) -> tuple[Array, Array]:
        """Return the lowest and the highest score that signals leave possible, of shape (n,)."""
        if self._model is None:
            low = high = values[0]
            if not unread:
                return low, high
            ends = within.get(self.signals[0], WHOLE)
            return np.full_like(low, ends[0]), np.full_like(high, ends[1])
        never = np.zeros(len(words))
        if self.signals and not unread:
            never[np.isnan(values[self._of_signals]).all(axis=0)] = np.nan
        worst, best = self._model.span(values, unread, missable=missable, within=within)
        return sigmoid(worst + words - SLACK) + never, sigmoid(best + words + SLACK) + never

    def cuts(self, signal: str) -> Sequence[float]:
        """Return the readings of a signal at which the number jumps; one there lies below."""
        places = [j for j, given in enumerate(self._split) if given == ("signal", signal)]
        return () if self._model is None else self._model.cuts(places)

    def _curved(self, scores: Array, inputs: Inputs) -> Array:
        """Put every row's score on the curve of its class."""
        confidence = self._curve(scores)
        if inputs.classes is not None:
            for code, name in enumerate(inputs.class_names):
                if name in self._class_curves:
                    of_class = inputs.classes == code
                    confidence[of_class] = self._class_curves[name](scores[of_class])
        return confidence

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
            scores[rows] = sigmoid(self._model.logits(values) + self._words.logits(inputs, rows))
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
        inputs = alone(self.signals, readings, request_text, draft_text, class_name)
        confidence = float(self.rows(inputs)[0])
        return None if math.isnan(confidence) else confidence

    def span(
        self,
        readings: Mapping[str, float | None],
        request_text: str = "",
        draft_text: str = "",
        class_name: str | None = None,
        *,
        missable: bool = True,
    ) -> tuple[float, float]:
        """Return between which confidences a finished draft's ends, whatever is not read yet.

        Args:
            readings: What was read so far, None for no reading; any other signal may still
                have any reading.
            request_text: As for `one`.
            draft_text: As for `one`.
            class_name: As for `one`.
            missable: As for `spans`.

        Returns:
            A lower and an upper bound of `one`; NaN where that can only be None.
        """
        inputs = alone(self.signals, readings, request_text, draft_text, class_name)
        low, high = self.spans(inputs, self.signals - readings.keys(), missable=missable)
        return float(low[0]), float(high[0])

    def begin(self, request_text: str = "", class_name: str | None = None) -> Unfinished:
        """Return the bounds of one request, whose text is read only here."""
        shape = (len(self.inputs), 1)
        low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
        readable, missable = np.ones(shape, dtype=np.bool_), np.ones(shape, dtype=np.bool_)
        features = read_request(request_text) if names_of(self.inputs, "request") else {}
        for j, (source, name) in enumerate(self._split):
            if source in SIGNALS:
                low[j], high[j] = end_of(source, 0.0), end_of(source, 1.0)
            elif source in {"request", "class"}:
                value = (
                    float(name == class_name) if source == "class" else features.get(name, math.nan)
                )
                low[j] = high[j] = value
                readable[j], missable[j] = not math.isnan(value), math.isnan(value)
        curve = self._class_curves.get(class_name, self._curve) if class_name else self._curve
        words = self._words.between(request_text)
        return Unfinished(
            self._split, self._model, curve, words, Reach(low, high, readable, missable)
        )

    def _check_held(self, inputs: Inputs) -> None:
        for name in self.signals:
            if name not in inputs.signals:
                known = ", ".join(inputs.signals) or "none"
                msg = f"the calibrator reads the signal {name!r}; the signals there are: {known}"
                raise ConfigurationError(msg)
        if inputs.requests is None and self.calibrator.reads_text:
            msg = "the calibrator reads the text of requests, and there is none: give `request`"
            raise ConfigurationError(msg)
        if inputs.responses is None and self.calibrator.reads_draft:
            msg = "the calibrator reads the text of drafts, and there is none: give the responses"
            raise ConfigurationError(msg)


def _with_classes(inputs: Inputs, classes: Sequence[str | None]) -> Inputs:
    names = sorted({c for c in classes if c is not None})
    place: dict[str | None, int] = {name: code for code, name in enumerate(names)}
    codes = np.array([place.get(c, -1) for c in classes], dtype=np.int64)
    return replace(inputs, classes=codes, class_names=tuple(names))


def alone(
    names: Sequence[str],
    readings: Mapping[str, float | None],
    request_text: str,
    draft_text: str,
    class_name: str | None,
) -> Inputs:
    """Return one draft as a table of one row, with the readings of some signals."""
    signals = {name: np.array([number(readings.get(name))]) for name in names}
    codes = None if class_name is None else np.zeros(1, dtype=np.int64)
    class_names = () if class_name is None else (class_name,)
    return Inputs(1, signals, (request_text,), (draft_text,), codes, class_names)
