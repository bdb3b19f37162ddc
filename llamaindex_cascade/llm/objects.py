"""Objects: `structured_predict` and its kin, each tier making them in its own way."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.prompts import PromptTemplate
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel

from cascade_core.loop.session import Decided
from llamaindex_cascade.asking.instrumentation import spanned_if_observed
from llamaindex_cascade.asking.session import Session
from llamaindex_cascade.asking.streams import ashown, shown
from llamaindex_cascade.llm.calls import ObjectCalls
from llamaindex_cascade.llm.prediction import Prediction
from llamaindex_cascade.llm.shown import objects
from llamaindex_cascade.llm.templates import Object

_dispatcher = get_dispatcher(__name__)


@spanned_if_observed
class Objects(Prediction):
    """The part of a `CascadeLLM` that makes objects."""

    def structured_predict(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Any:
        """Return an object; one that a tier cannot make escalates.

        Raises:
            Exception: What the last tier raised, where its answer did not parse either.
        """
        way = self._asked_for(output_cls, prompt, llm_kwargs, prompt_args)
        return self._object(way, self._object_session(way).run())

    async def astructured_predict(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Any:
        """Return an object; see `structured_predict`."""
        way = self._asked_for(output_cls, prompt, llm_kwargs, prompt_args)
        return self._object(way, await self._object_session(way).arun())

    def stream_structured_predict(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Any, None, None]:
        """Return ever more complete objects: an accepted one whole, the last tier's live."""
        way = self._asked_for(output_cls, prompt, llm_kwargs, prompt_args)
        return shown(self._object_session(way).stream(), objects(self._remembering(way)))

    async def astream_structured_predict(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any, None]:
        """Return ever more complete objects; see `stream_structured_predict`."""
        way = self._asked_for(output_cls, prompt, llm_kwargs, prompt_args)
        items = self._object_session(way).astream()
        return await ashown(items, objects(self._remembering(way)))

    def _asked_for(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None,
        prompt_args: dict[str, Any],
    ) -> Object:
        _dispatcher.event(
            LLMStructuredPredictStartEvent(
                output_cls=output_cls, template=prompt, template_args=prompt_args
            )
        )
        return Object(output_cls, prompt, llm_kwargs, prompt_args)

    def _object(self, way: Object, decided: Decided) -> Any:
        self._remember(way, decided)
        draft = decided.verdict.draft
        if draft.parse_error is not None:
            raise draft.parse_error
        _dispatcher.event(LLMStructuredPredictEndEvent(output=draft.native))
        return draft.native

    def _object_session(self, way: Object) -> Session:
        calls = ObjectCalls(way, self._manager, self._object_engine)
        return Session(
            self._object_engine,
            self._request(way),
            calls,
            limiter=self.rate_limiter,
        )
