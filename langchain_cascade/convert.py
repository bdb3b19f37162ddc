"""LangChain messages as the core sees them, and back.

Nothing here calls a model. What an integration puts where does not belong here;
see `cascade_core.integrations`.
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
    message_chunk_to_message,
)
from langchain_core.prompt_values import PromptValue, StringPromptValue

from cascade_core.abilities import Load, size_of
from cascade_core.costs.tokens import estimate_usage
from cascade_core.draft import Draft
from cascade_core.files import unique
from cascade_core.integrations.answers import read_said
from cascade_core.integrations.asked import part_kind
from cascade_core.integrations.contents import REFUSAL_PARTS, TEXT_PARTS, beside, others
from cascade_core.integrations.finish import once
from cascade_core.integrations.usage import hollow, read_langchain
from cascade_core.log.record import calls_of
from cascade_core.logprobs import Logprobs, read_logprobs
from cascade_core.request import Role, ToolCall, Turn
from cascade_core.spelling import own_logprobs
from cascade_core.spoken import spoken
from cascade_core.usage import Usage

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
        if isinstance(part, str) or part.get("type") in TEXT_PARTS
    )
    return "".join(parts)


def to_turns(messages: Sequence[BaseMessage]) -> list[Turn]:
    """Return a conversation as neutral turns."""
    return [
        Turn(
            _ROLES.get(message.type, "user"),
            text_of(message),
            tuple(_tool_calls(message)) if isinstance(message, AIMessage) else (),
            () if isinstance(message.content, str) else _unseen(message.content),
            message.response_metadata.get("cascade") if isinstance(message, AIMessage) else None,
        )
        for message in messages
    ]


def turns_of(prompt: PromptValue) -> list[Turn]:
    """Return a prompt as neutral turns; of a text no message is made."""
    if isinstance(prompt, StringPromptValue):
        return [Turn("user", prompt.text)]
    return to_turns(prompt.to_messages())


def goes_further(given: PromptValue | Sequence[Any]) -> bool:
    """Tell whether a model is to go on with a turn: tools have answered, or it has itself."""
    if isinstance(given, PromptValue):
        given = getattr(given, "messages", ())
    for message in reversed(given):
        role = _ROLES.get(getattr(message, "type", ""), "user")
        if role != "system":
            return role in ("assistant", "tool")
    return False


def _unseen(content: Sequence[Any]) -> tuple[str, ...]:
    kinds = (part_kind(part) for part in content if isinstance(part, dict))
    return tuple(kind for kind in kinds if kind is not None)


def load_of(messages: Sequence[BaseMessage]) -> Load:
    """Return how long a conversation is, and what it holds beside text."""
    size, parts = 0, set()
    for message in messages:
        content = message.content
        for part in [content] if isinstance(content, str) else content:
            if isinstance(part, str):
                size += size_of(part)
                continue
            size += size_of(str(part.get("text") or ""))
            if (kind := part_kind(part)) is not None:
                parts.add(kind)
        if isinstance(message, AIMessage) and message.tool_calls:
            size += sum(size_of(str(call["args"])) for call in message.tool_calls)
    return Load(size, len(messages), frozenset(parts))


def to_messages(turns: Sequence[Turn]) -> list[BaseMessage]:
    """Write neutral turns out as messages, for requests the core makes itself."""
    kinds: dict[Role, Callable[[str], BaseMessage]] = {
        "system": SystemMessage,
        "user": HumanMessage,
        "assistant": AIMessage,
        "tool": lambda text: ToolMessage(text, tool_call_id="cascade"),
    }
    return [kinds[turn.role](turn.text) for turn in turns]


def to_draft(
    message: BaseMessage,
    seconds: float = 0.0,
    *,
    name: str | None = None,
    prompt: Callable[[], Sequence[BaseMessage]] | None = None,
    reported: Mapping[str, Any] | None = None,
) -> Draft:
    """Return a model's message as a draft.

    Args:
        message: The message.
        seconds: Wall time of the call.
        name: The model's name, where the message does not say it.
        prompt: Gives what was asked, to count the tokens that nobody reported;
            without it such a draft has no usage.
        reported: The tokens of a stream, where adding up its chunks was wrong.
    """
    if not isinstance(message, AIMessage):
        return Draft(text=text_of(message), seconds=seconds, native=message)
    content, meta = message.content, message.response_metadata
    text = content if isinstance(content, str) else text_of(message)
    reported = reported or cast("Mapping[str, Any] | None", message.usage_metadata)
    record = meta.get("cascade")
    streamed = isinstance(message, AIMessageChunk)
    # The metadata of a stream are put together by adding up, and so are the counts in them.
    whole = not streamed and not (reported and _has_parts(reported))
    said = read_said(meta, message.additional_kwargs, tokens=whole)
    usage = _fuller(read_langchain(reported), said.usage) if reported else said.usage
    logprobs = None if said.logprobs is None else read_logprobs(said.logprobs)
    tool_calls = _tool_calls(message) if message.tool_calls else ()
    speech, unread = spoken(text), None
    model = once(said.model, name) if said.model else name
    if hollow(usage, text, tool_calls) and record is None and prompt is not None:
        usage = _counted(text, tool_calls, logprobs, prompt(), model)
    if logprobs is not None and speech and not tool_calls:
        logprobs, unread = own_logprobs(logprobs, speech)
    return Draft(
        text=speech,
        other_parts=_other_parts(message),
        tool_calls=tool_calls,
        broken_tool_calls=_broken_tool_calls(message),
        logprobs=logprobs,
        finish=said.finish,
        refusal=said.refused or (text is not content and _refuses(message)),
        usage=usage,
        model=model,
        seconds=seconds,
        cached=reported is not None and reported.get("total_cost") == 0,
        inner=() if record is None else calls_of(record),
        native=message,
        written=text,
        unread=unread,
    )


def _has_parts(reported: Mapping[str, Any]) -> bool:
    """Tell whether a report says which of the tokens were cached, or hidden."""
    return "input_token_details" in reported or "output_token_details" in reported


def _fuller(usage: Usage | None, told: Usage | None) -> Usage | None:
    """Return the fuller of two reports of one call.

    Some integrations leave the parts out of what they report in LangChain's way, and keep the
    provider's own words beside it.
    """
    if usage is None or told is None:
        return usage
    same = (usage.input_tokens, usage.output_tokens) == (told.input_tokens, told.output_tokens)
    return told if same else usage


def with_usage(draft: Draft, prompt: Sequence[BaseMessage], model: str | None) -> Usage:
    """Return a draft's usage: what the provider reported, else what can be counted."""
    if draft.usage is not None and not hollow(draft.usage, draft.whole, draft.tool_calls):
        return draft.usage
    return _counted(draft.whole, draft.tool_calls, draft.logprobs, prompt, draft.model or model)


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


def in_one_piece(message: Any, usage: Usage | None) -> Any:
    """Return what a stream came to as a whole answer; what is no message as it is.

    Args:
        message: All its chunks, added up.
        usage: The tokens of the call: LangChain adds up totals, too.
    """
    if not isinstance(message, AIMessageChunk):
        return message
    whole = cast("AIMessage", message_chunk_to_message(message))
    told = whole.usage_metadata
    if usage is not None and told is not None and told["input_tokens"] > usage.input_tokens:
        whole.usage_metadata = cast("Any", to_usage_metadata(usage))
    return whole


def without_logprobs(message: AIMessage) -> AIMessage:
    """Return a message without log-probabilities that only the cascade asked for."""
    if "logprobs" not in message.response_metadata:
        return message
    meta = {k: v for k, v in message.response_metadata.items() if k != "logprobs"}
    return message.model_copy(update={"response_metadata": meta})


def _other_parts(message: AIMessage) -> Sequence[str]:
    found = () if isinstance(message.content, str) else others(message.content)
    return (*found, *beside(message.additional_kwargs)) if message.additional_kwargs else found


def _refuses(message: AIMessage) -> bool:
    """Tell whether a part of a message says that the model refused."""
    parts = (part for part in message.content if isinstance(part, dict))
    return any(part.get("type") in REFUSAL_PARTS for part in parts)


def _tool_calls(message: AIMessage) -> list[ToolCall]:
    return [ToolCall(call["name"], call["args"], call.get("id")) for call in message.tool_calls]


def _broken_tool_calls(message: AIMessage) -> int:
    """Count the calls whose arguments are no JSON object.

    Of a stream, LangChain completes arguments that broke off and lists the call
    among the sound ones; a completed call is not what the model said.
    """
    if not isinstance(message, AIMessageChunk):
        return len(message.invalid_tool_calls)
    return sum(not is_object(chunk["args"]) for chunk in message.tool_call_chunks)


def is_object(args: str | None) -> bool:
    """Tell whether the arguments of a call, as they were streamed, came whole."""
    if not args:  # a tool without arguments
        return True
    try:
        return isinstance(json.loads(args, strict=False, object_pairs_hook=unique), dict)
    except (ValueError, RecursionError):
        return False
