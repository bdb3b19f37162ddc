"""A provider whose speed is known: tokens at a steady pace, in a process of its own.

A model is called after how sure it is of every token: `cheap-0.99` accepts, `cheap-0.2` escalates.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

WORD = "word "


class Provider:
    """Answers chat completions with `tokens` words, one every `pause` seconds."""

    def __init__(self, tokens: int, pause: float) -> None:
        self._tokens, self._pause = tokens, pause
        self.written: dict[str, int] = {}

    async def complete(self, request: Request) -> Response:
        asked = await request.json()
        model = asked["model"]
        if asked.get("stream"):
            return StreamingResponse(self._events(model), media_type="text/event-stream")
        await asyncio.sleep(self._tokens * self._pause)
        self._count(model, self._tokens)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": WORD * self._tokens},
            "logprobs": {"content": [_entry(model)] * self._tokens},
            "finish_reason": "stop",
        }
        usage = {
            "prompt_tokens": 20,
            "completion_tokens": self._tokens,
            "total_tokens": 20 + self._tokens,
        }
        return JSONResponse(
            {**_head(model, "chat.completion"), "choices": [choice], "usage": usage}
        )

    async def _events(self, model: str) -> AsyncIterator[str]:
        head = _head(model, "chat.completion.chunk")
        for _ in range(self._tokens):
            await asyncio.sleep(self._pause)
            self._count(model, 1)
            delta = {"role": "assistant", "content": WORD}
            yield _event(head, delta, {"content": [_entry(model)]}, None)
        yield _event(head, {}, None, "stop")
        yield "data: [DONE]\n\n"

    async def stats(self, _: Request) -> Response:
        return JSONResponse(self.written)

    def _count(self, model: str, tokens: int) -> None:
        self.written[model] = self.written.get(model, 0) + tokens


def _head(model: str, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 0, "model": model}


def _entry(model: str) -> dict[str, Any]:
    sure = float(model.partition("-")[2])
    return {
        "token": WORD,
        "logprob": math.log(sure),
        "bytes": list(WORD.encode()),
        "top_logprobs": [],
    }


def _event(head: dict[str, Any], delta: Any, logprobs: Any, finish: str | None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    return f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"


class Running:
    """The server's address, and what it has written."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}/v1"

    def written(self, model: str) -> int:
        """Return how many tokens a model has written since the start."""
        with urlopen(f"{self.base_url}/stats") as response:
            return int(json.load(response).get(model, 0))


@contextmanager
def serving(*, tokens: int, pause: float) -> Iterator[Running]:
    """Run a provider, in a process of its own, for a `with` block."""
    command = [sys.executable, __file__, "--tokens", str(tokens), "--pause", str(pause)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        yield Running(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.communicate()


def main() -> None:
    """Serve on a free port, which is printed, until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--pause", type=float, required=True)
    given = parser.parse_args()
    provider = Provider(given.tokens, given.pause)
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", provider.complete, methods=["POST"]),
            Route("/v1/stats", provider.stats),
        ]
    )
    # Nagle's algorithm is off only where the protocol is named.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    bound.listen(2048)
    os.write(1, f"{bound.getsockname()[1]}\n".encode())
    quiet = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", backlog=2048)
    uvicorn.Server(quiet).run(sockets=[bound])


if __name__ == "__main__":
    main()
