"""Answers for hosted and local providers, on loopback, each in its own protocol.

OpenAI's chat completions (vLLM's are the same) and embeddings, Anthropic's messages, Ollama's chat.
`python -m tests.docs.standin.server` prints its port and runs until its input is closed.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias
from zlib import crc32

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from cascade_demo.generate import Token
from cascade_demo.server import serve_child
from tests.docs.standin.minds import Answer, Asked, Message, Tool, answer

Json: TypeAlias = dict[str, Any]

_times: Counter[str] = Counter()


def _time(body: Json) -> int:
    """How often this very request has come before."""
    key = json.dumps({k: v for k, v in body.items() if k not in {"stream", "stream_options"}})
    _times[key] += 1
    return _times[key] - 1


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(_text(part.get("text") or part.get("content")) for part in content)
    return content or ""


# --- OpenAI ------------------------------------------------------------------------------------


def completions(body: Json) -> Json | Iterator[bytes]:
    form = body.get("response_format") or {}
    choice = body.get("tool_choice")
    forced = choice["function"]["name"] if isinstance(choice, dict) else None
    first = Asked(
        body["model"],
        [Message(m["role"], _text(m.get("content"))) for m in body["messages"]],
        [_openai_tool(t["function"]) for t in body.get("tools") or () if choice != "none"],
        forced or ("any" if choice == "required" else None),
        form["json_schema"]["schema"] if form.get("type") == "json_schema" else None,
        body.get("temperature"),
        body.get("max_completion_tokens") or body.get("max_tokens"),
        _time(body),
    )
    further = [replace(first, time=_time(body)) for _ in range((body.get("n") or 1) - 1)]
    answers = [answer(asked) for asked in (first, *further)]
    usage = _usage("prompt_tokens", "completion_tokens", answers)
    usage["total_tokens"] = sum(usage.values())
    head = {"id": "chatcmpl-standin", "created": 0, "model": body["model"]}
    if body.get("stream"):
        return _openai_stream(head, answers[0], body, usage)
    choices = [
        {
            "index": place,
            "message": {
                "role": "assistant",
                "content": None if said.calls else said.text,
                **({"tool_calls": _openai_calls(said)} if said.calls else {}),
            },
            "logprobs": _openai_logprobs(said.tokens, body) if not said.calls else None,
            "finish_reason": _finish(said, "stop", "length", "tool_calls"),
        }
        for place, said in enumerate(answers)
    ]
    return {**head, "object": "chat.completion", "choices": choices, "usage": usage}


def _openai_tool(function: Json) -> Tool:
    return Tool(function["name"], function.get("description", ""), function.get("parameters", {}))


def _openai_calls(said: Answer) -> list[Json]:
    return [
        {
            "index": place,
            "id": f"call_{crc32(f'{name}{args}'.encode()):08x}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(args)},
        }
        for place, (name, args) in enumerate(said.calls)
    ]


def _openai_logprobs(tokens: Any, body: Json) -> Json | None:
    if not body.get("logprobs"):
        return None
    top = body.get("top_logprobs") or 0
    return {"content": [_logprob(token, top) for token in tokens], "refusal": None}


def _logprob(token: Token, top: int) -> Json:
    def entry(text: str, logprob: float) -> Json:
        return {"token": text, "logprob": logprob, "bytes": list(text.encode())}

    others = [entry(*pair) for pair in token.alternatives[:top]]
    return {**entry(token.text, token.logprob), "top_logprobs": others}


def _openai_stream(head: Json, said: Answer, body: Json, usage: Json) -> Iterator[bytes]:
    def chunk(delta: Json, tokens: tuple[Token, ...] = (), finish: str | None = None) -> bytes:
        logprobs = _openai_logprobs(tokens, body) if tokens else None
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return _event({**head, "object": "chat.completion.chunk", "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    for token in said.tokens:
        yield chunk({"content": token.text}, (token,))
    if said.calls:
        yield chunk({"tool_calls": _openai_calls(said)})
    yield chunk({}, finish=_finish(said, "stop", "length", "tool_calls"))
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def embeddings(body: Json) -> Json:
    """Hash words to vectors: texts with the same words are near each other."""
    given = body["input"]
    many = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
    data = []
    for place, text in enumerate(many):
        vector = [0.0] * 256
        words = re.findall(r"\w+", text.lower()) if isinstance(text, str) else map(str, text)
        for word in words:
            vector[crc32(word[:6].encode()) % 256] += 1.0
        length = sum(v * v for v in vector) ** 0.5 or 1.0
        data.append({"index": place, "embedding": [v / length for v in vector]})
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


# --- Anthropic ---------------------------------------------------------------------------------


def messages(body: Json) -> Json | Iterator[bytes]:
    choice = body.get("tool_choice") or {}
    form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    turns = [Message("system", _text(body["system"]))] if body.get("system") else []
    for m in body["messages"]:
        parts = m["content"] if isinstance(m["content"], list) else []
        results = [p for p in parts if p.get("type") == "tool_result"]
        role = "tool" if results else m["role"]
        turns.append(Message(role, _text(results[-1]["content"] if results else m["content"])))
    tools = [
        Tool(t["name"], t.get("description", ""), t.get("input_schema", {}))
        for t in body.get("tools") or ()
    ]
    forced = {"tool": choice.get("name"), "any": "any"}.get(choice.get("type", ""))
    schema = form.get("schema")
    temperature, limit = body.get("temperature"), body.get("max_tokens")
    said = answer(
        Asked(body["model"], turns, tools, forced, schema, temperature, limit, _time(body))
    )
    usage = _usage("input_tokens", "output_tokens", [said])
    content: list[Json] = [
        {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": args}
        for place, (name, args) in enumerate(said.calls)
    ] or [{"type": "text", "text": said.text}]
    made = {
        "id": "msg_standin",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": _finish(said, "end_turn", "max_tokens", "tool_use"),
        "stop_sequence": None,
        "usage": usage,
    }
    return _anthropic_stream(made, said) if body.get("stream") else made


def _anthropic_stream(made: Json, said: Answer) -> Iterator[bytes]:
    def event(kind: str, **more: Any) -> bytes:
        return f"event: {kind}\n".encode() + _event({"type": kind, **more})

    begun = {**made, "content": [], "stop_reason": None}
    begun["usage"] = {**made["usage"], "output_tokens": 1}
    yield event("message_start", message=begun)
    for place, block in enumerate(made["content"]):
        empty = {**block, "input": {}} if said.calls else {**block, "text": ""}
        yield event("content_block_start", index=place, content_block=empty)
        if said.calls:
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            yield event("content_block_delta", index=place, delta=delta)
        for token in said.tokens:
            delta = {"type": "text_delta", "text": token.text}
            yield event("content_block_delta", index=place, delta=delta)
        yield event("content_block_stop", index=place)
    end = {"stop_reason": made["stop_reason"], "stop_sequence": None}
    yield event("message_delta", delta=end, usage=made["usage"])
    yield event("message_stop")


# --- Ollama ------------------------------------------------------------------------------------


def ollama(body: Json) -> Json | Iterator[bytes]:
    options = body.get("options") or {}
    form = body.get("format")
    said = answer(
        Asked(
            body["model"],
            [Message(m["role"], m.get("content") or "") for m in body["messages"]],
            [_openai_tool(tool["function"]) for tool in body.get("tools") or ()],
            schema=form if isinstance(form, dict) else None,
            temperature=options.get("temperature"),
            max_tokens=options.get("num_predict"),
            time=_time(body),
        )
    )
    head = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z"}
    ending = {
        "done": True,
        "done_reason": "length" if said.cut else "stop",
        "total_duration": 1,
        "load_duration": 1,
        "prompt_eval_count": said.read,
        "prompt_eval_duration": 1,
        "eval_count": said.written,
        "eval_duration": 1,
    }
    calls = [{"function": {"name": name, "arguments": args}} for name, args in said.calls]

    def line(text: str, tokens: Any, **more: Any) -> Json:
        made = {**head, "message": {"role": "assistant", "content": text}, "done": False, **more}
        if body.get("logprobs") and tokens:
            top = body.get("top_logprobs") or 0
            made["logprobs"] = [_logprob(token, top) for token in tokens]
        return made

    if body.get("stream") is False:
        made = line(said.text, said.tokens, **ending)
        if calls:
            made["message"]["tool_calls"] = calls
        return made
    lines = [line(token.text, [token]) for token in said.tokens]
    if calls:
        lines.append(line("", ()))
        lines[-1]["message"]["tool_calls"] = calls
    lines.append(line("", (), **ending))
    return iter([json.dumps(one).encode() + b"\n" for one in lines])


# --- serving -----------------------------------------------------------------------------------


def _usage(read: str, written: str, answers: list[Answer]) -> Json:
    return {read: answers[0].read, written: sum(said.written for said in answers)}


def _finish(said: Answer, stop: str, length: str, calls: str) -> str:
    return calls if said.calls else length if said.cut else stop


def _event(body: Json) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


def _route(path: str, respond: Callable[[Json], Json | Iterator[bytes]], kind: str) -> Route:
    async def serve(request: Request) -> Response:
        made = await asyncio.to_thread(respond, await request.json())
        if isinstance(made, dict):
            return JSONResponse(made)
        return StreamingResponse(made, media_type=kind)

    return Route(path, serve, methods=["POST"])


async def _begin(_: Request) -> Response:
    """A page begins: nothing has been asked before."""
    _times.clear()
    return JSONResponse({})


async def _models(_: Request) -> Response:
    names = ("llama3.2", "llama3.3", "qwen3:8b")
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "standin"} for name in names]
    return JSONResponse({"object": "list", "data": data, "models": [{"model": n} for n in names]})


APP = Starlette(
    routes=[
        _route("/v1/chat/completions", completions, "text/event-stream"),
        _route("/v1/embeddings", embeddings, "text/event-stream"),
        _route("/v1/messages", messages, "text/event-stream"),
        _route("/api/chat", ollama, "application/x-ndjson"),
        Route("/begin", _begin, methods=["POST"]),
        Route("/v1/models", _models),
        Route("/api/tags", _models),
    ]
)


if __name__ == "__main__":
    serve_child(APP)
