"""Performs effects for one request by calling an adapter's models.

What differs between frameworks, and between models, chains and engines, is
only *how a target is called*; that is a `Caller`. What is common – concurrent
samples, the one running stream, warnings – is here.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from cascade_core.draft import Draft
from cascade_core.effects import (
    Adopt,
    Ask,
    Begin,
    Chunk,
    Done,
    Drafts,
    Emit,
    Failed,
    Grant,
    Note,
    Open,
    Reserve,
    Settle,
)
from cascade_core.guards.handover import Handover, cancel_count
from cascade_core.loop.replies import begun, gathered, outcome_of_call
from cascade_core.loop.streams import AsyncStream, Stream
from cascade_core.telemetry.around import Traced, inside

if TYPE_CHECKING:
    from cascade_core.guards.guards import GuardedRequest
    from cascade_core.setup.notices import Notices
    from cascade_core.tier import Tier


class Caller(Protocol):
    """Calls tiers and judges for one request."""

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request, for no other tier could do better.

        Looked up only when something was raised.
        """
        ...

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Call the target once; a failure that was paid for is returned, any other raised."""
        ...

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Call the target once; a failure that was paid for is returned, any other raised."""
        ...

    def open(self, effect: Open) -> Stream:
        """Start a tier's stream."""
        ...

    async def aopen(self, effect: Open) -> AsyncStream:
        """Start a tier's stream."""
        ...

    def as_chunk(self, native: Any, tier: Tier) -> Any:
        """Return a tier's whole answer as the one chunk of a stream."""
        ...

    def adopt(self, effect: Adopt) -> Draft:
        """Return what a caller's function gave as an answer in the framework's shape.

        Raises:
            TypeError: It is none.
        """
        ...


class Port:
    """Performs effects with blocking calls."""

    def __init__(
        self,
        caller: Caller,
        notices: Notices,
        traced: Traced | None = None,
        watched: GuardedRequest | None = None,
    ) -> None:
        self._caller = caller
        self._notices = notices
        self._traced = traced
        self._watched = watched
        self._began = 0.0  # of the running stream
        self._stream: Stream | None = None

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request; see `Caller`."""
        return self._caller.fatal

    def ask(self, effect: Ask) -> Drafts | Failed:
        """Call a target `n` times, concurrently."""
        began = perf_counter()
        with inside(self._traced):
            reply = self._ask(effect)
        return begun(reply, began)

    def _ask(self, effect: Ask) -> Drafts | Failed:
        if effect.n == 1:
            outcome = self._caller.call(effect, 0)
            return outcome if isinstance(outcome, Failed) else Drafts((outcome,))
        with ThreadPoolExecutor(effect.n) as pool:
            futures = [
                pool.submit(copy_context().run, self._caller.call, effect, i)
                for i in range(effect.n)
            ]
        return gathered([outcome_of_call(future) for future in futures], self.fatal)

    def open(self, effect: Open) -> Chunk | Done | Failed:
        """Start a stream, ending the one before."""
        self.close()
        self._began = perf_counter()
        self._stream = self._opened(effect)
        return self.pull()

    def _opened(self, effect: Open) -> Stream:
        with inside(self._traced):
            return self._caller.open(effect)

    def pull(self) -> Chunk | Done | Failed:
        """Take the next chunk."""
        assert self._stream is not None  # noqa: S101 - the flow opens before it pulls
        return self._pulled(self._stream, self._began)

    def _pulled(self, stream: Stream, began: float) -> Chunk | Done | Failed:
        with inside(self._traced):
            reply = stream.pull()
        if type(reply) is Failed and isinstance(reply.error, self.fatal):
            raise reply.error
        return reply if type(reply) is Chunk else begun(reply, began)

    def close(self) -> Done | None:
        """End the running stream."""
        stream, self._stream = self._stream, None
        return None if stream is None else self._closed(stream)

    def _closed(self, stream: Stream) -> Done | None:
        done = begun(stream.close(), self._began)
        if done is not None and self._watched is not None:
            self._watched.arrived = done.draft
        return done

    def emit(self, effect: Emit) -> Any:
        """Show a chunk."""
        if effect.whole_of is not None:
            return self._caller.as_chunk(effect.chunk, effect.whole_of)
        return effect.chunk if self._stream is None else self._stream.show(effect.chunk)

    def adopt(self, effect: Adopt) -> Drafts:
        """Take what a caller's function gave as an answer."""
        return Drafts((self._caller.adopt(effect),))

    def reserve(self, effect: Reserve) -> Grant | Failed:
        """Ask the guards whether a call may be made."""
        watched = self._watched
        assert watched is not None  # noqa: S101 - only a guarded flow asks
        watched.until = effect.until
        reply = watched.before(effect.call)
        if type(reply) is Grant or not effect.waits or watched.pause(reply) is None:
            return reply
        return watched.room.wait(lambda: watched.before(effect.call), watched.pause)

    def settle(self, effect: Settle) -> None:
        """Tell the guards how a call ended."""
        assert self._watched is not None  # noqa: S101
        self._watched.after(effect)

    def begin(self, effect: Begin) -> None:
        """Do nothing: the call is made when it is waited for."""

    def note(self, effect: Note) -> None:
        """Warn once."""
        self._notices.give(effect.key, effect.text)


class AsyncPort:
    """Performs effects with awaited calls."""

    def __init__(
        self,
        caller: Caller,
        notices: Notices,
        traced: Traced | None = None,
        watched: GuardedRequest | None = None,
    ) -> None:
        self._caller = caller
        self._notices = notices
        self._traced = traced
        self._watched = watched
        self._began = 0.0  # of the running stream
        self._stream: AsyncStream | None = None

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request; see `Caller`."""
        return self._caller.fatal

    async def ask(self, effect: Ask) -> Drafts | Failed:
        """Call a target `n` times, concurrently."""
        began = perf_counter()
        with inside(self._traced):
            reply = await self._ask(effect)
        return begun(reply, began)

    async def _ask(self, effect: Ask) -> Drafts | Failed:
        if effect.n == 1:
            outcome = await self._caller.acall(effect, 0)
            return outcome if isinstance(outcome, Failed) else Drafts((outcome,))
        calls = (self._caller.acall(effect, i) for i in range(effect.n))
        return gathered(await asyncio.gather(*calls, return_exceptions=True), self.fatal)

    async def open(self, effect: Open) -> Chunk | Done | Failed:
        """Start a stream, ending the one before."""
        await self.close()
        self._began = perf_counter()
        self._stream = await self._opened(effect)
        return await self.pull()

    async def _opened(self, effect: Open) -> AsyncStream:
        with inside(self._traced):
            return await self._caller.aopen(effect)

    async def pull(self) -> Chunk | Done | Failed:
        """Take the next chunk."""
        assert self._stream is not None  # noqa: S101 - the flow opens before it pulls
        return await self._pulled(self._stream, self._began)

    async def _pulled(self, stream: AsyncStream, began: float) -> Chunk | Done | Failed:
        with inside(self._traced):
            reply = await stream.pull()
        if type(reply) is Failed and isinstance(reply.error, self.fatal):
            raise reply.error
        return reply if type(reply) is Chunk else begun(reply, began)

    async def close(self) -> Done | None:
        """End the running stream."""
        stream, self._stream = self._stream, None
        return None if stream is None else await self._closed(stream)

    async def _closed(self, stream: AsyncStream) -> Done | None:
        done = begun(await stream.close(), self._began)
        if done is not None and self._watched is not None:
            self._watched.arrived = done.draft
        return done

    async def emit(self, effect: Emit) -> Any:
        """Show a chunk."""
        if effect.whole_of is not None:
            return self._caller.as_chunk(effect.chunk, effect.whole_of)
        return effect.chunk if self._stream is None else await self._stream.show(effect.chunk)

    async def adopt(self, effect: Adopt) -> Drafts:
        """Take what a caller's function gave as an answer."""
        return Drafts((self._caller.adopt(effect),))

    async def reserve(self, effect: Reserve) -> Grant | Failed:
        """Ask the guards whether a call may be made."""
        watched = self._watched
        assert watched is not None  # noqa: S101 - only a guarded flow asks
        watched.until = effect.until
        cancels = cancel_count()
        reply = await self._reserve(effect)
        if type(reply) is not Grant and effect.waits and watched.pause(reply) is not None:
            reply = await watched.room.await_(lambda: self._reserve(effect), watched.pause)
        if cancel_count() > cancels:  # `asyncio.wait_for` of Python 3.11 may swallow it
            watched.give_back(reply)
            raise asyncio.CancelledError
        return reply

    async def _reserve(self, effect: Reserve) -> Grant | Failed:
        watched = self._watched
        assert watched is not None  # noqa: S101
        if watched.waits:
            return await Handover(lambda: watched.before(effect.call), watched.give_back).get()
        return watched.before(effect.call)

    async def settle(self, effect: Settle) -> None:
        """Tell the guards how a call ended."""
        watched, started = self._watched, []
        assert watched is not None  # noqa: S101
        if not watched.waits:
            watched.after(effect)
            return

        def after() -> None:
            started.append(True)
            watched.after(effect)

        try:
            await asyncio.to_thread(after)
        except BaseException:  # cancelled, or there are no more threads to be had
            if not started:  # nor will it
                watched.abandon(effect.grant, effect.calls)
            raise

    async def begin(self, effect: Begin) -> None:
        """Do nothing: the call is made when it is waited for."""

    def note(self, effect: Note) -> None:
        """Warn once."""
        self._notices.give(effect.key, effect.text)
