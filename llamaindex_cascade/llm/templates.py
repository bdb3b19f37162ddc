"""Templates as LlamaIndex asks them, for a text or for an object; see `asking` for the rest."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import BasePromptTemplate, PromptTemplate
from pydantic import BaseModel

from cascade_core.request import Turn
from llamaindex_cascade.asking.messages import to_turns
from llamaindex_cascade.llm.ways import Options
from llamaindex_cascade.reading.raw import Response

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from llamaindex_cascade.asking.tiers import LLMTier


class Filled:
    """A template with its variables.

    Args:
        prompt: The template.
        variables: Its variables; those that LlamaIndex's synthesizers name hold
            what was retrieved.
    """

    def __init__(self, prompt: BasePromptTemplate, variables: Mapping[str, Any]) -> None:
        self._prompt = prompt
        self._variables = variables

    def turns(self) -> Sequence[Turn]:
        """Return the template, filled in."""
        return to_turns(self._prompt.format_messages(**self._variables))

    @property
    def request(self) -> dict[str, Any]:
        """The retrieved texts."""
        return {"contexts": retrieved(self.given)}

    @property
    def given(self) -> Mapping[str, Any]:
        """The template's variables, those filled in before among them."""
        return ChainMap(dict(self._variables), self._prompt.kwargs)


class Template(Filled):
    """`predict(prompt, **variables)`: each tier formats the template itself.

    Args:
        owner: The cascade: its own system prompt and parser go around the tier's.
        prompt: See `Filled`.
        variables: See `Filled`.
    """

    def __init__(
        self, owner: LLM, prompt: BasePromptTemplate, variables: Mapping[str, Any]
    ) -> None:
        super().__init__(prompt, variables)
        self._owner = owner

    def call(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        if tier.is_chat:
            return tier.llm.chat(self._messages(tier), **options)
        return tier.llm.complete(self._text(tier), formatted=True, **options)

    async def acall(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        if tier.is_chat:
            return await tier.llm.achat(self._messages(tier), **options)
        return await tier.llm.acomplete(self._text(tier), formatted=True, **options)

    def stream(self, tier: LLMTier, options: Options) -> Iterator[Response]:
        """Ask for a stream."""
        if tier.is_chat:
            return tier.llm.stream_chat(self._messages(tier), **options)
        return tier.llm.stream_complete(self._text(tier), formatted=True, **options)

    async def astream(self, tier: LLMTier, options: Options) -> AsyncIterator[Response]:
        """Ask for a stream."""
        if tier.is_chat:
            return await tier.llm.astream_chat(self._messages(tier), **options)
        return await tier.llm.astream_complete(self._text(tier), formatted=True, **options)

    def _messages(self, tier: LLMTier) -> list[ChatMessage]:
        owner = self._owner
        messages = tier.llm._get_messages(self._prompt, **self._variables)  # noqa: SLF001
        if owner.output_parser is not None:
            messages = owner.output_parser.format_messages(messages)
        return owner._extend_messages(messages)  # noqa: SLF001

    def _text(self, tier: LLMTier) -> str:
        owner = self._owner
        text = tier.llm._get_prompt(self._prompt, **self._variables)  # noqa: SLF001
        if owner.output_parser is not None:
            text = owner.output_parser.format(text)
        return owner._extend_prompt(text)  # noqa: SLF001

    def problem(self, text: str, tier: LLMTier) -> Exception | None:
        """Return why the template's parser, or the models' own, cannot read an answer."""
        parsers = (
            getattr(self._prompt, "output_parser", None),
            tier.llm.output_parser,
            self._owner.output_parser,
        )
        return _first_error([parser.parse for parser in parsers if parser is not None], text)

    def parsed(self, text: str, tier: LLMTier) -> str:
        """Return an answer as `predict` does: through the models' own parsers."""
        return self._owner._parse_output(tier.llm._parse_output(text))  # noqa: SLF001


class Object(Filled):
    """`structured_predict(output_cls, prompt, llm_kwargs, **variables)`.

    Each tier makes the object in its own way: tools, a JSON mode, or text.
    """

    _prompt: PromptTemplate

    def __init__(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        llm_kwargs: Mapping[str, Any] | None,
        variables: Mapping[str, Any],
    ) -> None:
        super().__init__(prompt, variables)
        self._cls = output_cls
        self._llm_kwargs = llm_kwargs or {}

    @property
    def wanted(self) -> type[BaseModel]:
        """The class of the object."""
        return self._cls

    def make(self, tier: LLMTier, options: Options) -> BaseModel:
        """Have a tier make the object, and wait."""
        made: BaseModel = tier.llm.structured_predict(
            self._cls, self._template(), {**self._llm_kwargs, **options}, **self._variables
        )
        return made

    async def amake(self, tier: LLMTier, options: Options) -> BaseModel:
        """Have a tier make the object, and wait."""
        made: BaseModel = await tier.llm.astructured_predict(
            self._cls, self._template(), {**self._llm_kwargs, **options}, **self._variables
        )
        return made

    def stream(self, tier: LLMTier) -> Iterator[Any]:
        """Have a tier make the object in ever more complete parts."""
        return tier.llm.stream_structured_predict(
            self._cls, self._template(), dict(self._llm_kwargs), **self._variables
        )

    async def astream(self, tier: LLMTier) -> AsyncIterator[Any]:
        """Have a tier make the object in ever more complete parts."""
        return await tier.llm.astream_structured_predict(
            self._cls, self._template(), dict(self._llm_kwargs), **self._variables
        )

    def _template(self) -> PromptTemplate:
        # Programs that parse text set their parser on the template they are given.
        return deepcopy(self._prompt)


def retrieved(variables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the retrieved texts among a template's variables.

    The names are those of LlamaIndex's own templates: `context_str` (question
    answering, summaries), `context_msg` (refining), `context` (older ones).
    """
    names = ("context_str", "context_msg", "context")
    found = (variables.get(name) for name in names)
    # `SimpleSummarize` gives a list of one.
    texts = (text for each in found for text in (each if isinstance(each, list) else [each]))
    return tuple(text for text in texts if isinstance(text, str) and text)


def _first_error(parsers: Sequence[Callable[[str], Any]], text: str) -> Exception | None:
    for parse in parsers:
        try:
            parse(text)
        except Exception as error:  # noqa: BLE001 - a parser may raise anything
            return error
    return None
