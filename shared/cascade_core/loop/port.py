"""Performs effects for one request by calling an adapter's models.

What differs between frameworks, and between models, chains and engines, is
only *how a target is called*; that is a `Caller`. What is common – concurrent
samples, the one running stream, warnings – is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Chunk, Done, Drafts, Emit, Failed, Note, Open
from cascade_core.loop.streams import AsyncStream, Stream

if TYPE_CHECKING:
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


class Port:
    """Performs effects with blocking calls."""

    def __init__(self, caller: Caller, notices: Notices) -> None:
        self._caller = caller
        self._notices = notices
        self._stream: Stream | None = None

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request; see `Caller`."""
        return self._caller.fatal

    def ask(self, effect: Ask) -> Drafts | Failed:
        """Call a target `n` times, concurrently."""
        if effect.n == 1:
            outcome = self._caller.call(effect, 0)
            return outcome if isinstance(outcome, Failed) else Drafts((outcome,))
        with ThreadPoolExecutor(effect.n) as pool:
            futures = [
                pool.submit(copy_context().run, self._caller.call, effect, i)
                for i in range(effect.n)
            ]
        return _gather([_outcome(future) for future in futures], self.fatal)

    def open(self, effect: Open) -> Chunk | Done | Failed:
        """Start a stream, ending the one before."""
        self.close()
        self._stream = self._caller.open(effect)
        return self.pull()

    def pull(self) -> Chunk | Done | Failed:
        """Take the next chunk."""
        assert self._stream is not None  # noqa: S101 - the flow opens before it pulls
        reply = self._stream.pull()
        if type(reply) is Failed and isinstance(reply.error, self.fatal):
            raise reply.error
        return reply

    def close(self) -> Done | None:
        """End the running stream."""
        stream, self._stream = self._stream, None
        return None if stream is None else stream.close()

    def emit(self, effect: Emit) -> Any:
        """Show a chunk."""
        if effect.whole_of is not None:
            return self._caller.as_chunk(effect.chunk, effect.whole_of)
        return effect.chunk if self._stream is None else self._stream.show(effect.chunk)

    def note(self, effect: Note) -> None:
        """Warn once."""
        self._notices.give(effect.key, effect.text)


class AsyncPort:
    """Performs effects with awaited calls."""

    def __init__(self, caller: Caller, notices: Notices) -> None:
        self._caller = caller
        self._notices = notices
        self._stream: AsyncStream | None = None

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request; see `Caller`."""
        return self._caller.fatal

    async def ask(self, effect: Ask) -> Drafts | Failed:
        """Call a target `n` times, concurrently."""
        if effect.n == 1:
            outcome = await self._caller.acall(effect, 0)
            return outcome if isinstance(outcome, Failed) else Drafts((outcome,))
        calls = (self._caller.acall(effect, i) for i in range(effect.n))
        return _gather(await asyncio.gather(*calls, return_exceptions=True), self.fatal)

    async def open(self, effect: Open) -> Chunk | Done | Failed:
        """Start a stream, ending the one before."""
        await self.close()
        self._stream = await self._caller.aopen(effect)
        return await self.pull()

    async def pull(self) -> Chunk | Done | Failed:
        """Take the next chunk."""
        assert self._stream is not None  # noqa: S101 - the flow opens before it pulls
        reply = await self._stream.pull()
        if type(reply) is Failed and isinstance(reply.error, self.fatal):
            raise reply.error
        return reply

    async def close(self) -> Done | None:
        """End the running stream."""
        stream, self._stream = self._stream, None
        return None if stream is None else await stream.close()

    async def emit(self, effect: Emit) -> Any:
        """Show a chunk."""
        if effect.whole_of is not None:
            return self._caller.as_chunk(effect.chunk, effect.whole_of)
        return effect.chunk if self._stream is None else await self._stream.show(effect.chunk)

    def note(self, effect: Note) -> None:
        """Warn once."""
        self._notices.give(effect.key, effect.text)


def _outcome(future: Future[Draft | Failed]) -> Draft | Failed | BaseException:
    error = future.exception()
    return future.result() if error is None else error


def _gather(
    outcomes: Sequence[Draft | Failed | BaseException], fatal: tuple[type[Exception], ...]
) -> Drafts | Failed:
    """Sort the outcomes of one `Ask`."""
    drafts = [outcome for outcome in outcomes if isinstance(outcome, Draft)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, fatal):
            failures.append(Failed(outcome))
        elif isinstance(outcome, BaseException):
            raise outcome
    return Drafts(drafts, failures) if drafts else failures[0]
