"""Between LlamaIndex's messages and the core's neutral view of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock

from cascade_core.abilities import Load, Missing, size_of
from cascade_core.errors import ConfigurationError
from cascade_core.integrations.asked import part_kind
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


def check_messages(given: object, where: str) -> None:
    """Make sure that what is to be answered is messages, before any tier is asked.

    Args:
        given: What the caller gave.
        where: How an error names it.

    Raises:
        ConfigurationError: It is a text, or holds something that is no message.
    """
    if isinstance(given, str):
        msg = (
            f"{where} takes a list of ChatMessage, not str: [ChatMessage(content=…)]; "
            "complete(…) takes a text"
        )
        raise ConfigurationError(msg)
    if not isinstance(given, Sequence):
        msg = f"{where} takes a list of ChatMessage, not {type(given).__name__}"
        raise ConfigurationError(msg)
    for place, message in enumerate(given):
        if not isinstance(message, ChatMessage):
            msg = (
                f"{where} takes a list of ChatMessage; [{place}] is {type(message).__name__}: "
                "ChatMessage(role=…, content=…)"
            )
            raise ConfigurationError(msg)


def to_turns(messages: Sequence[ChatMessage]) -> tuple[Turn, ...]:
    """Return messages as the core sees them; parts that are not text are left out."""
    return tuple(
        Turn(
            _ROLES.get(message.role, "user"),
            _text(message),
            tuple(read_tool_calls(message)[0]) if message.role in CALLERS else (),
            tuple(kind for block in _flat(message.blocks) if (kind := _kind_of(block)) is not None),
        )
        for message in messages
    )


def goes_further(messages: Sequence[ChatMessage], *, in_text: bool = False) -> bool:
    """Tell whether a model is to go on with a turn: tools have answered, or it has itself.

    Args:
        messages: The conversation.
        in_text: Whether a text agent asks: what its tools return are messages of the user's.
    """
    for message in reversed(messages):
        role = _ROLES.get(message.role, "user")
        if role != "system":
            return role in ("assistant", "tool") or (in_text and len(messages) > 1)
    return False


def load_of(messages: Sequence[ChatMessage]) -> Load:
    """Return how long messages are, and what they hold beside text."""
    size, parts = 0, set[Missing]()
    for message in messages:
        for block in _flat(message.blocks):
            if type(block) is TextBlock:  # nearly all of them
                size += size_of(block.text)
                continue
            kind = _kind_of(block)
            if kind is not None:
                parts.add(kind)
            elif isinstance(block, TextBlock):
                size += size_of(block.text)
            elif isinstance(block, ToolCallBlock):
                size += size_of(str(block.tool_kwargs))
        if calls := message.additional_kwargs.get("tool_calls"):
            size += size_of(str(calls))
    return Load(size, len(messages), frozenset(parts))


def _flat(blocks: Iterable[Any]) -> Iterator[Any]:
    """Yield blocks, and those that stand inside of others."""
    for block in blocks:
        if type(block) is TextBlock:
            yield block
            continue
        inside = getattr(block, "content", None)
        if isinstance(inside, list):
            yield from _flat(inside)
        elif hasattr(block, "block_type"):
            yield block


def _kind_of(block: Any) -> Missing | None:
    return part_kind({"type": block.block_type, **_mime(block)})


def _mime(block: Any) -> dict[str, str | None]:
    return {"mime_type": getattr(block, "document_mimetype", None)}


def to_messages(turns: Sequence[Turn]) -> list[ChatMessage]:
    """Return the core's own question as messages."""
    return [ChatMessage(role=MessageRole(turn.role), content=turn.text) for turn in turns]


def _text(message: ChatMessage) -> str:
    return "\n".join(block.text for block in message.blocks if isinstance(block, TextBlock))
