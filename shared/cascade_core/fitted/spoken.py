"""What the words of a request and of a draft add to a score, in logits.

Words are hashed into buckets as they are read, and no word of any text is kept. The hash is no
secret: a word that somebody guesses has the weight of its bucket, which it shares with others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.score_forms import Learned, SignalScore, Words, draft_words, request_words
from cascade_core.fitted.texts import read_words

_Weighed: TypeAlias = Sequence[tuple[float, Words]]


class Spoken:
    """The words that a score reads, made ready for use.

    Args:
        score: Any score; one that reads no words gets nothing added.
    """

    def __init__(self, score: SignalScore | Learned) -> None:
        self._request, self._draft = request_words(score), draft_words(score)
        # Hashed words have length 1, so that no draft can add more than the weights' length.
        self._most = math.fsum(
            times * math.hypot(*words.weights.values()) for times, words in self._draft
        )

    def logits(self, inputs: Inputs, rows: slice) -> Array:
        """Return what the words of some rows add, shape (rows,)."""
        added = np.zeros(rows.stop - rows.start)
        for weighed, texts in ((self._request, inputs.requests), (self._draft, inputs.responses)):
            if weighed and texts is not None:
                added += [_logit(weighed, text) for text in texts[rows]]
        return added

    def between(self, request: str) -> tuple[float, float]:
        """Return what words add at least and at most, whatever the draft to a request becomes."""
        known = _logit(self._request, request)
        return known - self._most, known + self._most


def _logit(weighed: _Weighed, text: str) -> float:
    hashed = {buckets: read_words(text, buckets) for buckets in {w.buckets for _, w in weighed}}
    return math.fsum(
        times * value * words.weights.get(bucket, 0.0)
        for times, words in weighed
        for bucket, value in hashed[words.buckets].items()
    )
