"""What is held against a threshold: a draft's merit.

Without more it is the confidence itself. With a fitted benefit of asking on, and a weight w, what
asking on is expected to gain is `gain = (1 - w) * (usual - confidence) + w * benefit`, where the
answer of asking on usually has the quality `usual`, and the merit is `usual - gain`. With an
expected cost of asking on, the gain is that per mean cost. So merits are on the scale of the
confidence whatever is weighed, and in whichever policy: the confidence that a draft would have by
which as much is gained, at the usual cost, if the next answer were as good as usual. Beyond `SOFT`
of either end they draw near to it without reaching it, for a benefit may be negative. The parts
are computed by `scorer`; here they are put together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.bending import soften
from cascade_core.fitted.curves import logit, sigmoid
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.scorer import ANYWHERE, CERTAIN, Scorer, alone
from cascade_core.fitted.settled import Within
from cascade_core.fitted.unfinished import number
from cascade_core.fitted.worth_reading import Ends, NextReading, worth_reading

WorkedOut: TypeAlias = dict[tuple[Any, ...], Any]
"""What scores say of one table, by score and what was asked of it."""

SIGNAL_STEPS = 8
"""Steps in which a signal is tried that is not read yet."""


class MeritParts(NamedTuple):
    """What the merits of n drafts are made of, each of shape (n,); NaN for no reading.

    Attributes:
        confidence: Probability that the draft is good.
        next: Expected quality of what the later tiers would answer; None where it is not fitted.
        keep: `(1 - benefit) / 2`; the same.
        cost: Expected cost of asking on, as a share; the same.
        foreseen: What merits are expected to be before paid signals are read, of shape (n, k) for
            the k foresights of the calibrator; None where it has none.
    """

    confidence: Array
    next: Array | None = None
    keep: Array | None = None
    cost: Array | None = None
    foreseen: Array | None = None


class Merits:
    """A calibrator made ready for use, with all that its merits take; threads may share it.

    Args:
        calibrator: What a policy holds for one tier.
        known: What was worked out before of parts on one table; new things are added.

    Raises:
        ConfigurationError: As of `Scorer`.
    """

    def __init__(self, calibrator: Calibrator, known: WorkedOut | None = None) -> None:
        self.calibrator = calibrator
        self._known = known
        self.signals = calibrator.signals
        benefit, cost = calibrator.benefit, calibrator.extra_cost
        fitted = (benefit.next, benefit.keep, cost) if benefit else (None, None, cost)
        self._confidence = Scorer(calibrator)
        self._others = tuple(None if part is None else Scorer(part) for part in fitted)
        self._weight = 0.0 if benefit is None else benefit.weight
        self._foresight = [Scorer(each) for each in calibrator.foresight]

    def rows(self, inputs: Inputs, classes: Sequence[str | None] | None = None) -> Array:
        """Return the merit of every row; see `Scorer.rows`."""
        return self.of(self.parts(inputs, classes))

    def parts(self, inputs: Inputs, classes: Sequence[str | None] | None = None) -> MeritParts:
        """Return what the merits of rows are made of; see `Scorer.rows`."""
        parts = self._parts(inputs, classes)
        foreseen = [scorer.rows(inputs, classes) for scorer in self._foresight]
        return parts._replace(foreseen=np.stack(foreseen, axis=1)) if foreseen else parts

    def _parts(self, inputs: Inputs, classes: Sequence[str | None] | None) -> MeritParts:
        """Return them without what is foreseen."""

        def rows(scorer: Scorer) -> Array:
            found: Array = self._once(scorer, (), lambda: scorer.rows(inputs, classes))
            return found

        others = (None if scorer is None else rows(scorer) for scorer in self._others)
        return MeritParts(rows(self._confidence), *others)

    def _once(self, scorer: Scorer, what: tuple[Any, ...], work_out: Callable[[], Any]) -> Any:
        """Work something out, unless that is known."""
        if self._known is None:
            return work_out()
        key = (id(scorer.calibrator.score), *what)
        if key not in self._known:
            self._known[key] = work_out()
        return self._known[key]

    def of(self, parts: MeritParts, most: float = CERTAIN) -> Array:
        """Return the merits of rows, shape (n,).

        Args:
            parts: What they are made of.
            most: The highest that a merit may be, for a threshold of 1 accepts nothing.
        """
        if not self.calibrator.weighs:
            return parts.confidence
        usual = self.calibrator.usual
        gain = (1 - self._weight) * (usual - parts.confidence)
        benefit = self.benefit(parts)
        if benefit is not None:
            gain = gain + self._weight * benefit
        cost = self.calibrator.extra_cost
        if cost is not None and parts.cost is not None:
            gain = gain * np.power(cost.mean / np.maximum(parts.cost, cost.least), cost.power)
        return np.minimum(soften(usual - gain), most)

    def benefit(self, parts: MeritParts) -> Array | None:
        """Return what asking on would gain over the drafts of rows; None where nobody knows."""
        through = None if parts.next is None else parts.next - parts.confidence
        direct = None if parts.keep is None else 1 - 2 * parts.keep
        if through is None or direct is None:
            return direct if through is None else through
        return (through + direct) / 2

    def spans(
        self,
        inputs: Inputs,
        unread: Collection[str],
        classes: Sequence[str | None] | None = None,
        *,
        missable: bool = True,
        parts: MeritParts | None = None,
    ) -> Ends:
        """Return between which thresholds unread signals matter: see `Scorer.spans`.

        These are the merits between which every row's ends, whatever the signals will say; where
        a foresight tells what they tell, those by which what it may change is worth the price.

        Args:
            inputs: As of `Scorer.spans`.
            unread: The same.
            classes: The same.
            missable: The same.
            parts: What merits are made of by fits that did not see the rows, where this was
                fitted to them: then ends lie about such merits, and say nothing that only a fit
                to the very rows knows. None takes the rows for new ones.
        """
        spans = self._possible(inputs, unread, classes, missable=missable)
        if parts is not None:
            spans = self._about(spans, self.of(parts), inputs, classes)
        for k, each in enumerate(self.calibrator.foresight):
            if unread and set(each.unread) == set(unread):
                if parts is None or parts.foreseen is None:
                    foreseen = self._foresight[k].rows(inputs, classes)
                else:
                    foreseen = parts.foreseen[:, k]
                own = self.calibrator
                reading = NextReading(each.price, each.spread, own.usual, own.weighs)
                return worth_reading(reading, foreseen, spans)
        return spans

    def _about(
        self, spans: Ends, merit: Array, inputs: Inputs, classes: Sequence[str | None] | None
    ) -> Ends:
        """Move ends, on the scale of logits, by as much as merits differ from those here."""
        own = self.of(self._parts(inputs, classes))
        moved = np.nan_to_num(logit(merit) - logit(own))
        low, high = (
            np.where((end > 0) & (end < 1), sigmoid(logit(end) + moved), end) for end in spans
        )
        return low, high

    def _possible(
        self,
        inputs: Inputs,
        unread: Collection[str],
        classes: Sequence[str | None] | None,
        *,
        missable: bool,
    ) -> Ends:
        """Return between which merits every row's ends, whatever some signals will say.

        A signal moves all parts at once, so one that is not read is tried in steps, and each part
        is put at its worst and at its best within a step. With more than a confidence the bounds
        hold but need not be reached.
        """
        if not self.calibrator.weighs:
            return self._confidence.spans(inputs, unread, classes, missable=missable)
        name = next((name for name in self.signals if name in unread), None)
        steps: list[Within] = (
            [ANYWHERE] if name is None else [{name: step} for step in self._steps(name)]
        )

        def spans(scorer: Scorer) -> list[Ends]:
            what = (frozenset(unread), *(tuple(s.items()) for s in steps))
            found: list[Ends] = self._once(
                scorer,
                what,
                lambda: scorer.steps(inputs, unread, steps, classes, missable=missable),
            )
            return found

        parts = [None if s is None else spans(s) for s in (self._confidence, *self._others)]
        low, high = np.full(inputs.n, np.inf), np.full(inputs.n, -np.inf)
        for step in range(len(steps)):
            own, *others = (None if part is None else part[step] for part in parts)
            assert own is not None  # noqa: S101 - there is always a confidence
            lower, upper = self._between(own, *others)
            low, high = np.minimum(low, lower), np.maximum(high, upper)
        for scorer in (self._confidence, *(s for s in self._others if s is not None)):
            never = scorer.nothing_read(inputs, unread) & ~np.isnan(low)
            low = np.where(never, -np.inf, low)
        return low, high

    def _steps(self, signal: str) -> list[tuple[float, float]]:
        """Return parts of [0, 1] that a signal's reading may lie in, none with a jump inside."""
        scorers = (self._confidence, *(s for s in self._others if s is not None))
        cuts = {cut for scorer in scorers for cut in scorer.cuts(signal) if 0 < cut < 1}
        ends = sorted({*cuts, *(k / SIGNAL_STEPS for k in range(1, SIGNAL_STEPS + 1))})
        starts = [0.0, *(math.nextafter(end, math.inf) for end in ends[:-1])]
        return list(zip(starts, ends, strict=True))

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
        confidence = self._confidence.one(*given)
        if not self.calibrator.weighs:
            return confidence, confidence, None
        others = (None if s is None else _array(number(s.one(*given))) for s in self._others)
        parts = MeritParts(_array(number(confidence)), *others)
        benefit = self.benefit(parts)
        return _reading(self.of(parts)), confidence, None if benefit is None else _reading(benefit)

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
        inputs = alone(self.signals, readings, request_text, draft_text, class_name)
        unread = self.signals - readings.keys()
        low, high = self.spans(inputs, unread, missable=missable)
        return float(low[0]), float(high[0])

    def begin(
        self, request_text: str = "", class_name: str | None = None
    ) -> Callable[[Mapping[str, float | None]], float]:
        """Return what bounds the merit of any draft of a request; see `Scorer.begin`."""
        begun = self._confidence.begin(request_text, class_name)
        if not self.calibrator.weighs:
            return begun.best
        others = [None if s is None else s.begin(request_text, class_name) for s in self._others]

        def best(readings: Mapping[str, float | None]) -> float:
            ends = (None if u is None else _pair(u.between(readings)) for u in others)
            return float(self._between(_pair(begun.between(readings)), *ends)[1][0])

        return best

    def _between(self, confidence: Ends, *others: Ends | None) -> Ends:
        """Return the lowest and the highest merits that the ends of their parts leave possible."""
        lows, highs = (
            MeritParts(
                np.clip(confidence[side], 0.0, 1.0),
                *(None if ends is None else np.clip(ends[side], 0.0, 1.0) for ends in others),
            )
            for side in (0, 1)
        )
        worst = MeritParts(lows.confidence, highs.next, lows.keep, lows.cost)
        best = MeritParts(highs.confidence, lows.next, highs.keep, lows.cost)
        # A gain that is negative is best divided by little, one that is positive by much.
        low = np.minimum(self.of(worst), self.of(worst._replace(cost=highs.cost)))
        high = np.maximum(self.of(best, 1.0), self.of(best._replace(cost=highs.cost), 1.0))
        return low, high


def _array(number: float) -> Array:
    return np.array([number])


def _pair(ends: tuple[float, float]) -> Ends:
    return _array(ends[0]), _array(ends[1])


def _reading(numbers: Array) -> float | None:
    number = float(numbers[0])
    return None if math.isnan(number) else number
