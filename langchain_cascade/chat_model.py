"""`ChatCascade`: a chat model made of chat models, cheapest first.

The cascade's own run is a *chain* run and every call of a tier is a model run
below it, as with LangChain's fallbacks: an outer model run would be counted
beside the inner one by everything that sums usage. So the public methods are
overridden here, not `_generate` and `_stream`, and no decision is made here:
`cascade_core.loop.flow` makes them all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config
from pydantic import ConfigDict

from cascade_core.loop.session import Decided, Session
from cascade_core.request import Request, response_schema
from cascade_core.setup.settings import CascadeSettings, check_names, plain_errors
from langchain_cascade.answer import Shown, stamp, whole_chunk
from langchain_cascade.cache import AnswerCache
from langchain_cascade.calls import ChatCalls
from langchain_cascade.capabilities import intersect_profiles
from langchain_cascade.contexts import contexts_of
from langchain_cascade.convert import to_turns, token_limit
from langchain_cascade.describe import Described
from langchain_cascade.generate import GenerateByInvoke
from langchain_cascade.parameters import NAMES, StandardParameters, for_tiers
from langchain_cascade.scope import AsyncScope, Scope
from langchain_cascade.settings import MODES, REBUILD, Engine
from langchain_cascade.tiers import ChatTier, TierList, core_tiers
from langchain_cascade.tools import SIDECAR, TOOL_KEYWORDS, BoundTools, supports_tools

if TYPE_CHECKING:
    from langchain_core.language_models.chat_model_stream import (
        AsyncChatModelStream,
        ChatModelStream,
    )


_REBUILD = REBUILD | NAMES - MODES


class ChatCascade(CascadeSettings, StandardParameters, Described, GenerateByInvoke, BaseChatModel):
    """A chat model that asks a cheap model first and a stronger one when it must.

    It takes the place of a chat model anywhere: in chains, agents, with tools
    and structured output, sync, async, streamed and batched.

    `Grounding` needs to know what was retrieved, which a prompt does not say:
    name it with the request, `config={"metadata": {"cascade_contexts": documents}}`.

    Args:
        tiers: Chat models, cheapest first: instances (bound, retried, or
            cascades themselves) or names for `init_chat_model`.
        kwargs: See `CascadeSettings` and `StandardParameters`.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.

    Example:
        >>> llm = ChatCascade(tiers=[cheap, strong])
        >>> llm.invoke("When is my invoice due?").response_metadata["cascade"]["reason"]
        'confident'
    """

    model_config = ConfigDict(defer_build=True)  # importing stays quick

    def __init__(self, **kwargs: Any) -> None:
        """Check the settings; see the class."""
        check_names(type(self), kwargs)
        with plain_errors(type(self)):
            super().__init__(**kwargs)
        if isinstance(self.tiers, list | tuple) and not isinstance(self.tiers, TierList):
            self.__dict__["tiers"] = TierList(self.tiers)
        # Outside pydantic's own validation, which would quote its input in errors.
        tiers = self._chat_tiers
        if self.profile is None:
            self.profile = cast("Any", intersect_profiles([tier.inner for tier in tiers]))

    @classmethod
    def from_models(cls, *names: str, **kwargs: Any) -> Self:
        """Make a cascade from model names, cheapest first.

        Args:
            names: Names for `init_chat_model`, such as `"openai:gpt-4o-mini"`.
            kwargs: See `CascadeSettings`.
        """
        return cls(tiers=list(names), **kwargs)

    @cached_property
    def _engine(self) -> Engine:
        """The checked settings; a cached property, since pydantic's private attributes are slow."""
        return Engine(self, core_tiers(self.tiers, for_tiers(self)))

    @property
    def _chat_tiers(self) -> list[ChatTier]:
        return [tier.native for tier in self._engine.plan.tiers]

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; one that decides anything is checked and takes effect at once."""
        super().__setattr__(name, value)
        if name in _REBUILD:
            self.__dict__.pop("_engine", None)
            _ = self._engine
        elif name in MODES:
            self.__dict__["_engine"] = self._engine.with_modes(self)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy the settings and models; the copy starts with nothing learned."""
        bare = self.__copy__()
        bare.__dict__.pop("_engine", None)
        return super(ChatCascade, bare).__deepcopy__(memo)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the cascade; changed settings are checked like new ones."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("_serialized", None)  # cached, and part of cache keys
        if update and _REBUILD & set(update):
            copy.__dict__.pop("_engine", None)
            _ = copy._engine  # noqa: SLF001
        elif update and MODES & set(update):
            copy.__dict__["_engine"] = self._engine.with_modes(copy)
        return copy

    # --- one request ---

    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer one request."""
        config = ensure_config(config)
        prompt = self._convert_input(input)
        cache = self._cache(prompt, stop, kwargs) if self.cache else None
        with Scope(self, input, config) as scope:
            session = self._session(scope.run, prompt, config, stop, kwargs)
            scope.output = None if cache is None else cache.lookup(session.id)
            if scope.output is not None:
                session.reuse(scope.output.response_metadata["cascade"])
                return cast("AIMessage", scope.output)
            if self.rate_limiter:
                self.rate_limiter.acquire(blocking=True)
            scope.output = _stamped(session, session.run())
            if cache is not None:
                cache.update(scope.output)
        return cast("AIMessage", scope.output)

    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer one request."""
        config = ensure_config(config)
        prompt = self._convert_input(input)
        cache = self._cache(prompt, stop, kwargs) if self.cache else None
        async with AsyncScope(self, input, config) as scope:
            session = self._session(scope.run, prompt, config, stop, kwargs)
            scope.output = None if cache is None else await cache.alookup(session.id)
            if scope.output is not None:
                session.reuse(scope.output.response_metadata["cascade"])
                return cast("AIMessage", scope.output)
            if self.rate_limiter:
                await self.rate_limiter.aacquire(blocking=True)
            scope.output = _stamped(session, await session.arun())
            if cache is not None:
                await cache.aupdate(scope.output)
        return cast("AIMessage", scope.output)

    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Answer one request in chunks: an accepted draft replayed, the last tier live.

        The record is on the last chunk.
        """
        if self._streaming_disabled(**kwargs):
            yield whole_chunk(self.invoke(input, config, stop=stop, **kwargs))
            return
        config = ensure_config(config)
        prompt = self._convert_input(input)
        shown = Shown()
        with Scope(self, input, config) as scope:
            session = self._session(scope.run, prompt, config, stop, kwargs)
            if self.rate_limiter:
                self.rate_limiter.acquire(blocking=True)
            with closing(session.stream()) as items:
                for item in items:
                    if (chunk := shown.next(item)) is not None:
                        yield chunk
            scope.output = shown.message()

    async def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Answer one request in chunks: an accepted draft replayed, the last tier live.

        The record is on the last chunk.
        """
        if self._streaming_disabled(**kwargs):
            yield whole_chunk(await self.ainvoke(input, config, stop=stop, **kwargs))
            return
        config = ensure_config(config)
        prompt = self._convert_input(input)
        shown = Shown()
        async with AsyncScope(self, input, config) as scope:
            session = self._session(scope.run, prompt, config, stop, kwargs)
            if self.rate_limiter:
                await self.rate_limiter.aacquire(blocking=True)
            async with aclosing(session.astream()) as items:
                async for item in items:
                    if (chunk := shown.next(item)) is not None:
                        yield chunk
            scope.output = shown.message()

    def _cache(
        self, prompt: PromptValue, stop: list[str] | None, kwargs: dict[str, Any]
    ) -> AnswerCache:
        return AnswerCache.of(self.cache, prompt, kwargs, partial(self._get_llm_string, stop=stop))

    def _session(
        self,
        run: Any,
        prompt: PromptValue,
        config: RunnableConfig,
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> Session:
        """Return one request under a chain run, ready to be decided."""
        engine, tools = self._engine, None
        asked: dict[str, Any] = {}
        if kwargs:
            tools = BoundTools.of(kwargs)
            asked["output_schema"] = response_schema(kwargs)
            asked["max_tokens"] = token_limit(kwargs)
        if tools is not None:
            kwargs = {k: v for k, v in kwargs.items() if k not in TOOL_KEYWORDS}
            asked.update(tools=tools.specs, tool_choice=tools.choice, unable=self._unable())
        request = Request(
            lambda: to_turns(prompt.to_messages()),
            native=prompt,
            contexts=contexts_of(config),
            tags=config.get("tags") or (),
            metadata=config.get("metadata"),
            **asked,
        )
        if stop is None:
            stop = self.stop
        calls = ChatCalls(run, config, engine, stop=stop, kwargs=kwargs, tools=tools)
        return Session(engine, request, calls, decision_id=str(run.run_id))

    def _unable(self) -> frozenset[int]:
        """Return the tiers that cannot call tools."""
        return frozenset(
            index for index, tier in enumerate(self._chat_tiers) if not supports_tools(tier.inner)
        )

    # --- tools, structured output, typed event streams ---

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Any],
        *,
        tool_choice: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; each tier binds them in its own provider's form.

        Args:
            tools: Tools in any form LangChain takes.
            tool_choice: Which tool to call, passed on to every tier.
            kwargs: Further arguments of the tiers' own `bind_tools`.

        Raises:
            NotImplementedError: No tier can call tools.
        """
        if len(self._unable()) == len(self._chat_tiers):
            msg = f"no tier of {self!r} can call tools"
            raise NotImplementedError(msg)
        options = {**kwargs, **({} if tool_choice is None else {"tool_choice": tool_choice})}
        bound = BoundTools(tools, options)
        return self.bind(tools=bound.formatted, **{SIDECAR: bound})

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a cascade whose answers are objects of a schema.

        Every tier makes them in its own way; an answer that does not parse
        escalates.

        Args:
            schema: A pydantic class, `TypedDict`, JSON schema or tool schema.
            include_raw: Return `{"raw", "parsed", "parsing_error"}` instead of
                the object.
            kwargs: Arguments of the tiers' own method: `method`, `strict`, …

        Raises:
            NotImplementedError: A tier cannot make structured output.
        """
        from langchain_cascade.structured import structured_cascade  # noqa: PLC0415 - on use

        return structured_cascade(
            self._chat_tiers,
            self._engine,
            schema,
            include_raw=include_raw,
            stop=self.stop,
            **kwargs,
        )

    def _chat_model_stream_v3(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> ChatModelStream:
        from langchain_cascade.events import stream_as_events  # noqa: PLC0415 - on use

        return stream_as_events(self.stream(input, config, **kwargs))

    async def _achat_model_stream_v3(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncChatModelStream:
        from langchain_cascade.events import astream_as_events  # noqa: PLC0415 - on use

        return astream_as_events(self.astream(input, config, **kwargs))


def _stamped(session: Session, decided: Decided) -> AIMessage:
    verdict, record = decided
    tier: ChatTier = session.plan.tiers[verdict.tier].native
    drop = tier.logprobs_are_ours and not cast("ChatCalls", session.caller).keep_logprobs
    return stamp(verdict.draft.native, record, drop_logprobs=drop)
