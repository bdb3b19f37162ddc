"""The ways LlamaIndex asks a model: messages, a text, a template, tools, an object.

A way holds what the caller gave and knows how one tier is asked for it, so
that each tier formats templates, system prompts and tools in its own manner.
How a call is watched, judged or paid for does not belong here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.tools import BaseTool
from pydantic import BaseModel

from cascade_core.request import ToolCall, ToolSpec, Turn, response_schema
from llamaindex_cascade.asking.messages import to_turns, with_tool_blocks
from llamaindex_cascade.llm.formats import Check, wanted_format
from llamaindex_cascade.reading.raw import Response

if TYPE_CHECKING:
    from llamaindex_cascade.asking.tiers import LLMTier

Options: TypeAlias = Mapping[str, Any]


class Way(Protocol):
    """One request, askable of any tier that answers with a response."""

    def call(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        ...

    async def acall(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        ...

    def stream(self, tier: LLMTier, options: Options) -> Iterator[Response]:
        """Ask for a stream."""
        ...

    async def astream(self, tier: LLMTier, options: Options) -> AsyncIterator[Response]:
        """Ask for a stream."""
        ...

    def turns(self) -> Sequence[Turn]:
        """Return the conversation, for signals and the log."""
        ...

    def problem(self, text: str, tier: LLMTier) -> Exception | None:
        """Return what is wrong with an answer in the form the caller asked for, or None."""
        ...

    @property
    def request(self) -> dict[str, Any]:
        """What else the core's request has to know."""
        ...


class Messages:
    """`chat(messages, **kwargs)`."""

    def __init__(self, messages: Sequence[ChatMessage], kwargs: Options) -> None:
        self._messages = with_tool_blocks(messages)
        self._kwargs = kwargs
        self._check: Check | None = wanted_format(self._messages)

    def call(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        return tier.llm.chat(self._messages, **merged(self._kwargs, options))

    async def acall(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        return await tier.llm.achat(self._messages, **merged(self._kwargs, options))

    def stream(self, tier: LLMTier, options: Options) -> Iterator[Response]:
        """Ask for a stream."""
        return tier.llm.stream_chat(self._messages, **merged(self._kwargs, options))

    async def astream(self, tier: LLMTier, options: Options) -> AsyncIterator[Response]:
        """Ask for a stream."""
        return await tier.llm.astream_chat(self._messages, **merged(self._kwargs, options))

    def turns(self) -> Sequence[Turn]:
        """Return the messages."""
        return to_turns(self._messages)

    def problem(self, text: str, tier: LLMTier) -> Exception | None:
        """Return how an answer misses the format that the messages ask for."""
        del tier
        return self._check(text) if self._check else None

    @property
    def request(self) -> dict[str, Any]:
        """The schema of the JSON asked for, if any."""
        return {"output_schema": response_schema(self._kwargs)}


class Text:
    """`complete(prompt, formatted=…, **kwargs)`."""

    def __init__(self, prompt: str, kwargs: Options, *, formatted: bool) -> None:
        self._prompt = prompt
        self._kwargs = kwargs
        self._formatted = formatted
        self._check: Check | None = wanted_format([ChatMessage(content=prompt)])

    def call(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        return tier.llm.complete(self._prompt, self._formatted, **merged(self._kwargs, options))

    async def acall(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        return await tier.llm.acomplete(
            self._prompt, self._formatted, **merged(self._kwargs, options)
        )

    def stream(self, tier: LLMTier, options: Options) -> Iterator[Response]:
        """Ask for a stream."""
        return tier.llm.stream_complete(
            self._prompt, self._formatted, **merged(self._kwargs, options)
        )

    async def astream(self, tier: LLMTier, options: Options) -> AsyncIterator[Response]:
        """Ask for a stream."""
        return await tier.llm.astream_complete(
            self._prompt, self._formatted, **merged(self._kwargs, options)
        )

    def turns(self) -> Sequence[Turn]:
        """Return the prompt as one turn."""
        return (Turn("user", self._prompt),)

    def problem(self, text: str, tier: LLMTier) -> Exception | None:
        """Return how an answer misses the format that the prompt asks for."""
        del tier
        return self._check(text) if self._check else None

    @property
    def request(self) -> dict[str, Any]:
        """The schema of the JSON asked for, if any."""
        return {"output_schema": response_schema(self._kwargs)}


class Tools:
    """`chat_with_tools(tools, user_msg, chat_history, …)`.

    Args:
        tools: What the model may call.
        user_msg: The last message.
        chat_history: The messages before it.
        kwargs: All other arguments, as the caller gave them.
        must_call: Whether an answer without a tool call is useless to the caller.
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
        self._tools = tools
        self._user_msg = user_msg
        self._history = with_tool_blocks(chat_history or ())
        self._kwargs = kwargs
        self._must_call = must_call

    def call(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        return _able(tier).chat_with_tools(self._tools, **self._arguments(options))

    async def acall(self, tier: LLMTier, options: Options) -> Response:
        """Ask and wait."""
        return await _able(tier).achat_with_tools(self._tools, **self._arguments(options))

    def stream(self, tier: LLMTier, options: Options) -> Iterator[Response]:
        """Ask for a stream."""
        return _able(tier).stream_chat_with_tools(self._tools, **self._arguments(options))

    async def astream(self, tier: LLMTier, options: Options) -> AsyncIterator[Response]:
        """Ask for a stream."""
        return await _able(tier).astream_chat_with_tools(self._tools, **self._arguments(options))

    def _arguments(self, options: Options) -> dict[str, Any]:
        return {
            "user_msg": self._user_msg,
            "chat_history": list(self._history),
            **self._kwargs,
            **options,
        }

    def turns(self) -> Sequence[Turn]:
        """Return the history and the last message."""
        last = self._user_msg
        if isinstance(last, str):
            last = ChatMessage(role=MessageRole.USER, content=last)
        return to_turns([*self._history, *([last] if last is not None else [])])

    def problem(self, text: str, tier: LLMTier) -> Exception | None:
        """Return None: tool calls have a gate of their own."""
        del text, tier
        return None

    def misfit(self, calls: Sequence[ToolCall]) -> Exception | None:
        """Return why a program cannot make its object of the calls: its own validators say so."""
        if self._wanted is not None:
            for call in calls:
                try:
                    self._wanted(**(call.arguments or {}))
                except Exception as error:  # noqa: BLE001 - a validator may raise anything
                    return error
        return None

    @property
    def request(self) -> dict[str, Any]:
        """The tools, whether one has to be called, and the schema of other answers, if any."""
        specs = [ToolSpec(tool.metadata.get_name(), _schema(tool)) for tool in self._tools]
        schema = response_schema(self._kwargs)
        return {"tools": specs, "tool_choice": self._choice(), "output_schema": schema}

    def _choice(self) -> str | None:
        choice = self._kwargs.get("tool_choice")
        if isinstance(choice, Mapping):
            named = choice.get("function") or choice
            choice = named.get("name") if isinstance(named, Mapping) else None
        if isinstance(choice, str) and choice not in ("auto", "any"):
            return choice
        if self._must_call or choice == "any" or self._kwargs.get("tool_required"):
            return "required"
        return None if self._wanted is None else "required"

    @property
    def _wanted(self) -> type[BaseModel] | None:
        """The class that a program wants an object of, where it is a program that asks."""
        if len(self._tools) != 1:
            return None
        made_by = getattr(getattr(self._tools[0], "real_fn", None), "__module__", None)
        return self._tools[0].metadata.fn_schema if made_by == _PROGRAM else None


def merged(given: Options, ours: Options) -> dict[str, Any]:
    """Return the caller's options with the cascade's own, which go before: it asks for logprobs."""
    return {**given, **ours}


def _able(tier: LLMTier) -> FunctionCallingLLM:
    """Return a tier that can be offered tools; the others are never asked for any."""
    return cast("FunctionCallingLLM", tier.llm)


_PROGRAM = "llama_index.core.program.function_program"


def _schema(tool: BaseTool) -> Mapping[str, Any] | None:
    schema = tool.metadata.fn_schema
    return None if schema is None else schema.model_json_schema()
