"""How a decided request is shown: as a response, a stream of responses, of text or of objects."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from typing import Any

from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
)
from llama_index_instrumentation import get_dispatcher

from cascade_core.loop.session import Decided

_dispatcher = get_dispatcher(__name__)


def stamped(decided: Decided, *, last_of_stream: bool = False) -> Any:
    """Return the answer with its record; a copy, since a tier may keep its own."""
    native = decided.verdict.draft.native
    update: dict[str, Any] = {
        "additional_kwargs": {**native.additional_kwargs, "cascade": decided.record}
    }
    if last_of_stream:  # all of the text, and nothing new
        update["delta"] = ""
    return native.model_copy(update=update)


def responses(items: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """Show responses; the last comes once more, with the record."""
    with closing(items):
        for item in items:
            yield stamped(item, last_of_stream=True) if isinstance(item, Decided) else item


async def aresponses(items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    """Show responses; the last comes once more, with the record."""
    async with aclosing(items):
        async for item in items:
            yield stamped(item, last_of_stream=True) if isinstance(item, Decided) else item


def deltas(
    items: Generator[Any, None, None], ended: Callable[[Decided], None]
) -> Generator[str, None, None]:
    """Show the text of responses."""
    with closing(items):
        for item in items:
            if isinstance(item, Decided):
                ended(item)
            else:
                yield item.delta or ""


async def adeltas(
    items: AsyncGenerator[Any, None], ended: Callable[[Decided], None]
) -> AsyncGenerator[str, None]:
    """Show the text of responses."""
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Decided):
                ended(item)
            else:
                yield item.delta or ""


def objects(
    items: Generator[Any, None, None], ended: Callable[[Decided], None]
) -> Generator[Any, None, None]:
    """Show ever more complete objects."""
    with closing(items):
        part: Any = None
        for item in items:
            if isinstance(item, Decided):
                ended(item)
                _dispatcher.event(LLMStructuredPredictEndEvent(output=part))
            else:
                part = item
                _dispatcher.event(LLMStructuredPredictInProgressEvent(output=part))
                yield part


async def aobjects(
    items: AsyncGenerator[Any, None], ended: Callable[[Decided], None]
) -> AsyncGenerator[Any, None]:
    """Show ever more complete objects."""
    async with aclosing(items):
        part: Any = None
        async for item in items:
            if isinstance(item, Decided):
                ended(item)
                _dispatcher.event(LLMStructuredPredictEndEvent(output=part))
            else:
                part = item
                _dispatcher.event(LLMStructuredPredictInProgressEvent(output=part))
                yield part
