"""`CascadeLLM`: an LLM made of LLMs, cheapest first.

Every public way to ask an LLM is overridden, because the cascade decides at
the highest level that LlamaIndex calls: there each tier still formats
templates, system prompts and tools in its own manner. No decision is made
here: `cascade_core.loop.flow` makes them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, Unpack, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
)
from llama_index.core.llms import LLM

from cascade_core.given import Tier
from cascade_core.setup.constructor import configured
from cascade_core.setup.settings import CascadeKeywords
from llamaindex_cascade.asking.instrumentation import spanned_if_observed
from llamaindex_cascade.llm.keywords import LLMKeywords
from llamaindex_cascade.llm.objects import Objects
from llamaindex_cascade.llm.tools import ToolCalling
from llamaindex_cascade.llm.ways import Messages, Text


@spanned_if_observed
@configured(CascadeKeywords, LLMKeywords)
class CascadeLLM(Objects, ToolCalling):
    """An LLM that asks a cheap LLM first and a stronger one when it must.

    It takes the place of an LLM anywhere: `Settings.llm`, query and chat
    engines, agents, extractors, evaluators and programs, sync, async and
    streamed.

    Args:
        tiers: LLMs, or their names such as `"openai:gpt-4o-mini"`, cheapest first.
        settings: See `CascadeKeywords` and `LLMKeywords`; `help()` lists them.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.

    Examples:
        >>> Settings.llm = CascadeLLM([cheap, strong], thresholds=0.8)
        >>> Settings.llm.complete("When is my invoice due?").additional_kwargs["cascade"]["reason"]
        'confident'
    """

    def __init__(self, tiers: Sequence[LLM | str | Tier], **settings: Unpack[LLMKeywords]) -> None:
        fields: dict[str, Any] = {"tiers": tiers, **settings}
        super().__init__(**fields)
        self.__dict__["_reports"] = "callback_manager" in settings
        _ = self._engine  # outside pydantic's own validation, which would quote its input

    @classmethod
    def from_models(cls, *names: str, **settings: Unpack[LLMKeywords]) -> Self:
        """Make a cascade from model names, cheapest first.

        Args:
            names: Providers and models, such as `"openai:gpt-4o-mini"` or `"ollama:llama3.2"`. A
                provider is the last part of its module, `llama_index.llms.ollama`; one that is
                not known is told with those that are.
            settings: See the class.
        """
        return cls(list(names), **settings)

    @classmethod
    def class_name(cls) -> str:
        """Return the name LlamaIndex knows the class by."""
        return "CascadeLLM"

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer messages; the record is in `additional_kwargs["cascade"]`."""
        return cast("ChatResponse", self._respond(Messages(messages, kwargs)))

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer messages; the record is in `additional_kwargs["cascade"]`."""
        return cast("ChatResponse", await self._arespond(Messages(messages, kwargs)))

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Answer messages in parts: an accepted draft replayed, the last tier live.

        The record is in `additional_kwargs["cascade"]` of the last response.
        """
        return cast("ChatResponseGen", self._stream(Messages(messages, kwargs)))

    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Answer messages in parts; see `stream_chat`."""
        return cast("ChatResponseAsyncGen", await self._astream(Messages(messages, kwargs)))

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a text; the record is in `additional_kwargs["cascade"]`."""
        way = Text(prompt, kwargs, formatted=formatted)
        return cast("CompletionResponse", self._respond(way))

    async def acomplete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> CompletionResponse:
        """Answer a text; the record is in `additional_kwargs["cascade"]`."""
        way = Text(prompt, kwargs, formatted=formatted)
        return cast("CompletionResponse", await self._arespond(way))

    def stream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> CompletionResponseGen:
        """Answer a text in parts; see `stream_chat`."""
        way = Text(prompt, kwargs, formatted=formatted)
        return cast("CompletionResponseGen", self._stream(way))

    async def astream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> CompletionResponseAsyncGen:
        """Answer a text in parts; see `stream_chat`."""
        way = Text(prompt, kwargs, formatted=formatted)
        return cast("CompletionResponseAsyncGen", await self._astream(way))
