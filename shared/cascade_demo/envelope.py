"""The OpenAI chat-completions wire format: what is sent back, whole or as a stream."""

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cascade_demo.checks import Json
from cascade_demo.generate import Ending, FinishReason, Token
from cascade_demo.shaping import AnswerPart, Refusal
from cascade_demo.tools import Proposal


@dataclass(slots=True)
class Choice:
    """One answer as far as it is written."""

    tokens: list[Token] = field(default_factory=list)
    calls: list[Proposal] = field(default_factory=list)
    refusal: str | None = None
    reason: FinishReason | None = None
    count: int = 0
    opened: bool = False

    def add(self, piece: AnswerPart) -> None:
        """Take the next piece; tokens are counted elsewhere."""
        if isinstance(piece, Token):
            self.tokens.append(piece)
        elif isinstance(piece, Proposal):
            self.calls.append(piece)
        elif isinstance(piece, Refusal):
            self.refusal = piece.text
        else:
            self.reason = piece.reason

    @property
    def textual(self) -> bool:
        """Whether it is text, for only text has logprobs."""
        return not self.calls and self.refusal is None

    def message(self) -> Json:
        """Give it as a message."""
        message: Json = {
            "role": "assistant",
            "content": "".join(token.text for token in self.tokens) if self.textual else None,
            "refusal": self.refusal,
        }
        if self.calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in self.calls
            ]
        return message


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all parts of one response share."""

    model: str
    logprobs: bool
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, choices: Sequence[Choice], prompt_tokens: int) -> Json:
        """Give the body of a response that is not streamed."""
        return {
            **self._head("chat.completion"),
            "choices": [
                {
                    "index": index,
                    "message": choice.message(),
                    "logprobs": self._logprobs(choice.tokens) if choice.textual else None,
                    "finish_reason": choice.reason,
                }
                for index, choice in enumerate(choices)
            ],
            "usage": usage(choices, prompt_tokens),
        }

    def chunk(self, index: int, delta: Json, tokens: Sequence[Token], reason: str | None) -> Json:
        """Give one event of a stream."""
        return {
            **self._head("chat.completion.chunk"),
            "choices": [
                {
                    "index": index,
                    "delta": delta,
                    "logprobs": self._logprobs(tokens) if tokens else None,
                    "finish_reason": reason,
                }
            ],
        }

    def opening(self, index: int, choice: Choice) -> Json:
        """Give the first event of a text."""
        choice.opened = True
        return self.chunk(index, {"role": "assistant", "content": ""}, (), None)

    def chunks(self, index: int, piece: AnswerPart, choice: Choice) -> Iterator[Json]:
        """Give the events of one piece, just added to `choice`."""
        if choice.textual and not choice.opened:
            yield self.opening(index, choice)
        tokens = (piece,) if isinstance(piece, Token) else ()
        reason = piece.reason if isinstance(piece, Ending) else None
        for delta in _deltas(piece, choice):
            role = {} if choice.opened else {"role": "assistant", "content": None}
            choice.opened = True
            yield self.chunk(index, {**role, **delta}, tokens, reason)

    def usage_chunk(self, choices: Sequence[Choice], prompt_tokens: int) -> Json:
        """Give the last event of a stream whose client asked for token counts."""
        head = self._head("chat.completion.chunk")
        return {**head, "choices": [], "usage": usage(choices, prompt_tokens)}

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _logprobs(self, tokens: Sequence[Token]) -> Json | None:
        if not self.logprobs:
            return None
        return {
            "content": [
                {
                    **_piece(token.text, token.logprob),
                    "top_logprobs": [_piece(*other) for other in token.alternatives],
                }
                for token in tokens
            ],
            "refusal": None,
        }


def _deltas(piece: AnswerPart, choice: Choice) -> Iterator[Json]:
    if isinstance(piece, Token):
        yield {"content": piece.text}
    elif isinstance(piece, Refusal):
        yield {"refusal": piece.text}
    elif isinstance(piece, Ending):
        yield {}
    else:
        at = len(choice.calls) - 1
        opening = {"name": piece.name, "arguments": ""}
        yield {
            "tool_calls": [{"index": at, "id": piece.id, "type": "function", "function": opening}]
        }
        for token in piece.tokens:
            yield {"tool_calls": [{"index": at, "function": {"arguments": token.text}}]}


def _piece(text: str, logprob: float) -> Json:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def usage(choices: Sequence[Choice], prompt_tokens: int) -> Json:
    """Count tokens as the hosted API does: the prompt once, whatever the choices."""
    completion = sum(choice.count for choice in choices)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": prompt_tokens + completion,
    }
