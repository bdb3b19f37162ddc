"""A server that ends its answers as a test scripts it, in the protocol of whoever asks.

Every answer has the same text and the same tokens; see `Ending` for what differs.
"""

from __future__ import annotations

import json
import socket
import threading
from binascii import crc32
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from struct import pack
from time import sleep
from typing import Any, Self, TypeAlias

Json: TypeAlias = dict[str, Any]

PIECES = ["It is paid", " within thirty days."]
TEXT = "".join(PIECES)
GIVEN, WRITTEN, REASONING = 11, 7, 4


@dataclass(frozen=True)
class Ending:
    """How an answer ends.

    Attributes:
        word: The provider's word for why; None where it says nothing.
        twice: Whether a stream says so on two chunks, where its protocol allows that.
        logprobs: Of each piece, as if it were one token; sent to whoever asks for them.
        alone: Whether a stream sends them as numbers, as Together does.
        breaks: Whether a stream's connection is lost after its pieces.
    """

    word: str | None
    twice: bool = False
    logprobs: Sequence[float] = ()
    alone: bool = False
    breaks: bool = False

    def tokens(self, *pieces: str) -> list[Json]:
        """Return the log-probabilities of pieces in OpenAI's shape."""
        told = dict(zip(PIECES, self.logprobs, strict=True))
        return [
            {"token": p, "logprob": told[p], "bytes": list(p.encode()), "top_logprobs": []}
            for p in pieces
        ]


class Pause:
    """An answer that stops: a stream's after its first piece, any other before it begins.

    Attributes:
        asked: Set when the question is there.
        gone: Set when whoever asked has closed the connection meanwhile.
        go: To be set to have it go on.
        over: Set when the server is through with it.
    """

    def __init__(self) -> None:
        self.asked, self.gone = threading.Event(), threading.Event()
        self.go, self.over = threading.Event(), threading.Event()

    def within(self, parts: list[bytes], connection: socket.socket) -> Iterator[bytes]:
        """Return an answer's parts, pausing among them."""
        begun = next((n for n, p in enumerate(parts, 1) if PIECES[0].encode() in p), 0)
        if len(parts) > 1:
            return self._within(parts, begun, connection)
        self.wait(connection)
        return iter(parts)

    def _within(self, parts: list[bytes], begun: int, connection: socket.socket) -> Iterator[bytes]:
        yield from parts[:begun]
        self.wait(connection)
        yield from parts[begun:]

    def wait(self, connection: socket.socket) -> None:
        """Wait until it may go on, or nobody listens."""
        sleep(0.2)  # whoever asked reads what has come
        self.asked.set()
        for _ in range(3000):
            if self.go.is_set():
                return
            if select([connection], [], [], 0.01)[0]:
                try:
                    left = not connection.recv(1, socket.MSG_PEEK)
                except OSError:
                    left = True
                if left:
                    self.gone.set()
                    return


class Wire:
    """The server, in threads, for a `with` block."""

    def __init__(self) -> None:
        self.ending = Ending(None)
        self.pause: Pause | None = None
        self.unknown: list[str] = []
        wire = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:  # Google's client asks what a model can do, NVIDIA's for all
                limits = {"inputTokenLimit": 8000, "outputTokenLimit": 8000}
                known: Json = {"name": self.path.rpartition("v1beta/")[2], **limits}
                known["data"] = [{"id": "m-1", "object": "model"}]
                self._send(200, "application/json", [json.dumps(known).encode()])

            def do_POST(self) -> None:
                body = json.loads(
                    self.rfile.read(int(self.headers["content-length"] or 0)) or b"{}"
                )
                known = getattr(wire.ending, "protocols", PROTOCOLS)
                found = next((p for mark, p in known.items() if mark in self.path), None)
                if found is None:
                    wire.unknown.append(self.path)
                    self._send(404, "application/json", [b"{}"])
                    return
                body["path"] = self.path
                kind, parts = found(body, wire.ending)
                parts = until_broken(parts, wire.ending)
                pause = wire.pause
                if pause is not None:
                    parts = pause.within(list(parts), self.connection)
                with suppress(OSError):  # nobody listens
                    self._send(200, kind, parts)
                if pause is not None:
                    pause.over.set()

            def _send(self, status: int, kind: str, parts: Any) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                if wire.ending.breaks:  # else its end would be the end of the answer
                    self.send_header("content-length", "1000000")
                self.end_headers()
                for part in parts:
                    self.wfile.write(part)
                self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"


def until_broken(parts: Iterator[bytes], ending: Ending) -> Iterator[bytes]:
    """Return an answer's parts, only up to its last piece where it breaks."""
    for part in parts:
        yield part
        if ending.breaks and PIECES[-1].encode() in part:
            return


Sent: TypeAlias = tuple[str, Iterator[bytes]]
Protocol: TypeAlias = Callable[[Json, Ending], Sent]


def _json(body: Json) -> Sent:
    return "application/json", iter([json.dumps(body).encode()])


def _events(events: list[Json], *, named: bool = False, done: bool = False) -> Sent:
    parts = []
    for event in events:
        name = f"event: {event['type']}\n" if named else ""
        parts.append(f"{name}data: {json.dumps(event)}\n\n".encode())
    return "text/event-stream", iter([*parts, b"data: [DONE]\n\n"] if done else parts)


# --- OpenAI's chat completions, and all that are like it -------------------------------------------


def completions(body: Json, ending: Ending) -> Sent:
    usage = {
        "prompt_tokens": GIVEN,
        "completion_tokens": WRITTEN,
        "total_tokens": GIVEN + WRITTEN,
        "completion_tokens_details": {"reasoning_tokens": REASONING},
    }
    kind = "chat.completion.chunk" if body.get("stream") else "chat.completion"
    head = {"id": "c1", "object": kind, "created": 1, "model": body["model"]}
    head["system_fingerprint"] = "f1"
    tells = bool(ending.logprobs and body.get("logprobs"))
    if not body.get("stream"):
        message = {"role": "assistant", "content": TEXT}
        choice = {"index": 0, "message": message, "finish_reason": ending.word}
        if tells:
            choice["logprobs"] = {"content": ending.tokens(*PIECES)}
        return _json({**head, "choices": [choice], "usage": usage})

    def one(delta: Json, word: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": word}
        if tells and (piece := delta.get("content")):
            told = ending.tokens(piece)
            choice["logprobs"] = told[0]["logprob"] if ending.alone else {"content": told}
        return {**head, "choices": [choice]}

    events = [one({"role": "assistant", "content": ""}), *(one({"content": p}) for p in PIECES)]
    last = one({"content": ""}, ending.word)
    if ending.word is not None:
        events += [last, last] if ending.twice else [last]
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append({**head, "choices": [], "usage": usage})
    elif ending.word is not None:  # who needs not be asked reports them with the end
        events[-1] = {**last, "usage": usage, "x_groq": {"id": "g", "usage": usage}}
    return _events(events, done=True)


# --- OpenAI's Responses API ------------------------------------------------------------------------


def whole_response(
    body: Json,
    output: list[Json],
    status: str,
    reason: str | None,
    tokens_of: tuple[int, int, int, int],
) -> Json:
    """Return what the API answers; tokens are those given, written, cached and hidden."""
    given, written, cached, hidden = tokens_of
    return {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "status": status,
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "instructions": None,
        "metadata": {},
        "temperature": 1,
        "top_p": 1,
        "output": output,
        "usage": {
            "input_tokens": given,
            "output_tokens": written,
            "total_tokens": given + written,
            "input_tokens_details": {"cached_tokens": cached},
            "output_tokens_details": {"reasoning_tokens": hidden},
        },
    }


def responses(body: Json, ending: Ending) -> Sent:
    status, _, reason = (ending.word or "in_progress").partition(":")
    tells = bool(ending.logprobs) and "message.output_text.logprobs" in (body.get("include") or ())

    def tokens(*pieces: str) -> list[Json]:
        return ending.tokens(*pieces) if tells else []

    every = tokens(*PIECES)
    text = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": every}
    item = {"type": "message", "id": "m1", "role": "assistant", "status": "completed"}
    tokens_of = (GIVEN, WRITTEN, 0, REASONING)
    made = whole_response(body, [{**item, "content": [text]}], status, reason, tokens_of)
    if not body.get("stream"):
        return _json(made)
    begun = {**made, "status": "in_progress", "output": [], "usage": None}
    place = {"output_index": 0, "item_id": "m1", "content_index": 0}
    empty = {**text, "text": "", "logprobs": []}
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **place, "part": empty},
        *(
            {"type": "response.output_text.delta", **place, "delta": p, "logprobs": tokens(p)}
            for p in PIECES
        ),
        {"type": "response.output_text.done", **place, "text": TEXT, "logprobs": every},
        {"type": "response.content_part.done", **place, "part": text},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": {**item, "content": [text]},
        },
    ]
    if ending.word is not None:
        events.append({"type": f"response.{status}", "response": made})
    return _events([{**e, "sequence_number": n} for n, e in enumerate(events)], named=True)


# --- Anthropic -------------------------------------------------------------------------------------


def messages(body: Json, ending: Ending) -> Sent:
    made = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": TEXT}],
        "stop_sequence": None,
        "stop_reason": ending.word,
        "usage": {"input_tokens": GIVEN, "output_tokens": WRITTEN},
    }
    if not body.get("stream"):
        return _json(made)
    begun = {
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": GIVEN, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    events: list[Json] = [
        {"type": "message_start", "message": {**made, **begun}},
        {"type": "content_block_start", "index": 0, "content_block": block},
    ]
    for piece in PIECES:
        delta = {"type": "text_delta", "text": piece}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    events.append({"type": "content_block_stop", "index": 0})
    if ending.word is not None:
        delta = {"stop_reason": ending.word, "stop_sequence": None}
        usage = {"input_tokens": GIVEN, "output_tokens": WRITTEN}
        events += [{"type": "message_delta", "delta": delta, "usage": usage}] * (1 + ending.twice)
    return _events([*events, {"type": "message_stop"}], named=True)


# --- Google ----------------------------------------------------------------------------------------


def gemini(body: Json, ending: Ending) -> Sent:
    usage = {
        "promptTokenCount": GIVEN,
        "candidatesTokenCount": WRITTEN - REASONING,
        "thoughtsTokenCount": REASONING,
        "totalTokenCount": GIVEN + WRITTEN,
    }

    def one(text: str, word: str | None) -> Json:
        content = {"role": "model", "parts": [{"text": text}]}
        candidate = {"content": content, "index": 0, **({"finishReason": word} if word else {})}
        return {
            "candidates": [candidate],
            "modelVersion": "gemini-2.5-flash",
            "usageMetadata": usage,
        }

    if "stream" not in body["path"]:
        return _json(one(TEXT, ending.word))
    first, last = PIECES
    return _events([one(first, ending.word if ending.twice else None), one(last, ending.word)])


# --- Ollama ----------------------------------------------------------------------------------------


def ollama(body: Json, ending: Ending) -> Sent:
    def one(text: str, **more: Any) -> Json:
        message = {"role": "assistant", "content": text}
        head = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z", "message": message}
        if ending.logprobs and body.get("logprobs") and text:
            head["logprobs"] = ending.tokens(*([text] if text in PIECES else PIECES))
        return {**head, "done": False, **more}

    last = {
        "done": True,
        "done_reason": ending.word,
        "prompt_eval_count": GIVEN,
        "eval_count": WRITTEN,
        "total_duration": 1,
    }
    if not body.get("stream"):
        return _json(one(TEXT, **last))
    lines = [one(piece) for piece in PIECES]
    lines += [one("", **last)] if ending.word is not None else []
    return "application/x-ndjson", iter([json.dumps(line).encode() + b"\n" for line in lines])


# --- Cohere ----------------------------------------------------------------------------------------


def cohere_v2(body: Json, ending: Ending) -> Sent:
    counts = {"input_tokens": GIVEN, "output_tokens": WRITTEN}
    usage = {"billed_units": counts, "tokens": counts}
    if not body.get("stream"):
        message = {"role": "assistant", "content": [{"type": "text", "text": TEXT}]}
        return _json({"id": "c1", "message": message, "finish_reason": ending.word, "usage": usage})
    events: list[Json] = [
        {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}},
    ]
    for piece in PIECES:
        delta = {"message": {"content": {"text": piece}}}
        events.append({"type": "content-delta", "index": 0, "delta": delta})
    if ending.word is not None:
        delta = {"finish_reason": ending.word, "usage": usage}
        events.append({"type": "message-end", "id": "c1", "delta": delta})
    return _events(events, named=True)


def cohere_v1(body: Json, ending: Ending) -> Sent:
    counts = {"input_tokens": GIVEN, "output_tokens": WRITTEN}
    made = {
        "text": TEXT,
        "generation_id": "g",
        "finish_reason": ending.word,
        "meta": {"billed_units": counts, "tokens": counts},
    }
    if not body.get("stream"):
        return _json(made)
    events: list[Json] = [{"event_type": "text-generation", "text": piece} for piece in PIECES]
    if ending.word is not None:
        events.append({"event_type": "stream-end", "finish_reason": ending.word, "response": made})
    return "application/stream+json", iter([json.dumps(e).encode() + b"\n" for e in events])


# --- Bedrock ---------------------------------------------------------------------------------------


def converse(body: Json, ending: Ending) -> Sent:
    usage = {"inputTokens": GIVEN, "outputTokens": WRITTEN, "totalTokens": GIVEN + WRITTEN}
    metrics = {"latencyMs": 1}
    if not body["path"].endswith("-stream"):
        message = {"role": "assistant", "content": [{"text": TEXT}]}
        made = {"output": {"message": message}, "usage": usage, "metrics": metrics}
        return _json({**made, "stopReason": ending.word or "end_turn"})
    events: list[tuple[str, Json]] = [("messageStart", {"role": "assistant"})]
    deltas: list[Json] = [{"contentBlockIndex": 0, "delta": {"text": piece}} for piece in PIECES]
    events += [("contentBlockDelta", delta) for delta in deltas]
    events.append(("contentBlockStop", {"contentBlockIndex": 0}))
    if ending.word is not None:
        events.append(("messageStop", {"stopReason": ending.word}))
    events.append(("metadata", {"usage": usage, "metrics": metrics}))
    return "application/vnd.amazon.eventstream", iter([_framed(*event) for event in events])


def _framed(kind: str, payload: Json) -> bytes:
    """Return an event in the binary frames of AWS: lengths and checksums around headers and body."""
    headers = b""
    told = {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}
    for name, value in told.items():
        headers += (
            pack("!B", len(name)) + name.encode() + pack("!BH", 7, len(value)) + value.encode()
        )
    content = json.dumps(payload).encode()
    start = pack("!II", 16 + len(headers) + len(content), len(headers))
    start += pack("!I", crc32(start))
    whole = start + headers + content
    return whole + pack("!I", crc32(whole))


PROTOCOLS: dict[str, Protocol] = {
    "/chat/completions": completions,
    "/responses": responses,
    "/messages": messages,
    "enerateContent": gemini,
    "/api/chat": ollama,
    "/v2/chat": cohere_v2,
    "/v1/chat": cohere_v1,
    "/converse": converse,
}
"""By what their paths contain; the first that fits."""
