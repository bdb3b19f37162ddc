"""`CascadeLLM`: an LLM made of LLMs, cheapest first.

Every public way to ask an LLM is overridden, because the cascade decides at
the highest level that LlamaIndex calls: there each tier still formats
templates, system prompts and tools in its own manner. No decision is made
here: `cascade_core.flow` makes them all.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing, closing
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.callbacks import CallbackManager
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.events.llm import (
    LLMPredictEndEvent,
    LLMPredictStartEvent,
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.prompts import BasePromptTemplate, PromptTemplate
from llama_index.core.tools import BaseTool
from llama_index.core.types import TokenAsyncGen, TokenGen
from pydantic import BaseModel, ConfigDict, Field

from cascade_core.engine import Engine
from cascade_core.plan import Plan
from cascade_core.request import Request
from cascade_core.settings import DECIDING, CascadeSettings, check_names, plain_errors
from llamaindex_cascade.answers import read_tool_calls
from llamaindex_cascade.asking import Messages, Object, Template, Text, Tools, Way
from llamaindex_cascade.authors import Authors
from llamaindex_cascade.calls import ObjectCalls, ResponseCalls
from llamaindex_cascade.capabilities import token_limit
from llamaindex_cascade.describe import Described
from llamaindex_cascade.instrumentation import request_metadata
from llamaindex_cascade.session import Decided, Session
from llamaindex_cascade.tiers import LLMTier, make_tiers

_dispatcher = get_dispatcher(__name__)
_REBUILD = frozenset({"tiers", "log", "log_content", *DECIDING})


class CascadeLLM(CascadeSettings, Described, FunctionCallingLLM):
    """An LLM that asks a cheap LLM first and a stronger one when it must.

    It takes the place of an LLM anywhere: `Settings.llm`, query and chat
    engines, agents, extractors, evaluators and programs, sync, async and
    streamed.

    Args:
        tiers: LLMs, cheapest first.
        kwargs: See `CascadeSettings`, and the fields of any LLM
            (`callback_manager`, `system_prompt`, `output_parser`, …).

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.

    Example:
        >>> Settings.llm = CascadeLLM(tiers=[cheap, strong])
        >>> Settings.llm.complete("When is my invoice due?").additional_kwargs["cascade"]["reason"]
        'confident'
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tiers: Any = Field(exclude=True)
    callback_manager: CallbackManager = Field(
        default_factory=lambda: CallbackManager([]), exclude=True
    )

    def __init__(self, **kwargs: Any) -> None:
        """Check the settings; see the class."""
        check_names(type(self), kwargs)
        with plain_errors(type(self)):
            super().__init__(**kwargs)
        self.__dict__["_reports"] = "callback_manager" in kwargs
        _ = self._engine  # outside pydantic's own validation, which would quote its input

    @classmethod
    def class_name(cls) -> str:
        """Return the name LlamaIndex knows the class by."""
        return "CascadeLLM"

    @cached_property
    def _engine(self) -> Engine:
        return Engine(self, make_tiers(self.tiers))

    @cached_property
    def _object_plan(self) -> Plan:
        """How objects are decided: drafts whole, and mostly made by calling a tool."""
        plan = self._engine.plan
        tiers = (
            replace(tier, streams=False, tool_only=tier.native.calls_tools) for tier in plan.tiers
        )
        return replace(plan, tiers=tuple(tiers))

    @cached_property
    def _unable(self) -> frozenset[int]:
        """The tiers that cannot call tools."""
        tiers = self._llm_tiers
        return frozenset(index for index, tier in enumerate(tiers) if not tier.calls_tools)

    @cached_property
    def _authors(self) -> Authors:
        return Authors()

    @property
    def _llm_tiers(self) -> list[LLMTier]:
        return [tier.native for tier in self._engine.plan.tiers]

    @cached_property
    def _metadata(self) -> LLMMetadata:
        known = [tier.llm.metadata for tier in self._llm_tiers]
        return LLMMetadata(
            context_window=min(each.context_window for each in known),
            num_output=max(each.num_output for each in known),
            is_chat_model=any(each.is_chat_model for each in known),
            is_function_calling_model=len(self._unable) < len(known),
            model_name=f"cascade({self.tier_names})",
            system_role=known[-1].system_role,
        )

    @property
    def metadata(self) -> LLMMetadata:
        """What every tier can take, and what at least one can do."""
        return self._metadata

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; one that decides anything is checked and takes effect at once."""
        super().__setattr__(name, value)
        if name == "callback_manager":
            self.__dict__["_reports"] = True
        elif name in _REBUILD:
            for made in ("_engine", "_object_plan", "_unable", "_metadata"):
                self.__dict__.pop(made, None)
            _ = self._engine

    # --- text and messages ----------------------------------------------------------------------

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer messages; the record is in `additional_kwargs["cascade"]`."""
        return cast("ChatResponse", self._respond(Messages(messages, kwargs), kwargs))

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer messages; the record is in `additional_kwargs["cascade"]`."""
        return cast("ChatResponse", await self._arespond(Messages(messages, kwargs), kwargs))

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Answer messages in parts: an accepted draft replayed, the last tier live.

        The record is in `additional_kwargs["cascade"]` of the last response.
        """
        return cast("ChatResponseGen", self._stream(Messages(messages, kwargs), kwargs))

    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Answer messages in parts; see `stream_chat`."""
        return cast("ChatResponseAsyncGen", await self._astream(Messages(messages, kwargs), kwargs))

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:  # noqa: FBT001, FBT002 - LlamaIndex's signature
        """Answer a text; the record is in `additional_kwargs["cascade"]`."""
        way = Text(prompt, kwargs, formatted=formatted)
        return cast("CompletionResponse", self._respond(way, kwargs))

    async def acomplete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> CompletionResponse:
        """Answer a text; the record is in `additional_kwargs["cascade"]`."""
        way = Text(prompt, kwargs, formatted=formatted)
        return cast("CompletionResponse", await self._arespond(way, kwargs))

    def stream_complete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> CompletionResponseGen:
        """Answer a text in parts; see `stream_chat`."""
        way = Text(prompt, kwargs, formatted=formatted)
        return cast("CompletionResponseGen", self._stream(way, kwargs))

    async def astream_complete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> CompletionResponseAsyncGen:
        """Answer a text in parts; see `stream_chat`."""
        way = Text(prompt, kwargs, formatted=formatted)
        return cast("CompletionResponseAsyncGen", await self._astream(way, kwargs))

    # --- templates ------------------------------------------------------------------------------

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
        return _deltas(self._session(way).stream(), lambda decided: self._remember(way, decided))

    async def astream(self, prompt: BasePromptTemplate, **prompt_args: Any) -> TokenAsyncGen:
        """Answer a template in parts; see `stream_chat`."""
        self._refuse_parsers(prompt)
        way = self._began(prompt, prompt_args)
        items = await self._session(way).astream()
        return _adeltas(items, lambda decided: self._remember(way, decided))

    def _began(self, prompt: BasePromptTemplate, prompt_args: dict[str, Any]) -> Template:
        _dispatcher.event(LLMPredictStartEvent(template=prompt, template_args=prompt_args))
        self._log_template_data(prompt, **prompt_args)
        return Template(self, prompt, prompt_args)

    def _predicted(self, way: Template, decided: Decided) -> str:
        self._remember(way, decided)
        draft = decided.verdict.draft
        tier = self._llm_tiers[decided.verdict.tier]
        text = way.parsed(draft.text, tier)
        _dispatcher.event(LLMPredictEndEvent(output=text))
        return text

    def _remember(self, way: Template | Object, decided: Decided) -> None:
        verdict = decided.verdict
        if verdict.tier:
            answer = getattr(verdict.draft.native, "answer", None) or verdict.draft.text
            self._authors.wrote(verdict.tier, way.given, str(answer))

    def _refuse_parsers(self, prompt: BasePromptTemplate) -> None:
        if getattr(prompt, "output_parser", None) is not None or self.output_parser is not None:
            msg = "Output parser is not supported for streaming."
            raise NotImplementedError(msg)

    # --- objects --------------------------------------------------------------------------------

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
        return _objects(self._object_session(way).stream(), lambda d: self._remember(way, d))

    async def astream_structured_predict(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any, None]:
        """Return ever more complete objects; see `stream_structured_predict`."""
        way = self._asked_for(output_cls, prompt, llm_kwargs, prompt_args)
        items = await self._object_session(way).astream()
        return _aobjects(items, lambda decided: self._remember(way, decided))

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
        request = Request(
            way.turns,
            native=way,
            metadata=request_metadata(),
            first=self._authors.of(way.given),
            **way.request,
        )
        calls = ObjectCalls(way, self._manager)
        return Session(self._engine, self._object_plan, request, calls)

    # --- tools ----------------------------------------------------------------------------------

    def chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        **kwargs: Any,
    ) -> ChatResponse:
        """Answer or call tools; tiers that cannot call any are passed over."""
        way, kwargs = _with_tools(tools, user_msg, chat_history, kwargs)
        return cast("ChatResponse", self._respond(way, kwargs))

    async def achat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        **kwargs: Any,
    ) -> ChatResponse:
        """Answer or call tools; see `chat_with_tools`."""
        way, kwargs = _with_tools(tools, user_msg, chat_history, kwargs)
        return cast("ChatResponse", await self._arespond(way, kwargs))

    def stream_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        **kwargs: Any,
    ) -> ChatResponseGen:
        """Answer or call tools in parts; see `stream_chat`."""
        way, kwargs = _with_tools(tools, user_msg, chat_history, kwargs)
        return cast("ChatResponseGen", self._stream(way, kwargs))

    async def astream_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        **kwargs: Any,
    ) -> ChatResponseAsyncGen:
        """Answer or call tools in parts; see `stream_chat`."""
        way, kwargs = _with_tools(tools, user_msg, chat_history, kwargs)
        return cast("ChatResponseAsyncGen", await self._astream(way, kwargs))

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any  # noqa: FBT001, FBT002
    ) -> list[ToolSelection]:
        """Return the tool calls of a response, as the tier that answered reads them."""
        record = response.additional_kwargs.get("cascade")
        answered = self._llm_tiers[record["tier"]] if record else None
        # A cascade as a tier would look its own tier up in this one's record.
        if answered and answered.calls_tools and not isinstance(answered.llm, CascadeLLM):
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

    def _must(self, must_call: bool, kwargs: dict[str, Any]) -> dict[str, Any]:  # noqa: FBT001
        if must_call and self.metadata.is_function_calling_model:
            return {**kwargs, _MUST_CALL: True}
        return kwargs

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        del tools, user_msg, chat_history, kwargs
        msg = "a cascade's tiers prepare tools in their own ways; call chat_with_tools()"
        raise NotImplementedError(msg)

    # --- one request ----------------------------------------------------------------------------

    @property
    def _manager(self) -> CallbackManager | None:
        """What the tiers report to: where nobody set any, they keep their own."""
        return self.callback_manager if self.__dict__["_reports"] else None

    def _session(self, way: Way, kwargs: dict[str, Any] | None = None) -> Session:
        known = way.request
        if isinstance(way, Template):
            known["first"] = self._authors.of(way.given)
        if known.get("tools"):
            known["unable"] = self._unable
        request = Request(
            way.turns,
            native=way,
            metadata=request_metadata(),
            max_tokens=token_limit(kwargs) if kwargs else None,
            **known,
        )
        engine = self._engine
        return Session(engine, engine.plan, request, ResponseCalls(way, self._manager))

    def _respond(self, way: Way, kwargs: dict[str, Any]) -> Any:
        return _stamped(self._session(way, kwargs).run())

    async def _arespond(self, way: Way, kwargs: dict[str, Any]) -> Any:
        return _stamped(await self._session(way, kwargs).arun())

    def _stream(self, way: Way, kwargs: dict[str, Any]) -> Generator[Any, None, None]:
        return _responses(self._session(way, kwargs).stream())

    async def _astream(self, way: Way, kwargs: dict[str, Any]) -> AsyncGenerator[Any, None]:
        return _aresponses(await self._session(way, kwargs).astream())


def _sign(cls: type[CascadeLLM]) -> None:
    """Work the signatures of the spanned methods out once: a span would do so at every call."""
    for method in list(vars(cls).values()):
        spanned = getattr(method, "__wrapped__", None)
        if inspect.isfunction(spanned):
            spanned.__signature__ = inspect.signature(spanned)  # type: ignore[attr-defined]


_sign(CascadeLLM)

_MUST_CALL = "cascade_must_call"


def _with_tools(
    tools: Sequence[BaseTool],
    user_msg: str | ChatMessage | None,
    chat_history: list[ChatMessage] | None,
    kwargs: dict[str, Any],
) -> tuple[Tools, dict[str, Any]]:
    must_call = kwargs.pop(_MUST_CALL, False)
    return Tools(tools, user_msg, chat_history, kwargs, must_call=must_call), kwargs


def _bare(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a base method without its span: the overriding one has a span already."""
    return getattr(method, "__wrapped__", method)


def _stamped(decided: Decided, *, last_of_stream: bool = False) -> Any:
    """Return the answer with its record; a copy, since a tier may keep its own."""
    native = decided.verdict.draft.native
    update: dict[str, Any] = {
        "additional_kwargs": {**native.additional_kwargs, "cascade": decided.record}
    }
    if last_of_stream:  # all of the text, and nothing new
        update["delta"] = ""
    return native.model_copy(update=update)


def _responses(items: Generator[Any, None, None]) -> Generator[Any, None, None]:
    with closing(items):
        for item in items:
            yield _stamped(item, last_of_stream=True) if isinstance(item, Decided) else item


async def _aresponses(items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    async with aclosing(items):
        async for item in items:
            yield _stamped(item, last_of_stream=True) if isinstance(item, Decided) else item


def _deltas(
    items: Generator[Any, None, None], ended: Callable[[Decided], None]
) -> Generator[str, None, None]:
    with closing(items):
        for item in items:
            if isinstance(item, Decided):
                ended(item)
            else:
                yield item.delta or ""


async def _adeltas(
    items: AsyncGenerator[Any, None], ended: Callable[[Decided], None]
) -> AsyncGenerator[str, None]:
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Decided):
                ended(item)
            else:
                yield item.delta or ""


def _objects(
    items: Generator[Any, None, None], ended: Callable[[Decided], None]
) -> Generator[Any, None, None]:
    with closing(items):
        part: Any = None
        for item in items:
            if isinstance(item, Decided):
                ended(item)
                _dispatcher.event(LLMStructuredPredictEndEvent(output=part))
            else:
                part = item
                _dispatcher.event(LLMStructuredPredictInProgressEvent(output=part))
                yield part


async def _aobjects(
    items: AsyncGenerator[Any, None], ended: Callable[[Decided], None]
) -> AsyncGenerator[Any, None]:
    async with aclosing(items):
        part: Any = None
        async for item in items:
            if isinstance(item, Decided):
                ended(item)
                _dispatcher.event(LLMStructuredPredictEndEvent(output=part))
            else:
                part = item
                _dispatcher.event(LLMStructuredPredictInProgressEvent(output=part))
                yield part
