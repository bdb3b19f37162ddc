"""An OpenAI-compatible server that says what a test tells it to, also what no provider should.

A model's replies are scripted by its name; the last one is repeated. Every
request is kept as it arrived.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from cascade_demo.server import KEEP_ALIVE_SECONDS

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Say:
    """One answer.

    Attributes:
        text: What it says; a word is a token.
        p: Probability of every token; None sends `logprobs: null`, as does not being asked.
        logprobs: Sent as the logprobs instead, whatever they are.
        tool_calls: Pairs of a tool's name and its arguments, an object or raw text.
        refusal: The text of a refusal, in place of content.
        finish: The finish reason; None sends null.
        cut: How a stream breaks after `after` tokens: "end" stops it without
            `[DONE]`, "drop" closes the connection.
        after: See `cut`.
        delay: Seconds before the answer.
        beside: Requests that have to be in flight at once before the answer comes.
        model: The model it says it is; else the one asked for.
        usage: Sent as the report of the tokens instead, whatever it is.
        totals: Whether every chunk of a stream reports the tokens so far.
    """

    text: str = ""
    p: float | None = 0.99
    logprobs: Any = None
    tool_calls: Sequence[tuple[str, Any]] = ()
    refusal: str | None = None
    finish: str | None = "stop"
    cut: str | None = None
    after: int = 0
    delay: float = 0.0
    beside: int = 0
    model: str | None = None
    usage: Any = None
    totals: bool = False

    @property
    def tokens(self) -> list[str]:
        return re.findall(r"\S+\s*", self.text)


@dataclass(frozen=True)
class Raw:
    """A response that is not an answer.

    Attributes:
        body: Its body.
        status: Its status.
        media_type: What it claims to be.
        headers: Further headers.
        drop: Close the connection without answering at all.
    """

    body: str = ""
    status: int = 200
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


def refused(status: int, message: str, **headers: str) -> Raw:
    """Return an error as OpenAI words one."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Raw(json.dumps({"error": error}), status, headers=headers)


Reply: TypeAlias = Say | Raw
Script: TypeAlias = Reply | Callable[[Json], Reply]


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    body: Json
    headers: dict[str, str]
    at: float


class _DroppedError(Exception):
    """Makes the server close a connection in the middle of a response."""


class Stub:
    """The server, in a thread, for a `with` block.

    Attributes:
        seen: Every request.
        in_flight: Requests being answered now.
        peak: The most there were at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        app = Starlette(routes=[Route("/v1/{path:path}", self._answer, methods=["POST"])])
        config = uvicorn.Config(
            app,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 120
        while not self._server.started:
            assert time.monotonic() < deadline, "the stub did not start"
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def reset(self) -> None:
        """Forget the scripts and what was seen."""
        self._scripts: dict[str, list[Script]] = {}
        self.seen: list[Seen] = []
        self.in_flight = self.peak = 0
        self._reset = object()

    def script(self, model: str, *replies: Script | str) -> None:
        """Say what a model replies, request by request; the last reply is repeated."""
        self._scripts[model] = [Say(r) if isinstance(r, str) else r for r in replies]

    def asked(self, model: str) -> list[Json]:
        """Return the bodies of a model's requests."""
        return [seen.body for seen in self.seen if seen.body["model"] == model]

    async def _answer(self, request: Request) -> Response:
        body = await request.json()
        with self._lock:
            self.seen.append(Seen(body, dict(request.headers), time.monotonic()))
            self.in_flight, reset = self.in_flight + 1, self._reset
            self.peak = max(self.peak, self.in_flight)
            replies = self._scripts[body["model"]]
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        try:
            if callable(reply):
                reply = reply(body)
            if isinstance(reply, Raw):
                if reply.drop:
                    return StreamingResponse(_dropped())
                return Response(reply.body, reply.status, reply.headers, reply.media_type)
            await _pause(request, reply.delay)
            while self.peak < reply.beside:  # noqa: ASYNC110 - other requests raise it
                await asyncio.sleep(0.001)
            body["answers"] = reply.model or body["model"]
            if body.get("stream"):
                return StreamingResponse(_events(reply, body), media_type="text/event-stream")
            return Response(_dumps(_whole(reply, body)), media_type="application/json")
        finally:
            with self._lock:
                self.in_flight -= reset is self._reset  # else it was another test's request


async def _pause(request: Request, seconds: float) -> None:
    """Wait, but no longer than the client does."""
    left = asyncio.ensure_future(request.receive())
    await asyncio.wait([left], timeout=seconds)
    left.cancel()


async def _dropped() -> AsyncIterator[bytes]:
    raise _DroppedError
    yield b""


async def _events(say: Say, body: Json) -> AsyncIterator[bytes]:
    for place, token in enumerate(say.tokens):
        if say.cut is not None and place == say.after:
            await asyncio.sleep(0)  # what was sent before is on its way
            if say.cut == "end":
                return
            raise _DroppedError
        logprobs = _logprobs(say, body, [token])
        so_far = usage(body, "".join(say.tokens[: place + 1])) if say.totals else None
        yield _event(body, {"role": "assistant", "content": token}, logprobs, None, so_far)
    if say.refusal is not None:
        payload = {"content": None, "refusal": [_entry(say.refusal, 0.9)]}
        yield _event(body, {"refusal": say.refusal}, payload, None)
    for index, call in enumerate(_calls(say)):
        yield _event(body, {"tool_calls": [{"index": index, **call}]}, None, None)
    finish = "tool_calls" if say.tool_calls else say.finish
    yield _event(body, {}, None, finish)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield (
            b"data: "
            + _dumps({**_head(body), "choices": [], "usage": say.usage or usage(body, say.text)})
            + b"\n\n"
        )
    yield b"data: [DONE]\n\n"


def _event(
    body: Json, delta: Json, logprobs: Any, finish: str | None, reported: Json | None = None
) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    event = {**_head(body, "chat.completion.chunk"), "choices": [choice]}
    if reported is not None:
        event["usage"] = reported
    return b"data: " + _dumps(event) + b"\n\n"


def _whole(say: Say, body: Json) -> Json:
    message = {
        "role": "assistant",
        "content": None if say.refusal is not None or say.tool_calls else say.text,
        "refusal": say.refusal,
        **({"tool_calls": _calls(say)} if say.tool_calls else {}),
    }
    logprobs = _logprobs(say, body, say.tokens)
    if say.refusal is not None:
        logprobs = {"content": None, "refusal": [_entry(say.refusal, 0.9)]}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": logprobs,
        "finish_reason": "tool_calls" if say.tool_calls else say.finish,
    }
    return {**_head(body), "choices": [choice], "usage": say.usage or usage(body, say.text)}


def usage(body: Json, text: str) -> Json:
    """Count a token for every four characters, rounded up."""
    read = -(-sum(len(str(m.get("content") or "")) for m in body["messages"]) // 4)
    written = -(-len(text) // 4)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _calls(say: Say) -> list[Json]:
    return [
        {
            "id": f"call_{place}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": args if isinstance(args, str) else json.dumps(args),
            },
        }
        for place, (name, args) in enumerate(say.tool_calls)
    ]


def _logprobs(say: Say, body: Json, tokens: Sequence[str]) -> Any:
    if say.logprobs is not None:
        return say.logprobs
    if not body.get("logprobs") or say.p is None or say.tool_calls:
        return None
    entries = [_entry(token, say.p) for token in tokens]
    return {"content": entries, "refusal": None}


def _entry(token: str, p: float) -> Json:
    logprob = math.log(p)
    top = [{"token": token, "logprob": logprob, "bytes": None}]
    return {"token": token, "logprob": logprob, "bytes": None, "top_logprobs": top}


def _head(body: Json, kind: str = "chat.completion") -> Json:
    return {"id": "chatcmpl-stub", "object": kind, "created": 0, "model": body["answers"]}


def _dumps(value: Json) -> bytes:
    return json.dumps(value).encode()  # NaN is written as such: some servers do
