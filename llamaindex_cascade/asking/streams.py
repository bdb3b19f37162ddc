"""Streams: of a tier, recorded; and of a request, as its caller reads it."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import aclosing, closing
from typing import Any, TypeAlias

from llamaindex_cascade.reading.recorder import Recorder, within

Show: TypeAlias = Callable[[Any], Iterable[Any]]
"""Gives what a caller sees of one item of a request's stream."""


def recorded(parts: Iterator[Any], recorder: Recorder | None) -> Generator[Any, None, None]:
    """Read a stream; what its reading asks of models is recorded, or with None is not."""
    try:
        while True:
            with within(recorder):
                try:
                    part = next(parts)
                except StopIteration:
                    return
            yield part
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


async def arecorded(
    parts: AsyncIterator[Any], recorder: Recorder | None
) -> AsyncGenerator[Any, None]:
    """Read a stream; see `recorded`."""
    try:
        while True:
            with within(recorder):
                try:
                    part = await anext(parts)
                except StopAsyncIteration:
                    return
            yield part
    finally:
        close = getattr(parts, "aclose", None)
        if close is not None:
            await close()


def shown(
    items: Generator[Any, None, None], show: Show, first: Any = None
) -> Generator[Any, None, None]:
    """Return a request's stream as its caller sees it.

    Everything up to the first item is done before this returns: a lazy start
    would lose the caller's span and context.

    Args:
        items: The request's stream.
        show: See `Show`.
        first: The first item, where it has been taken.
    """
    if first is None:
        first = next(items)

    def rest() -> Generator[Any, None, None]:
        with closing(items):
            yield from show(first)
            for item in items:
                yield from show(item)

    return rest()


async def ashown(
    items: AsyncGenerator[Any, None], show: Show, first: Any = None
) -> AsyncGenerator[Any, None]:
    """Return a request's stream as its caller sees it; see `shown`."""
    if first is None:
        first = await anext(items)

    async def rest() -> AsyncGenerator[Any, None]:
        async with aclosing(items):
            for each in show(first):
                yield each
            async for item in items:
                for each in show(item):
                    yield each

    return rest()
