"""Unicode's compatible form of a text (NFKC), in linear time."""

from __future__ import annotations

import re
import unicodedata

_LONG = 512
_PIECE = re.compile(r"(?s).{1,256}[^\x00-\x7f]{0,256}")
"""A piece ends before an ASCII character, which belongs to nothing before it, if it can."""


def compatible(text: str) -> str:
    """Return a text in normal form KC.

    Marks that combine are put in order by their classes, which takes quadratic time where
    thousands follow one another; no writing has as many, and so long texts are read in pieces.

    Args:
        text: Any text.
    """
    if text.isascii():
        return text
    if len(text) <= _LONG:
        return unicodedata.normalize("NFKC", text)
    return "".join(unicodedata.normalize("NFKC", piece) for piece in _PIECE.findall(text))
