"""Finds the connection under a stream that is given up, which has to be closed.

Closing an integration's generator does not: the HTTP client's own stream is
often kept alive by a reference cycle until the garbage collector comes by, and all
the while the provider writes, and bills, an answer that nobody reads.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator, Generator, Iterator
from inspect import isawaitable
from types import CellType, CoroutineType, FrameType
from typing import Any

_DEPTH = 32
"""A query engine's stream is some ten generators deep, and every one may count twice or thrice."""
_THROUGH = (Generator, AsyncGenerator, CoroutineType, FrameType, CellType)
_STREAMS = frozenset({"Stream", "AsyncStream"})
"""Of the clients that OpenAI's generator of clients makes, Anthropic's and Groq's among them."""
_HOLDERS = frozenset({"EventStream", "EventStreamAsync", "HttpResponse", "CustomStreamWrapper"})
"""Of Mistral's, Google's and LiteLLM's clients: what holds the connection, or a generator of it."""
_RESPONSES = frozenset({("httpx", "Response"), ("aiohttp", "ClientResponse")})
"""Of the HTTP clients below."""


def streams_under(source: Any) -> list[Any]:
    """Return the HTTP clients' streams that a suspended generator is reading from.

    Args:
        source: A generator, or an async one, before it is closed.
    """
    return list(_streams(source, set(), _DEPTH))


def _streams(source: Any, seen: set[int], depth: int) -> Iterator[Any]:
    if depth == 0 or id(source) in seen:
        return
    seen.add(id(source))
    # What a suspended generator iterates over is in none of its variables, only on its stack.
    for held in gc.get_referents(source):
        cls = type(held)
        if (cls.__name__ in _STREAMS and hasattr(held, "response")) or (
            cls.__module__.partition(".")[0],
            cls.__name__,
        ) in _RESPONSES:
            yield held
        elif cls.__name__ in _HOLDERS:
            yield from _streams(vars(held), seen, depth - 1)
        elif isinstance(held, _THROUGH):
            yield from _streams(held, seen, depth - 1)


async def close_all(found: list[Any]) -> None:
    """Close what `streams_under` has found under an asynchronous generator."""
    for each in found:
        closing = (getattr(each, "aclose", None) or each.close)()
        if isawaitable(closing):
            await closing
