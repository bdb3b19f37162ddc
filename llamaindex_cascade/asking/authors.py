"""Who wrote a message: the mark by which what only its author can read goes back to the author.

Only messages that hold such things are marked, and inside these where they are:
`additional_kwargs` are part of the prompt that a plain completion model is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ImageBlock,
    MessageRole,
    ThinkingBlock,
    VideoBlock,
)

from cascade_core.integrations.fields import listed

MARK = "cascade_author"
"""Where the mark is, in a thought's additional information or a message's `additional_kwargs`."""

CALLERS = frozenset({MessageRole.ASSISTANT, MessageRole.CHATBOT, MessageRole.MODEL})
"""The roles of who answers."""

UNREAD = frozenset({"tool_calls", "tool_call_id", "status"})
"""Keys that integrations write beside the calls of an answer, which are read in another way."""

MEDIA = (ImageBlock, AudioBlock, VideoBlock)
_EVERYBODYS = UNREAD | {"function_call"}
_LONGEST = 64  # characters of an id that is nothing but an id
_CALL_KEYS = frozenset({"id", "type", "function", "index", "name", "input", "args", "toolUseId"})


def author_of(message: ChatMessage) -> str | None:
    """Return who wrote a message, where it is marked."""
    for block in message.blocks:
        if isinstance(block, ThinkingBlock) and (mark := block.additional_information.get(MARK)):
            return str(mark)
    mark = message.additional_kwargs.get(MARK) if message.additional_kwargs else None
    return str(mark) if mark else None


def marked(message: ChatMessage, author: str) -> ChatMessage:
    """Return an answer marked with its author, if it holds what only the author can read.

    Args:
        message: The answer; it stays as it is.
        author: Who wrote it.
    """
    blocks: list[Any] = message.blocks
    thinks = any(isinstance(block, ThinkingBlock) for block in blocks)
    keeps = _keeps_own(message.additional_kwargs) or any(isinstance(b, MEDIA) for b in blocks)
    if not (thinks or keeps) or author_of(message) is not None:
        return message
    update: dict[str, Any] = {}
    if thinks:
        update["blocks"] = [
            _marked_thought(block, author) if isinstance(block, ThinkingBlock) else block
            for block in blocks
        ]
    else:
        update["additional_kwargs"] = {**message.additional_kwargs, MARK: author}
    return message.model_copy(update=update)


def _marked_thought(thought: ThinkingBlock, author: str) -> ThinkingBlock:
    information = {**thought.additional_information, MARK: author}
    return thought.model_copy(update={"additional_information": information})


def _keeps_own(kwargs: Mapping[str, Any]) -> bool:
    if not kwargs:
        return False
    if not kwargs.keys() <= _EVERYBODYS:
        return True
    # LiteLLM's keep more in a call: signatures of Gemini's thoughts, beside or in its id.
    calls = (call for call in listed(kwargs.get("tool_calls")) if isinstance(call, Mapping))
    return any(not call.keys() <= _CALL_KEYS or _is_long(call.get("id")) for call in calls)


def _is_long(call_id: Any) -> bool:
    return isinstance(call_id, str) and len(call_id) > _LONGEST
