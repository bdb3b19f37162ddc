"""Templates: `predict` and `stream`, each tier formatting the template in its own manner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.instrumentation.events.llm import LLMPredictEndEvent, LLMPredictStartEvent
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.types import TokenAsyncGen, TokenGen
from llama_index_instrumentation import get_dispatcher

from cascade_core.loop.session import Decided
from llamaindex_cascade.asking.instrumentation import spanned_if_observed
from llamaindex_cascade.asking.streams import ashown, shown
from llamaindex_cascade.llm.base import CascadeBase
from llamaindex_cascade.llm.shown import deltas
from llamaindex_cascade.llm.templates import Filled, Template

_dispatcher = get_dispatcher(__name__)


@spanned_if_observed
class Prediction(CascadeBase):
    """The part of a `CascadeLLM` that answers templates."""

    def predict(self, prompt: BasePromptTemplate, **prompt_args: Any) -> str:
        """Answer a template; the record is with `collect_decisions()` and the decision event."""
        way = self._began(prompt, prompt_args)
        return self._predicted(way, self._session(way).run())

    async def apredict(self, prompt: BasePromptTemplate, **prompt_args: Any) -> str:
        """Answer a template; the record is with `collect_decisions()` and the decision event."""
        way = self._began(prompt, prompt_args)
        return self._predicted(way, await self._session(way).arun())

    def stream(self, prompt: BasePromptTemplate, **prompt_args: Any) -> TokenGen:
        """Answer a template in parts; see `stream_chat`."""
        self._refuse_parsers(prompt)
        way = self._began(prompt, prompt_args)
        return shown(self._session(way).stream(), deltas(self._remembering(way)))

    async def astream(self, prompt: BasePromptTemplate, **prompt_args: Any) -> TokenAsyncGen:
        """Answer a template in parts; see `stream_chat`."""
        self._refuse_parsers(prompt)
        way = self._began(prompt, prompt_args)
        return await ashown(self._session(way).astream(), deltas(self._remembering(way)))

    def _began(self, prompt: BasePromptTemplate, prompt_args: dict[str, Any]) -> Template:
        _dispatcher.event(LLMPredictStartEvent(template=prompt, template_args=prompt_args))
        self._log_template_data(prompt, **prompt_args)
        return Template(self, prompt, prompt_args)

    def _predicted(self, way: Template, decided: Decided) -> str:
        draft = decided.verdict.draft
        tier = self._llm_tiers[decided.verdict.tier]
        text = way.parsed(draft.whole, tier)
        self._remember(way, decided, text)
        _dispatcher.event(LLMPredictEndEvent(output=text))
        return text

    def _remembering(self, way: Filled) -> Callable[[Decided], None]:
        return lambda decided: self._remember(way, decided)

    def _remember(self, way: Filled, decided: Decided, shown: str = "") -> None:
        tier, draft = decided.verdict.tier, decided.verdict.draft
        if tier:
            # A refine step quotes an object as JSON, or where it is streamed by this field.
            field = getattr(draft.native, "answer", None)
            for answer in {shown or draft.whole, str(field or draft.whole)}:
                self._refining.remember(tier, way.variables, answer)

    def _refuse_parsers(self, prompt: BasePromptTemplate) -> None:
        if getattr(prompt, "output_parser", None) is not None or self.output_parser is not None:
            msg = "Output parser is not supported for streaming."
            raise NotImplementedError(msg)
