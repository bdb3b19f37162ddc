"""What is held against a threshold: a draft's merit.

Without a fitted benefit it is the confidence itself. With one it is
`(1 - w) * confidence + w * (1 - benefit) / 2`: high where the draft is probably good, and where
asking on would gain little over it. Both are computed by `scorer`, here they are put together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from cascade_core.arrays import Array
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.scorer import CERTAIN, Scorer


class Merits:
    """A calibrator made ready for use, with its benefit; it may be shared between threads.

    Args:
        calibrator: What a policy holds for one tier.

    Attributes:
        confidence: What computes the confidence.

    Raises:
        ConfigurationError: As of `Scorer`.
    """

    def __init__(self, calibrator: Calibrator) -> None:
        self.calibrator = calibrator
        self.signals = calibrator.signals
        self.confidence = Scorer(calibrator)
        benefit = calibrator.benefit
        self._kept = None if benefit is None else Scorer(benefit)
        self._weight = 0.0 if benefit is None else benefit.weight

    def rows(self, inputs: Inputs, classes: Sequence[str | None] | None = None) -> Array:
        """Return the merit of every row; see `Scorer.rows`."""
        return self.mixed(*self.parts(inputs, classes))

    def parts(
        self, inputs: Inputs, classes: Sequence[str | None] | None = None
    ) -> tuple[Array, Array | None]:
        """Return every row's confidence, and `(1 - benefit) / 2`; None where it is not fitted."""
        kept = None if self._kept is None else self._kept.rows(inputs, classes)
        return self.confidence.rows(inputs, classes), kept

    def mixed(self, confidence: Array, kept: Array | None) -> Array:
        """Return the merits that confidences and `(1 - benefit) / 2` come to."""
        if kept is None or self._kept is None:
            return confidence
        return mixed(confidence, kept, self._weight)

    def spans(
        self,
        inputs: Inputs,
        unread: Collection[str],
        classes: Sequence[str | None] | None = None,
        *,
        missable: bool = True,
    ) -> tuple[Array, Array]:
        """Return between which merits every row's ends, whatever some signals will say.

        See `Scorer.spans`. Each part is put at its worst and at its best, so with a benefit the
        bounds hold but need not be reached.
        """
        low, high = self.confidence.spans(inputs, unread, classes, missable=missable)
        if self._kept is None:
            return low, high
        worst, best = self._kept.spans(inputs, unread, classes, missable=missable)
        return mixed(low, worst, self._weight), mixed(high, best, self._weight, most=1.0)

    def one(
        self,
        readings: Mapping[str, float | None],
        request_text: str = "",
        draft_text: str = "",
        class_name: str | None = None,
    ) -> tuple[float | None, float | None, float | None]:
        """Return one draft's merit, confidence and benefit; see `Scorer.one`.

        Returns:
            None for what has no reading, or is not fitted.
        """
        given = (readings, request_text, draft_text, class_name)
        confidence = self.confidence.one(*given)
        if self._kept is None:
            return confidence, confidence, None
        kept = self._kept.one(*given)
        benefit = None if kept is None else 1 - 2 * kept
        if confidence is None or kept is None:
            return None, confidence, benefit
        merit = mixed(np.array([confidence]), np.array([kept]), self._weight)
        return float(merit[0]), confidence, benefit

    def span(
        self,
        readings: Mapping[str, float | None],
        request_text: str = "",
        draft_text: str = "",
        class_name: str | None = None,
        *,
        missable: bool = True,
    ) -> tuple[float, float]:
        """Return between which merits a finished draft's ends; see `Scorer.span`."""
        given = (readings, request_text, draft_text, class_name)
        low, high = self.confidence.span(*given, missable=missable)
        if self._kept is None:
            return low, high
        worst, best = self._kept.span(*given, missable=missable)
        return _mix(low, worst, self._weight), _mix(high, best, self._weight)

    def begin(
        self, request_text: str = "", class_name: str | None = None
    ) -> Callable[[Mapping[str, float | None]], float]:
        """Return what bounds the merit of any draft of a request; see `Scorer.begin`."""
        best = self.confidence.begin(request_text, class_name).best
        if self._kept is None:
            return best
        kept, weight = self._kept.begin(request_text, class_name).best, self._weight
        return lambda readings: _mix(best(readings), kept(readings), weight)


def mixed(confidence: Array, kept: Array, weight: float, most: float = CERTAIN) -> Array:
    """Return the merits of rows, shape (n,).

    Args:
        confidence: Shape (n,); NaN for no reading, -inf for what is never acceptance.
        kept: `(1 - benefit) / 2`, the same.
        weight: How much the second weighs, in (0, 1].
        most: The highest that a merit may be, for a threshold of 1 accepts nothing.
    """
    lost = np.isneginf(confidence) | np.isneginf(kept)
    with np.errstate(invalid="ignore"):  # 0 * -inf
        found = np.minimum((1 - weight) * confidence + weight * kept, most)
    return np.where(lost & ~(np.isnan(confidence) | np.isnan(kept)), -np.inf, found)


def _mix(one: float, other: float, weight: float) -> float:
    if math.isinf(one) or math.isinf(other):
        return math.nan if math.isnan(one) or math.isnan(other) else -math.inf
    found = (1 - weight) * one + weight * other
    return min(found, 1.0)  # NaN, which comes first, stays
