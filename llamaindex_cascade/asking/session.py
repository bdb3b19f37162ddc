"""One request of LlamaIndex's: the core's session, and who else is told of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from cascade_core.log import Record
from cascade_core.loop import session
from cascade_core.loop.session import Decided
from llamaindex_cascade.asking.instrumentation import announce
from llamaindex_cascade.reading import recorder


class Session(session.Session):
    """A request of LlamaIndex's: told of as an event, and to a tier that it happens inside of."""

    __slots__ = ("_around",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._around = recorder.current()

    def run(self) -> Decided:
        """Decide, and wait."""
        if self._around is None:
            return super().run()
        with recorder.unrecorded():
            return super().run()

    async def arun(self) -> Decided:
        """Decide, and wait."""
        if self._around is None:
            return await super().arun()
        with recorder.unrecorded():
            return await super().arun()

    def started(self) -> Generator[Any, None, None]:
        """Decide, and return a stream of what is shown, then the `Decided`.

        Everything up to the first chunk is done before this returns: a lazy
        start would lose the caller's span and context.
        """
        return primed(self._unrecorded(self.stream()))

    async def astarted(self) -> AsyncGenerator[Any, None]:
        """Decide, and return a stream of what is shown; see `started`."""
        return await aprimed(self._aunrecorded(self.astream()))

    def _unrecorded(self, items: Generator[Any, None, None]) -> Generator[Any, None, None]:
        with closing(items):
            while True:
                with recorder.unrecorded():
                    item = next(items, None)
                if item is None:
                    return
                yield item

    async def _aunrecorded(self, items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        async with aclosing(items):
            while True:
                with recorder.unrecorded():
                    item = await anext(items, None)
                if item is None:
                    return
                yield item

    def _keep(self, record: Record) -> None:
        if self._around is not None:
            if self.verdict is None:  # nobody answered, but somebody may have to be paid
                self._around.add(self.calls)
            else:
                draft = self.verdict.draft
                shown = isinstance(draft.native, ChatResponse | CompletionResponse)
                self._around.add(self.verdict.calls, draft.native if shown else None, draft)
        super()._keep(record)
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
