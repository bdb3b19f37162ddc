"""`ChatOpenAI` tiers against a server on loopback: what goes over the wire, and what is cut off."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_openai import ChatOpenAI

from cascade_core.signals import SequenceLogprob
from langchain_cascade import ChatCascade
from tests.langchain.fakes import joined, record_of, tokens_by_model, tokens_seen

MANY = 3_000
PAUSE = 0.005


@dataclass
class Served:
    """What the server was asked, and how much it could send."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    hung_up: set[str] = field(default_factory=set)


def _entry(model: str, token: str) -> dict[str, Any]:
    logprob = -2.0 if model == "cheap" else -0.01
    return {"token": token, "logprob": logprob, "bytes": None, "top_logprobs": []}


def _usage(written: int) -> dict[str, int]:
    return {"prompt_tokens": 3, "completion_tokens": written, "total_tokens": 3 + written}


class Handler(BaseHTTPRequestHandler):
    """Answers as OpenAI does."""

    served: Served

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.served.asked.append(body)
        if body["model"] == "reasoner" and "logprobs" in body:
            self._json(400, {"error": {"message": "Unsupported parameter: 'logprobs'"}})
        elif body.get("stream"):
            self._stream(body)
        else:
            self._json(200, self._whole(body))

    def _whole(self, body: dict[str, Any]) -> dict[str, Any]:
        model = body["model"]
        content = [_entry(model, f"{model} words")] if body.get("logprobs") else None
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": f"{model} words"},
            "logprobs": None if content is None else {"content": content, "refusal": None},
        }
        head = {"id": "x", "object": "chat.completion", "created": 1, "model": model}
        return {**head, "choices": [choice], "usage": _usage(2)}

    def _json(self, status: int, payload: dict[str, Any]) -> None:
        data = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, body: dict[str, Any]) -> None:
        model = body["model"]
        number = MANY if model == "cheap" else 3
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": model}
        try:
            for place in range(number):
                choice: dict[str, Any] = {"index": 0, "delta": {"content": "w "}}
                choice["finish_reason"] = "stop" if place == number - 1 else None
                if body.get("logprobs"):
                    choice["logprobs"] = {"content": [_entry(model, "w ")], "refusal": None}
                self._event({**head, "choices": [choice]})
                self.served.sent[model] = place + 1
                if model == "cheap":
                    time.sleep(PAUSE)
            self._event({**head, "choices": [], "usage": _usage(number)})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.served.hung_up.add(model)

    def _event(self, payload: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(payload)}\n\n".encode())
        self.wfile.flush()


@pytest.fixture
def served() -> Iterator[Served]:
    seen = Served()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Seen", (Handler,), {"served": seen}))
    seen.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield seen
    server.shutdown()
    server.server_close()


def _hung_up(served: Served) -> set[str]:
    """Return whose streams the client closed; the server notices with its next chunk."""
    deadline = time.monotonic() + 60
    while not served.hung_up and time.monotonic() < deadline:
        time.sleep(0.01)
    return served.hung_up


def _tier(served: Served, model: str, **more: Any) -> ChatOpenAI:
    return ChatOpenAI(model=model, api_key="fake", base_url=served.url, max_retries=0, **more)


def _cascade(served: Served, cheap: str = "cheap", **more: Any) -> ChatCascade:
    tiers = [_tier(served, cheap, stream_usage=True), _tier(served, "strong", stream_usage=True)]
    return ChatCascade(tiers=tiers, **more)


@pytest.mark.parametrize("how", ["stream", "astream"])
async def test_cutting_a_draft_off_hangs_up_on_the_provider(served: Served, how: str) -> None:
    cascade = _cascade(served, signals=[SequenceLogprob("min")])
    handler = UsageMetadataCallbackHandler()
    config: Any = {"callbacks": [handler]}
    if how == "stream":
        whole = joined(list(cascade.stream("one two three", config)))
    else:
        whole = joined([chunk async for chunk in cascade.astream("one two three", config)])
    assert _hung_up(served) == {"cheap"}
    assert served.sent["cheap"] < MANY / 2
    assert whole.content == "w w w "
    record = record_of(whole)
    assert [call["outcome"] for call in record["calls"]] == ["aborted", "returned"]
    assert tokens_seen(handler) == tokens_by_model(record)
    assert "logprobs" not in whole.response_metadata


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_only_drafts_are_asked_for_logprobs(served: Served, how: str) -> None:
    cascade = _cascade(served)
    message = cascade.invoke("hi") if how == "invoke" else await cascade.ainvoke("hi")
    assert message.content == "strong words"
    assert record_of(message)["confidence"] == pytest.approx(0.1353, abs=1e-3)
    cheap, strong = served.asked
    assert cheap["logprobs"] is True
    assert not strong.get("logprobs")
    assert not cheap.get("stream")


@pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
async def test_a_reasoning_model_that_refuses_logprobs_is_asked_once_more_without(
    served: Served,
) -> None:
    cascade = _cascade(served, "reasoner", signals=["sequence_logprob", lambda _r, _d: 0.9])
    record = record_of(cascade.invoke("hi"))
    assert [call["outcome"] for call in record["calls"]] == ["failed", "accepted"]
    assert record_of(await cascade.ainvoke("hi"))["reason"] == "confident"
    assert ["logprobs" in body for body in served.asked] == [True, False, False]
