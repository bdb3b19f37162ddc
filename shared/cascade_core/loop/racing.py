"""Ports whose calls can be cut off, or overtaken by another that runs beside them.

With blocking calls each one runs in a thread of its own. A thread cannot be stopped: where its call
is cut off it goes on, nobody waits for it, and what it brings is thrown away; a stream is closed as
soon as its next chunk is there. Awaited calls are tasks, and are cancelled with their connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from threading import Condition, Thread
from time import perf_counter
from typing import Any, TypeAlias

from cascade_core.effects import (
    Ask,
    Chunk,
    Close,
    Done,
    Drafts,
    Drop,
    Failed,
    Open,
    Pull,
    Race,
    Running,
)
from cascade_core.errors import CutShortError
from cascade_core.guards.guards import GuardedRequest
from cascade_core.loop.port import AsyncPort, Port
from cascade_core.loop.streams import AsyncStream, Stream

Came: TypeAlias = Drafts | Chunk | Done | Failed
"""What came back of a call."""


class _Call:
    """A blocking call in a thread of its own.

    Args:
        bell: Rung when it is over.
        context: What the call runs in; a stream's calls share one.
        stream: Of a stream that is open, the stream.
        began: When that began, as `perf_counter` has it.

    Attributes:
        stream: Of a stream, the stream, as soon as it is open.
    """

    def __init__(
        self, bell: Condition, context: Context, stream: Stream | None = None, began: float = 0.0
    ) -> None:
        self._bell, self.context, self.stream = bell, context, stream
        self.began = began or perf_counter()
        self.over = self.left = False
        self.came: Came | None = None
        self.error: BaseException | None = None

    def start(self, work: Callable[[_Call], Came]) -> _Call:
        """Begin."""
        Thread(target=self.context.run, args=(self._run, work), daemon=True).start()
        return self

    def _run(self, work: Callable[[_Call], Came]) -> None:
        try:
            self.came = work(self)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self.error = error
        with self._bell:
            self.over = True
            left = self.left
            self._bell.notify_all()
        if left:
            self._close()

    def leave(self) -> None:
        """Wait for it no longer."""
        with self._bell:
            self.left, over = True, self.over
        if over:
            self._close()

    def _close(self) -> None:
        if self.stream is not None:
            with suppress(Exception):  # nobody is there to be told
                self.stream.close()

    def result(self) -> Came:
        """Return what came, or raise it."""
        if self.error is not None:
            raise self.error
        assert self.came is not None  # noqa: S101 - it is over
        return self.came

    @property
    def answered(self) -> bool:
        """Whether there is an answer, or the beginning of one."""
        return self.over and self.error is None and type(self.came) is not Failed


class RacingPort(Port):
    """A port whose calls can be cut off; see `Port`."""

    _call: _Call | None = None
    _ahead: tuple[Ask | Open, _Call] | None = None
    _context: Context | None = None

    def race(self, effect: Race) -> Came | Running | None:
        """Make a call against the clock."""
        if isinstance(effect.call, Close):
            return super().close()
        bell = self._bell
        if effect.ahead is not None:
            self._ahead = effect.ahead, self._start(effect.ahead)
        if effect.call is not None:
            self._call = self._joined(effect.call) or self._start(effect.call)
        call, ahead = self._call, self._ahead
        if call is None:
            return Running()
        rival = ahead[1] if ahead is not None and effect.yields else None

        def decided() -> bool:
            return call.over or (rival is not None and rival.answered)

        left = None if effect.until is None else max(0.0, effect.until - perf_counter())
        with bell:
            bell.wait_for(decided, left)
        if call.over:
            return self._take(call)
        overtaken = rival is not None and rival.answered
        if not effect.cuts and not overtaken:
            return Running()
        self._call = self._stream = None
        call.leave()
        return _cut(call, "overtaken" if overtaken else "deadline")

    def drop(self, effect: Drop) -> Came | None:
        """End what runs ahead."""
        del effect
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        call = ahead[1]
        call.leave()
        return _known(call)

    def close(self) -> Done | None:
        """End everything that runs."""
        for call in (self._call, None if self._ahead is None else self._ahead[1]):
            if call is not None:
                if call.stream is not None and call.stream is self._stream:
                    self._stream = None
                _say_arrived(self._watched, call)
                call.leave()
        self._call = self._ahead = None
        return super().close()

    @property
    def _bell(self) -> Condition:
        bell: Condition | None = self.__dict__.get("_rung")
        if bell is None:
            bell = self.__dict__["_rung"] = Condition()
        return bell

    def _joined(self, call: Ask | Open | Pull) -> _Call | None:
        if self._ahead is None or self._ahead[0] is not call:
            return None
        joined, self._ahead = self._ahead[1], None
        if isinstance(call, Open):
            super().close()
        return joined

    def _start(self, effect: Ask | Open | Pull) -> _Call:
        if isinstance(effect, Pull):
            assert self._stream is not None  # noqa: S101 - the flow opens before it pulls
            assert self._context is not None  # noqa: S101
            call = _Call(self._bell, self._context, self._stream, self._began)
            return call.start(lambda call: self._pulled(_stream_of(call), call.began))
        call = _Call(self._bell, copy_context())
        if isinstance(effect, Ask):
            return call.start(lambda _: self.ask(effect))

        def begin(call: _Call) -> Came:
            call.stream = self._opened(effect)
            return self._pulled(call.stream, call.began)

        return call.start(begin)

    def _take(self, call: _Call) -> Came:
        """Take over what a call has brought, with its stream."""
        self._call = None
        if call.stream is not None:
            if self._stream is not call.stream:
                super().close()
            self._stream, self._began, self._context = call.stream, call.began, call.context
        return call.result()


class _Task:
    """An awaited call in a task of its own."""

    def __init__(
        self, context: Context, stream: AsyncStream | None = None, began: float = 0.0
    ) -> None:
        self.context, self.stream = context, stream
        self.began = began or perf_counter()
        self.task: asyncio.Task[Came]

    def start(self, work: Coroutine[Any, Any, Came]) -> _Task:
        """Begin."""
        self.task = asyncio.get_running_loop().create_task(work, context=self.context)
        return self

    async def leave(self) -> None:
        """End it, with its connection."""
        self.task.cancel()
        await asyncio.wait({self.task})
        if self.stream is not None:
            with suppress(Exception):
                await self.stream.close()
        if not self.task.cancelled():
            self.task.exception()  # looked at: nobody else will

    @property
    def over(self) -> bool:
        """Whether it has come back."""
        return self.task.done()

    @property
    def came(self) -> Came | None:
        """What came back, if anything did."""
        task = self.task
        fine = task.done() and not task.cancelled() and task.exception() is None
        return task.result() if fine else None

    @property
    def answered(self) -> bool:
        """Whether there is an answer, or the beginning of one."""
        return self.came is not None and type(self.came) is not Failed


class AsyncRacingPort(AsyncPort):
    """A port whose calls can be cut off; see `AsyncPort`."""

    _call: _Task | None = None
    _ahead: tuple[Ask | Open, _Task] | None = None
    _context: Context | None = None

    async def race(self, effect: Race) -> Came | Running | None:
        """Make a call against the clock."""
        if isinstance(effect.call, Close):
            return await super().close()
        if effect.ahead is not None:
            self._ahead = effect.ahead, self._start(effect.ahead)
        if effect.call is not None:
            self._call = await self._joined(effect.call) or self._start(effect.call)
        call, ahead = self._call, self._ahead
        if call is None:
            return Running()
        rival = ahead[1] if ahead is not None and effect.yields else None
        while not call.over and not (rival is not None and rival.answered):
            left = None if effect.until is None else max(0.0, effect.until - perf_counter())
            if left == 0.0:
                break
            tasks = {call.task} if rival is None or rival.over else {call.task, rival.task}
            await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if call.over:
            return await self._take(call)
        overtaken = rival is not None and rival.answered
        if not effect.cuts and not overtaken:
            return Running()
        self._call = self._stream = None
        await call.leave()
        return _cut(call, "overtaken" if overtaken else "deadline")

    async def drop(self, effect: Drop) -> Came | None:
        """End what runs ahead."""
        del effect
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        had = _known(ahead[1])
        await ahead[1].leave()
        return had

    async def close(self) -> Done | None:
        """End everything that runs."""
        calls = self._call, None if self._ahead is None else self._ahead[1]
        self._call = self._ahead = None
        try:
            for call in calls:
                if call is not None:
                    _say_arrived(self._watched, call)
                    await call.leave()
        finally:
            done = await super().close()
        return done

    async def _joined(self, call: Ask | Open | Pull) -> _Task | None:
        if self._ahead is None or self._ahead[0] is not call:
            return None
        joined, self._ahead = self._ahead[1], None
        if isinstance(call, Open):
            await super().close()
        return joined

    def _start(self, effect: Ask | Open | Pull) -> _Task:
        if isinstance(effect, Pull):
            assert self._stream is not None  # noqa: S101 - the flow opens before it pulls
            assert self._context is not None  # noqa: S101
            call = _Task(self._context, self._stream, self._began)
            return call.start(self._pulled(self._stream, self._began))
        call = _Task(copy_context())
        if isinstance(effect, Ask):
            return call.start(self.ask(effect))

        async def begin() -> Came:
            call.stream = await self._opened(effect)
            return await self._pulled(call.stream, call.began)

        return call.start(begin())

    async def _take(self, call: _Task) -> Came:
        """Take over what a call has brought, with its stream."""
        self._call = None
        if call.stream is not None:
            if self._stream is not call.stream:
                await super().close()
            self._stream, self._began, self._context = call.stream, call.began, call.context
        return call.task.result()


def _stream_of(call: _Call) -> Stream:
    assert call.stream is not None  # noqa: S101 - it was given
    return call.stream


def _say_arrived(watched: GuardedRequest | None, call: _Call | _Task) -> None:
    """Say what had arrived of a stream that is left."""
    if watched is not None and call.stream is not None:
        watched.arrived = call.stream.had()


def _cut(call: _Call | _Task, reason: Any) -> Failed:
    """Return the reply for a call that was cut off, with what had arrived of its stream."""
    draft = None if call.stream is None else call.stream.had()
    seconds = perf_counter() - call.began
    return Failed(CutShortError(reason), seconds, draft, began=call.began)


def _known(call: _Call | _Task) -> Came | None:
    """Return what is known of a call that is ended."""
    if call.stream is not None:
        draft = call.stream.had()
        return None if draft is None else Done(draft)
    came = call.came
    return came if isinstance(came, Drafts | Failed) else None
