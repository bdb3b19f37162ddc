"""A rule that accepts a draft before it is finished, as plain data and made ready for use.

After so many tokens – not after so much time – the confidence so far is looked at: a calibrator of
what the first tokens and the request say. A draft is committed to at the first such place where it
reaches the tier's threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field, field_validator

from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.score_forms import Artefact
from cascade_core.trajectory import MOST_TOKENS, surprise

if TYPE_CHECKING:
    from cascade_core.fitted.scorer import Scorer
    from cascade_core.fitted.unfinished import Unfinished

MEAN, LEAST = "mean_so_far", "least_so_far"
"""What is read of the first tokens: their geometric mean probability, and the lowest."""

SO_FAR = (MEAN, LEAST)


class Checkpoint(Artefact):
    """One place at which a draft may be committed to.

    Attributes:
        tokens: How many tokens of the draft are there.
        calibrator: Makes the probability that the whole draft is good of `SO_FAR` and the request.
    """

    tokens: Annotated[int, Field(strict=True, ge=1, le=MOST_TOKENS)]
    calibrator: Calibrator

    @field_validator("calibrator")
    @classmethod
    def _readable(cls, calibrator: Calibrator) -> Calibrator:
        if calibrator.reads_draft:
            raise ValueError("it must not read the draft's text, which is not there yet")
        unknown = [name for name in calibrator.signals if name not in SO_FAR]
        if unknown:
            raise ValueError(f"it reads {unknown[0]!r}; there are {' and '.join(SO_FAR)} alone")
        return calibrator


class CommitRule(Artefact):
    """When drafts of one tier are accepted before they are finished.

    Attributes:
        checkpoints: Places to look at, by the number of tokens; with none, no draft is.
    """

    checkpoints: tuple[Checkpoint, ...] = ()

    @field_validator("checkpoints")
    @classmethod
    def _in_order(cls, checkpoints: tuple[Checkpoint, ...]) -> tuple[Checkpoint, ...]:
        if any(after.tokens <= before.tokens for before, after in pairwise(checkpoints)):
            raise ValueError("tokens must increase from checkpoint to checkpoint")
        return checkpoints


class Reached(NamedTuple):
    """Where a draft was committed to.

    Attributes:
        tokens: After how many of its tokens.
        confidence: What the confidence was then.
    """

    tokens: int
    confidence: float


class ReadyRule:
    """A rule made ready for use; it may be shared between threads.

    Args:
        rule: What a policy holds for one tier.
    """

    def __init__(self, rule: CommitRule) -> None:
        from cascade_core.fitted.scorer import Scorer  # noqa: PLC0415 - brings numpy

        self.places = [(c.tokens, Scorer(c.calibrator)) for c in rule.checkpoints]
        self.reads_request = any(c.calibrator.reads_request for c in rule.checkpoints)

    def follow(self, request_text: str, class_name: str | None, threshold: float) -> Course:
        """Return what follows one draft, to be told of its tokens as they come."""
        return Course(self.places, request_text, class_name, threshold)


class Course:
    """One draft's tokens so far, looked at where a rule says so.

    Args:
        places: Numbers of tokens, increasing, each with what makes the confidence there.
        request_text: What was asked.
        class_name: The request's class.
        threshold: What the confidence has to reach.
    """

    __slots__ = ("_class", "_highest", "_left", "_request", "_total", "threshold", "tokens")

    def __init__(
        self,
        places: Sequence[tuple[int, Scorer]],
        request_text: str,
        class_name: str | None,
        threshold: float,
    ) -> None:
        self._left = list(reversed(places))
        self._request, self._class = request_text, class_name
        self._total = self._highest = 0.0
        self.threshold = threshold
        self.tokens = 0

    def feed(self, logprobs: Sequence[float]) -> Reached | None:
        """Take further tokens; tell where among them the draft is committed to, if it is."""
        for logprob in logprobs:
            if not self._left:
                return None
            one = surprise(logprob)
            self._total += one
            self._highest = max(self._highest, one)
            self.tokens += 1
            if self.tokens == self._left[-1][0]:
                _, scorer = self._left.pop()
                readings = _readings(self._total, self._highest, self.tokens)
                confidence = scorer.one(readings, self._request, "", self._class)
                if confidence is not None and confidence >= self.threshold:
                    return Reached(self.tokens, confidence)
        return None

    def may_come(self) -> bool:
        """Tell whether it may still be committed to, every token to come at probability 1."""
        for tokens, scorer in self._left:
            best: Unfinished = scorer.begin(self._request, self._class)
            readings = _readings(self._total, self._highest, tokens)
            if best.best(readings) >= self.threshold:
                return True
        return False


def _readings(total: float, highest: float, tokens: int) -> dict[str, float | None]:
    from cascade_core.fitted.readings_so_far import readings_so_far  # noqa: PLC0415 - brings numpy

    mean, least = readings_so_far(total, highest, tokens)
    return {MEAN: float(mean), LEAST: float(least)}
