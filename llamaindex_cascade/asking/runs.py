"""Runs of tiers that make several model calls, or hide the one they make: those are recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Failed
from llamaindex_cascade.asking.calls import Calls
from llamaindex_cascade.reading.recorder import Recorder, recording


@dataclass(slots=True)
class Run:
    """One run of a tier.

    Attributes:
        recorder: Saw the model calls inside.
        answer: What the tier answered, unless it failed.
        error: What it raised.
    """

    recorder: Recorder
    answer: Any = None
    error: Exception | None = None
    _started: float = field(default_factory=perf_counter)

    @property
    def seconds(self) -> float:
        """Wall time since it began."""
        return perf_counter() - self._started

    def failed(self, error: Exception) -> Failed:
        """Return a failure, with whatever was paid for inside."""
        seconds, calls = self.seconds, self.recorder.calls()
        return Failed(error, seconds, Draft(inner=calls, seconds=seconds) if calls else None)


class RecordedCalls(Calls):
    """Calls of such tiers; judges are called as any LLM."""

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run a tier, or ask a judge, and wait."""
        if effect.request.native is None:
            return super().call(effect, sample)
        with self._run() as run:
            run.answer = self.whole(self.invocation(effect).call(), effect)
        return self.ended(run, effect)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run a tier, or ask a judge, and wait."""
        if effect.request.native is None:
            return await super().acall(effect, sample)
        with self._run() as run:
            run.answer = await self.awhole(await self.invocation(effect).acall(), effect)
        return self.ended(run, effect)

    def whole(self, answer: Any, effect: Ask) -> Any:
        """Return an answer with nothing of it still to come."""
        del effect
        return answer

    async def awhole(self, answer: Any, effect: Ask) -> Any:
        """Return an answer with nothing of it still to come."""
        return self.whole(answer, effect)

    def ended(self, run: Run, effect: Ask) -> Draft | Failed:
        """Return what a run came to."""
        raise NotImplementedError

    @contextmanager
    def _run(self) -> Iterator[Run]:
        with recording() as recorder:
            run = Run(recorder)
            try:
                yield run
            except self.fatal:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
                run.error = error
