"""Between LlamaIndex's messages and the core's neutral view of them."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock

from cascade_core.request import Role, Turn
from llamaindex_cascade.asking.authors import CALLERS
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
            tuple(read_tool_calls(message)[0]) if message.role in CALLERS else (),
        )
        for message in messages
    )


def to_messages(turns: Sequence[Turn]) -> list[ChatMessage]:
    """Return the core's own question as messages."""
    return [ChatMessage(role=MessageRole(turn.role), content=turn.text) for turn in turns]


def _text(message: ChatMessage) -> str:
    return "\n".join(block.text for block in message.blocks if isinstance(block, TextBlock))
