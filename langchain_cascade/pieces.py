"""The pieces of a chat model's own stream, made ready as LangChain's `stream` makes them."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

try:  # how LangChain turns contents into standard blocks; private, so it may move
    from langchain_core.language_models._utils import (
        _update_message_content_to_blocks as to_blocks,
    )
except ImportError:  # pragma: no cover
    to_blocks = None  # type: ignore[assignment]


def can_prepare(model: BaseChatModel) -> bool:
    """Tell whether the stream of a model can be made ready here."""
    return model.output_version != "v1" or to_blocks is not None


class ReadyPieces:
    """Makes the pieces of one stream ready.

    Args:
        model: Whose stream it is.
        message_id: The message's id, where the model gives none.
    """

    def __init__(self, model: BaseChatModel, message_id: str | None = None) -> None:
        self._blocks = model.output_version == "v1"
        self._id = message_id
        self._index = -1
        self._type = ""
        self._newest: AIMessageChunk | None = None

    def ready(self, chunk: ChatGenerationChunk) -> AIMessageChunk:
        """Give a piece its id, its provider's details and, where wanted, standard blocks."""
        message = cast("AIMessageChunk", chunk.message)
        if message.id is None:
            message.id = self._id
        message.response_metadata = {**(chunk.generation_info or {}), **message.response_metadata}
        if self._blocks:
            message = to_blocks(message, "v1")
            for block in cast("list[dict[str, Any]]", message.content):
                if block["type"] != self._type:
                    self._type = block["type"]
                    self._index += 1
                block.setdefault("index", self._index)
        self._newest = message
        return message

    def last(self) -> AIMessageChunk | None:
        """Return the piece that says the stream is over, where the model sent none."""
        newest = self._newest
        if newest is None or newest.chunk_position:
            return None
        empty: Any = "" if isinstance(newest.content, str) else []
        return AIMessageChunk(content=empty, id=newest.id, chunk_position="last")
