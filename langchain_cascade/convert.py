"""LangChain messages as the core sees them, and back.

Nothing here calls a model. What an integration puts where is known here and
nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from cascade_core.costs.tokens import estimate_usage
from cascade_core.draft import Draft, Finish
from cascade_core.log.record import calls_of
from cascade_core.logprobs import Logprobs, read_logprobs
from cascade_core.request import Role, ToolCall, Turn
from cascade_core.usage import Usage
from langchain_cascade.capabilities import LIMIT_FIELDS

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "refusal": "content_filter",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
}
_FINISH_KEYS = ("finish_reason", "stop_reason", "done_reason")
_MODEL_KEYS = ("model_name", "model", "model_id")

_ROLES: dict[str, Role] = {
    "human": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}


def text_of(message: BaseMessage) -> str:
    """Return a message's text; parts that are not text are left out."""
    content = message.content
    if isinstance(content, str):
        return content
    parts = (
        part if isinstance(part, str) else part.get("text") or ""
        for part in content
        if isinstance(part, str) or part.get("type") in {"text", "output_text"}
    )
    return "".join(parts)


def to_turns(messages: Sequence[BaseMessage]) -> list[Turn]:
    """Return a conversation as neutral turns."""
    return [
        Turn(
            _ROLES.get(message.type, "user"),
            text_of(message),
            tuple(_tool_calls(message)) if isinstance(message, AIMessage) else (),
        )
        for message in messages
    ]


def to_messages(turns: Sequence[Turn]) -> list[BaseMessage]:
    """Write neutral turns out as messages, for requests the core makes itself."""
    kinds: dict[Role, Callable[[str], BaseMessage]] = {
        "system": SystemMessage,
        "user": HumanMessage,
        "assistant": AIMessage,
        "tool": lambda text: ToolMessage(text, tool_call_id="cascade"),
    }
    return [kinds[turn.role](turn.text) for turn in turns]


def token_limit(kwargs: Mapping[str, Any]) -> int | None:
    """Return the most tokens an answer may have by a call's own arguments, if they say."""
    limits = (kwargs.get(name) for name in LIMIT_FIELDS)
    return next((limit for limit in limits if isinstance(limit, int)), None)


def to_draft(
    message: BaseMessage,
    seconds: float = 0.0,
    *,
    name: str | None = None,
    prompt: Callable[[], Sequence[BaseMessage]] | None = None,
) -> Draft:
    """Return a model's message as a draft.

    Args:
        message: The message.
        seconds: Wall time of the call.
        name: The model's name, where the message does not say it.
        prompt: Gives what was asked, to count the tokens that nobody reported;
            without it such a draft has no usage.
    """
    text = text_of(message)
    if not isinstance(message, AIMessage):
        return Draft(text=text, seconds=seconds, native=message)
    meta = message.response_metadata
    payload = meta.get("logprobs")
    refusal = bool(message.additional_kwargs.get("refusal"))
    if not refusal and isinstance(payload, Mapping):
        refusal = bool(payload.get("refusal")) and not payload.get("content")
    reported = message.usage_metadata
    usage = _usage(cast("Mapping[str, Any]", reported)) if reported else None
    record = meta.get("cascade")
    model = _model(meta) or name
    tool_calls = _tool_calls(message) if message.tool_calls else ()
    logprobs = None if payload is None else read_logprobs(payload)
    if usage is None and record is None and prompt is not None:
        usage = _counted(text, tool_calls, logprobs, prompt(), model)
    return Draft(
        text=text,
        tool_calls=tool_calls,
        broken_tool_calls=_broken_tool_calls(message),
        logprobs=logprobs,
        finish=_finish(meta),
        refusal=refusal,
        usage=usage,
        model=model,
        seconds=seconds,
        cached=bool(reported) and cast("Any", reported).get("total_cost") == 0,
        inner=() if record is None else calls_of(record),
        native=message,
    )


def with_usage(draft: Draft, prompt: Sequence[BaseMessage], model: str | None) -> Usage:
    """Return a draft's usage: what the provider reported, else what can be counted."""
    if draft.usage is not None:
        return draft.usage
    return _counted(draft.text, draft.tool_calls, draft.logprobs, prompt, draft.model or model)


def _counted(
    text: str,
    tool_calls: Sequence[ToolCall],
    logprobs: Logprobs | None,
    prompt: Sequence[BaseMessage],
    model: str | None,
) -> Usage:
    if tool_calls:
        text += "".join(f"{call.name}{call.arguments}" for call in tool_calls)
    asked = [text_of(message) for message in prompt]
    return estimate_usage(asked, text, model, None if logprobs is None else len(logprobs))


def to_usage_metadata(usage: Usage) -> dict[str, Any]:
    """Return a usage as LangChain's `usage_metadata`."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def to_chunk(message: BaseMessage) -> AIMessageChunk:
    """Return a whole answer as the one chunk of a stream."""
    if isinstance(message, AIMessageChunk):
        return message
    fields = {k: v for k, v in message.__dict__.items() if k != "type"}
    tool_calls = fields.pop("tool_calls", [])
    invalid = fields.pop("invalid_tool_calls", [])
    return AIMessageChunk(**fields, tool_calls=tool_calls, invalid_tool_calls=invalid)


def without_logprobs(message: AIMessage) -> AIMessage:
    """Return a message without log-probabilities that only the cascade asked for."""
    if "logprobs" not in message.response_metadata:
        return message
    meta = {k: v for k, v in message.response_metadata.items() if k != "logprobs"}
    return message.model_copy(update={"response_metadata": meta})


def _tool_calls(message: AIMessage) -> list[ToolCall]:
    return [ToolCall(call["name"], call["args"], call.get("id")) for call in message.tool_calls]


def _broken_tool_calls(message: AIMessage) -> int:
    """Count the calls whose arguments are no JSON object.

    Of a stream, LangChain completes arguments that broke off and lists the call
    among the sound ones; a completed call is not what the model said.
    """
    if not isinstance(message, AIMessageChunk):
        return len(message.invalid_tool_calls)
    return sum(not _is_object(chunk["args"]) for chunk in message.tool_call_chunks)


def _is_object(args: str | None) -> bool:
    if not args:  # a tool without arguments
        return True
    try:
        return isinstance(json.loads(args, strict=False), dict)
    except (ValueError, RecursionError):
        return False


def _finish(meta: Mapping[str, Any]) -> Finish | None:
    for key in _FINISH_KEYS:
        value = meta.get(key)
        if value is not None:
            return _FINISH.get(str(value).lower())
    return None


def _model(meta: Mapping[str, Any]) -> str | None:
    for key in _MODEL_KEYS:
        value = meta.get(key)
        if value:
            return str(value)
    return None


def _usage(usage: Mapping[str, Any]) -> Usage | None:
    if "input_tokens" not in usage:  # a cached answer of a model that reports no usage
        return None
    read = usage.get("input_token_details")
    written = usage.get("output_token_details")
    if not read and not written:
        return Usage(usage["input_tokens"], usage["output_tokens"])
    read, written = read or {}, written or {}
    return Usage(
        usage["input_tokens"],
        usage["output_tokens"],
        cached_tokens=read.get("cache_read") or 0,
        cache_write_tokens=read.get("cache_creation") or 0,
        reasoning_tokens=written.get("reasoning") or 0,
    )
