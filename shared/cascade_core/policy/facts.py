"""What rules ask of one request, found out once and only where a rule asks."""

from __future__ import annotations

from datetime import datetime
from time import perf_counter
from typing import Any

from cascade_core.costs.tokens import MESSAGE_TOKENS, REPLY_TOKENS, count_tokens
from cascade_core.policy import languages, patterns
from cascade_core.request import Request

_UNREAD = object()
_PIECE = 10_000
"""Characters counted at a time, so that counting can end where the answer is known."""


class Facts:
    """What is found out about one request; each thing once, where a rule asks for it.

    Args:
        request: The request.
        at: When it was asked.
        model: The model whose tokens are counted.
    """

    __slots__ = ("_language", "_question", "_seconds", "at", "model", "request", "unread")

    def __init__(self, request: Request, at: datetime, model: str | None) -> None:
        self.request = request
        self.at = at
        self.model = model
        self.unread: str | None = None
        self._question: str | None = None
        self._language: Any = _UNREAD
        self._seconds = patterns.LIMIT_OF_ALL

    @property
    def question(self) -> str:
        """The last user message."""
        if self._question is None:
            self._question = self.request.question
        return self._question

    @property
    def language(self) -> str | None:
        """The language it is written in; None where it is not known."""
        if self._language is _UNREAD:
            self._language = languages.language_of(self.question)
        language: str | None = self._language
        return language

    def matches(self, pattern: Any) -> bool | None:
        """Tell whether a pattern is found in the question; None where that took too long to say."""
        began = perf_counter()
        found = patterns.found(pattern, self.question, self._seconds)
        self._seconds -= perf_counter() - began
        return found

    def more_than(self, limit: int) -> bool:
        """Tell whether the request has more tokens than so many."""
        texts = [turn.text for turn in self.request.turns]
        around = MESSAGE_TOKENS * len(texts) + REPLY_TOKENS
        if sum(len(text.encode(errors="replace")) for text in texts) + around <= limit:
            return False  # a token has a byte or more
        count, estimated = 0, 0
        for text in texts:
            for start in range(0, len(text), _PIECE):
                piece = text[start : start + _PIECE]
                tokens, source = count_tokens(piece, self.model)
                if source == "estimate":  # rounded up once, not once a piece
                    estimated += len(piece)
                    tokens = 0
                count += tokens
                if count + (0 if estimated else around) - (-estimated // 4) > limit:
                    return True
        return False
