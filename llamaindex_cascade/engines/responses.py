"""The responses of synthesizers and query engines: read as drafts, and shown with their record.

Who asks for them does not belong here; see `tiers`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, TypeAlias

from llama_index.core.async_utils import asyncio_run
from llama_index.core.base.response.schema import (
    AsyncStreamingResponse,
    PydanticResponse,
    Response,
    StreamingResponse,
)
from llama_index.core.schema import MetadataMode

from cascade_core.draft import Draft
from cascade_core.effects import Chunk
from cascade_core.errors import ConfigurationError
from cascade_core.integrations.finish import worst
from cascade_core.log import Record
from cascade_core.loop.session import Decided
from cascade_core.tier import Tier
from llamaindex_cascade.asking import streams
from llamaindex_cascade.asking.streams import Show
from llamaindex_cascade.reading.recorder import Recorder

EMPTY = "Empty Response"
"""What LlamaIndex's engines and synthesizers answer where nothing was retrieved."""

Streamed: TypeAlias = StreamingResponse | AsyncStreamingResponse
Whole: TypeAlias = Response | PydanticResponse
AnyResponse: TypeAlias = Whole | Streamed


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a live stream, with the response that it belongs to."""

    response: Streamed
    text: str


def checked(given: object, tier: Tier) -> AnyResponse:
    """Return what a tier answered, making sure that it is a response.

    Raises:
        ConfigurationError: It is something else.
    """
    if isinstance(given, Response | PydanticResponse | Streamed):
        return given
    msg = f"tiers[{tier.index}] answered with {type(given).__name__}, not a LlamaIndex response"
    raise ConfigurationError(msg)


def adopted(value: Any, handed_off: AnyResponse) -> Whole:
    """Return what a function gave in the place of a response that was handed off.

    Args:
        value: A text, or a response.
        handed_off: The response, whose nodes a text comes with.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(value, Response | PydanticResponse):
        return value
    if isinstance(value, str):
        return Response(value, handed_off.source_nodes)
    msg = f"on_handoff gave {type(value).__name__}, which is neither a text nor a Response"
    raise TypeError(msg)


def whole(response: AnyResponse) -> AnyResponse:
    """Read a stream to its end; its text is then in `response_txt`."""
    if isinstance(response, StreamingResponse):
        response.get_response()
    elif isinstance(response, AsyncStreamingResponse) and response.response_txt is None:
        asyncio_run(response.get_response())
    return response


async def awhole(response: AnyResponse) -> AnyResponse:
    """Read a stream to its end; its text is then in `response_txt`."""
    if isinstance(response, AsyncStreamingResponse):
        await response.get_response()
        return response
    return whole(response)


def pieces(response: AnyResponse) -> Iterator[Any]:
    """Return the texts of a stream that nobody has read; else the whole response, once read."""
    if isinstance(response, StreamingResponse) and response.response_txt is None:
        return iter(response.response_gen)
    return map(whole, [response])


def response_text(response: AnyResponse) -> str:
    """Return the text of a response that has been read; of an object, its JSON."""
    if isinstance(response, PydanticResponse):
        return "" if response.response is None else response.response.model_dump_json()
    if isinstance(response, Response):
        return response.response or ""
    return response.response_txt or ""


def read(
    response: AnyResponse,
    recorder: Recorder,
    seconds: float,
    *,
    empty: Sequence[str] = (EMPTY,),
    needs_nodes: bool = True,
) -> Draft:
    """Read a response as a draft.

    Args:
        response: The response, with all its text.
        recorder: Saw the model calls that made it.
        seconds: Wall time.
        empty: Texts that say no more than that nothing was found.
        needs_nodes: Whether an answer without source nodes has no evidence.
    """
    text, calls = response_text(response), recorder.calls()
    drafts = recorder.drafts
    made_object = isinstance(response, PydanticResponse) and response.response is not None
    if made_object:  # its JSON is written anew: the model's own text need not be a part of it
        parts = drafts[-1:]
    else:
        parts = [d for d in drafts if d.text.strip() and d.text.strip() in text]
    last = parts[-1] if parts else Draft()
    logprobs = recorder.logprobs_for(text)
    texts = [node.node.get_content(MetadataMode.LLM) for node in response.source_nodes]
    nothing = text in empty
    return Draft(
        text="" if nothing else text,
        tool_calls=last.tool_calls if made_object else (),
        broken_tool_calls=last.broken_tool_calls if made_object else 0,
        logprobs=last.logprobs if logprobs is None and made_object else logprobs,
        finish=worst(part.finish for part in parts),
        refusal=any(part.refusal for part in parts),
        model=last.model or (calls[-1].model if calls else None),
        seconds=seconds,
        cached=nothing and not calls,  # nobody was asked, so nothing was paid
        contexts=texts if texts or needs_nodes else None,
        inner=calls,
        native=response,
    )


class Pieces:
    """Puts a tier's live stream together.

    Args:
        empty: See `read`.
        needs_nodes: See `read`.

    Attributes:
        recorder: Sees the model calls, those of reading the stream too.
        response: What the tier has answered, once it has.
    """

    def __init__(self, empty: Sequence[str], *, needs_nodes: bool) -> None:
        self.recorder = Recorder()
        self.response: AnyResponse | None = None
        self._empty = empty
        self._needs_nodes = needs_nodes
        self._texts: list[str] = []
        self._started = perf_counter()

    def take(self, item: Any) -> Chunk:
        """Take a text, or the response of a tier that does not stream."""
        if isinstance(item, AnyResponse) or not isinstance(self.response, Streamed):
            return Chunk(item)
        self._texts.append(item or "")
        return Chunk(Piece(self.response, item or ""))

    def had(self) -> Draft | None:
        """Return what has arrived, or at least been paid for."""
        seconds = perf_counter() - self._started
        if self.response is None:
            calls = self.recorder.calls()
            return Draft(inner=calls, seconds=seconds) if calls else None
        if isinstance(self.response, Streamed) and self._texts:
            self.response.response_txt = "".join(self._texts)
        return read(
            self.response,
            self.recorder,
            seconds,
            empty=self._empty,
            needs_nodes=self._needs_nodes,
        )

    def whole(self) -> Draft:
        """Return the answer, now that the stream has ended."""
        return self.had() or Draft()


def with_record(response: Any, record: Record) -> Any:
    """Return a response with its record; a copy, since a tier may keep its own."""
    return replace(response, metadata={**(response.metadata or {}), "cascade": record})


def plain(decided: Decided) -> Whole:
    """Return the answer of a decided request as a whole, with its record."""
    response = decided.verdict.draft.native
    if isinstance(response, Streamed):
        response = Response(response_text(response), response.source_nodes, response.metadata)
    answer: Whole = with_record(response, decided.record)
    return answer


def shown_response(items: Generator[Any, None, None], *, streaming: bool = False) -> AnyResponse:
    """Return the response of a request that is decided in a stream.

    Args:
        items: What a `Session` streams.
        streaming: Whether a whole text is to be shown as a stream, too.

    Returns:
        A whole answer with its record; or a stream whose metadata get the
        record when it ends.
    """
    first = next(items)
    if isinstance(first, Piece):
        metadata = dict(first.response.metadata or {})
        texts = streams.shown(items, _texts(metadata), first)
        return StreamingResponse(texts, first.response.source_nodes, metadata=metadata)
    response = _answer(first if isinstance(first, Decided) else next(items))
    items.close()
    if not isinstance(response, Streamed | Response if streaming else Streamed):
        return response
    text = _once(response_text(response))
    return StreamingResponse(text, response.source_nodes, metadata=response.metadata)


async def ashown_response(
    items: AsyncGenerator[Any, None], *, streaming: bool = False
) -> AnyResponse:
    """Return the response of a request that is decided in a stream; see `shown_response`."""
    first = await anext(items)
    if isinstance(first, Piece):
        metadata = dict(first.response.metadata or {})
        texts = await streams.ashown(items, _texts(metadata), first)
        return AsyncStreamingResponse(texts, first.response.source_nodes, metadata=metadata)
    response = _answer(first if isinstance(first, Decided) else await anext(items))
    await items.aclose()
    if not isinstance(response, Streamed | Response if streaming else Streamed):
        return response
    text = _aonce(response_text(response))
    return AsyncStreamingResponse(text, response.source_nodes, metadata=response.metadata)


def _answer(decided: Decided) -> AnyResponse:
    response: AnyResponse = with_record(decided.verdict.draft.native, decided.record)
    return response


def _texts(metadata: dict[str, Any]) -> Show:
    def show(item: Any) -> Iterator[str]:
        if isinstance(item, Decided):
            metadata["cascade"] = item.record
        else:
            yield item.text

    return show


def _once(text: str) -> Generator[str, None, None]:
    yield text


async def _aonce(text: str) -> AsyncGenerator[str, None]:
    yield text
