"""Searches texts for regular expressions, and gives up in time on those that never end."""

from __future__ import annotations

from typing import Any

LIMIT = 0.1
"""Seconds that one search may take. A megabyte of text takes a hundredth of a second with an
ordinary pattern; one such as `(a+)+$` takes for ever on a text that was made for it."""

LIMIT_OF_ALL = 0.5
"""Seconds that all searches of one request may take together, however many rules ask for them."""


def check_pattern(pattern: str) -> None:
    """Raise `ValueError` where a text is no regular expression; the message says where it ends."""
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415 - seldom used

    try:
        regex.compile(pattern)
    except regex.error as error:
        place = "" if error.pos is None else f" at its character {error.pos + 1}"
        msg = f"is no regular expression: {error.msg}{place}"
    except (OverflowError, RecursionError):
        msg = "is too large a regular expression"
    else:
        return
    raise ValueError(msg)


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
