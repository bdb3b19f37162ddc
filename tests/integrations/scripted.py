"""Answers with everything that providers can put into one, in the protocol of whoever asks.

Where `wire` has the ends of answers, here is what is in them: thoughts, tool calls, refusals, and
tokens that are billed apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.integrations.wire import Json, Sent, _events, _framed, _json, whole_response


@dataclass(frozen=True)
class Called:
    """One tool call; its arguments are the text that a provider sends."""

    name: str
    arguments: str
    id: str = "call_1"

    @property
    def parsed(self) -> Any:
        return json.loads(self.arguments or "{}")


@dataclass(frozen=True)
class Scripted:
    """One answer.

    Attributes:
        text: What it says.
        calls: The tools it calls.
        thought: What it thinks in a part of its own.
        refusal: Its refusal in a field of its own, where there is one for it.
        end: `"stop"`, `"tools"`, `"length"`, `"filter"`.
        given: Tokens of the prompt, the cached ones among them.
        cached: How many were read from a cache.
        stored: How many were written to one, where a provider bills for that.
        written: Tokens of the answer, the hidden ones among them.
        hidden: How many of those were thoughts.
        step: Characters of a piece of a stream.
    """

    text: str = ""
    calls: Sequence[Called] = ()
    thought: str = ""
    refusal: str = ""
    end: str | None = None
    given: int = 1000
    cached: int = 0
    stored: int = 0
    written: int = 50
    hidden: int = 0
    step: int = 3

    breaks = False

    @property
    def protocols(self) -> dict[str, Any]:
        return PROTOCOLS

    @property
    def why(self) -> str:
        return self.end or ("tools" if self.calls else "stop")

    def pieces(self, text: str) -> list[str]:
        return [text[at : at + self.step] for at in range(0, len(text), self.step)]


OPENAI = {"stop": "stop", "tools": "tool_calls", "length": "length", "filter": "content_filter"}
ANTHROPIC = {"stop": "end_turn", "tools": "tool_use", "length": "max_tokens", "filter": "refusal"}
GOOGLE = {"stop": "STOP", "tools": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY"}
OLLAMA = {"stop": "stop", "tools": "stop", "length": "length", "filter": "stop"}
COHERE = {
    "stop": "COMPLETE",
    "tools": "TOOL_CALL",
    "length": "MAX_TOKENS",
    "filter": "ERROR_TOXIC",
}
BEDROCK = {**ANTHROPIC, "filter": "content_filtered"}


def completions(body: Json, said: Scripted) -> Sent:
    usage: Json = {
        "prompt_tokens": said.given,
        "completion_tokens": said.written,
        "total_tokens": said.given + said.written,
        "prompt_tokens_details": {"cached_tokens": said.cached},
        "completion_tokens_details": {"reasoning_tokens": said.hidden},
    }
    stream = bool(body.get("stream"))
    kind = "chat.completion.chunk" if stream else "chat.completion"
    head = {
        "id": "c1",
        "object": kind,
        "created": 1,
        "model": body["model"],
        "system_fingerprint": "f",
    }
    calls = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
        for c in said.calls
    ]
    if not stream:
        message: Json = {"role": "assistant", "content": said.text or None}
        message |= {"tool_calls": calls} if calls else {}
        message |= {"reasoning_content": said.thought} if said.thought else {}
        message |= {"refusal": said.refusal} if said.refusal else {}
        choice = {"index": 0, "message": message, "finish_reason": OPENAI[said.why]}
        return _json({**head, "choices": [choice], "usage": usage})

    def one(delta: Json, word: str | None = None) -> Json:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": word}]}

    events = [one({"role": "assistant", "content": None if calls else ""})]
    events += [one({"reasoning_content": p}) for p in said.pieces(said.thought)]
    events += [one({"content": p}) for p in said.pieces(said.text)]
    events += [one({"refusal": p}) for p in said.pieces(said.refusal)]
    for index, call in enumerate(calls):
        first = {**call["function"], "arguments": ""}
        events.append(one({"tool_calls": [{**call, "index": index, "function": first}]}))
        events += [
            one({"tool_calls": [{"index": index, "function": {"arguments": p}}]})
            for p in said.pieces(call["function"]["arguments"])
        ]
    last = one({}, OPENAI[said.why])
    if (body.get("stream_options") or {}).get("include_usage"):
        return _events([*events, last, {**head, "choices": [], "usage": usage}], done=True)
    last = {**last, "usage": usage, "x_groq": {"id": "g", "usage": usage}}
    return _events([*events, last], done=True)


def responses(body: Json, said: Scripted) -> Sent:
    status, reason = "completed", None
    if said.why in ("length", "filter"):
        status = "incomplete"
        reason = "max_output_tokens" if said.why == "length" else "content_filter"
    output: list[Json] = []
    if said.thought:
        summary = [{"type": "summary_text", "text": said.thought}]
        output.append({"type": "reasoning", "id": "rs1", "summary": summary})
    part: Json = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
    if said.refusal:
        part = {"type": "refusal", "refusal": said.refusal}
    message = {"type": "message", "id": "m1", "role": "assistant", "status": "completed"}
    if said.text or said.refusal:
        output.append({**message, "content": [part]})
    for place, call in enumerate(said.calls):
        item = {"type": "function_call", "id": f"fc{place}", "call_id": call.id}
        output.append(
            {**item, "name": call.name, "arguments": call.arguments, "status": "completed"}
        )
    tokens_of = (said.given, said.written, said.cached, said.hidden)
    made = whole_response(body, output, status, reason, tokens_of)
    if not body.get("stream"):
        return _json(made)
    begun = {**made, "status": "in_progress", "output": [], "usage": None}
    events: list[Json] = [{"type": "response.created", "response": begun}]
    for at, item in enumerate(output):
        events += _streamed_item(at, item, said)
    events.append({"type": f"response.{status}", "response": made})
    return _events([{**e, "sequence_number": n} for n, e in enumerate(events)], named=True)


def _streamed_item(at: int, item: Json, said: Scripted) -> Iterator[Json]:
    place = {"output_index": at, "item_id": item["id"]}
    if item["type"] == "function_call":
        yield {
            "type": "response.output_item.added",
            "output_index": at,
            "item": {**item, "arguments": "", "status": "in_progress"},
        }
        for piece in said.pieces(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
        done = {"type": "response.function_call_arguments.done", **place, "name": item["name"]}
        yield {**done, "arguments": item["arguments"]}
    elif item["type"] == "message":
        (part,) = item["content"]
        yield {
            "type": "response.output_item.added",
            "output_index": at,
            "item": {**item, "content": [], "status": "in_progress"},
        }
        place = {**place, "content_index": 0}
        kind, key = ("refusal", "refusal") if said.refusal else ("output_text", "text")
        yield {"type": "response.content_part.added", **place, "part": {**part, key: ""}}
        more: Json = {} if said.refusal else {"logprobs": []}
        for piece in said.pieces(part[key]):
            yield {"type": f"response.{kind}.delta", **place, "delta": piece, **more}
        yield {"type": f"response.{kind}.done", **place, key: part[key], **more}
        yield {"type": "response.content_part.done", **place, "part": part}
    else:
        yield {
            "type": "response.output_item.added",
            "output_index": at,
            "item": {**item, "summary": []},
        }
        place = {**place, "summary_index": 0}
        empty = {"type": "summary_text", "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **place, "part": empty}
        for piece in said.pieces(said.thought):
            yield {"type": "response.reasoning_summary_text.delta", **place, "delta": piece}
    yield {"type": "response.output_item.done", "output_index": at, "item": item}


def messages(body: Json, said: Scripted) -> Sent:
    used = {
        "input_tokens": said.given - said.cached - said.stored,
        "cache_read_input_tokens": said.cached,
        "cache_creation_input_tokens": said.stored,
        "output_tokens": said.written,
    }
    blocks: list[Json] = []
    if said.thought:
        blocks.append({"type": "thinking", "thinking": said.thought, "signature": "s"})
    if said.text:
        blocks.append({"type": "text", "text": said.text})
    blocks += [
        {"type": "tool_use", "id": c.id, "name": c.name, "input": c.parsed} for c in said.calls
    ]
    made = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": blocks,
        "stop_sequence": None,
        "stop_reason": ANTHROPIC[said.why],
        "usage": used,
    }
    if not body.get("stream"):
        return _json(made)
    begun = {**made, "content": [], "stop_reason": None, "usage": {**used, "output_tokens": 1}}
    events: list[Json] = [{"type": "message_start", "message": begun}]
    for index, block in enumerate(blocks):
        events += _streamed_block(index, block, said)
    delta = {"stop_reason": ANTHROPIC[said.why], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": used})
    return _events([*events, {"type": "message_stop"}], named=True)


def _streamed_block(index: int, block: Json, said: Scripted) -> Iterator[Json]:
    empty = {
        "text": {"type": "text", "text": ""},
        "thinking": {"type": "thinking", "thinking": "", "signature": ""},
        "tool_use": {**block, "input": {}},
    }[block["type"]]
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    deltas: list[Json] = []
    if block["type"] == "tool_use":
        arguments = said.calls[index - (bool(said.thought) + bool(said.text))].arguments
        deltas = [
            {"type": "input_json_delta", "partial_json": p} for p in ["", *said.pieces(arguments)]
        ]
    elif block["type"] == "text":
        deltas = [{"type": "text_delta", "text": p} for p in said.pieces(block["text"])]
    else:
        deltas = [{"type": "thinking_delta", "thinking": p} for p in said.pieces(said.thought)]
        deltas.append({"type": "signature_delta", "signature": "s"})
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def gemini(body: Json, said: Scripted) -> Sent:
    usage = {
        "promptTokenCount": said.given,
        "cachedContentTokenCount": said.cached,
        "candidatesTokenCount": said.written - said.hidden,
        "thoughtsTokenCount": said.hidden,
        "totalTokenCount": said.given + said.written,
    }
    stream = "stream" in body["path"]
    step = said.pieces if stream else lambda text: [text] if text else []
    parts: list[Json] = [{"text": p, "thought": True} for p in step(said.thought)]
    parts += [{"text": p} for p in step(said.text)]
    parts += [{"functionCall": {"name": c.name, "args": c.parsed}} for c in said.calls]

    def one(parts: list[Json], word: str | None) -> Json:
        content = {"role": "model", "parts": parts}
        candidate = {"content": content, "index": 0, **({"finishReason": word} if word else {})}
        return {
            "candidates": [candidate],
            "modelVersion": "gemini-2.5-flash",
            "usageMetadata": usage,
        }

    word = GOOGLE[said.why]
    if not stream:
        return _json(one(parts, word))
    last = one(parts[-1:], word)
    return _events([*(one([part], None) for part in parts[:-1]), last])


def ollama(body: Json, said: Scripted) -> Sent:
    def one(text: str = "", thought: str = "", calls: Any = (), **more: Any) -> Json:
        message: Json = {"role": "assistant", "content": text}
        message |= {"thinking": thought} if thought else {}
        message |= {"tool_calls": list(calls)} if calls else {}
        head = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z", "message": message}
        return {**head, "done": False, **more}

    calls = [{"function": {"name": c.name, "arguments": c.parsed}} for c in said.calls]
    last = {
        "done": True,
        "done_reason": OLLAMA[said.why],
        "prompt_eval_count": said.given,
        "eval_count": said.written,
        "total_duration": 1,
    }
    if not body.get("stream"):
        return _json(one(said.text, said.thought, calls, **last))
    lines = [one(thought=p) for p in said.pieces(said.thought)]
    lines += [one(p) for p in said.pieces(said.text)]
    lines += [one(calls=[call]) for call in calls]
    lines.append(one(**last))
    return "application/x-ndjson", iter([json.dumps(line).encode() + b"\n" for line in lines])


def converse(body: Json, said: Scripted) -> Sent:
    usage = {
        "inputTokens": said.given - said.cached - said.stored,
        "cacheReadInputTokens": said.cached,
        "cacheWriteInputTokens": said.stored,
        "outputTokens": said.written,
        "totalTokens": said.given + said.written,
    }
    metrics = {"latencyMs": 1}
    blocks: list[Json] = []
    if said.thought:
        thought = {"text": said.thought, "signature": "s"}
        blocks.append({"reasoningContent": {"reasoningText": thought}})
    if said.text:
        blocks.append({"text": said.text})
    blocks += [
        {"toolUse": {"toolUseId": c.id, "name": c.name, "input": c.parsed}} for c in said.calls
    ]
    word = BEDROCK[said.why]
    if not body["path"].endswith("-stream"):
        message = {"role": "assistant", "content": blocks}
        made = {"output": {"message": message}, "usage": usage, "metrics": metrics}
        return _json({**made, "stopReason": word})
    events: list[tuple[str, Json]] = [("messageStart", {"role": "assistant"})]
    for index, block in enumerate(blocks):
        events += _streamed_converse(index, block, said)
    events.append(("messageStop", {"stopReason": word}))
    events.append(("metadata", {"usage": usage, "metrics": metrics}))
    return "application/vnd.amazon.eventstream", iter([_framed(*event) for event in events])


def _streamed_converse(index: int, block: Json, said: Scripted) -> Iterator[tuple[str, Json]]:
    place = {"contentBlockIndex": index}
    if called := block.get("toolUse"):
        start = {"toolUse": {"toolUseId": called["toolUseId"], "name": called["name"]}}
        yield "contentBlockStart", {**place, "start": start}
        arguments = said.calls[index - (bool(said.thought) + bool(said.text))].arguments
        deltas: list[Json] = [{"toolUse": {"input": p}} for p in said.pieces(arguments)]
    elif "text" in block:
        deltas = [{"text": p} for p in said.pieces(said.text)]
    else:
        deltas = [{"reasoningContent": {"text": p}} for p in said.pieces(said.thought)]
        deltas.append({"reasoningContent": {"signature": "s"}})
    for delta in deltas:
        yield "contentBlockDelta", {**place, "delta": delta}
    yield "contentBlockStop", place


def cohere(body: Json, said: Scripted) -> Sent:
    counts = {"input_tokens": said.given, "output_tokens": said.written}
    usage = {"billed_units": counts, "tokens": {**counts}, "cached_tokens": said.cached}
    calls = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
        for c in said.calls
    ]
    word = COHERE[said.why]
    if not body.get("stream"):
        message: Json = {"role": "assistant"}
        message |= {"content": [{"type": "text", "text": said.text}]} if said.text else {}
        message |= {"tool_calls": calls} if calls else {}
        return _json({"id": "c1", "message": message, "finish_reason": word, "usage": usage})
    events: list[Json] = [
        {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}}
    ]
    for piece in said.pieces(said.text):
        delta = {"message": {"content": {"text": piece}}}
        events.append({"type": "content-delta", "index": 0, "delta": delta})
    for index, call in enumerate(calls):
        first = {**call, "function": {**call["function"], "arguments": ""}}
        delta = {"message": {"tool_calls": first}}
        events.append({"type": "tool-call-start", "index": index, "delta": delta})
        for piece in said.pieces(call["function"]["arguments"]):
            delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            events.append({"type": "tool-call-delta", "index": index, "delta": delta})
        events.append({"type": "tool-call-end", "index": index})
    events.append(
        {"type": "message-end", "id": "c1", "delta": {"finish_reason": word, "usage": usage}}
    )
    return _events(events, named=True)


Protocol: TypeAlias = Callable[[Json, Scripted], Sent]

PROTOCOLS: dict[str, Protocol] = {
    "/chat/completions": completions,
    "/responses": responses,
    "/messages": messages,
    "enerateContent": gemini,
    "/api/chat": ollama,
    "/v2/chat": cohere,
    "/converse": converse,
}
"""By what their paths contain; the first that fits."""
