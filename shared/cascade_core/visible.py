"""Texts of others on a terminal: names, answers and messages may hold what steers it."""

from __future__ import annotations

import re
from typing import Any

from rich.text import Text

_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tabs and line ends, and marks that turn the direction of writing."""


def visible(text: str) -> str:
    r"""Return a text in which what would steer a terminal is written out: `\x1b[2J`.

    Args:
        text: Any text.
    """
    return _STEERS.sub(lambda found: repr(found[0])[1:-1], text)


class SafeText(Text):
    """Rich's text, of which nothing steers a terminal."""

    def __init__(self, text: str = "", style: Any = "", **more: Any) -> None:
        """Take a text as it came.

        Args:
            text: The text.
            style: Rich's.
            more: Rich's.
        """
        super().__init__(visible(text), style, **more)
