"""Tiers that are whole pipelines: synthesizers and query engines, each called as it is.

They make several model calls, which are recorded; their answers are read in
`responses`. No decision is made here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any, Protocol

from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.llms import LLM

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Failed, Open
from cascade_core.errors import ConfigurationError
from cascade_core.setup.engine import Engine
from cascade_core.tier import LogprobMemory, Tier
from llamaindex_cascade.asking.streams import AsyncTierStream, TierStream
from llamaindex_cascade.asking.tiers import LLMTier
from llamaindex_cascade.engines.responses import (
    EMPTY,
    AnyResponse,
    Piece,
    Pieces,
    awhole,
    checked,
    read,
    whole,
)
from llamaindex_cascade.llm.calls import Calls, arecorded, recorded
from llamaindex_cascade.reading.capabilities import gives_logprobs, host, model_name
from llamaindex_cascade.reading.recorder import Recorder, recording, within


@dataclass(eq=False)
class Pipeline:
    """A synthesizer or a query engine that is a tier.

    Attributes:
        native: The caller's, which is called as it is.
        synthesizer: What writes its answers, as far as that is known.
    """

    native: Any
    synthesizer: Any

    @property
    def llm(self) -> LLM | None:
        """The model that writes its answers; None where it is not known, or one of several."""
        if isinstance(getattr(self.synthesizer, "_engine", None), Engine):
            return None
        llm = getattr(self.synthesizer, "_llm", None)
        return llm if isinstance(llm, LLM) else None

    @cached_property
    def empty(self) -> tuple[str, ...]:
        """What it answers where it found nothing."""
        own = getattr(self.synthesizer, "_empty_response", None)
        return (EMPTY,) if own is None else (EMPTY, own)

    def asked_for(self, *, logprobs: bool) -> Any:
        """Return what to call, where log-probabilities are wanted or not."""
        del logprobs
        return self.native

    @property
    def forms(self) -> list[Any]:
        """Everything that may be called."""
        return [self.native]


def make_tier(pipeline: Pipeline, index: int) -> Tier:
    """Return a pipeline as the core sees it."""
    llm = pipeline.llm
    return Tier(
        index=index,
        model=None if llm is None else model_name(llm),
        native=pipeline,
        provider=None if llm is None else host(llm),
        logprobs=LogprobMemory(None if llm is None or gives_logprobs(llm) is not False else False),
    )


class Way(Protocol):
    """One request, askable of any tier."""

    def run(self, native: Any) -> Any:
        """Ask and wait."""
        ...

    async def arun(self, native: Any) -> Any:
        """Ask and wait."""
        ...


class PipelineCalls(Calls):
    """Calls pipelines; judges are called as any LLM.

    Args:
        way: What was asked.
        needs_nodes: Whether an answer without source nodes has no evidence.
    """

    def __init__(self, way: Way, *, needs_nodes: bool) -> None:
        super().__init__(None)
        self._way = way
        self._needs_nodes = needs_nodes

    def ready(self, target: object) -> LLMTier:
        """Return the model that the core's own question goes to."""
        if not isinstance(target, Tier):
            return super().ready(target)
        llm = target.native.llm
        if llm is None:
            msg = f"{target.label} does not say which model answers in it"
            raise TypeError(msg)
        return LLMTier(llm)

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run a tier, or ask a judge, and wait."""
        del sample
        if effect.request.native is None:
            return self.ask_own(effect)
        started = perf_counter()
        with recording() as recorder:
            try:
                native = _native(effect.target, effect)
                response = whole(checked(self._way.run(native), effect.target))
            except ConfigurationError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
                return _failed(error, recorder, started)
            return self._read(response, recorder, effect.target, started)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run a tier, or ask a judge, and wait."""
        del sample
        if effect.request.native is None:
            return await self.aask_own(effect)
        started = perf_counter()
        with recording() as recorder:
            try:
                native = _native(effect.target, effect)
                answer = await awhole(checked(await self._way.arun(native), effect.target))
            except ConfigurationError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
                return _failed(error, recorder, started)
            return self._read(answer, recorder, effect.target, started)

    def open(self, effect: Open) -> TierStream:
        """Run the last tier, live if it streams."""
        gathered = Pieces(effect.tier.native.empty, needs_nodes=self._needs_nodes)
        return TierStream(self._pieces(effect, gathered), gathered)

    async def aopen(self, effect: Open) -> AsyncTierStream:
        """Run the last tier, live if it streams."""
        gathered = Pieces(effect.tier.native.empty, needs_nodes=self._needs_nodes)
        return AsyncTierStream(self._apieces(effect, gathered), gathered)

    def as_chunk(self, native: Any, tier: Tier) -> Any:
        """Return a whole response: a stream of one."""
        del tier
        return native

    def _pieces(self, effect: Open, gathered: Pieces) -> Generator[Any, None, None]:
        """Run a tier; the first item is asked for at once, so this starts at once."""
        with recording() as recorder:
            gathered.recorder = recorder
            response = checked(self._way.run(_native(effect.tier, effect)), effect.tier)
        gathered.response = response
        if not isinstance(response, StreamingResponse) or response.response_txt is not None:
            with within(recorder):
                response = whole(response)
            yield response
            return
        with closing(recorded(iter(response.response_gen), recorder)) as texts:
            for text in texts:
                yield Piece(response, text or "")

    async def _apieces(self, effect: Open, gathered: Pieces) -> AsyncGenerator[Any, None]:
        """Run a tier; the first item is asked for at once, so this starts at once."""
        with recording() as recorder:
            gathered.recorder = recorder
            response = checked(await self._way.arun(_native(effect.tier, effect)), effect.tier)
        gathered.response = response
        if isinstance(response, StreamingResponse) and response.response_txt is None:
            # Engines without an async way of their own answer with what the sync one gives.
            with closing(recorded(iter(response.response_gen), recorder)) as given:
                for text in given:
                    yield Piece(response, text or "")
        elif isinstance(response, AsyncStreamingResponse) and response.response_txt is None:
            async with aclosing(arecorded(aiter(response.response_gen), recorder)) as texts:
                async for text in texts:
                    yield Piece(response, text or "")
        else:
            yield response

    def _read(self, response: AnyResponse, recorder: Recorder, tier: Tier, started: float) -> Draft:
        return read(
            response,
            recorder,
            perf_counter() - started,
            empty=tier.native.empty,
            needs_nodes=self._needs_nodes,
        )


def _native(tier: Tier, effect: Ask | Open) -> Any:
    pipeline: Pipeline = tier.native
    return pipeline.asked_for(logprobs=effect.logprobs)


def _failed(error: Exception, recorder: Recorder, started: float) -> Failed:
    seconds, calls = perf_counter() - started, recorder.calls()
    return Failed(error, seconds, Draft(inner=calls, seconds=seconds) if calls else None)
