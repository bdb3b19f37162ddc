"""One request of a chat cascade, in the four ways LangChain asks, each under a chain run.

The cascade's own run is a *chain* run and every call of a tier is a model run
below it, as with LangChain's fallbacks: an outer model run would be counted
beside the inner one by everything that sums usage. So the public methods are
overridden, not `_generate` and `_stream`, and no decision is made here:
`cascade_core.loop.flow` makes them all.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Generator, Iterator
from contextlib import aclosing, closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config

from cascade_core.integrations.asked import needs_of
from cascade_core.integrations.limits import answers_asked, token_limit, tokens_with, unread_in
from cascade_core.integrations.schemas import schema_asked
from cascade_core.loop.session import Decided, Session
from cascade_core.request import Request
from langchain_cascade.answer import Shown, stamp, whole_chunk
from langchain_cascade.cache import AnswerCache, record_on, reused
from langchain_cascade.calls import ChatCalls
from langchain_cascade.contexts import contexts_of, thread_of
from langchain_cascade.convert import goes_further, in_one_piece, load_of, turns_of
from langchain_cascade.engine import ChatEngine
from langchain_cascade.outputs import OutputCalls, read_output
from langchain_cascade.runs import chain_run_of
from langchain_cascade.scope import AsyncScope, Scope
from langchain_cascade.tiers import ChatTier
from langchain_cascade.tools import TOOL_KEYWORDS, BoundTools
from langchain_cascade.watching import session_kind

if TYPE_CHECKING:
    from langchain_core.language_models.chat_model_stream import (
        AsyncChatModelStream,
        ChatModelStream,
    )


class Asking:
    """The part of a `ChatCascade` that answers."""

    if TYPE_CHECKING:
        cache: Any
        rate_limiter: Any
        stop: list[str] | None

        @property
        def _engine(self) -> ChatEngine: ...
        def _first(self, kwargs: dict[str, Any]) -> int: ...
        def _mute(self, kwargs: dict[str, Any], tools: BoundTools | None) -> Collection[int]: ...
        def _convert_input(self, given: Any) -> PromptValue: ...
        def _streaming_disabled(self, **kwargs: Any) -> bool: ...
        def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str: ...

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
        with Scope(self, input, config) as scope:
            session = scope.session = self._session(scope.run, prompt, config, stop, kwargs)
            cache = self._cache(prompt, stop, kwargs, session.ruled()) if self.cache else None
            plan = self._engine.plan  # part of the key: it may be another one since the session's
            kept = None if cache is None else cache.lookup()
            if kept is not None:
                scope.output = reused(kept, session.reuse(record_on(kept)))
                return cast("AIMessage", scope.output)
            if self.rate_limiter:
                self.rate_limiter.acquire(blocking=True)
            if self._goes_live(session, kwargs):
                scope.output = _stamped(session, _last_of(session.stream()))
            else:
                scope.output = _stamped(session, session.run())
            if cache is not None and session.plan is plan and not _has_erred(session):
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
        async with AsyncScope(self, input, config) as scope:
            session = scope.session = self._session(scope.run, prompt, config, stop, kwargs)
            ruled = await session.aruled() if self.cache else None
            cache = self._cache(prompt, stop, kwargs, ruled) if self.cache else None
            plan = self._engine.plan  # part of the key: it may be another one since the session's
            kept = None if cache is None else await cache.alookup()
            if kept is not None:
                scope.output = reused(kept, await session.areuse(record_on(kept)))
                return cast("AIMessage", scope.output)
            if self.rate_limiter:
                await self.rate_limiter.aacquire(blocking=True)
            if self._goes_live(session, kwargs):
                scope.output = _stamped(session, await _alast_of(session.astream()))
            else:
                scope.output = _stamped(session, await session.arun())
            if cache is not None and session.plan is plan and not _has_erred(session):
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
            session = scope.session = self._session(scope.run, prompt, config, stop, kwargs)
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
            session = scope.session = self._session(scope.run, prompt, config, stop, kwargs)
            if self.rate_limiter:
                await self.rate_limiter.aacquire(blocking=True)
            async with aclosing(session.astream()) as items:
                async for item in items:
                    if (chunk := shown.next(item)) is not None:
                        yield chunk
            scope.output = shown.message()

    def _goes_live(self, session: Session, kwargs: dict[str, Any]) -> bool:
        """Tell whether a whole answer is asked for, and shown to somebody while it is written.

        LangChain's own models stream inside of `invoke` where such a handler is told of it:
        LangGraph's `stream_mode="messages"`, `astream_events`. A cascade does so where that shows
        anything sooner, which is where drafts are accepted by their first tokens.
        """
        watch, request = cast("ChatCalls", session.caller).watch, session.request
        if watch is None or not watch.live or not any(session.plan.commits):
            return False
        plain = not request.tools and request.output_schema is None
        return plain and not self._streaming_disabled(**kwargs)

    def _cache(
        self, prompt: PromptValue, stop: list[str] | None, kwargs: dict[str, Any], ruled: str | None
    ) -> AnswerCache:
        # One prompt may be a tier's or another's, as the rules have it.
        by_rules = {} if ruled is None else {"cascade_ruling": ruled}
        setup = partial(self._get_llm_string, stop=stop, **by_rules)
        return AnswerCache.of(self.cache, prompt, kwargs, setup)

    def _session(
        self,
        run: Any,
        prompt: PromptValue,
        config: RunnableConfig,
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> Session:
        """Return one request under a chain run, ready to be decided."""
        engine, tools, metadata = self._engine, None, config.get("metadata")
        asked: dict[str, Any] = {}
        if kwargs:
            tools = BoundTools.of(kwargs)
            asked["output_schema"] = schema_asked(kwargs)
            asked["max_tokens"] = token_limit(kwargs)
            asked["beside"] = tokens_with(kwargs)
            asked["unread"] = unread_in(kwargs)
            asked["answers"] = answers_asked(kwargs)
            asked["needs"] = needs_of(kwargs)
        if tools is not None:
            kwargs = {k: v for k, v in kwargs.items() if k not in TOOL_KEYWORDS}
            asked["needs"] = (*asked["needs"], *tools.needs, "tools")
            asked["output_schema"] = asked["output_schema"] or tools.output_schema
            asked.update(tools=tools.specs, tool_choice=tools.choice)
        if engine.uncached and tools is not None and "langgraph_node" in (metadata or ()):
            engine.look_for_marks(prompt.to_messages(), kwargs)
        if kwargs or tools is not None:
            asked["mute"] = self._mute(kwargs, tools)
            asked["first"] = self._first(kwargs)
        request = Request(
            lambda: turns_of(prompt),
            native=prompt,
            load=lambda: load_of(prompt.to_messages()),
            contexts=contexts_of(config),
            tags=config.get("tags") or (),
            metadata=metadata,
            thread=thread_of(config),
            run=chain_run_of(metadata, run.run_id),
            further=goes_further(prompt),
            **asked,
        )
        if stop is None:
            stop = self.stop
        chains = partial(OutputCalls, run, config, engine, to_draft=read_output)
        calls = ChatCalls(run, config, engine, stop=stop, kwargs=kwargs, tools=tools, chains=chains)
        return session_kind(calls.watch)(engine, request, calls, decision_id=str(run.run_id))

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


def _last_of(items: Generator[Any, None, None]) -> Decided:
    """Read a stream to its end and return what was decided: whoever watches is shown its pieces."""
    with closing(items):
        *_, decided = items
    return _whole(decided)


async def _alast_of(items: AsyncGenerator[Any, None]) -> Decided:
    """Read a stream to its end and return what was decided; see `_last_of`."""
    async with aclosing(items):
        async for item in items:
            decided = item
    return _whole(decided)


def _whole(decided: Decided) -> Decided:
    """Return what was decided with the message in one piece."""
    draft = decided.verdict.draft
    message = in_one_piece(draft.native, draft.usage)
    verdict = replace(decided.verdict, draft=replace(draft, native=message))
    return Decided(verdict, decided.record)


def _has_erred(session: Session) -> bool:
    """Tell whether an answer failed a gate when it was out, and is none to be kept."""
    committed = (session.record or {}).get("committed") or {}
    return "error" in committed


def _stamped(session: Session, decided: Decided) -> AIMessage:
    verdict, record = decided
    tier: ChatTier = session.plan.tiers[verdict.tier].native
    drop = tier.logprobs_are_ours and not cast("ChatCalls", session.caller).keep_logprobs
    return stamp(verdict.draft.native, record, drop_logprobs=drop)
