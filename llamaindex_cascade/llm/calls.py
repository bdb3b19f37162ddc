"""Calls LLMs for one request: tiers as the caller set them up, and judges."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

from llama_index.core.callbacks import CallbackManager
from pydantic import BaseModel

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Chunk, Failed, Open
from cascade_core.errors import CascadeExhausted, ConfigurationError
from cascade_core.logprobs import Logprobs
from cascade_core.tier import Tier
from llamaindex_cascade.asking.messages import to_messages
from llamaindex_cascade.asking.streams import AsyncTierStream, Responses, TierStream
from llamaindex_cascade.asking.tiers import LLMTier, check_llm
from llamaindex_cascade.llm.formats import FormatError
from llamaindex_cascade.llm.templates import Object
from llamaindex_cascade.llm.ways import Messages, Tools, Way
from llamaindex_cascade.reading.answers import to_draft
from llamaindex_cascade.reading.raw import Response, text_of
from llamaindex_cascade.reading.recorder import Recorder, recording, within


class Calls:
    """What whole answers, objects and judges have in common.

    Args:
        manager: The cascade's callback manager, or None to leave the tiers theirs.
    """

    fatal: tuple[type[Exception], ...] = (ConfigurationError,)

    def __init__(self, manager: CallbackManager | None) -> None:
        self._manager = manager

    def ready(self, target: object) -> LLMTier:
        """Return a tier or a judge, ready to be called."""
        if isinstance(target, Tier):
            tier: LLMTier = target.native
        else:
            tier = LLMTier(check_llm(target, "the model a signal asks"))
        if self._manager is not None:
            tier.report_to(self._manager)
        return tier

    def options(self, effect: Ask, tier: LLMTier) -> Mapping[str, Any]:
        """Return the arguments of a call on the cascade's own account."""
        asked = tier.options(logprobs=effect.logprobs, top=effect.top_logprobs)
        return {**asked, **effect.options} if effect.options else asked

    def question(self, effect: Ask) -> Way:
        """Return the core's own question: no template, no arguments of the caller's."""
        return Messages(to_messages(effect.request.turns), {})

    def ask_own(self, effect: Ask) -> Draft:
        """Ask the core's own question, and wait."""
        tier, way = self.ready(effect.target), self.question(effect)
        started = perf_counter()
        return self.answer(way.call(tier, self.options(effect, tier)), started, effect, way)

    async def aask_own(self, effect: Ask) -> Draft:
        """Ask the core's own question, and wait."""
        tier, way = self.ready(effect.target), self.question(effect)
        started = perf_counter()
        return self.answer(await way.acall(tier, self.options(effect, tier)), started, effect, way)

    def answer(self, response: Response, started: float, effect: Ask | Open, way: Way) -> Draft:
        """Return a response as a draft."""
        name = None
        target = effect.target if isinstance(effect, Ask) else effect.tier
        if isinstance(target, Tier):
            name = target.model
        return to_draft(
            response,
            seconds=perf_counter() - started,
            name=name,
            prompt_texts=lambda: texts_of(way),
        )


class ResponseCalls(Calls):
    """Calls that give responses: `chat`, `complete`, `predict`, `chat_with_tools`.

    Args:
        way: What was asked.
        manager: See `Calls`.
    """

    def __init__(self, way: Way, manager: CallbackManager | None) -> None:
        super().__init__(manager)
        self._way = way

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Call a model and wait."""
        del sample
        if effect.request.native is None:
            return self.ask_own(effect)
        tier, way = self.ready(effect.target), self._way
        started = perf_counter()
        response = way.call(tier, self.options(effect, tier))
        return self._checked(self.answer(response, started, effect, way), tier)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Call a model and wait."""
        del sample
        if effect.request.native is None:
            return await self.aask_own(effect)
        tier, way = self.ready(effect.target), self._way
        started = perf_counter()
        response = await way.acall(tier, self.options(effect, tier))
        return self._checked(self.answer(response, started, effect, way), tier)

    def open(self, effect: Open) -> TierStream:
        """Start a tier's stream."""
        tier, options, gathered = self._opening(effect)
        return TierStream(iter(self._way.stream(tier, options)), gathered)

    async def aopen(self, effect: Open) -> AsyncTierStream:
        """Start a tier's stream."""
        tier, options, gathered = self._opening(effect)
        return AsyncTierStream(aiter(await self._way.astream(tier, options)), gathered)

    def as_chunk(self, native: Response, tier: Tier) -> Response:
        """Return a whole response as the one chunk of a stream."""
        del tier
        return native.model_copy(update={"delta": text_of(native)})

    def _opening(self, effect: Open) -> tuple[LLMTier, Mapping[str, Any], Responses]:
        tier = self.ready(effect.tier)
        options = tier.options(logprobs=effect.logprobs, top=effect.top_logprobs, streamed=True)
        way = self._way
        gathered = Responses(
            effect.tier.model,
            lambda: texts_of(way),
            lambda draft: self._checked(draft, tier),
            entries=effect.top_logprobs > 0,
        )
        return tier, options, gathered

    def _checked(self, draft: Draft, tier: LLMTier) -> Draft:
        way = self._way
        if draft.tool_calls:
            problem = way.misfit(draft.tool_calls) if isinstance(way, Tools) else None
        else:
            problem = way.problem(draft.text, tier)
        return draft if problem is None else replace(draft, parse_error=problem)


class ObjectCalls(Calls):
    """Calls that give objects: `structured_predict`.

    A tier makes the object in its own way and shows only the result, so the
    model calls inside are recorded.

    Args:
        way: What was asked.
        manager: See `Calls`.
    """

    def __init__(self, way: Object, manager: CallbackManager | None) -> None:
        super().__init__(manager)
        self._way = way

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Have a tier make the object, or ask a judge, and wait."""
        del sample
        if effect.request.native is None:
            return self.ask_own(effect)
        tier = self.ready(effect.target)
        options = self.options(effect, tier)
        started = perf_counter()
        value: BaseModel | None = None
        error: Exception | None = None
        with recording() as recorder:
            try:
                value = self._way.make(tier, options)
            except Exception as raised:  # noqa: BLE001 - which kind of failure it is, is told below
                error = raised
        return made(value, error, recorder, started)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Have a tier make the object, or ask a judge, and wait."""
        del sample
        if effect.request.native is None:
            return await self.aask_own(effect)
        tier = self.ready(effect.target)
        options = self.options(effect, tier)
        started = perf_counter()
        value: BaseModel | None = None
        error: Exception | None = None
        with recording() as recorder:
            try:
                value = await self._way.amake(tier, options)
            except Exception as raised:  # noqa: BLE001 - which kind of failure it is, is told below
                error = raised
        return made(value, error, recorder, started)

    def open(self, effect: Open) -> TierStream:
        """Have the last tier make the object in ever more complete parts."""
        tier = self.ready(effect.tier)
        with recording() as recorder:
            parts = iter(self._way.stream(tier))
        return TierStream(recorded(parts, recorder), Parts(recorder, self._way.wanted))

    async def aopen(self, effect: Open) -> AsyncTierStream:
        """Have the last tier make the object in ever more complete parts."""
        tier = self.ready(effect.tier)
        with recording() as recorder:
            parts = aiter(await self._way.astream(tier))
        return AsyncTierStream(arecorded(parts, recorder), Parts(recorder, self._way.wanted))

    def as_chunk(self, native: Any, tier: Tier) -> Any:
        """Return the object: a stream of one part."""
        del tier
        return native


class Parts:
    """Puts a stream of ever more complete objects together: the last one is whole.

    Args:
        recorder: Writes down the model calls inside.
        wanted: The class asked for; LlamaIndex shows parts of looser ones before.
    """

    def __init__(self, recorder: Recorder, wanted: type[BaseModel]) -> None:
        self._recorder = recorder
        self._wanted = wanted
        self._started = perf_counter()
        self._last: Any = None

    def take(self, chunk: Any) -> Chunk:
        """Take the next part."""
        self._last = chunk
        return Chunk(chunk)

    def had(self) -> Draft | None:
        """Return what has arrived."""
        calls = self._recorder.calls()
        if self._last is None and not calls:
            return None
        return _of_calls(self._last, self._recorder, perf_counter() - self._started)

    def whole(self) -> Draft:
        """Return the object; one that stayed loose to the end does not fit."""
        draft = self.had() or Draft()
        made = self._last if isinstance(self._last, list) else [self._last]
        if made and all(isinstance(value, self._wanted) for value in made):
            return draft
        problem = FormatError(f"the stream ended without a whole {self._wanted.__name__}")
        return replace(draft, parse_error=problem)


def made(
    value: BaseModel | None, error: Exception | None, recorder: Recorder, started: float
) -> Draft | Failed:
    """Return what became of an object.

    A model that answered what its tier could not read has answered: that is a
    draft that does not parse, and not a failed call.
    """
    seconds = perf_counter() - started
    draft = _of_calls(value, recorder, seconds)
    if error is None:
        return draft
    if recorder.failed or not recorder.ended or isinstance(error, CascadeExhausted):
        return Failed(error, seconds, draft if draft.inner else None)
    return replace(draft, parse_error=error)


def _of_calls(value: Any, recorder: Recorder, seconds: float) -> Draft:
    calls = recorder.calls()
    answers = recorder.drafts
    last = answers[-1] if answers else Draft()
    logprobs: Logprobs | None = last.logprobs
    text = value.model_dump_json() if isinstance(value, BaseModel) else last.text
    return Draft(
        text=text,
        tool_calls=last.tool_calls,
        broken_tool_calls=last.broken_tool_calls,
        logprobs=logprobs,
        finish=last.finish,
        refusal=last.refusal,
        model=calls[-1].model if calls else None,
        seconds=seconds,
        inner=calls,
        native=value,
    )


def recorded(parts: Iterator[Any], recorder: Recorder) -> Generator[Any, None, None]:
    """Read a stream, recording the model calls that its reading makes."""
    try:
        while True:
            with within(recorder):
                try:
                    part = next(parts)
                except StopIteration:
                    return
            yield part
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


async def arecorded(parts: AsyncIterator[Any], recorder: Recorder) -> AsyncGenerator[Any, None]:
    """Read a stream, recording the model calls that its reading makes."""
    try:
        while True:
            with within(recorder):
                try:
                    part = await anext(parts)
                except StopAsyncIteration:
                    return
            yield part
    finally:
        close = getattr(parts, "aclose", None)
        if close is not None:
            await close()


def texts_of(way: Way) -> Iterable[str]:
    """Return the texts of what was asked."""
    return [turn.text for turn in way.turns()]
