"""What two answers share, word by word, in bounded time however long they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

MOST_COMPARED = 20_000
"""Of each answer that are looked at."""

MOST_WORDS = 2_000
"""Of each answer that are compared, beyond what both begin and end with."""

_WORD = re.compile(r"\s+|\w+|[^\w\s]")

Side = Literal["both", "left", "right"]


@dataclass(frozen=True, slots=True)
class WordDiff:
    """Two texts as one.

    Attributes:
        pieces: Runs of words, and which text has them.
        left_out: Characters of each that were not looked at.
        same: Whether the texts are the same, to the last sign.
    """

    pieces: list[tuple[Side, str]]
    left_out: tuple[int, int]
    same: bool


def word_diff(left: str, right: str) -> WordDiff:
    """Compare two texts word by word.

    The differences are those that `difflib.SequenceMatcher` finds. Of long texts the beginning is
    compared, and of that at most `MOST_WORDS` between what both begin and end with.

    Args:
        left: A text.
        right: Another.
    """
    a, b = (_WORD.findall(text[:MOST_COMPARED]) for text in (left, right))
    cut = max(0, len(left) - MOST_COMPARED), max(0, len(right) - MOST_COMPARED)
    begin = _shared(a, b)
    end = _shared(a[begin:][::-1], b[begin:][::-1])
    middle = a[begin : len(a) - end], b[begin : len(b) - end]
    if max(map(len, middle)) > MOST_WORDS:
        between: list[tuple[Side, str]] = [
            ("left", "".join(middle[0])),
            ("right", "".join(middle[1])),
        ]
    else:
        between = _compared(*middle)
    found: list[tuple[Side, str]] = [
        ("both", "".join(a[:begin])),
        *between,
        ("both", "".join(a[len(a) - end :])),
    ]
    return WordDiff([(side, text) for side, text in found if text], cut, left == right)


def _compared(a: list[str], b: list[str]) -> list[tuple[Side, str]]:
    found: list[tuple[Side, str]] = []
    for kind, i, j, k, n in SequenceMatcher(None, a, b).get_opcodes():
        if kind == "equal":
            found.append(("both", "".join(a[i:j])))
        else:
            found += [("left", "".join(a[i:j])), ("right", "".join(b[k:n]))]
    return found


def _shared(a: list[str], b: list[str]) -> int:
    """Return how many words two lists begin with alike."""
    return next(
        (i for i, (one, other) in enumerate(zip(a, b, strict=False)) if one != other),
        min(len(a), len(b)),
    )
