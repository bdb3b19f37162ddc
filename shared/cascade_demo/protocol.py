"""The OpenAI chat-completions wire format: requests checked, answers and errors shaped.

Pure functions over JSON values; HTTP is in `app`, token drawing in `generate`. A parameter
these models cannot honour is refused by name rather than ignored, because an ignored one
would look like a wrong answer.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cascade_core.errors import CascadeError
from cascade_demo.desk import normalise
from cascade_demo.generate import FinishReason, Sampling, Token

Json = dict[str, Any]

MODELS = ("desk-small", "desk-large")
MOST_CHOICES = 16
MOST_STOPS = 4

# What the hosted API offers and these models do not: refused unless absent or empty.
_UNSUPPORTED = {
    "tools": "these models cannot call tools",
    "functions": "these models cannot call functions",
    "frequency_penalty": "these models know no penalties",
    "presence_penalty": "these models know no penalties",
    "logit_bias": "these models know no logit bias",
    "audio": "these models write text only",
}


class RequestError(CascadeError):
    """A request that cannot be served, as the client is told.

    Attributes:
        status: HTTP status.
        param: name of the offending parameter, if one is to blame.
        code: machine-readable reason, if there is one.
    """

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status

    def as_json(self) -> Json:
        """Give the body of the error response."""
        return {
            "error": {
                "message": str(self),
                "type": "invalid_request_error",
                "param": self.param,
                "code": self.code,
            }
        }


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A checked request.

    Attributes:
        model: model name.
        text: the last user message, normalised: all that these models read.
        samplings: how to draw each choice.
        stream: answer as server-sent events.
        include_usage: send token counts at the end of a stream.
        logprobs: report logprobs.
    """

    model: str
    text: str
    samplings: tuple[Sampling, ...]
    stream: bool
    include_usage: bool
    logprobs: bool


def parse_request(body: object) -> ChatRequest:
    """Check a request body.

    Raises:
        RequestError: naming the first parameter that is wrong.
    """
    if not isinstance(body, dict):
        raise RequestError("the request body must be a JSON object")
    model = body.get("model")
    if not isinstance(model, str):
        raise RequestError(f"'model' must be one of {', '.join(MODELS)}", "model")
    if model not in MODELS:
        raise RequestError(
            f"the model {model!r} does not exist: use one of {', '.join(MODELS)}",
            "model", "model_not_found", 404,
        )  # fmt: skip
    for name, why in _UNSUPPORTED.items():
        if body.get(name):
            raise RequestError(f"'{name}' is not supported: {why}", name, "unsupported_parameter")
    _check_response_format(body.get("response_format"))

    stream = _flag(body, "stream")
    options = body.get("stream_options")
    if options is not None and not (stream and isinstance(options, dict)):
        raise RequestError(
            "'stream_options' must be an object and needs 'stream': true", "stream_options"
        )
    logprobs = _flag(body, "logprobs")
    top_logprobs = _whole(body, "top_logprobs", 0, 20)
    if top_logprobs is not None and not logprobs:
        raise RequestError("'top_logprobs' needs 'logprobs': true", "top_logprobs")
    seed = _whole(body, "seed", -(2**63), 2**63 - 1)
    limit = _whole(body, "max_completion_tokens", 1, None)
    if limit is None:
        limit = _whole(body, "max_tokens", 1, None)
    sampling = Sampling(
        temperature=_number(body, "temperature", 0, 2, default=1.0),
        top_p=_number(body, "top_p", 0, 1, default=1.0),
        max_tokens=limit,
        stop=_stops(body.get("stop")),
        top_logprobs=top_logprobs or 0,
    )
    return ChatRequest(
        model=model,
        text=_last_user_text(body.get("messages")),
        samplings=tuple(
            # The choices of one seeded request differ, and are the same next time.
            replace(sampling, seed=None if seed is None else (seed % 2**64, index))
            for index in range(_whole(body, "n", 1, MOST_CHOICES) or 1)
        ),
        stream=stream,
        include_usage=bool((options or {}).get("include_usage")),
        logprobs=logprobs,
    )


def _check_response_format(value: object) -> None:
    if value is None or (isinstance(value, dict) and value.get("type") == "text"):
        return
    raise RequestError(
        "'response_format' is not supported: these models write plain text only",
        "response_format", "unsupported_parameter",
    )  # fmt: skip


def _last_user_text(messages: object) -> str:
    """The chat template: the last user message, and nothing else, is the ticket."""
    if not isinstance(messages, list) or not messages:
        raise RequestError("'messages' must be a list of at least one message", "messages")
    text = None
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise RequestError(f"'{where}' must be an object with a 'role'", where)
        if message["role"] == "user":
            text = _content_text(message.get("content"), f"{where}.content")
    if text is None:
        raise RequestError("'messages' must contain a user message", "messages")
    return normalise(text)


def _content_text(content: object, where: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
        for part in content
    ):
        return "".join(part["text"] for part in content)
    raise RequestError(f"'{where}' must be a string or a list of text parts", where)


def _flag(body: Json, name: str) -> bool:
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise RequestError(f"'{name}' must be true or false, not {value!r}", name)


def _whole(body: Json, name: str, least: int, most: int | None) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
    if not fits or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"from {least} to {most}"
        raise RequestError(f"'{name}' must be a whole number {limits}, not {value!r}", name)
    return int(value)


def _number(body: Json, name: str, least: float, most: float, default: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise RequestError(f"'{name}' must be from {least} to {most}, not {value!r}", name)
    return float(value)


def _stops(value: object) -> tuple[str, ...]:
    stops = [] if value is None else [value] if isinstance(value, str) else value
    if isinstance(stops, list) and len(stops) <= MOST_STOPS:
        texts = tuple(stop for stop in stops if isinstance(stop, str) and stop)
        if len(texts) == len(stops):
            return texts
    raise RequestError(f"'stop' must be a text or a list of up to {MOST_STOPS} texts", "stop")


@dataclass(slots=True)
class Choice:
    """One answer as far as it is written."""

    tokens: list[Token] = field(default_factory=list)
    reason: FinishReason | None = None
    count: int = 0


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
                    "message": {
                        "role": "assistant",
                        "content": "".join(token.text for token in choice.tokens),
                        "refusal": None,
                    },
                    "logprobs": self._logprobs(choice.tokens),
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
