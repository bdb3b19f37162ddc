"""Text that remembers which token each of its characters came from.

So any part of an answer can be put elsewhere, and keep the probabilities it was written with.
"""

import json
import re
from collections.abc import Sequence

from cascade_demo.generate import Token

_WORKING = re.compile(r"\s*\[[^\]]*(?:\]|$)")
_SENTENCE = re.compile(r"[^\s.?!](?:[^.?!]|[.](?=\d))*[.?!]*")


def forced(text: str) -> Token:
    """Give a token that left the model no choice."""
    return Token(text, 0.0, ((text, 0.0),), forced=True)


class Stretch:
    """A stretch of text, and which token each of its characters came from.

    Attributes:
        text: the characters.
    """

    def __init__(self, text: str, owners: Sequence[int], tokens: Sequence[Token]) -> None:
        """Keep `text`, whose character i is part of ``tokens[owners[i]]``."""
        self.text = text
        self._owners = owners
        self._tokens = tokens

    def cut(self, start: int, end: int) -> "Stretch":
        """Give a part of it."""
        return Stretch(self.text[start:end], self._owners[start:end], self._tokens)

    def sentences(self) -> list["Stretch"]:
        """Split after full stops, question and exclamation marks."""
        return [self.cut(*match.span()) for match in _SENTENCE.finditer(self.text)]

    def standing_for(self, text: str) -> Token:
        """Give `text` as one token, as probable as all tokens that have a part in this."""
        tokens = [self._tokens[owner] for owner in dict.fromkeys(self._owners)]
        logprob = sum(token.logprob for token in tokens)
        return Token(text, logprob, ((text, logprob),), all(token.forced for token in tokens))

    def copied(self) -> list[Token]:
        """Give its tokens, cut to it, as they stand inside a JSON string."""
        texts: dict[int, str] = {}
        for letter, owner in zip(self.text, self._owners, strict=True):
            texts[owner] = texts.get(owner, "") + letter
        return [_quoted(self._tokens[owner], text) for owner, text in texts.items()]


class Written:
    """What a model wrote, its answer and its working apart.

    Attributes:
        answer: the answer, without the working in square brackets.
        working: the working alone.
    """

    def __init__(self, tokens: Sequence[Token], results: str = "") -> None:
        """Take an answer apart; `results` of tools, put behind it, have no working."""
        text = "".join(token.text for token in tokens)
        owners = [at for at, token in enumerate(tokens) for _ in token.text]
        inside = [match.span() for match in _WORKING.finditer(text.removesuffix(results))]
        bracketed = {at for start, end in inside for at in range(start, end)}
        kept = [at for at in range(len(text)) if at not in bracketed]
        while kept and text[kept[0]].isspace():
            kept.pop(0)
        self.answer = _picked(text, owners, tokens, kept)
        self.working = _picked(text, owners, tokens, sorted(bracketed))


def _picked(
    text: str, owners: Sequence[int], tokens: Sequence[Token], places: Sequence[int]
) -> Stretch:
    return Stretch("".join(text[at] for at in places), [owners[at] for at in places], tokens)


def _quoted(token: Token, text: str) -> Token:
    """Give a token cut to `text`, its alternatives without the space that it lost."""
    lost = " " if token.text.startswith(" ") and not text.startswith(" ") else ""
    others = tuple(
        (_escaped(other.removeprefix(lost)), logprob) for other, logprob in token.alternatives
    )
    return Token(_escaped(text), token.logprob, others, token.forced)


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]
