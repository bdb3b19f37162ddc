"""`CascadeSynthesizer`: a response synthesizer made of LLMs or synthesizers, cheapest first.

What was retrieved once goes to every tier that is asked, and a whole synthesis
is judged rather than each of its steps. No decision is made here:
`cascade_core.loop.flow` makes them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self, Unpack

from llama_index.core.base.response.schema import RESPONSE_TYPE
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.callbacks.base import EventContext
from llama_index.core.instrumentation.events.synthesis import (
    SynthesizeEndEvent,
    SynthesizeStartEvent,
)
from llama_index.core.llms import LLM
from llama_index.core.prompts.mixin import PromptDictType
from llama_index.core.response_synthesizers import (
    BaseSynthesizer,
)
from llama_index.core.schema import (
    NodeWithScore,
    QueryType,
)
from llama_index.core.settings import Settings
from llama_index.core.types import RESPONSE_TEXT_TYPE
from llama_index_instrumentation import get_dispatcher

from cascade_core.errors import ConfigurationError
from cascade_core.given import Tier as DeclaredTier
from cascade_core.given import bare_model, listed_tiers
from cascade_core.request import Request, Turn
from cascade_core.setup.constructor import configured
from cascade_core.setup.handler import read_handler
from cascade_core.setup.settings import CascadeKeywords, CascadeSettings, called
from cascade_core.tier import Tier
from llamaindex_cascade.asking.engine import LLMEngine
from llamaindex_cascade.asking.instrumentation import request_facts, spanned_if_observed
from llamaindex_cascade.asking.misgiven import no_synthesizer
from llamaindex_cascade.asking.models import AGREEING, with_model, with_models
from llamaindex_cascade.asking.session import Session
from llamaindex_cascade.engines.base import PipelineCascade
from llamaindex_cascade.engines.keywords import SynthesizerKeywords
from llamaindex_cascade.engines.responses import (
    AnyResponse,
    Streamed,
    ashown_response,
    plain,
    shown_response,
)
from llamaindex_cascade.engines.synthesis import LLMPipeline, Synthesis, of_texts
from llamaindex_cascade.engines.tiers import Pipeline, PipelineCalls, make_pipeline

_dispatcher = get_dispatcher(__name__)


_MAKING = SynthesizerKeywords.__annotations__.keys() - CascadeKeywords.__annotations__.keys()


@spanned_if_observed
@configured(CascadeKeywords, SynthesizerKeywords)
class CascadeSynthesizer(PipelineCascade, BaseSynthesizer):
    """A synthesizer that asks a cheap tier first and a stronger one when it must.

    It takes the place of any: in `RetrieverQueryEngine(retriever, response_synthesizer=…)`, chat
    engines, and `index.as_query_engine(response_synthesizer=…)`, which makes `Settings.llm` all the
    same: give it `llm=` too where that is not set. The record is in the response's
    `metadata["cascade"]`.

    Tiers given as LLMs are asked for log-probabilities where they can give
    them, and for samples at the temperature of `SelfConsistency`; synthesizers
    are called as they are.

    Args:
        tiers: LLMs, their names, or response synthesizers, cheapest first.
        streaming: Whether to answer with streams: an accepted draft at once,
            the last tier live; the record is there when the stream has ended.
            An object (`output_cls`) is never streamed.
        callback_manager: What the cascade and all tiers report to; without it,
            LLMs that have a manager of their own keep it.
        settings: See `CascadeKeywords`, and `SynthesizerKeywords` for tiers given as
            LLMs; `help()` lists them.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.

    Examples:
        >>> synthesizer = CascadeSynthesizer([cheap, strong], response_mode="refine")
        >>> engine = RetrieverQueryEngine(index.as_retriever(), synthesizer)
        >>> engine.query("When is my invoice due?").metadata["cascade"]["reason"]
        'confident'
    """

    def __init__(
        self,
        tiers: Sequence[LLM | BaseSynthesizer | str | DeclaredTier],
        *,
        streaming: bool = False,
        callback_manager: CallbackManager | None = None,
        **settings: Unpack[SynthesizerKeywords],
    ) -> None:
        given = listed_tiers(with_models(tiers), "LLMs or synthesizers")
        deciding: dict[str, Any] = {**settings}
        making = {name: deciding.pop(name) for name in _MAKING & deciding.keys()}
        if making and not any(isinstance(bare_model(each)[0], LLM) for each in given):
            name = min(making)
            msg = f"{name}= is for tiers given as LLMs; give it to the synthesizers themselves"
            raise ConfigurationError(msg)
        making["streaming"] = streaming
        made = [_make_tier(each, i, making, callback_manager) for i, each in enumerate(given)]
        named = called(deciding, type(self))
        handler = read_handler(
            settings.get("on_handoff"),
            lambda given: (
                _make_tier(given, len(made), making, callback_manager) if _is_tier(given) else None
            ),
            "an LLM, a synthesizer",
        )
        self._engine = LLMEngine(
            CascadeSettings(tiers=given, **named),
            made,
            handler=handler,
            make_partner=lambda given, index: _make_tier(
                with_model(given, AGREEING), index, making, callback_manager, AGREEING
            ),
        )
        plan = self._engine.plan
        for tier in plan.tiers if plan.reads_logprobs else ():
            if isinstance(tier.native, LLMPipeline):
                tier.native.ask_logprobs(plan.top_logprobs)
        super().__init__(
            llm=made[-1].native.synthesizer._llm,  # noqa: SLF001 - or it would be that of `Settings`
            streaming=streaming,
            output_cls=making.get("output_cls"),
            prompt_helper=making.get("prompt_helper"),
            chat_prompt_helper=making.get("chat_prompt_helper"),
        )
        if callback_manager is not None:
            self.callback_manager = callback_manager

    @classmethod
    def from_models(
        cls,
        *names: str,
        streaming: bool = False,
        callback_manager: CallbackManager | None = None,
        **settings: Unpack[SynthesizerKeywords],
    ) -> Self:
        """Make a synthesizer from model names, cheapest first; see `CascadeLLM.from_models`."""
        reports = callback_manager
        return cls(list(names), streaming=streaming, callback_manager=reports, **settings)

    @property
    def tiers(self) -> list[BaseSynthesizer]:
        """The synthesizers, cheapest first."""
        return [tier.native.native for tier in self._engine.plan.tiers]

    @property
    def callback_manager(self) -> CallbackManager:
        """What the cascade reports to."""
        return self._callback_manager

    @callback_manager.setter
    def callback_manager(self, callback_manager: CallbackManager) -> None:
        """Set the manager of the cascade, its tiers and their models."""
        self._callback_manager = callback_manager
        for synthesizer in self._all():
            synthesizer.callback_manager = callback_manager

    def synthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """Answer a question from nodes, which every tier that is asked gets."""
        _dispatcher.event(SynthesizeStartEvent(query=query))
        way = Synthesis(query, nodes, additional_source_nodes, response_kwargs)
        with self._reported(way) as event:
            response = self._answer(way)
            event.on_end(payload={EventPayload.RESPONSE: response})
        _dispatcher.event(SynthesizeEndEvent(query=way.query, response=response))
        return response

    async def asynthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """Answer a question from nodes, which every tier that is asked gets."""
        _dispatcher.event(SynthesizeStartEvent(query=query))
        way = Synthesis(query, nodes, additional_source_nodes, response_kwargs)
        with self._reported(way) as event:
            response = await self._aanswer(way)
            event.on_end(payload={EventPayload.RESPONSE: response})
        _dispatcher.event(SynthesizeEndEvent(query=way.query, response=response))
        return response

    def get_response(
        self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any
    ) -> RESPONSE_TEXT_TYPE:
        """Answer a question from texts; the record is with `collect_decisions()`."""
        return _content(self._answer(of_texts(query_str, text_chunks, response_kwargs)))

    async def aget_response(
        self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any
    ) -> RESPONSE_TEXT_TYPE:
        """Answer a question from texts; the record is with `collect_decisions()`."""
        return _content(await self._aanswer(of_texts(query_str, text_chunks, response_kwargs)))

    @contextmanager
    def _reported(self, way: Synthesis) -> Iterator[EventContext]:
        """Report a synthesis, as a trace of its own where it is part of no other.

        Without one, a model's first call begins a trace, which forgets the events that are open:
        the end of the second of two syntheses, one in the other, then finds none to end.
        """
        manager = self._callback_manager
        with (
            manager.as_trace("synthesize"),
            manager.event(CBEventType.SYNTHESIZE, payload=way.payload) as event,
        ):
            yield event

    def _answer(self, way: Synthesis) -> AnyResponse:
        session = self._session(way)
        if self._streaming:
            return shown_response(session.stream(), streaming=True)
        return plain(session.run())

    async def _aanswer(self, way: Synthesis) -> AnyResponse:
        session = self._session(way)
        if self._streaming:
            return await ashown_response(session.astream(), streaming=True)
        return plain(await session.arun())

    def _session(self, way: Synthesis) -> Session:
        request = Request(
            (Turn("user", way.query.query_str),),
            native=way,
            contexts=way.texts,
            **request_facts(),
        )
        # It retrieves nothing itself: whether there was anything to answer from is not its fault.
        calls = PipelineCalls(way, self._engine, needs_nodes=False)
        return Session(self._engine, request, calls)

    def _all(self) -> list[BaseSynthesizer]:
        """Return the tiers, in every form in which they are called."""
        tiers = [*self._engine.plan.tiers, *self._engine.partners.tiers]
        return [form for tier in tiers for form in tier.native.forms]

    def _get_prompts(self) -> PromptDictType:
        """Return the prompts of all tiers; of one name, the last tier's."""
        return {name: p for tier in self.tiers for name, p in tier.get_prompts().items()}

    def _update_prompts(self, prompts_dict: PromptDictType) -> None:
        """Update the prompts of all tiers."""
        for synthesizer in self._all():
            synthesizer.update_prompts(prompts_dict)


def _is_tier(given: object) -> bool:
    return isinstance(bare_model(given)[0], LLM | BaseSynthesizer)


def _make_tier(
    tier: object,
    index: int,
    making: Mapping[str, Any],
    manager: CallbackManager | None,
    where: str | None = None,
) -> Tier:
    given, said = bare_model(tier)
    if isinstance(given, BaseSynthesizer):
        return make_pipeline(Pipeline(given, given), index, said)
    if isinstance(given, LLM):
        # The factory would have the model report to `Settings` otherwise.
        own = given.callback_manager if given.callback_manager.handlers else None
        reports = {"callback_manager": manager or own or Settings.callback_manager}
        return make_pipeline(LLMPipeline(given, {**making, **reports}), index, said)
    raise no_synthesizer(given, where or f"tiers[{index}]")


def _content(response: AnyResponse) -> RESPONSE_TEXT_TYPE:
    """Return what a synthesizer's `get_response` does: a text, a stream or an object."""
    if isinstance(response, Streamed):
        return response.response_gen
    return response.response or ""
