"""Makes of a text what the patterns are written for."""

from __future__ import annotations

import unicodedata

_TYPED = {
    **dict.fromkeys("\u2018\u2019\u02bc\u00b4\u2032", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    "\u00a0": " ",
    "\u202f": " ",
    "\u0623": "\u0627",  # alef with its signs
    "\u0625": "\u0627",
    "\u0622": "\u0627",
    "\u0649": "\u064a",
    "\u0451": "\u0435",  # Russian yo, often written ye
}
_DROPPED = (
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
    "\u0307"  # what is left of a Turkish capital i
    "\u093c"  # Devanagari nukta, often left out
    "\u0640" + "".join(map(chr, range(0x64B, 0x653)))  # Arabic vowel signs
)
_TABLE = str.maketrans({**_TYPED, **dict.fromkeys(_DROPPED, None)})


def simplified(text: str) -> str:
    """Return a text in lower case, with one spelling of what is typed in several ways.

    Args:
        text: The text.
    """
    return one_spelling(text.lower())


def one_spelling(text: str) -> str:
    """Return a text with one spelling of what is typed in several ways, in its own case.

    Args:
        text: A text, or a pattern for one.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.translate(_TABLE)
