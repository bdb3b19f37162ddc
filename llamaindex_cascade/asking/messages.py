"""Between LlamaIndex's messages and the core's neutral view of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock

from cascade_core.request import Role, Turn
from llamaindex_cascade.reading.tool_calls import read_tool_calls

_ROLES: dict[MessageRole, Role] = {
    MessageRole.SYSTEM: "system",
    MessageRole.DEVELOPER: "system",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.TOOL: "tool",
    MessageRole.FUNCTION: "tool",
}


def to_turns(messages: Sequence[ChatMessage]) -> tuple[Turn, ...]:
    """Return messages as the core sees them; parts that are not text are left out."""
    return tuple(
        Turn(
            _ROLES.get(message.role, "user"),
            _text(message),
            tuple(read_tool_calls(message)[0]) if message.role in _CALLERS else (),
        )
        for message in messages
    )


def to_messages(turns: Sequence[Turn]) -> list[ChatMessage]:
    """Return the core's own question as messages."""
    return [ChatMessage(role=MessageRole(turn.role), content=turn.text) for turn in turns]


def with_tool_blocks(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Return a history that every tier can read.

    Integrations disagree on where a message keeps the tools it calls, and a
    call that one tier made may come to another tier as history: what stands in
    one integration's own form is rewritten as LlamaIndex's own blocks.
    """
    return [
        _with_blocks(message) if "tool_calls" in message.additional_kwargs else message
        for message in messages
    ]


_CALLERS = frozenset({MessageRole.ASSISTANT, MessageRole.CHATBOT, MessageRole.MODEL})


def _with_blocks(message: ChatMessage) -> ChatMessage:
    calls, broken = read_tool_calls(message)
    if broken or any(call.arguments is None for call in calls):
        return message  # nobody can read it better than the integration that wrote it
    blocks: list[Any] = [block for block in message.blocks if not isinstance(block, ToolCallBlock)]
    blocks += [
        ToolCallBlock(
            tool_call_id=call.id, tool_name=call.name, tool_kwargs=dict(call.arguments or {})
        )
        for call in calls
    ]
    others = {k: v for k, v in message.additional_kwargs.items() if k != "tool_calls"}
    return ChatMessage(role=message.role, blocks=blocks, additional_kwargs=others)


def _text(message: ChatMessage) -> str:
    return "\n".join(block.text for block in message.blocks if isinstance(block, TextBlock))
