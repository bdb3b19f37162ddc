"""Which tokens spell an answer: log-probabilities of any others say nothing about it.

Providers send those of a hidden thought, of the last chunk only, or of end
marks behind the text. So a reading is of the tokens that spell the text, and
where they do not spell all of it there is none. What came without the tokens'
texts cannot be checked, and is read as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

from cascade_core.logprobs import Logprobs
from cascade_core.spoken import may_begin_thought

Unreadable: TypeAlias = Literal["partial", "certain"]
"""Why log-probabilities that came are no reading of an answer: they are not of all of its text, or
every one of them is 0."""

_SENTENCE_WORDS = 5
_SENTENCE_TOKENS = 16
"""A text of so many words, or tokens where words are not told apart by spaces, is a sentence. No
model is certain of each of its tokens to the last bit, beginning with the first; of a name, a
number or a small JSON object it may well be."""

_MOST_PLACES = 64
"""How many places in the tokens a text is looked for at; more is no writing."""
_WIDEST_OPENING = 200
"""Characters of a stream after which an opening mark has come, or will not."""


def own_logprobs(logprobs: Logprobs, text: str) -> tuple[Logprobs | None, Unreadable | None]:
    """Return the log-probabilities of the tokens that spell a text.

    Args:
        logprobs: What the provider sent.
        text: What the answer says; see `spoken`.

    Returns:
        Those of the text's own tokens, or None and the reason why there are none.
    """
    own = _spelling(logprobs, text)
    if own is None:
        return None, "partial"
    return (None, "certain") if is_feigned(own.values, text) else (own, None)


def is_feigned(values: Sequence[float], text: str) -> bool:
    """Tell whether a server says 0.0 of every token of a sentence: it does not know them."""
    if len(values) < _SENTENCE_WORDS or any(values):
        return False
    return len(values) >= _SENTENCE_TOKENS or len(text.split()) >= _SENTENCE_WORDS


class Following:
    """Follows a stream, and tells which tokens are sure to be among the answer's own.

    Only by those a draft may be cut off: of a thought, or of tokens that spell
    something else than has come, nothing can be said before the draft is whole.
    """

    __slots__ = ("_lost", "_opening", "_text", "_values")

    def __init__(self) -> None:
        self._text = ""
        self._values: list[float] = []
        self._opening = True
        self._lost = False

    def take(self, text: str, logprobs: Logprobs | None) -> Sequence[float]:
        """Return the values that are sure, now that a chunk has come.

        Args:
            text: The chunk's text.
            logprobs: Those of its tokens, where they came with it.
        """
        if self._lost:
            return ()
        if logprobs is None:
            self._lost = bool(text and not text.isspace())
            return ()
        spelled = logprobs.spelled
        if spelled and spelled != text and spelled.strip() != text.strip():
            # A thought, or a mark that is not shown; but what is shown has to be spelled.
            self._lost = bool(text and not text.isspace())
            return ()
        return self._once_open(text, logprobs.values) if self._opening else logprobs.values

    def _once_open(self, text: str, values: Sequence[float]) -> Sequence[float]:
        """Hold values back until it is sure that the answer does not begin with a thought."""
        self._text += text
        self._values += values
        if not may_begin_thought(self._text):
            self._opening = False
            return self._values
        self._lost = len(self._text) > _WIDEST_OPENING
        return ()


def _spelling(logprobs: Logprobs, text: str) -> Logprobs | None:
    """Return those of the tokens that spell a text; None where they do not spell all of it."""
    spelled = logprobs.spelled
    if not spelled or spelled == text:
        return logprobs
    tokens = logprobs.tokens
    if len(tokens) != len(logprobs.values):
        return logprobs
    if spelled.strip() == text.strip() or not all(-math.inf < v < 1 for v in logprobs.values):
        return logprobs  # with one that is no log-probability all count as 0, whatever they spell
    found = _place(tokens, text) or _place(_bytes_of(logprobs), _as_bytes(text))
    if found is None and "\ufffd" in spelled:  # parts of characters, sent without their bytes
        plain = _plain(tokens)
        found = _place(plain, "".join(_plain([text])))
        if found is not None:  # the rest of a character at the end
            start, end = found
            found = start, next((at for at in range(end, len(plain)) if plain[at]), len(plain))
    return None if found is None else logprobs.part(*found)


def _place(tokens: Sequence[str], text: str) -> tuple[int, int] | None:
    """Return the first token of a text and the one after its last; white space does not count.

    The last place counts: an answer comes after the thought that quotes it.
    """
    pieces = ["".join(token.split()) for token in tokens]
    wanted = "".join(text.split())
    spelled = "".join(pieces)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    length = 0
    for at, piece in enumerate(pieces):
        starts[length] = at  # of several at one place the last: before it is only white space
        length += len(piece)
        ends.setdefault(length, at + 1)
    place = spelled.rfind(wanted)
    for _ in range(_MOST_PLACES):
        if place < 0:
            return None
        end = place + len(wanted)
        if place in starts and end in ends:
            return starts[place], ends[end]
        place = spelled.rfind(wanted, 0, end - 1)
    return None


def _plain(tokens: Sequence[str]) -> list[str]:
    """Return tokens with one mark for every run of characters that are not ASCII."""
    pieces, runs = [], False
    for token in tokens:
        piece = []
        for character in token:
            if character.isascii() or not runs:
                piece.append(character if character.isascii() else "\ufffd")
            runs = not character.isascii()
        pieces.append("".join(piece))
    return pieces


# --- tokens that are parts of characters ----------------------------------------------------------

_ESCAPED = re.compile(r"(?:bytes:)?((?:\\x[0-9a-fA-F]{2})+)")
_HEXADECIMAL = re.compile(r"<0x([0-9a-fA-F]{2})>")


def _as_bytes(text: str) -> str:
    """Return a text's bytes as characters, so that parts of characters have places, too."""
    return text.encode(errors="replace").decode("latin-1")


def _bytes_of(logprobs: Logprobs) -> list[str]:
    raw = any("\u0120" in token or "\u010a" in token for token in logprobs.tokens)
    return [_token_bytes(entry, raw=raw) for entry in logprobs.entries]


def _token_bytes(entry: Any, *, raw: bool) -> str:
    """Return the bytes a token stands for, as characters."""
    given, token = entry.get("bytes"), str(entry.get("token") or "")
    if isinstance(given, list | tuple) and given:
        try:
            return bytes(given).decode("latin-1")
        except (TypeError, ValueError):
            return _as_bytes(token)
    if (one := _HEXADECIMAL.fullmatch(token)) is not None:  # sentencepiece
        return chr(int(one[1], 16))
    if (some := _ESCAPED.fullmatch(token)) is not None:
        return bytes.fromhex(some[1].replace("\\x", "")).decode("latin-1")
    if raw:
        return "".join(_alphabet().get(c, c) for c in token)
    return _as_bytes(token.replace("\u2581", " "))


@cache
def _alphabet() -> dict[str, str]:
    """What byte-level vocabularies write for each byte: themselves, or the next letter unused."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    found = {chr(byte): chr(byte) for byte in shown}
    hidden = (byte for byte in range(256) if byte not in shown)
    return found | {chr(256 + at): chr(byte) for at, byte in enumerate(hidden)}
