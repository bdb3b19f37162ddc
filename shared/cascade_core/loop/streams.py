"""The running stream of one tier: what arrives is handed on and put together at the same time.

A framework's own pieces are read by a `Gathering`; what its streams need besides – a run to be
ended, a connection to be closed – goes into the three methods that a subclass may override.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from time import perf_counter
from typing import Any, Protocol

from cascade_core.draft import Draft
from cascade_core.effects import Chunk, Done, Failed
from cascade_core.integrations.connections import close_all, streams_under

_END = object()


class Gathering(Protocol):
    """Puts the pieces of one stream together."""

    def take(self, item: Any) -> Chunk:
        """Keep a piece, and return it as the core sees it."""
        ...

    def had(self) -> Draft | None:
        """Return what has arrived, or at least been paid for; None where nothing has."""
        ...

    def whole(self) -> Draft:
        """Return the answer of a stream that has ended; what it raises is the tier's failure."""
        ...


class _Gathered:
    """What a stream has come to, for sync and async ones alike."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._started = perf_counter()
        self._draft: Draft | None = None
        self._open = True

    def had(self) -> Draft | None:
        """Return what has arrived, or at least been paid for; None where nothing has."""
        try:
            return self._draft or self._gathering.had()
        except Exception:  # noqa: BLE001 - the stream has ended early; this must not hide why
            return None

    def _done(self) -> Done:
        self._draft = self._gathering.whole()
        return Done(self._draft)

    def _broken(self, error: Exception) -> Failed:
        return Failed(error, perf_counter() - self._started, self.had())


class Stream(_Gathered):
    """A running stream.

    Args:
        source: The framework's pieces.
        gathering: Puts them together.
    """

    def __init__(self, source: Iterator[Any], gathering: Gathering) -> None:
        super().__init__(gathering)
        self._source = source

    def pull(self) -> Chunk | Done | Failed:
        """Return the next chunk, or how the stream ended."""
        try:
            item = next(self._source, _END)
            return self._done() if item is _END else self._gathering.take(item)
        except BaseException as error:
            self._open = False
            self._fail(error)
            if isinstance(error, Exception):
                return self._broken(error)
            raise

    def close(self) -> Done | None:
        """End the stream with its connection; return what had arrived."""
        if not self._open:
            return None
        self._open = False
        draft = self.had()
        try:
            self._shut()
        finally:
            self._end(draft)
        return None if draft is None else Done(draft)

    def show(self, chunk: Any) -> Any:
        """Return a chunk as the caller is to see it, telling handlers of it where that is due."""
        return chunk

    def _fail(self, error: BaseException) -> None:
        """Say that the stream broke."""

    def _shut(self) -> None:
        """Close the source; before its end, with the connection under it."""
        connections = streams_under(self._source) if self._draft is None else []
        close = getattr(self._source, "close", None)
        if close is not None:
            close()
        for each in connections:
            each.close()

    def _end(self, draft: Draft | None) -> None:
        """Say that the stream was closed, with what had arrived."""


class AsyncStream(_Gathered):
    """The same, awaited."""

    def __init__(self, source: AsyncIterator[Any], gathering: Gathering) -> None:
        super().__init__(gathering)
        self._source = source

    def under(self) -> list[Any]:
        """Return the connections that are to be closed where it is left before its end."""
        return streams_under(self._source) if self._draft is None else []

    async def pull(self) -> Chunk | Done | Failed:
        """Return the next chunk, or how the stream ended."""
        try:
            item = await anext(self._source, _END)
            return self._done() if item is _END else self._gathering.take(item)
        except BaseException as error:
            self._open = False
            await self._fail(error)
            if isinstance(error, Exception):
                return self._broken(error)
            raise

    async def close(self) -> Done | None:
        """End the stream with its connection; return what had arrived."""
        if not self._open:
            return None
        self._open = False
        draft = self.had()
        try:
            await self._shut()
        finally:
            await self._end(draft)
        return None if draft is None else Done(draft)

    async def show(self, chunk: Any) -> Any:
        """Return a chunk as the caller is to see it, telling handlers of it where that is due."""
        return chunk

    async def _fail(self, error: BaseException) -> None:
        """Say that the stream broke."""

    async def _shut(self) -> None:
        """Close the source; before its end, with the connection under it."""
        connections = self.under()
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()
        await close_all(connections)

    async def _end(self, draft: Draft | None) -> None:
        """Say that the stream was closed, with what had arrived."""
