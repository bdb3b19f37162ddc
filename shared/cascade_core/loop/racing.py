"""A port with blocking calls that can be cut off, or overtaken by another that runs beside them.

Each call that can be ended runs in a thread of its own. A thread cannot be stopped: where its call
is cut off it goes on, nobody waits for it, and what it brings is thrown away; a stream is closed as
soon as its next chunk is there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from threading import Condition, Thread
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
from cascade_core.loop.cutting import Came, cut_off, known_of, say_arrived
from cascade_core.loop.port import Port
from cascade_core.loop.streams import Stream


class _Call:
    """A blocking call, in a thread of its own where something can end it.

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

    def start(self, work: Callable[[_Call], Came], *, here: bool) -> _Call:
        """Begin; `here` is in the thread of who waits, to the end."""
        if here:
            self.context.run(self._run, work)
        else:
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
    _context: Context | None = None

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._bell = Condition()
        self._beside: dict[int, _Call] = {}  # by the id of what was asked, which is kept meanwhile

    def begin(self, effect: Begin) -> None:
        """Start a call beside others."""
        self._beside[id(effect.call)] = self._start(effect.call, here=False)

    def race(self, effect: Race) -> Came | StillRunning | None:
        """Make a call against the clock."""
        if isinstance(effect.call, Close):
            return super().close()
        if effect.call is not None:
            here = effect.until is None and effect.rival is None  # nothing can end it
            self._call = self._joined(effect.call) or self._start(effect.call, here=here)
        call = self._call
        if call is None:
            return StillRunning()
        rival = None if effect.rival is None else self._beside.get(id(effect.rival))

        def decided() -> bool:
            return call.over or (rival is not None and rival.answered)

        left = None if effect.until is None else max(0.0, effect.until - perf_counter())
        with self._bell:
            self._bell.wait_for(decided, left)
        if call.over:
            return self._take(call)
        overtaken = rival is not None and rival.answered
        if not effect.cuts and not overtaken:
            return StillRunning()
        self._call = self._stream = None
        call.leave()
        return cut_off(call, "overtaken" if overtaken else "deadline")

    def drop(self, effect: Drop) -> Came | None:
        """End a call that was begun."""
        call = self._beside.pop(id(effect.call), None)
        if call is None:
            return None
        call.leave()
        return known_of(call)

    def close(self) -> Done | None:
        """End everything that runs."""
        for call in (self._call, *self._beside.values()):
            if call is not None:
                if call.stream is not None and call.stream is self._stream:
                    self._stream = None
                say_arrived(self._watched, call)
                call.leave()
        self._call = None
        self._beside.clear()
        return super().close()

    def _joined(self, call: Ask | Open | Pull) -> _Call | None:
        joined = self._beside.pop(id(call), None)
        if joined is not None and isinstance(call, Open):
            super().close()
        return joined

    def _start(self, effect: Ask | Open | Pull, *, here: bool) -> _Call:
        if isinstance(effect, Pull):
            stream, began = self._stream, self._began
            assert stream is not None  # noqa: S101 - the flow opens before it pulls
            assert self._context is not None  # noqa: S101
            call = _Call(self._bell, self._context, stream, began)
            return call.start(lambda _: self._pulled(stream, began), here=here)
        call = _Call(self._bell, copy_context())
        if isinstance(effect, Ask):
            return call.start(lambda _: self.ask(effect), here=here)

        def begin(call: _Call) -> Came:
            call.stream = self._opened(effect)
            return self._pulled(call.stream, call.began)

        return call.start(begin, here=here)

    def _take(self, call: _Call) -> Came:
        """Take over what a call has brought, with its stream."""
        self._call = None
        if call.stream is not None:
            if self._stream is not call.stream:
                super().close()
            self._stream, self._began, self._context = call.stream, call.began, call.context
        return call.result()
