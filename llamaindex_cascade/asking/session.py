"""One request from its start to its record: run the flow, write the verdict down, tell of it.

Whole answers and streams, sync and async, LLMs, synthesizers and query engines
all go through the four functions here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from cascade_core.call import Call
from cascade_core.errors import CascadeExhausted
from cascade_core.log import Collectors, Record, collectors
from cascade_core.loop import drivers
from cascade_core.loop.flow import cascade
from cascade_core.loop.port import AsyncPort, Caller, Port
from cascade_core.request import Request
from cascade_core.setup.engine import Engine
from cascade_core.setup.plan import Plan
from cascade_core.verdict import Verdict
from llamaindex_cascade.asking.instrumentation import announce
from llamaindex_cascade.reading import recorder


@dataclass(slots=True)
class Decided:
    """A verdict and its record."""

    verdict: Verdict
    record: Record


@dataclass(slots=True)
class Session:
    """One request.

    Attributes:
        engine: The cascade's engine.
        plan: How this kind of request is decided.
        request: What was asked.
        caller: Calls the models.
        collectors: Who collects decisions where the request started; a stream
            may be read to its end somewhere else.
        around: The recorder of a tier that this cascade is inside of.
    """

    engine: Engine
    plan: Plan
    request: Request
    caller: Caller
    collectors: Collectors = field(default_factory=collectors)
    around: recorder.Recorder | None = field(default_factory=recorder.current)

    def run(self) -> Decided:
        """Decide, and wait."""
        port = Port(self.caller, self.plan.notices)
        try:
            if self.around is None:
                verdict = drivers.run(cascade(self.plan, self.request), port)
            else:
                with recorder.unrecorded():
                    verdict = drivers.run(cascade(self.plan, self.request), port)
        except CascadeExhausted as error:
            self._exhausted(error)
            raise
        return self._decided(verdict)

    async def arun(self) -> Decided:
        """Decide, and wait."""
        port = AsyncPort(self.caller, self.plan.notices)
        try:
            if self.around is None:
                verdict = await drivers.arun(cascade(self.plan, self.request), port)
            else:
                with recorder.unrecorded():
                    verdict = await drivers.arun(cascade(self.plan, self.request), port)
        except CascadeExhausted as error:
            self._exhausted(error)
            raise
        return self._decided(verdict)

    def stream(self) -> Generator[Any, None, None]:
        """Decide, and yield what is shown, then the `Decided`.

        Everything up to the first chunk is done before this returns: a lazy
        start would lose the caller's span and context.
        """
        return primed(self._stream())

    async def astream(self) -> AsyncGenerator[Any, None]:
        """Decide, and yield what is shown, then the `Decided`."""
        return await aprimed(self._astream())

    def _stream(self) -> Generator[Any, None, None]:
        flow = cascade(self.plan, self.request, streamed=True)
        with closing(drivers.stream(flow, Port(self.caller, self.plan.notices))) as items:
            while True:
                try:
                    with recorder.unrecorded():
                        item = next(items, None)
                except CascadeExhausted as error:
                    self._exhausted(error)
                    raise
                if item is None:
                    return
                yield self._decided(item.value) if isinstance(item, drivers.Result) else item

    async def _astream(self) -> AsyncGenerator[Any, None]:
        flow = cascade(self.plan, self.request, streamed=True)
        async with aclosing(drivers.astream(flow, AsyncPort(self.caller, self.plan.notices))) as i:
            while True:
                try:
                    with recorder.unrecorded():
                        item = await anext(i, None)
                except CascadeExhausted as error:
                    self._exhausted(error)
                    raise
                if item is None:
                    return
                yield self._decided(item.value) if isinstance(item, drivers.Result) else item

    def _decided(self, verdict: Verdict) -> Decided:
        record = self.engine.record(verdict, str(uuid4()), self.request, self.collectors)
        if self.around is not None:
            native = verdict.draft.native
            self.around.add(
                verdict.calls,
                native if isinstance(native, ChatResponse | CompletionResponse) else None,
                verdict.draft,
            )
        announce(record)
        return Decided(verdict, record)

    def _exhausted(self, error: CascadeExhausted) -> None:
        if self.around is not None:  # nobody answered, but somebody may have to be paid
            self.around.add([call for call in error.trail if isinstance(call, Call)])
        record = self.engine.exhausted(
            error, str(uuid4()), self.request.class_name, self.collectors
        )
        announce(record)


_END = object()


def primed(items: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """Return a generator whose first item has been made already."""
    first = next(items, _END)

    def rest() -> Generator[Any, None, None]:
        with closing(items):
            if first is not _END:
                yield first
                yield from items

    return rest()


async def aprimed(items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    """Return a generator whose first item has been made already."""
    first = await anext(items, _END)

    async def rest() -> AsyncGenerator[Any, None]:
        async with aclosing(items):
            if first is not _END:
                yield first
                async for item in items:
                    yield item

    return rest()
