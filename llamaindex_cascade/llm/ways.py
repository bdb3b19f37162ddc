"""The ways LlamaIndex asks a model: messages, a text, tools; see `templates` for the others.

A way holds what the caller gave and says, as data, what a tier is asked, so
that each tier formats templates, system prompts and tools in its own manner.
How a call is made, watched, judged or paid for does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.tools import BaseTool
from pydantic import BaseModel

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.integrations.asked import needs_of
from cascade_core.integrations.built_in import maker_of
from cascade_core.integrations.limits import token_limit, tokens_with, unread_in
from cascade_core.integrations.schemas import schema_asked
from cascade_core.integrations.tools import read_choice, specs_of
from cascade_core.request import ToolSpec, Turn
from llamaindex_cascade.asking.arguments import arguments_for, with_options
from llamaindex_cascade.asking.calls import Invocation
from llamaindex_cascade.asking.history import for_tier
from llamaindex_cascade.asking.messages import check_messages, goes_further, load_of, to_turns
from llamaindex_cascade.llm.formats import FormatError, ReAct, wanted_format

if TYPE_CHECKING:
    from llamaindex_cascade.asking.tiers import LLMTier

Options: TypeAlias = Mapping[str, Any]


class Way(Protocol):
    """One request, askable of any tier."""

    arguments: Options

    def invocation(self, tier: LLMTier, options: Options) -> Invocation:
        """Return what a tier is asked, with the cascade's own options."""
        ...

    def turns(self) -> Sequence[Turn]:
        """Return the conversation, for signals and the log."""
        ...

    def problem(self, draft: Draft, tier: LLMTier) -> Exception | None:
        """Return what is wrong with an answer in the form the caller asked for, or None."""
        ...

    @property
    def request(self) -> dict[str, Any]:
        """What else the core's request has to know."""
        ...


class Messages:
    """`chat(messages, **kwargs)`.

    Attributes:
        arguments: The caller's other arguments.
    """

    def __init__(self, messages: Sequence[ChatMessage], kwargs: Options) -> None:
        check_messages(messages, "CascadeLLM.chat")
        self._messages = messages
        self.arguments = kwargs
        self._check = wanted_format(self._messages)

    def invocation(self, tier: LLMTier, options: Options) -> Invocation:
        """Return the call of `chat`; the cascade's options go first: it asks for logprobs."""
        messages = for_tier(self._messages, tier.reader)
        kwargs = arguments_for(self.arguments, tier.reader.reads)
        return Invocation(tier.llm, "chat", (messages,), with_options(kwargs, options))

    def turns(self) -> Sequence[Turn]:
        """Return the messages."""
        return to_turns(self._messages)

    def problem(self, draft: Draft, tier: LLMTier) -> Exception | None:
        """Return how an answer misses the format that the messages ask for."""
        del tier
        return (
            None if self._check is None or draft.tool_calls else first_error([self._check], draft)
        )

    @property
    def request(self) -> dict[str, Any]:
        """The limit on the answer's tokens, and the schema and tools that are passed on, if any."""
        in_text = isinstance(self._check, ReAct)
        return {
            "load": lambda: load_of(self._messages),
            "further": goes_further(self._messages, in_text=in_text),
            "acts_in_text": in_text,
            **_passed_on(self.arguments),
            **_known(self.arguments),
        }


class Text(Messages):
    """`complete(prompt, formatted=…, **kwargs)`."""

    def __init__(self, prompt: str, kwargs: Options, *, formatted: bool) -> None:
        if not isinstance(prompt, str):
            msg = (
                f"CascadeLLM.complete takes a text, not {type(prompt).__name__}; "
                "chat(…) takes a list of ChatMessage"
            )
            raise ConfigurationError(msg)
        super().__init__([ChatMessage(content=prompt)], kwargs)
        self._args = prompt, formatted

    def invocation(self, tier: LLMTier, options: Options) -> Invocation:
        """Return the call of `complete`."""
        return Invocation(tier.llm, "complete", self._args, with_options(self.arguments, options))


class Tools:
    """`chat_with_tools(tools, user_msg, chat_history, …)`.

    Args:
        tools: What the model may call.
        user_msg: The last message.
        chat_history: The messages before it.
        kwargs: All other arguments, as the caller gave them.
        must_call: Whether an answer without a tool call is useless to the caller.

    Attributes:
        arguments: The caller's other arguments.
    """

    def __init__(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None,
        chat_history: Sequence[ChatMessage] | None,
        kwargs: Options,
        *,
        must_call: bool = False,
    ) -> None:
        check_messages(chat_history or (), "chat_history=")
        self._tools = tools
        self._user_msg = user_msg
        self._history = chat_history or ()
        self.arguments = kwargs
        self._must_call = must_call

    def invocation(self, tier: LLMTier, options: Options) -> Invocation:
        """Return the call of `chat_with_tools`; offered tools, tiers without it are never asked."""
        if not self._tools and not tier.calls_tools:
            return self._without_tools(tier, options)
        last = self._user_msg
        if isinstance(last, ChatMessage):
            (last,) = for_tier([last], tier.reader) or [last]
        messages = {"user_msg": last, "chat_history": for_tier(self._history, tier.reader)}
        kwargs = arguments_for(self.arguments, tier.reader.reads)
        kwargs = with_options({**messages, **kwargs}, options)
        return Invocation(tier.llm, "chat_with_tools", (self._tools,), kwargs)

    def _without_tools(self, tier: LLMTier, options: Options) -> Invocation:
        """Return the call of `chat`, for a tier that cannot be offered none of them either."""
        names = ("verbose", "allow_parallel_tool_calls", "tool_required", "tool_choice")
        arguments = arguments_for(self.arguments, tier.reader.reads)
        kwargs = {name: value for name, value in arguments.items() if name not in names}
        messages = for_tier(self._all(), tier.reader)
        return Invocation(tier.llm, "chat", (messages,), with_options(kwargs, options))

    def turns(self) -> Sequence[Turn]:
        """Return the history and the last message."""
        return to_turns(self._all())

    def _all(self) -> list[ChatMessage]:
        last = self._user_msg
        if isinstance(last, str):
            last = ChatMessage(role=MessageRole.USER, content=last)
        return [*self._history, *([last] if last is not None else [])]

    def problem(self, draft: Draft, tier: LLMTier) -> Exception | None:
        """Return why a program cannot make its object of the calls: its own validators say so.

        Tool calls have gates of their own besides.
        """
        del tier
        if self._wanted is not None:
            for call in draft.tool_calls:
                try:
                    self._wanted(**(call.arguments or {}))
                except Exception as error:  # noqa: BLE001 - a validator may raise anything
                    return error
        return None

    @property
    def request(self) -> dict[str, Any]:
        """The tools, whether one has to be called, and what is known of other answers."""
        specs = [ToolSpec(tool.metadata.get_name(), _schema(tool)) for tool in self._tools]
        known = _known(self.arguments)
        if specs:
            known["needs"] = ("tools", *known.get("needs", ()))
        return {
            "tools": specs,
            "tool_choice": self._choice(),
            "load": lambda: load_of(self._all()),
            "further": self._user_msg is None and goes_further(self._history),
            **known,
        }

    def _choice(self) -> str | None:
        given = self.arguments.get("tool_choice") or self.arguments.get("tool_config")
        choice = read_choice(given)
        if choice not in (None, "auto"):
            return choice
        if self._must_call or self.arguments.get("tool_required"):
            return "required"
        return None if self._wanted is None else "required"

    @property
    def _wanted(self) -> type[BaseModel] | None:
        """The class that a program wants an object of, where it is a program that asks."""
        if len(self._tools) != 1:
            return None
        made_by = getattr(getattr(self._tools[0], "real_fn", None), "__module__", None)
        return self._tools[0].metadata.fn_schema if made_by == _PROGRAM else None


def first_error(parsers: Sequence[Callable[[str], Any]], draft: Draft) -> Exception | None:
    """Return what the first of some parsers raises, or returns, about an answer's text.

    They will be given the text as it is, but must not find in a thought what was not said.
    """
    texts = [draft.text] if draft.whole == draft.text else [draft.text, draft.whole]
    for parse in parsers:
        for text in texts:
            try:
                found = parse(text)
            except Exception as error:  # noqa: BLE001 - a parser may raise anything
                return error
            if isinstance(found, FormatError):
                return found
    return None


def _passed_on(kwargs: Options) -> dict[str, Any]:
    """Return what is known of tools that go to the model as the caller wrote them.

    Whether a tier can be offered them is left to its provider: an LLM of an unknown model says
    that it calls no functions, and does.
    """
    tools = kwargs.get("tools")
    if not isinstance(tools, Sequence) or isinstance(tools, str | bytes):
        return {}
    specs = [spec for tool in tools for spec in specs_of(tool)]
    if all(maker_of(tool) is not None for tool in tools):  # the caller sees none of their calls
        return {"tools": specs}
    choice = kwargs.get("tool_choice") or kwargs.get("tool_config")
    return {"tools": specs, "tool_choice": read_choice(choice)}


def _known(kwargs: Options) -> dict[str, Any]:
    if not kwargs:
        return {}
    return {
        "output_schema": schema_asked(kwargs),
        "max_tokens": token_limit(kwargs),
        "beside": tokens_with(kwargs),
        "unread": unread_in(kwargs),
        "needs": needs_of(kwargs),
    }


_PROGRAM = "llama_index.core.program.function_program"


def _schema(tool: BaseTool) -> Mapping[str, Any] | None:
    schema = tool.metadata.fn_schema
    return None if schema is None else schema.model_json_schema()
