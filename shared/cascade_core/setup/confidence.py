"""How the readings of a draft become one confidence: as they are, or calibrated by a policy.

What a threshold is held against is the draft's merit: the confidence itself, unless the policy
also says what asking on would gain (`fitted.merits`).

The flow knows no difference between the two. What a calibrator computes is in
`fitted.scorer`, which a cascade without a fitted policy never imports.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.signals.readings import Combiner, Readings, as_reading

if TYPE_CHECKING:
    from cascade_core.fitted.artefact import Calibrator


Bounding: TypeAlias = Callable[[Readings], float]
"""The highest merit that a draft can still get, from its readings or their bounds so far."""

Odd: TypeAlias = str | None
"""What was wrong with a confidence, if anything."""


class DraftMerit(NamedTuple):
    """What is made of a draft's readings; None where there is no reading.

    Attributes:
        merit: What the threshold is held against, in [0, 1].
        confidence: The confidence in the draft, in [0, 1].
        benefit: What asking on would gain over it, in [-1, 1]; None where that is not fitted.
        odd: What was wrong with the confidence, if anything.
    """

    merit: float | None
    confidence: float | None
    benefit: float | None = None
    odd: Odd = None


class Confidence(Protocol):
    """Makes one confidence of a tier's readings.

    Attributes:
        calibrated: Whether it is a fitted probability that the draft is good.
        signals: The signals it reads; with none it goes by the texts alone.
        weighs: Whether a draft's merit is more than the confidence in it.
    """

    @property
    def calibrated(self) -> bool:
        """Whether it is a fitted probability that the draft is good."""
        ...

    @property
    def signals(self) -> Collection[str]:
        """The signals it reads; with none it goes by the texts alone."""
        ...

    @property
    def weighs(self) -> bool:
        """Whether a draft's merit is more than the confidence in it."""
        ...

    def of(self, readings: Readings, request: Request, draft: Draft) -> DraftMerit:
        """Return what is made of a draft's readings."""
        ...

    def bound(self, request: Request) -> Bounding:
        """Return what bounds the merit of an unfinished draft for a request."""
        ...

    def span(
        self, readings: Readings, request: Request, draft: Draft, *, missable: bool = True
    ) -> tuple[float, float]:
        """Return the lowest and the highest merit that signals not yet read leave possible.

        Args:
            readings: What was read, None where a signal had nothing to say.
            request: What was asked.
            draft: The draft.
            missable: Whether a signal that is not read yet may still have nothing to say.

        Returns:
            Both; NaN where there can be none.
        """
        ...


class Raw:
    """Readings combined as they are.

    Args:
        combiner: Makes one number of them; a caller's may raise or return anything.
        names: The signals that may be read.
    """

    calibrated = False
    weighs = False

    def __init__(self, combiner: Combiner, names: Sequence[str]) -> None:
        self.signals = names
        self._combine = combiner.combine
        self._feared: Mapping[str, float | None] = dict.fromkeys(names, 0.0)
        self._hoped: Mapping[str, float | None] = dict.fromkeys(names, 1.0)

    def of(
        self, readings: Readings, request: Request | None = None, draft: Draft | None = None
    ) -> DraftMerit:
        """Combine the readings; neither the request nor the draft is looked at."""
        del request, draft
        confidence, odd = self._combined(readings)
        return DraftMerit(confidence, confidence, None, odd)

    def _combined(self, readings: Readings) -> tuple[float | None, Odd]:
        try:
            combined, odd = as_reading(self._combine(readings))
            # One reading alone may be one that carries what it rests on; a confidence does not.
            return None if combined is None else float(combined), odd
        except Exception as error:  # noqa: BLE001 - a caller's combiner may raise anything
            return None, f"raised {type(error).__name__}"

    def bound(self, request: Request | None = None) -> Bounding:
        """Return a function that puts every signal that is not read at its best."""
        del request
        return self._best

    def span(
        self,
        readings: Readings,
        request: Request | None = None,
        draft: Draft | None = None,
        *,
        missable: bool = True,
    ) -> tuple[float, float]:
        """Put every signal that is not read yet at its worst and at its best."""
        del request, draft
        highest = self._best(readings)
        # No reading is never acceptance, not even at a threshold of 0.
        if all(reading is None for reading in readings.values()):
            return -math.inf, highest
        ends = [self._combined({**self._feared, **readings})[0]]
        if missable and len(readings) < len(self.signals):
            alone, _ = self._combined(readings)
            ends.append(alone)
            highest = highest if alone is None else max(highest, alone)
        return min(-math.inf if end is None else end for end in ends), highest

    def _best(self, readings: Readings) -> float:
        best, _ = self._combined({**self._hoped, **readings})
        return 1.0 if best is None else best


class Calibrated:
    """Readings, and cheap features of the texts, through a fitted calibrator.

    Args:
        calibrator: What the policy holds for the tier.
    """

    calibrated = True

    def __init__(self, calibrator: Calibrator) -> None:
        from cascade_core.fitted.merits import Merits  # noqa: PLC0415 - brings numpy

        self.signals = calibrator.signals
        self.weighs = calibrator.weighs
        self._merits = Merits(calibrator)
        self._reads_text = calibrator.reads_text

    def of(self, readings: Readings, request: Request, draft: Draft) -> DraftMerit:
        """Return the probability that the draft is good, and what asking on would gain."""
        texts = self._texts(request, draft)
        return DraftMerit(*self._merits.one(readings, *texts, request.class_name))

    def span(
        self, readings: Readings, request: Request, draft: Draft, *, missable: bool = True
    ) -> tuple[float, float]:
        """Return the lowest and the highest merit still possible."""
        texts = self._texts(request, draft)
        return self._merits.span(readings, *texts, request.class_name, missable=missable)

    def _texts(self, request: Request, draft: Draft) -> tuple[str, str]:
        return (request.question, draft.text) if self._reads_text else ("", "")

    def bound(self, request: Request) -> Bounding:
        """Return a function that bounds what signals and text may still turn out to be."""
        text = request.question if self._reads_text else ""
        return self._merits.begin(text, request.class_name)
