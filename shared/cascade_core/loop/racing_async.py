"""A port with awaited calls that can be cut off, or overtaken by another that runs beside them.

They are tasks, and are cancelled with their connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from contextvars import Context, copy_context
from time import perf_counter
from typing import Any

from cascade_core.effects import (
    Ask,
    Begin,
    Close,
    Done,
    Drop,
    Failed,
    Open,
    Pull,
    Race,
    StillRunning,
)
from cascade_core.integrations.connections import close_all
from cascade_core.loop.cutting import Came, cut_off, known_of, say_arrived
from cascade_core.loop.port import AsyncPort
from cascade_core.loop.streams import AsyncStream


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
        # What is cancelled while it reads is over before it can be asked what it was reading from.
        connections = [] if self.stream is None else self.stream.under()
        self.task.cancel()
        try:
            await asyncio.wait({self.task})
        finally:  # also where whoever waits is cancelled meanwhile
            if self.stream is not None:
                with suppress(Exception):
                    await self.stream.close()
            with suppress(Exception):
                await close_all(connections)
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
    _context: Context | None = None

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._beside: dict[int, _Task] = {}  # by the id of what was asked, which is kept meanwhile

    async def begin(self, effect: Begin) -> None:
        """Start a call beside others."""
        self._beside[id(effect.call)] = self._start(effect.call)

    async def race(self, effect: Race) -> Came | StillRunning | None:
        """Make a call against the clock."""
        if isinstance(effect.call, Close):
            return await super().close()
        if effect.call is not None:
            self._call = await self._joined(effect.call) or self._start(effect.call)
        call = self._call
        if call is None:
            return StillRunning()
        rival = None if effect.rival is None else self._beside.get(id(effect.rival))
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
            return StillRunning()
        self._call = self._stream = None
        await call.leave()
        return cut_off(call, "overtaken" if overtaken else "deadline")

    async def drop(self, effect: Drop) -> Came | None:
        """End a call that was begun."""
        call = self._beside.pop(id(effect.call), None)
        if call is None:
            return None
        had = known_of(call)
        await call.leave()
        return had

    async def close(self) -> Done | None:
        """End everything that runs."""
        running = [call for call in (self._call, *self._beside.values()) if call is not None]
        self._call = None
        self._beside.clear()
        for call in running:
            say_arrived(self._watched, call)
            call.task.cancel()  # all of them, also where waiting for the first is cancelled
        try:
            async with AsyncExitStack() as stack:
                for call in running:
                    stack.push_async_callback(call.leave)
        finally:
            done = await super().close()
        return done

    async def _joined(self, call: Ask | Open | Pull) -> _Task | None:
        joined = self._beside.pop(id(call), None)
        if joined is not None and isinstance(call, Open):
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
