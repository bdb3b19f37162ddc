"""Which decisions most need a label: a score of what speaks for each, and why, in words.

The score is a sum of what `LabelNeed` says, each in [0, 1], times its weight. It is no estimate of
anything: it puts first where a look is likely to teach something.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from cascade_core.arrays import Array

NEAR_UP_TO = 0.1
"""Distance of a confidence from its threshold from which on nearness counts for nothing."""

AGREED = 0.2
"""Between the lowest and the highest reading; signals that are closer agree."""

OPPOSED = 0.8
"""The same from which on they disagree as much as counts."""

ENOUGH_JUDGED = 10
"""Judged answers of a class from which on it is not looked at seldom."""

DEAR_FROM = 0.95
"""Share of decisions that cost less than one that is dear."""

NEED_WEIGHTS: Mapping[str, float] = {
    "near": 1.0,
    "disagree": 0.8,
    "seldom": 0.7,
    "in_vain": 0.6,
    "dear": 0.3,
}
"""What each part of a need counts."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class LabelNeed:
    """What speaks for labelling a decision, each in [0, 1].

    Attributes:
        near: How near the confidence is to its threshold: a little more or less, and the answer
            would have come from elsewhere.
        disagree: How far its signals' readings are apart.
        seldom: How few answers of its class have been judged, by audits or by people.
        in_vain: Of a request that was sent on: in which share of such requests of its class audits
            found the draft as good as the strongest tier's answer.
        dear: Whether it is among the dearest.
    """

    near: float = 0.0
    disagree: float = 0.0
    seldom: float = 0.0
    in_vain: float = 0.0
    dear: float = 0.0

    @property
    def score(self) -> float:
        """How much speaks for it, from 0 up."""
        return float(sum(weight * getattr(self, name) for name, weight in NEED_WEIGHTS.items()))


def nearness(confidence: Any, threshold: Any) -> Array:
    """Return how near confidences are to their thresholds; 0 where there is none."""
    near = 1 - np.abs(np.asarray(confidence, np.float64) - threshold) / NEAR_UP_TO
    found: Array = np.nan_to_num(np.clip(near, 0, 1), nan=0.0)
    return found


def disagreement(readings: Iterable[float | None]) -> float:
    """Return how far readings are apart; 0 of fewer than two."""
    known = [each for each in readings if each is not None]
    if len(known) < 2:  # noqa: PLR2004 - it takes two to disagree
        return 0.0
    apart = (max(known) - min(known) - AGREED) / (OPPOSED - AGREED)
    return min(1.0, max(0.0, apart))


def seldomness(judged: Any) -> Array:
    """Return how few answers have been judged, of how many of each class were."""
    found: Array = np.clip(1 - np.asarray(judged, np.float64) / ENOUGH_JUDGED, 0, 1)
    return found


def balanced(scores: Sequence[tuple[Key, float]], most: int) -> list[int]:
    """Return whom to take, best first, each class in turn as long as it has any.

    Args:
        scores: The class and the score of each.
        most: How many to take.

    Returns:
        Their places in `scores`: the best of every class, by score, then the second of every class.
    """
    by_score = sorted(range(len(scores)), key=lambda at: -scores[at][1])
    turns: dict[Key, int] = {}
    ranked = []
    for at in by_score:
        key = scores[at][0]
        turns[key] = turns.get(key, -1) + 1
        ranked.append((turns[key], at))
    return [at for _, at in sorted(ranked, key=lambda each: each[0])][:most]
