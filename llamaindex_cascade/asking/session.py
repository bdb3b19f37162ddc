"""One request of LlamaIndex's: the core's session, and who else is told of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from typing import Any

from llama_index.core.instrumentation.span import active_span_id

from cascade_core.loop import session
from cascade_core.loop.port import Caller
from cascade_core.loop.run_metadata import decision_metadata
from cascade_core.loop.session import Decided
from llamaindex_cascade.asking.instrumentation import announce, is_observed
from llamaindex_cascade.asking.spans import TaggedCalls, open_spans, write_on_spans
from llamaindex_cascade.asking.streams import arecorded, recorded
from llamaindex_cascade.reading import recorder


class Session(session.Session):
    """A request of LlamaIndex's: told of as an event, and to a tier that it happens inside of.

    That tier's recorder gets the request's trail; it must not see its calls as well.

    Args:
        args: See the core's.
        limiter: LlamaIndex's rate limiter, asked before anything else.
        kwargs: See the core's.
    """

    __slots__ = ("_around", "_limiter", "_observed", "_span", "_spans")

    def __init__(self, *args: Any, limiter: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._around = recorder.current()
        self._limiter = limiter
        self._span = active_span_id.get()  # a stream is read when its span is over
        self._observed = is_observed()
        self._spans = open_spans(self._span) if self._observed else []

    def run(self) -> Decided:
        """Decide, and wait."""
        if self._limiter is not None:
            self._limiter.acquire()
        if self._around is None:
            return super().run()
        with recorder.unrecorded():
            return super().run()

    async def arun(self) -> Decided:
        """Decide, and wait."""
        if self._limiter is not None:
            await self._limiter.async_acquire()
        if self._around is None:
            return await super().arun()
        with recorder.unrecorded():
            return await super().arun()

    def stream(self) -> Generator[Any, None, None]:
        """Decide, and yield what is shown, then the `Decided`."""
        if self._limiter is not None:
            self._limiter.acquire()
        return recorded(super().stream(), None)

    def astream(self) -> AsyncGenerator[Any, None]:
        """Decide, and yield what is shown, then the `Decided`."""
        items = arecorded(super().astream(), None)
        return items if self._limiter is None else self._when_allowed(items)

    async def _when_allowed(self, items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        async with aclosing(items):
            await self._limiter.async_acquire()
            async for item in items:
                yield item

    @property
    def _waits(self) -> bool:
        # What the tier around this has paid for is added up when it returns.
        return self._around is not None

    @property
    def _calls(self) -> Caller:
        return TaggedCalls(self.caller, self.id) if self._observed else self.caller

    def _end(self) -> None:
        if self._spans:
            spans, self._spans = self._spans, []
            write_on_spans(spans, decision_metadata(self))
        super()._end()

    def _collect(self) -> None:
        if self._around is not None:  # also where nobody answered: somebody may have to be paid
            self._around.add(self.calls, None if self.verdict is None else self.verdict.draft)
        super()._collect()
        assert self.record is not None  # noqa: S101 - it is being kept
        announce(self.record, self._span)
