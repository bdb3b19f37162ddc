"""Tools: `chat_with_tools`, `predict_and_call` and their kin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import BaseTool
from llama_index_instrumentation import get_dispatcher

from llamaindex_cascade.asking.instrumentation import spanned_if_observed
from llamaindex_cascade.llm.base import CascadeBase
from llamaindex_cascade.llm.ways import Tools
from llamaindex_cascade.reading.tool_calls import read_tool_calls

_dispatcher = get_dispatcher(__name__)


@spanned_if_observed
class ToolCalling(CascadeBase):
    """The part of a `CascadeLLM` that is offered tools."""

    @_dispatcher.span
    def chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        """Answer or call tools; tiers that cannot call any are passed over."""
        given = _given(verbose, allow_parallel_tool_calls, tool_required, kwargs)
        way = _with_tools(tools, user_msg, chat_history, given)
        return cast("ChatResponse", self._respond(way))

    @_dispatcher.span
    async def achat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        """Answer or call tools; see `chat_with_tools`."""
        given = _given(verbose, allow_parallel_tool_calls, tool_required, kwargs)
        way = _with_tools(tools, user_msg, chat_history, given)
        return cast("ChatResponse", await self._arespond(way))

    @_dispatcher.span
    def stream_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> ChatResponseGen:
        """Answer or call tools in parts; see `stream_chat`."""
        given = _given(verbose, allow_parallel_tool_calls, tool_required, kwargs)
        way = _with_tools(tools, user_msg, chat_history, given)
        return cast("ChatResponseGen", self._stream(way))

    @_dispatcher.span
    async def astream_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> ChatResponseAsyncGen:
        """Answer or call tools in parts; see `stream_chat`."""
        given = _given(verbose, allow_parallel_tool_calls, tool_required, kwargs)
        way = _with_tools(tools, user_msg, chat_history, given)
        return cast("ChatResponseAsyncGen", await self._astream(way))

    def get_tool_calls_from_response(
        self,
        response: ChatResponse,
        error_on_no_tool_call: bool = True,
        **kwargs: Any,
    ) -> list[ToolSelection]:
        """Return the tool calls of a response, as the tier that answered reads them."""
        record = response.additional_kwargs.get("cascade")
        answered = self._llm_tiers[record["tier"]] if record else None
        # A cascade as a tier would look its own tier up in this one's record.
        if answered and answered.calls_tools and not isinstance(answered.llm, CascadeBase):
            llm = cast("FunctionCallingLLM", answered.llm)
            return llm.get_tool_calls_from_response(
                response, error_on_no_tool_call=error_on_no_tool_call, **kwargs
            )
        calls, _ = read_tool_calls(response.message, partial=True)  # a stream is read on its way
        if not calls and error_on_no_tool_call:
            msg = "Expected at least one tool call, but got 0 tool calls."
            raise ValueError(msg)
        return [
            ToolSelection(tool_id=c.id or "", tool_name=c.name, tool_kwargs=dict(c.arguments or {}))
            for c in calls
        ]

    def predict_and_call(
        self,
        tools: Sequence[BaseTool],
        *args: Any,
        error_on_no_tool_call: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Choose a tool and call it; an answer that calls none escalates where one is needed."""
        return _bare(FunctionCallingLLM.predict_and_call)(
            self,
            tools,
            *args,
            error_on_no_tool_call=error_on_no_tool_call,
            **self._must(error_on_no_tool_call, kwargs),
        )

    async def apredict_and_call(
        self,
        tools: Sequence[BaseTool],
        *args: Any,
        error_on_no_tool_call: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Choose a tool and call it; see `predict_and_call`."""
        return await _bare(FunctionCallingLLM.apredict_and_call)(
            self,
            tools,
            *args,
            error_on_no_tool_call=error_on_no_tool_call,
            **self._must(error_on_no_tool_call, kwargs),
        )

    def _must(self, must_call: bool, kwargs: dict[str, Any]) -> dict[str, Any]:
        if must_call and self.metadata.is_function_calling_model:
            return {**kwargs, _MUST_CALL: True}
        return kwargs

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        del tools, user_msg, chat_history, kwargs
        del verbose, allow_parallel_tool_calls, tool_required
        msg = "a cascade's tiers prepare tools in their own ways; call chat_with_tools()"
        raise NotImplementedError(msg)


_MUST_CALL = "cascade_must_call"


def _given(
    verbose: bool,
    allow_parallel_tool_calls: bool,
    tool_required: bool,
    kwargs: dict[str, Any],
) -> dict[str, Any]:
    """Return the options that are set: older integrations do not know all of them."""
    options = {
        "verbose": verbose,
        "allow_parallel_tool_calls": allow_parallel_tool_calls,
        "tool_required": tool_required,
    }
    return {**{name: True for name, is_set in options.items() if is_set}, **kwargs}


def _with_tools(
    tools: Sequence[BaseTool],
    user_msg: str | ChatMessage | None,
    chat_history: list[ChatMessage] | None,
    kwargs: dict[str, Any],
) -> Tools:
    must_call = kwargs.pop(_MUST_CALL, False)
    return Tools(tools, user_msg, chat_history, kwargs, must_call=must_call)


def _bare(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a base method without its span: the overriding one has a span already."""
    bare: Callable[..., Any] = getattr(method, "__wrapped__", method)
    return bare
