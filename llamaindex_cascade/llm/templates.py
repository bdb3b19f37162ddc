"""Templates as LlamaIndex asks them, for a text or for an object; see `ways` for the rest."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import BasePromptTemplate, ChatPromptTemplate, PromptTemplate
from pydantic import BaseModel

from cascade_core.draft import Draft
from cascade_core.request import Turn
from llamaindex_cascade.asking.arguments import arguments_for, with_options
from llamaindex_cascade.asking.calls import Invocation
from llamaindex_cascade.asking.history import for_tier
from llamaindex_cascade.asking.messages import load_of, to_turns
from llamaindex_cascade.llm.ways import Options, first_error

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from llamaindex_cascade.asking.tiers import LLMTier


class Filled:
    """A template with its variables.

    Args:
        prompt: The template.
        variables: Its variables; those that LlamaIndex's synthesizers name hold
            what was retrieved.
        arguments: The caller's other arguments.
    """

    def __init__(
        self,
        prompt: BasePromptTemplate,
        variables: Mapping[str, Any],
        arguments: Options | None = None,
    ) -> None:
        self.arguments: Options = arguments or {}
        self._prompt = prompt
        self._given = variables

    def turns(self) -> Sequence[Turn]:
        """Return the template, filled in."""
        return to_turns(self._filled())

    def _filled(self) -> list[ChatMessage]:
        return self._prompt.format_messages(**self._given)

    @property
    def request(self) -> dict[str, Any]:
        """The retrieved texts."""
        return {"contexts": retrieved(self.variables), "load": lambda: load_of(self._filled())}

    @property
    def variables(self) -> Mapping[str, Any]:
        """The template's variables, those filled in before among them."""
        return ChainMap(dict(self._given), self._prompt.kwargs)


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

    def invocation(self, tier: LLMTier, options: Options) -> Invocation:
        """Return the call of `chat`, or of a completion model's `complete`."""
        if tier.is_chat:
            return Invocation(tier.llm, "chat", (self._messages(tier),), options)
        kwargs = {"formatted": True, **options}
        return Invocation(tier.llm, "complete", (self._text(tier),), kwargs)

    def _messages(self, tier: LLMTier) -> list[ChatMessage]:
        owner = self._owner
        messages = tier.llm._get_messages(self._prompt, **self._given)  # noqa: SLF001
        messages = for_tier(messages, tier.reader)
        if owner.output_parser is not None:
            messages = owner.output_parser.format_messages(messages)
        return owner._extend_messages(messages)  # noqa: SLF001

    def _text(self, tier: LLMTier) -> str:
        owner = self._owner
        text = tier.llm._get_prompt(self._prompt, **self._given)  # noqa: SLF001
        if owner.output_parser is not None:
            text = owner.output_parser.format(text)
        return owner._extend_prompt(text)  # noqa: SLF001

    def problem(self, draft: Draft, tier: LLMTier) -> Exception | None:
        """Return why the template's parser, or the models' own, cannot read an answer."""
        if draft.tool_calls:
            return None
        parsers = (
            getattr(self._prompt, "output_parser", None),
            tier.llm.output_parser,
            self._owner.output_parser,
        )
        return first_error([parser.parse for parser in parsers if parser is not None], draft)

    def parsed(self, text: str, tier: LLMTier) -> str:
        """Return an answer as `predict` does: through the models' own parsers."""
        return self._owner._parse_output(tier.llm._parse_output(text))  # noqa: SLF001


class Object(Filled):
    """`structured_predict(output_cls, prompt, llm_kwargs, **variables)`.

    Each tier makes the object in its own way: tools, a JSON mode, or text.

    Attributes:
        wanted: The class of the object.
    """

    _prompt: PromptTemplate

    def __init__(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        llm_kwargs: Mapping[str, Any] | None,
        variables: Mapping[str, Any],
    ) -> None:
        super().__init__(prompt, variables, llm_kwargs)
        self.wanted = output_cls

    def invocation(self, tier: LLMTier, options: Options) -> Invocation:
        """Return the call of `structured_predict`."""
        # Programs that parse text set their parser on the template they are given.
        prompt = deepcopy(self._prompt)
        if isinstance(prompt, ChatPromptTemplate):  # a conversation, where an agent asks
            prompt.message_templates = for_tier(prompt.message_templates, tier.reader)
        llm_kwargs = arguments_for(self.arguments, tier.reader.reads)
        args = self.wanted, prompt, with_options(llm_kwargs, options)
        return Invocation(tier.llm, "structured_predict", args, self._given)


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
