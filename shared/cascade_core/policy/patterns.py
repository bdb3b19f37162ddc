"""Searches texts for regular expressions, and gives up in time on those that never end."""

from __future__ import annotations

import re
from typing import Any

LIMIT = 0.1
"""Seconds that one search may take. A megabyte of text takes a hundredth of a second with an
ordinary pattern; one such as `(a+)+$` takes for ever on a text that was made for it."""

LIMIT_OF_ALL = 0.5
"""Seconds that all searches of one request may take together, however many rules ask for them."""


MOST_OF_A_PATTERN = 100_000
"""Characters of a pattern; one of a million takes half a minute to be read."""

DEEPEST_GROUPS = 12
"""Groups within groups: where each is repeated, each doubles the memory that a pattern takes, and
thirty take more than any machine has."""

_OPENS_OR_CLOSES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*(?:\]|\Z)|([()])", re.DOTALL)


def check_pattern(pattern: str) -> None:
    """Raise `ValueError` where a text is no regular expression; the message says where it ends."""
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415 - seldom used

    try:
        if len(pattern) > MOST_OF_A_PATTERN or _depth(pattern) > DEEPEST_GROUPS:
            raise OverflowError
        regex.compile(pattern)
    except regex.error as error:
        place = "" if error.pos is None else f" at its character {error.pos + 1}"
        msg = f"is no regular expression: {error.msg}{place}"
    except (OverflowError, RecursionError, MemoryError):
        msg = (
            "is too large a regular expression: at the most "
            f"{MOST_OF_A_PATTERN:,} characters, and groups {DEEPEST_GROUPS} deep"
        )
    else:
        return
    raise ValueError(msg)


def _depth(pattern: str) -> int:
    """Return how deep groups of a pattern stand in one another."""
    now = deepest = 0
    for found in _OPENS_OR_CLOSES.finditer(pattern):
        now += {"(": 1, ")": -1}.get(found[1], 0)
        deepest = max(deepest, now)
    return deepest


def compiled(pattern: str) -> Any:
    """Return a pattern, ready to search."""
    import regex  # noqa: PLC0415 - seldom used

    return regex.compile(pattern)


def found(pattern: Any, text: str, seconds: float) -> bool | None:
    """Tell whether a pattern is found in a text; None where that took too long to say.

    Args:
        pattern: What `compiled` returned.
        text: The text.
        seconds: How long all searches of this request may still take.
    """
    if seconds <= 0:
        return None
    try:
        return pattern.search(text, timeout=min(LIMIT, seconds)) is not None
    except TimeoutError:
        return None
