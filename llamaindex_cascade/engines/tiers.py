"""Tiers that are whole pipelines: synthesizers and query engines, each called as it is.

They make several model calls, which are recorded; their answers are read in
`responses`. No decision is made here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llama_index.core.base.response.schema import AsyncStreamingResponse
from llama_index.core.llms import LLM

from cascade_core.abilities import NOTHING_KNOWN
from cascade_core.draft import Draft
from cascade_core.effects import Adopt, Ask, Failed, Open
from cascade_core.given import Tier as DeclaredTier
from cascade_core.given import described
from cascade_core.integrations.classes import other_names
from cascade_core.loop.streams import AsyncStream, Stream
from cascade_core.setup.engine import Engine
from cascade_core.tier import LogprobMemory, Tier
from llamaindex_cascade.asking.calls import Invocation, RecordedCalls, Run, options_of
from llamaindex_cascade.asking.engine import LLMEngine
from llamaindex_cascade.asking.streams import arecorded, recorded
from llamaindex_cascade.asking.tiers import LLMTier
from llamaindex_cascade.engines.responses import (
    EMPTY,
    AnyResponse,
    Pieces,
    adopted,
    awhole,
    checked,
    pieces,
    read,
    response_text,
    whole,
)
from llamaindex_cascade.reading.capabilities import gives_logprobs, host, name_of
from llamaindex_cascade.reading.recorder import recording


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

    def setup(self) -> object:
        """Return what makes it answer as it does."""
        return id(self.native)

    def asked_for(self, *, logprobs: bool) -> Any:
        """Return what to call, where log-probabilities are wanted or not."""
        del logprobs
        return self.native

    def sampled(self, options: Mapping[str, Any]) -> Any:
        """Return what to call for a sample; it is as its owner made it."""
        del options
        return self.native

    @property
    def forms(self) -> list[Any]:
        """Everything that may be called."""
        return [self.native]


def make_pipeline(pipeline: Pipeline, index: int, said: DeclaredTier | None = None) -> Tier:
    """Return a pipeline as the core sees it, with what its caller says of it."""
    llm = pipeline.llm
    return Tier(
        index=index,
        model=None if llm is None else name_of(llm),
        native=pipeline,
        names=() if llm is None else other_names(llm),
        provider=None if llm is None else host(llm),
        setup=pipeline.setup,
        composite=True,
        abilities=described(NOTHING_KNOWN, said),
        logprobs=LogprobMemory(None if llm is None or gives_logprobs(llm) is not False else False),
    )


class Question:
    """One request as every pipeline is asked it: a method and its arguments.

    Args:
        method: The method of synthesizers or query engines.
        args: Its arguments.
    """

    def __init__(self, method: str, *args: Any) -> None:
        self._method = method
        self._args = args

    def invocation(self, native: Any) -> Invocation:
        """Return what a pipeline is asked."""
        # Each has copies: retrievers write their embedding of the question into its bundle, and
        # another tier's index may be made with another model.
        return Invocation(native, self._method, [copy(each) for each in self._args])

    def response(self, native: Any, answer: Any) -> Any:
        """Return what a pipeline answered as a response."""
        del native
        return answer


class PipelineCalls(RecordedCalls):
    """Calls pipelines.

    Args:
        question: What was asked.
        engine: See `Calls`.
        needs_nodes: Whether an answer without source nodes has no evidence.
    """

    def __init__(self, question: Question, engine: LLMEngine, *, needs_nodes: bool) -> None:
        super().__init__(None, engine)
        self._question = question
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

    def invocation(self, effect: Ask | Open) -> Invocation:
        """Return what the caller asks; or the core's own question."""
        if effect.request.native is None:
            return super().invocation(effect)
        pipeline: Pipeline = self.tier_of(effect).native
        options = options_of(effect)
        native = (
            pipeline.sampled(options) if options else pipeline.asked_for(logprobs=effect.logprobs)
        )
        return self._question.invocation(native)

    def whole(self, answer: Any, effect: Ask) -> AnyResponse:
        """Return a response that has been read to its end."""
        return whole(self._response(answer, effect))

    async def awhole(self, answer: Any, effect: Ask) -> AnyResponse:
        """Return a response that has been read to its end."""
        return await awhole(self._response(answer, effect))

    def adopt(self, effect: Adopt) -> Draft:
        """Return what a function gave as a response, with the nodes of the one handed off."""
        response = adopted(effect.value, effect.draft.native)
        return Draft(response_text(response), native=response)

    def ended(self, run: Run, effect: Ask) -> Draft | Failed:
        """Return what a pipeline answered as a draft."""
        if run.error is not None:
            return run.failed(run.error)
        empty = self.tier_of(effect).native.empty
        return read(
            run.answer, run.recorder, run.seconds, empty=empty, needs_nodes=self._needs_nodes
        )

    def open(self, effect: Open) -> Stream:
        """Run the last tier, live if it streams."""
        gathering = Pieces(effect.tier.native.empty, needs_nodes=self._needs_nodes)
        return Stream(self._pieces(effect, gathering), gathering)

    async def aopen(self, effect: Open) -> AsyncStream:
        """Run the last tier, live if it streams."""
        gathering = Pieces(effect.tier.native.empty, needs_nodes=self._needs_nodes)
        return AsyncStream(self._apieces(effect, gathering), gathering)

    def _pieces(self, effect: Open, into: Pieces) -> Generator[Any, None, None]:
        """Run a tier; the first piece is asked for at once, so this starts at once."""
        with recording() as into.recorder:
            into.response = self._response(self.invocation(effect).call(), effect)
        yield from recorded(pieces(into.response), into.recorder)

    async def _apieces(self, effect: Open, into: Pieces) -> AsyncGenerator[Any, None]:
        """Run a tier; the first piece is asked for at once, so this starts at once."""
        with recording() as into.recorder:
            into.response = self._response(await self.invocation(effect).acall(), effect)
        response = into.response
        if isinstance(response, AsyncStreamingResponse) and response.response_txt is None:
            async with aclosing(arecorded(aiter(response.response_gen), into.recorder)) as texts:
                async for text in texts:
                    yield text
        else:  # engines without an async way of their own answer with what the sync one gives
            with closing(recorded(pieces(response), into.recorder)) as given:
                for piece in given:
                    yield piece

    def _response(self, answer: Any, effect: Ask | Open) -> AnyResponse:
        tier = self.tier_of(effect)
        native = tier.native.asked_for(logprobs=effect.logprobs)
        return checked(self._question.response(native, answer), tier)
