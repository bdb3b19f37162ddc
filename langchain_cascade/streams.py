"""The streams of chat models: drafts silent, the last tier live.

A draft's stream must be silent until the draft is accepted, and must end as an
ordinary run when it is cut off: `BaseChatModel.stream` would show its tokens
to every handler at once and report a cut as an error without usage. So a draft
drives the model's own `_stream` under a run of ours. The last tier is live and
uses the model's public `stream`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, cast
from uuid import UUID

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    CallbackManager,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGenerationChunk, LLMResult
from langchain_core.runnables.config import RunnableConfig

from cascade_core.draft import Draft, Finish
from cascade_core.effects import Chunk
from cascade_core.errors import EmptyStreamError
from cascade_core.integrations.answers import SAYING, read_said
from cascade_core.integrations.classes import LANGCHAIN, integration
from cascade_core.integrations.finish import worst
from cascade_core.integrations.usage import hollow, so_far
from cascade_core.logprobs import Logprobs, is_number, read_logprobs
from cascade_core.loop import streams
from cascade_core.spelling import Following
from cascade_core.usage import Usage
from langchain_cascade.convert import (
    text_of,
    to_chunk,
    to_draft,
    to_usage_metadata,
    with_usage,
    without_logprobs,
)
from langchain_cascade.pieces import ReadyPieces
from langchain_cascade.watching import reveal

try:  # how `BaseChatModel.stream` prepares a prompt; private, so it may move
    from langchain_core.language_models._utils import _normalize_messages as normalize
except ImportError:  # pragma: no cover

    def normalize(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """Return the messages as they are."""
        return list(messages)


LC_ID_PREFIX = "lc_run-"
"""How LangChain marks a message id made from a run's id (`langchain_core.messages.base`)."""

_UNSENT = ("ls_structured_output_format", "structured_output_format")
"""Keywords meant for tracing only; providers reject them."""


@dataclass(slots=True)
class Setting:
    """Everything one streamed call needs.

    Attributes:
        model: The bare chat model.
        messages: The prompt.
        config: The child configuration of the tier's run.
        kwargs: Keyword arguments of the call.
        stop: Stop sequences.
        name: The model's name, for usage that has to be counted here.
        drop_logprobs: Show chunks without logprobs that only the cascade asked for.
    """

    model: BaseChatModel
    messages: list[BaseMessage]
    config: RunnableConfig
    kwargs: dict[str, Any]
    stop: list[str] | None
    name: str | None
    drop_logprobs: bool


@dataclass(slots=True)
class GatheredMessages:
    """Puts the messages of a chat model's stream together.

    Attributes:
        messages: The prompt, to count the tokens of an answer that reports none.
        name: The model's name, where the answer does not say it.
        says_when_done: Whether an answer without a finish reason broke off without an error,
            as proxies let it.

    Finish reasons and the model's name are read of each chunk: LangChain adds chunks up, and so
    what two of them say to `stopstop`.
    """

    messages: Sequence[BaseMessage]
    name: str | None
    says_when_done: bool = False
    started: float = field(default_factory=perf_counter)
    chunks: list[AIMessageChunk] = field(default_factory=list)
    _usage: Usage | None = None
    _finish: Finish | None = None
    _model: str | None = None
    _following: Following = field(default_factory=Following)

    def take(self, item: BaseMessage) -> Chunk:
        """Keep a chunk and return it as the core sees it."""
        message = to_chunk(item)
        self.chunks.append(message)
        meta = message.response_metadata
        if not SAYING.isdisjoint(meta):
            said = read_said(meta)
            self._usage = said.usage or self._usage
            self._finish = worst((self._finish, said.finish))
            self._model = said.model or self._model
        payload, text = meta.get("logprobs"), text_of(message)
        logprobs = None if payload is None else read_logprobs(payload, text)
        if is_number(payload):
            message = self.chunks[-1] = _with_token(message, logprobs)
        return Chunk(message, self._following.take(text, logprobs))

    def had(self) -> Draft | None:
        """Put everything together; None where nothing had come."""
        if not self.chunks:
            return None
        message = self.chunks[0]
        if len(self.chunks) > 1:
            message = add_ai_message_chunks(message, *self.chunks[1:])
        reported = so_far(cast("Any", chunk.usage_metadata) for chunk in self.chunks)
        draft = to_draft(message, perf_counter() - self.started, reported=reported)
        if self._finish is not None or self._model is not None:
            draft = replace(
                draft,
                usage=draft.usage or self._usage,
                finish=self._finish or draft.finish,
                model=self._model or draft.model,
            )
        if hollow(draft.usage, draft.whole, draft.tool_calls) and not draft.inner:
            usage = with_usage(draft, self.messages, self.name)
            message = message.model_copy(update={"usage_metadata": to_usage_metadata(usage)})
            if draft.model is None and self.name is not None:
                message.response_metadata = {**message.response_metadata, "model_name": self.name}
            draft = replace(draft, usage=usage, native=message)
        return draft

    def whole(self) -> Draft:
        """Put everything together.

        Raises:
            ValueError: Nothing had come.
        """
        draft = self.had()
        if draft is None:
            raise EmptyStreamError
        if self.says_when_done and draft.finish is None:
            return replace(draft, finish="broken")
        return draft


def _with_token(message: AIMessageChunk, logprobs: Logprobs | None) -> AIMessageChunk:
    """Return a chunk that says which token its log-probability is of.

    LangChain cannot add up chunks that have two different numbers in one place.
    """
    entries = [] if logprobs is None else list(logprobs.entries)
    meta = {**message.response_metadata, "logprobs": {"content": entries}}
    return message.model_copy(update={"response_metadata": meta})


def _sent(setting: Setting) -> dict[str, Any]:
    return {k: v for k, v in setting.kwargs.items() if k not in _UNSENT}


def _configure(setting: Setting, manager: type[Any]) -> tuple[Any, dict[str, Any]]:
    """Return a callback manager for the model's run and the run's parameters."""
    model, config = setting.model, setting.config
    sent = _sent(setting)
    params = model._get_invocation_params(stop=setting.stop, **sent)  # noqa: SLF001
    ls_params = model._get_ls_params_with_defaults(stop=setting.stop, **sent)  # noqa: SLF001
    configured = manager.configure(
        config.get("callbacks"),
        model.callbacks,
        model.verbose,
        config.get("tags"),
        model.tags,
        {**(config.get("metadata") or {}), **ls_params},
        model.metadata,
    )
    options = {"stop": setting.stop, **{k: v for k, v in sent.items() if k in params}}
    return configured, {"invocation_params": params, "options": options, "batch_size": 1}


def _shown(chunk: AIMessageChunk, setting: Setting) -> AIMessageChunk:
    return cast("AIMessageChunk", without_logprobs(chunk)) if setting.drop_logprobs else chunk


def _result(draft: Draft | None) -> LLMResult:
    if draft is None:
        return LLMResult(generations=[])
    return LLMResult(generations=[[ChatGenerationChunk(message=draft.native)]])


class DraftStream(streams.Stream):
    """A silent stream of a draft; its run begins with it and ends when it is closed."""

    def __init__(self, setting: Setting) -> None:
        manager, params = _configure(setting, CallbackManager)
        (self._run,) = manager.on_chat_model_start(
            setting.model._serialized,  # noqa: SLF001
            [setting.messages],
            **params,
        )
        self._setting = setting
        self._shows = False
        super().__init__(_pieces(setting, self._run.run_id), _gathering(setting))

    def show(self, chunk: AIMessageChunk) -> AIMessageChunk:
        """Tell handlers of a token, now that the draft is accepted."""
        if not self._shows:
            self._shows = True
            reveal(self._run, self._setting.model._serialized, self._setting.messages)  # noqa: SLF001
        chunk = _shown(chunk, self._setting)
        generation = ChatGenerationChunk(message=chunk)
        self._run.on_llm_new_token(cast("str", chunk.content), chunk=generation)
        return chunk

    def _fail(self, error: BaseException) -> None:
        self._run.on_llm_error(error, response=_result(self.had()))

    def _end(self, draft: Draft | None) -> None:
        self._run.on_llm_end(_result(draft))


class AsyncDraftStream(streams.AsyncStream):
    """The same, awaited; made by `begin`."""

    def __init__(self, setting: Setting, run: AsyncCallbackManagerForLLMRun) -> None:
        self._setting = setting
        self._run = run
        self._shows = False
        super().__init__(_apieces(setting, run.run_id), _gathering(setting))

    @classmethod
    async def begin(cls, setting: Setting) -> AsyncDraftStream:
        """Begin the run; the first pull asks for the stream."""
        manager, params = _configure(setting, AsyncCallbackManager)
        (run,) = await manager.on_chat_model_start(
            setting.model._serialized,  # noqa: SLF001
            [setting.messages],
            **params,
        )
        return cls(setting, run)

    async def show(self, chunk: AIMessageChunk) -> AIMessageChunk:
        """Tell handlers of a token, now that the draft is accepted."""
        if not self._shows:
            self._shows = True
            reveal(self._run, self._setting.model._serialized, self._setting.messages)  # noqa: SLF001
        chunk = _shown(chunk, self._setting)
        generation = ChatGenerationChunk(message=chunk)
        await self._run.on_llm_new_token(cast("str", chunk.content), chunk=generation)
        return chunk

    async def _fail(self, error: BaseException) -> None:
        await self._run.on_llm_error(error, response=_result(self.had()))

    async def _end(self, draft: Draft | None) -> None:
        await self._run.on_llm_end(_result(draft))


def _gathering(setting: Setting) -> GatheredMessages:
    says_when_done = integration(setting.model, LANGCHAIN).ends_named is True
    return GatheredMessages(setting.messages, setting.name, says_when_done)


def _pieces(setting: Setting, run_id: UUID) -> Iterator[AIMessageChunk]:
    """Ask for the stream, when the first piece is wanted."""
    model = setting.model
    if model.rate_limiter:
        model.rate_limiter.acquire(blocking=True)
    chunks = model._stream(  # noqa: SLF001
        normalize(setting.messages), stop=setting.stop, **_sent(setting)
    )
    pieces = ReadyPieces(model, f"{LC_ID_PREFIX}-{run_id}")
    try:
        for chunk in chunks:
            yield pieces.ready(chunk)
        if (last := pieces.last()) is not None:
            yield last
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


async def _apieces(setting: Setting, run_id: UUID) -> AsyncIterator[AIMessageChunk]:
    """Ask for the stream, when the first piece is wanted."""
    model = setting.model
    if model.rate_limiter:
        await model.rate_limiter.aacquire(blocking=True)
    chunks = model._astream(  # noqa: SLF001
        normalize(setting.messages), stop=setting.stop, **_sent(setting)
    )
    pieces = ReadyPieces(model, f"{LC_ID_PREFIX}-{run_id}")
    try:
        async for chunk in chunks:
            yield pieces.ready(chunk)
        if (last := pieces.last()) is not None:
            yield last
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
