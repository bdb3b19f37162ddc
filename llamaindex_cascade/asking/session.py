"""One request of LlamaIndex's: the core's session, and who else is told of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

from cascade_core.loop import session
from cascade_core.loop.session import Decided
from llamaindex_cascade.asking.instrumentation import announce
from llamaindex_cascade.asking.streams import arecorded, recorded
from llamaindex_cascade.reading import recorder


class Session(session.Session):
    """A request of LlamaIndex's: told of as an event, and to a tier that it happens inside of.

    That tier's recorder gets the request's trail; it must not see its calls as well.
    """

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

    def stream(self) -> Generator[Any, None, None]:
        """Decide, and yield what is shown, then the `Decided`."""
        return recorded(super().stream(), None)

    def astream(self) -> AsyncGenerator[Any, None]:
        """Decide, and yield what is shown, then the `Decided`."""
        return arecorded(super().astream(), None)

    @property
    def _waits(self) -> bool:
        # What the tier around this has paid for is added up when it returns.
        return self._around is not None

    def _collect(self) -> None:
        if self._around is not None:  # also where nobody answered: somebody may have to be paid
            self._around.add(self.calls, None if self.verdict is None else self.verdict.draft)
        super()._collect()
        assert self.record is not None  # noqa: S101 - it is being kept
        announce(self.record)
