"""`CascadeQueryEngine`: a query engine made of query engines, cheapest first.

Only here does a cascade see that nothing was retrieved, and only here can it
retrieve more: each tier searches for itself. No decision is made here:
`cascade_core.loop.flow` makes them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack, cast

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import RESPONSE_TYPE
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.settings import Settings

from cascade_core.given import Tier as DeclaredTier
from cascade_core.given import bare_model, listed_tiers
from cascade_core.request import Request, Turn
from cascade_core.setup.constructor import configured
from cascade_core.setup.handler import read_handler
from cascade_core.setup.settings import CascadeKeywords, CascadeSettings, called
from cascade_core.tier import Tier
from llamaindex_cascade.asking.engine import LLMEngine
from llamaindex_cascade.asking.instrumentation import request_facts, spanned_if_observed
from llamaindex_cascade.asking.misgiven import no_query_engine
from llamaindex_cascade.asking.models import AGREEING
from llamaindex_cascade.asking.session import Session
from llamaindex_cascade.engines.base import PipelineCascade
from llamaindex_cascade.engines.responses import ashown_response, shown_response
from llamaindex_cascade.engines.tiers import Pipeline, PipelineCalls, Question, make_pipeline


@spanned_if_observed
@configured(CascadeKeywords)
class CascadeQueryEngine(PipelineCascade, BaseQueryEngine):
    """A query engine that asks a cheap engine first and a stronger one when it must.

    A cheap pipeline (a small model, two nodes) hands on to a rich one (a large
    model, six nodes, a reranker). Besides what every cascade looks at, an
    answer without source nodes hands on, and so does LlamaIndex's own "Empty
    Response".

    **Tiers must be free of side effects**: a rejected tier has already run.
    What an accepted tier returns is what the caller gets, with the record in
    `metadata["cascade"]`: let all tiers stream, or none. Of tiers that stream,
    all but the last are read to their end before anything is shown; the last is
    live, and its record is there once its stream has ended.

    Log-probabilities are read where the model that wrote the answer had them:
    ask for them where it is made (`OpenAI(logprobs=True)`), or give other signals.
    `SelfConsistency` runs an engine again as it is: the model in it has to have a
    temperature, or every sample is the draft once more.

    Args:
        tiers: Query engines, cheapest first.
        needs_nodes: Whether an answer without source nodes is a failure; False
            for engines that retrieve nothing.
        callback_manager: What the cascade's own events go to; tiers keep theirs.
        settings: See `CascadeKeywords`; `help()` lists them.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.

    Examples:
        >>> engine = CascadeQueryEngine(tiers=[
        ...     index.as_query_engine(llm=cheap, similarity_top_k=2),
        ...     index.as_query_engine(llm=strong, similarity_top_k=6),
        ... ])
        >>> engine.query("When is my invoice due?").metadata["cascade"]["reason"]
        'confident'
    """

    def __init__(
        self,
        tiers: Sequence[BaseQueryEngine | DeclaredTier],
        *,
        needs_nodes: bool = True,
        callback_manager: CallbackManager | None = None,
        **settings: Unpack[CascadeKeywords],
    ) -> None:
        super().__init__(callback_manager or Settings.callback_manager)
        given = listed_tiers(tiers, "query engines")
        made = [_make_tier(each, index) for index, each in enumerate(given)]
        named = called(settings, type(self))
        handler = read_handler(
            settings.get("on_handoff"),
            lambda given: _make_tier(given, len(made)) if _is_engine(given) else None,
            "a query engine",
        )
        self._engine = LLMEngine(
            CascadeSettings(tiers=tiers, **named),
            made,
            handler=handler,
            make_partner=lambda given, index: _make_tier(given, index, AGREEING),
        )
        self._needs_nodes = needs_nodes

    @property
    def tiers(self) -> list[BaseQueryEngine]:
        """The query engines, cheapest first."""
        return [tier.native.native for tier in self._engine.plan.tiers]

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Return what the last tier retrieves: there is no answer yet that could be judged."""
        return self.tiers[-1].retrieve(query_bundle)

    async def aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Return what the last tier retrieves; see `retrieve`."""
        last = self.tiers[-1]
        if not hasattr(last, "aretrieve"):
            return last.retrieve(query_bundle)
        return cast("list[NodeWithScore]", await last.aretrieve(query_bundle))

    def synthesize(
        self,
        query_bundle: QueryBundle,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
    ) -> RESPONSE_TYPE:
        """Answer from nodes at hand, which every tier that is asked gets."""
        question = Question("synthesize", query_bundle, nodes, additional_source_nodes)
        return shown_response(self._session(question, query_bundle).stream())

    async def asynthesize(
        self,
        query_bundle: QueryBundle,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
    ) -> RESPONSE_TYPE:
        """Answer from nodes at hand, which every tier that is asked gets."""
        question = Question("synthesize", query_bundle, nodes, additional_source_nodes)
        return await ashown_response(self._session(question, query_bundle).astream())

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        payload: dict[str, Any] = {EventPayload.QUERY_STR: query_bundle.query_str}
        with self.callback_manager.event(CBEventType.QUERY, payload=payload) as event:
            question = Question("query", query_bundle)
            response = shown_response(self._session(question, query_bundle).stream())
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        payload: dict[str, Any] = {EventPayload.QUERY_STR: query_bundle.query_str}
        with self.callback_manager.event(CBEventType.QUERY, payload=payload) as event:
            question = Question("query", query_bundle)
            response = await ashown_response(self._session(question, query_bundle).astream())
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    def _session(self, question: Question, query: QueryBundle) -> Session:
        # Whether tiers stream only shows when they answer, so every request is decided as if
        # they did; an answer that does not stream comes in one piece.
        turns = (Turn("user", query.query_str),)
        request = Request(turns, native=question, **request_facts())
        return Session(
            self._engine,
            request,
            PipelineCalls(question, self._engine, needs_nodes=self._needs_nodes),
        )

    def _get_prompt_modules(self) -> PromptMixinType:
        """Return the tiers: their prompts are `tier_0:…`, `tier_1:…`."""
        return {f"tier_{index}": tier for index, tier in enumerate(self.tiers)}

    def update_prompts(self, prompts_dict: dict[str, BasePromptTemplate]) -> None:
        """Update prompts.

        Args:
            prompts_dict: Templates by name: `tier_0:response_synthesizer:text_qa_template`
                for one tier; without the tier, for all of them.
        """
        modules = self._get_prompt_modules()
        for key, prompt in prompts_dict.items():
            module, _, name = key.partition(":")
            if module in modules:
                modules[module].update_prompts({name: prompt})
            else:
                for tier in modules.values():
                    tier.update_prompts({key: prompt})


def _is_engine(given: object) -> bool:
    return isinstance(bare_model(given)[0], BaseQueryEngine)


def _make_tier(tier: object, index: int, where: str | None = None) -> Tier:
    given, said = bare_model(tier)
    if not isinstance(given, BaseQueryEngine):
        raise no_query_engine(given, where or f"tiers[{index}]")
    pipeline = Pipeline(given, getattr(given, "_response_synthesizer", None))
    return make_pipeline(pipeline, index, said)
