"""Reads what a LlamaIndex model answered; nothing here calls one.

Where integrations put what is known here, in `answer_logprobs` and in
`answer_usage`, and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.llms.utils import parse_partial_json

from cascade_core.costs.tokens import estimate_usage
from cascade_core.draft import Draft, Finish
from cascade_core.log.record import calls_of
from cascade_core.logprobs import Logprobs
from cascade_core.request import ToolCall
from cascade_core.usage import Usage
from llamaindex_cascade.reading.logprobs import chunk_logprobs, read_logprobs_of
from llamaindex_cascade.reading.raw import Response, each, field, first, text_of
from llamaindex_cascade.reading.usage import reported_output, reported_usage

__all__ = [
    "Response",
    "chunk_logprobs",
    "is_refusal",
    "model_of",
    "read_finish",
    "read_logprobs_of",
    "read_tool_calls",
    "read_usage",
    "reported_usage",
    "text_of",
    "to_draft",
]

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "complete": "stop",
    "completed": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "refusal": "content_filter",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
}
_FINISH_FIELDS = ("finish_reason", "stop_reason", "stopReason", "done_reason")
_MODEL_FIELDS = ("model", "model_name", "model_version", "model_id", "modelId")
_CALL_NAMES = ("name", "tool_name")
_CALL_ARGUMENTS = ("arguments", "input", "tool_kwargs", "parameters")
_CALL_IDS = ("id", "tool_call_id", "tool_id", "toolUseId")

PromptTexts = Callable[[], Iterable[str]]
"""Gives the texts of what was asked; called only where tokens must be counted."""


def to_draft(  # noqa: PLR0913 - what only the caller can know of an answer
    response: Response,
    *,
    seconds: float = 0.0,
    name: str | None = None,
    prompt_texts: PromptTexts | None = None,
    logprobs: Logprobs | None = None,
    usage: Usage | None = None,
) -> Draft:
    """Return a model's answer as a draft.

    Args:
        response: The answer; of a stream, the last response.
        seconds: Wall time of the call.
        name: The model's name, where the answer does not say it.
        prompt_texts: Gives what was asked, to count the tokens that nobody
            reported; without it such a draft has no usage.
        logprobs: Those gathered from a stream; else they are read here.
        usage: The tokens that a stream reported before its last response.
    """
    text = text_of(response)
    tool_calls: Sequence[ToolCall] = ()
    broken = 0
    if isinstance(response, ChatResponse):
        tool_calls, broken = read_tool_calls(response.message)
    if logprobs is None:
        logprobs = read_logprobs_of(response)
    model = model_of(response) or name
    finish = read_finish(response)
    record = response.additional_kwargs.get("cascade")
    usage = usage or reported_usage(response)
    if usage is None and record is None and prompt_texts is not None:
        written = None if logprobs is None else len(logprobs)
        usage = _counted(response, tool_calls, prompt_texts, model, written)
    return Draft(
        text=text,
        tool_calls=tool_calls,
        broken_tool_calls=broken,
        logprobs=logprobs,
        finish=finish,
        refusal=finish == "content_filter" or _refused(response),
        usage=usage,
        model=model,
        seconds=seconds,
        inner=() if record is None else calls_of(record),
        native=response,
    )


def read_usage(response: Response, prompt_texts: PromptTexts, model: str | None) -> Usage:
    """Return the tokens of a call: what the provider reported, else what can be counted.

    Args:
        response: The answer, or the part of a stream that arrived.
        prompt_texts: Gives the texts of the prompt's messages, where they must
            be counted.
        model: The model whose encoding counts them.
    """
    usage = reported_usage(response)
    if usage is not None:
        return usage
    calls = read_tool_calls(response.message)[0] if isinstance(response, ChatResponse) else ()
    logprobs = read_logprobs_of(response)
    written = None if logprobs is None else len(logprobs)
    return _counted(response, calls, prompt_texts, model, written)


def _counted(
    response: Response,
    tool_calls: Sequence[ToolCall],
    prompt_texts: PromptTexts,
    model: str | None,
    written: int | None,
) -> Usage:
    answer = text_of(response) + "".join(f"{call.name}{call.arguments}" for call in tool_calls)
    return estimate_usage(prompt_texts(), answer, model, reported_output(response) or written)


def read_finish(response: Response) -> Finish | None:
    """Return why the model stopped, where the answer says so."""
    raw = response.raw
    choice = first(raw, "choices")
    reason = None
    if choice is None:
        choice = first(raw, "candidates")
        reason = field(raw, "incomplete_details", "reason")
    places = [choice, raw, response.additional_kwargs]
    if isinstance(response, ChatResponse):
        places.append(response.message.additional_kwargs)
    for place in places:
        if reason or place is None:
            continue
        for name in _FINISH_FIELDS:
            reason = reason or field(place, name)
    if reason is None and field(raw, "status") == "completed":  # OpenAI's Responses API
        reason = "stop"
    # Google's are enums, some of them of numbers.
    named = reason if isinstance(reason, str) else getattr(reason, "name", reason)
    return _FINISH.get(str(getattr(named, "value", named)).lower())


def is_refusal(response: Response) -> bool:
    """Tell whether the provider itself marked an answer as a refusal, or withheld it."""
    return _refused(response) or read_finish(response) == "content_filter"


def _refused(response: Response) -> bool:
    choice = first(response.raw, "choices")
    said = field(choice, "message", "refusal") or field(choice, "delta", "refusal")
    if isinstance(response, ChatResponse):
        said = said or response.message.additional_kwargs.get("refusal")
    if isinstance(said, str) and said:
        return True
    if choice is not None:
        payload = field(choice, "logprobs")
        return bool(field(payload, "refusal")) and not field(payload, "content")
    for item in each(response.raw, "output"):  # OpenAI's Responses API
        for part in each(item, "content"):
            if field(part, "type") == "refusal":
                return True
    return False


def model_of(response: Response) -> str | None:
    """Return the name of the model that answered, as its provider names it."""
    for place in (response.raw, response.additional_kwargs):
        for name in _MODEL_FIELDS:
            value = field(place, name)
            if isinstance(value, str) and value:
                return value
    return None


def read_tool_calls(message: ChatMessage, *, partial: bool = False) -> tuple[list[ToolCall], int]:
    """Read the tools that a message calls.

    Args:
        message: The message. Integrations list calls as blocks, in
            `additional_kwargs`, or the same calls in both.
        partial: Whether the message may still be on its way: of arguments
            that are not whole, what has arrived is read.

    Returns:
        The calls, and how many are broken beyond reading: they name no tool.
        Arguments that are not a JSON object are None, where LlamaIndex would
        repair them: a repaired call is not what the model said.
    """
    found: Iterable[Any] = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if not found:
        found = each(message.additional_kwargs, "tool_calls")
    calls = []
    broken = 0
    for call in found:
        function = field(call, "function") or call
        name = _any(function, _CALL_NAMES)
        if not isinstance(name, str) or not name:
            broken += 1
            continue
        identity = _any(call, _CALL_IDS)
        given = _any(function, _CALL_ARGUMENTS)
        arguments = _arguments(given)
        if arguments is None and partial:
            arguments = _arrived(given)
        calls.append(ToolCall(name, arguments, str(identity) if identity else None))
    return calls, broken


def _any(source: Any, names: Sequence[str]) -> Any:
    return next((value for name in names if (value := field(source, name)) is not None), None)


def _arguments(given: Any) -> Mapping[str, Any] | None:
    if given is None or given == "":  # a tool without arguments
        return {}
    if isinstance(given, str):
        try:
            # Weak models leave line breaks as they are; LlamaIndex reads those, but no tabs.
            read = json.loads(given, strict=False)
            given = read if read == parse_partial_json(given) else None
        except (ValueError, RecursionError):
            return None
    return given if isinstance(given, Mapping) else None


def _arrived(given: Any) -> Mapping[str, Any] | None:
    try:
        read = parse_partial_json(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return read if isinstance(read, Mapping) else None
