"""The answer the caller gets: the accepted tier's own message, and the record on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks

from cascade_core.loop.session import Decided
from langchain_cascade.convert import to_chunk


def stamp(native: Any, record: Mapping[str, Any], *, drop_logprobs: bool) -> AIMessage:
    """Return an answer with its record, as a copy: models may hand out shared messages.

    Args:
        native: The accepted tier's message.
        record: The decision's record.
        drop_logprobs: Leave out log-probabilities that only the cascade asked for.
    """
    message = cast("AIMessage", native)
    meta = {**message.response_metadata, "cascade": record}
    if drop_logprobs:
        meta.pop("logprobs", None)
    # Half the price of `model_copy(update=…)`, with the same outcome.
    stamped = message.__copy__()
    stamped.__dict__["response_metadata"] = meta
    return stamped


class Shown:
    """The chunks shown to a caller, and the last one, which carries the record.

    The record exists only when everything is decided, so a chunk that says it
    is the last is held back until then.
    """

    def __init__(self) -> None:
        self._chunks: list[AIMessageChunk] = []
        self._held: AIMessageChunk | None = None

    def next(self, item: AIMessageChunk | Decided) -> AIMessageChunk | None:
        """Return the chunk to show now, if any: for the end of a stream, the last."""
        return self.last(item.record) if isinstance(item, Decided) else self.chunk(item)

    def chunk(self, chunk: AIMessageChunk) -> AIMessageChunk | None:
        """Return the chunk to show now, if any."""
        if chunk.chunk_position == "last" or self._held is not None:
            # Some say "last" and then send more, such as usage: the newest is held instead.
            before, self._held = self._held, chunk
            if before is None:
                return None
            chunk = before.model_copy(update={"chunk_position": None})
        if "cascade" in chunk.response_metadata:  # a tier's own record; the last chunk has ours
            meta = {k: v for k, v in chunk.response_metadata.items() if k != "cascade"}
            chunk = chunk.model_copy(update={"response_metadata": meta})
        self._chunks.append(chunk)
        return chunk

    def last(self, record: Mapping[str, Any]) -> AIMessageChunk:
        """Return the last chunk, with the record."""
        held = self._held
        if held is None:
            shown = self._chunks[-1] if self._chunks else None
            held = AIMessageChunk(
                content=[] if shown is not None and isinstance(shown.content, list) else "",
                id=None if shown is None else shown.id,
            )
        meta = {**held.response_metadata, "cascade": record}
        last = held.model_copy(update={"response_metadata": meta, "chunk_position": "last"})
        self._chunks.append(last)
        return last

    def message(self) -> AIMessageChunk | None:
        """Return everything shown, put together."""
        if len(self._chunks) < 2:  # noqa: PLR2004
            return self._chunks[0] if self._chunks else None
        return add_ai_message_chunks(*self._chunks)


class ShownOutput:
    """The pieces of any runnable's output shown to a caller; messages carry the record.

    Attributes:
        output: The whole output, once the stream has ended.
    """

    def __init__(self) -> None:
        self._messages = Shown()
        self.output: Any = None

    def next(self, item: Any) -> Iterator[Any]:
        """Yield what is to be shown now."""
        if isinstance(item, Decided):
            self.output = item.verdict.draft.native
            if not isinstance(self.output, AIMessage):
                return
        elif not isinstance(item, AIMessageChunk):
            yield item
            return
        chunk = self._messages.next(item)
        if chunk is not None:
            yield chunk


def whole_chunk(message: AIMessage) -> AIMessageChunk:
    """Return a stamped message as a stream of one chunk."""
    return to_chunk(message).model_copy(update={"chunk_position": "last"})
