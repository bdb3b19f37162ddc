"""Calls runnables for one request, and reads their outputs as drafts."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    convert_to_messages,
)
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables.config import RunnableConfig
from pydantic import BaseModel

from cascade_core.abilities import Missing
from cascade_core.draft import Draft
from cascade_core.effects import Adopt, Ask, Chunk, Failed, Open
from cascade_core.errors import ConfigurationError, EmptyStreamError
from cascade_core.integrations.finish import worst
from cascade_core.loop.streams import AsyncStream, Stream
from cascade_core.request import Request
from cascade_core.tier import Tier
from langchain_cascade.calls import ChatCalls
from langchain_cascade.contexts import contexts_in, contexts_of, thread_of
from langchain_cascade.convert import goes_further, load_of, to_chunk, to_draft, to_turns
from langchain_cascade.handing import as_output
from langchain_cascade.histories import needs_reading, readable, reader
from langchain_cascade.recorder import CallRecorder
from langchain_cascade.scope import control_flow

_ANSWER_KEYS = ("answer", "output", "result", "text", "messages")
_QUESTION_KEYS = ("question", "query", "input", "messages")


def request_of(
    value: Any,
    config: RunnableConfig,
    needs: Collection[Missing] = (),
    schema: Mapping[str, Any] | None = None,
) -> Request:
    """Return any runnable's input as a request; what it asks is read when it is needed."""
    return Request(
        lambda: to_turns(_messages(value)),
        output_schema=schema,
        needs=needs,
        load=lambda: load_of(_messages(value)),
        native=_Given(value),
        contexts=contexts_of(config, value),
        tags=config.get("tags") or (),
        metadata=config.get("metadata"),
        thread=thread_of(config),
        further=_goes_further(value),
    )


def _goes_further(value: Any) -> bool:
    """Tell whether an input goes on with a turn; only one that is messages can."""
    if isinstance(value, Mapping):
        value = value.get("messages")
    return isinstance(value, PromptValue | list | tuple) and goes_further(value)


def read_output(output: Any) -> Draft:
    """Read a tier's output as a draft.

    Args:
        output: A draft, message, text, pydantic object, or dict.

    Raises:
        ConfigurationError: It is something else; `to_draft=` can read it.
    """
    if isinstance(output, Draft):
        return output
    if isinstance(output, BaseMessage):
        return to_draft(output)
    if output is None:
        return Draft(native=None)
    if isinstance(output, str):
        return Draft(text=output)
    if isinstance(output, BaseModel):
        return Draft(text=output.model_dump_json())
    if isinstance(output, Mapping):
        key = next((key for key in _ANSWER_KEYS if output.get(key)), None)
        if key is None:
            return Draft(text=json.dumps(dict(output), default=str, ensure_ascii=False))
        return read_output(output[key])
    if isinstance(output, Sequence) and output and isinstance(output[-1], BaseMessage):
        return to_draft(output[-1])
    if isinstance(output, int | float | list | tuple):
        return Draft(text=json.dumps(output, default=str, ensure_ascii=False))
    msg = (
        f"a tier returned {type(output).__name__}, which cannot be judged as it is; "
        "give to_draft=, a function from output to message, text or Draft"
    )
    raise ConfigurationError(msg)


class OutputCalls(ChatCalls):
    """Calls runnables under one chain run; judges are called as chat models.

    Args:
        to_draft: Reads a tier's output.
        shape: Makes an output like that of the tiers of what `on_handoff` gave.
    """

    def __init__(
        self,
        *args: Any,
        to_draft: Callable[[Any], Any],
        shape: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._to_draft = to_draft
        self._shape = shape

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run a tier and wait; every model call inside is recorded."""
        if effect.request.native is None:  # the core's own question
            return super().call(effect, sample)
        recorder = CallRecorder()
        answers = self._answers(effect)
        config = self._recorded(effect.target, effect.purpose, recorder, answers=answers)
        tier = self._partners.of(effect.target)
        started = perf_counter()
        try:
            output = self._runnable(tier, effect, sample).invoke(
                _input(effect.request, tier), config, **self._kwargs
            )
        except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
            return self._broken(error, perf_counter() - started, recorder, effect)
        self._came(config, output)
        return self._read(output, perf_counter() - started, recorder)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run a tier and wait; every model call inside is recorded."""
        if effect.request.native is None:  # the core's own question
            return await super().acall(effect, sample)
        recorder = CallRecorder()
        answers = self._answers(effect)
        config = self._recorded(effect.target, effect.purpose, recorder, answers=answers)
        tier = self._partners.of(effect.target)
        started = perf_counter()
        try:
            output = await self._runnable(tier, effect, sample).ainvoke(
                _input(effect.request, tier), config, **self._kwargs
            )
        except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
            return self._broken(error, perf_counter() - started, recorder, effect)
        self._came(config, output)
        return self._read(output, perf_counter() - started, recorder)

    def open(self, effect: Open) -> Stream:
        """Start the stream of the last tier, or of a pinned one."""
        recorder = CallRecorder()
        config = self._recorded(effect.tier, "draft", recorder, answers=True)
        chunks = effect.tier.native.stream(
            _input(effect.request, effect.tier), config, **self._kwargs
        )
        return Stream(chunks, Outputs(self, recorder))

    async def aopen(self, effect: Open) -> AsyncStream:
        """Start the stream of the last tier, or of a pinned one."""
        recorder = CallRecorder()
        config = self._recorded(effect.tier, "draft", recorder, answers=True)
        chunks = effect.tier.native.astream(
            _input(effect.request, effect.tier), config, **self._kwargs
        )
        return AsyncStream(chunks, Outputs(self, recorder))

    def as_chunk(self, native: Any, tier: Tier) -> Any:
        """Return a tier's whole output as the one chunk of a stream."""
        del tier
        return to_chunk(native) if isinstance(native, AIMessage) else native

    def adopt(self, effect: Adopt) -> Draft:
        """Return what a function gave as an output like that of the tiers."""
        value = as_output(effect.value, effect.draft.native, self._shape)
        try:
            draft = self._to_draft(value)
            return replace(draft if isinstance(draft, Draft) else read_output(draft), native=value)
        except ConfigurationError:
            return Draft(native=value)  # nobody judges it

    def _runnable(self, tier: Tier, effect: Ask, sample: int) -> Any:
        """Return what to run: the tier, in the way asked for if it can be called in several."""
        native = tier.native
        if not hasattr(native, "called"):
            return native
        return native.called(*self._called(effect, sample))

    def _recorded(
        self, target: object, purpose: str, recorder: CallRecorder, *, answers: bool
    ) -> RunnableConfig:
        config = self.child(target, purpose, answers=answers)
        cast("Any", config["callbacks"]).add_handler(recorder, inherit=True)
        return config

    def _broken(
        self, error: Exception, seconds: float, recorder: CallRecorder, effect: Ask
    ) -> Draft | Failed:
        """Return a chain's failure with the calls it had paid for.

        A draft that only its parser could not read is a draft that fails the
        parser's gate; from a tier whose draft is the answer it is an error, as without a cascade.
        """
        if isinstance(error, control_flow()) or not recorder.calls:
            raise error
        draft = Draft(seconds=seconds, inner=recorder.calls)
        if isinstance(error, OutputParserException) and not self._answers(effect):
            return replace(
                draft, text=recorder.last.text if recorder.last else "", parse_error=error
            )
        return Failed(error, seconds, draft)

    def _read(self, output: Any, seconds: float, recorder: CallRecorder) -> Draft:
        read = self._to_draft(output)
        draft = read if isinstance(read, Draft) else read_output(read)
        last = recorder.last
        if last is not None:
            draft = _as_told(draft, last, alone=len(recorder.calls) == 1)
        return replace(
            draft,
            seconds=seconds,
            native=output,
            contexts=contexts_in(output) if draft.contexts is None else draft.contexts,
            inner=recorder.calls,
            model=draft.model or (None if last is None else last.model),
        )


def _as_told(draft: Draft, last: Draft, *, alone: bool) -> Draft:
    """Return a chain's output with what is known of it from its last model's answer.

    A parser may make something of an answer that was cut off, and says nothing of it.

    Args:
        draft: The output.
        last: The answer.
        alone: Whether no other model was asked.
    """
    if not alone and (not last.text.strip() or last.text.strip() not in draft.text):
        return draft
    if alone and draft.made is not None and last.text:  # an object alone is written anew
        draft = replace(draft, text=last.text, written=last.written)
    spelled = draft.logprobs is None and last.text == draft.text
    return replace(
        draft,
        logprobs=last.logprobs if spelled else draft.logprobs,
        finish=worst((draft.finish, last.finish)),
        refusal=draft.refusal or last.refusal,
    )


@dataclass(slots=True)
class Outputs:
    """Puts the pieces of a runnable's stream together."""

    calls: OutputCalls
    recorder: CallRecorder
    started: float = field(default_factory=perf_counter)
    chunks: list[Any] = field(default_factory=list)

    def take(self, item: Any) -> Chunk:
        """Keep a piece; nobody judges the last tier, so its logprobs are not read."""
        self.chunks.append(item)
        return Chunk(item)

    def had(self) -> Draft | None:
        """Put together what had come, if it can be; else what was paid for inside."""
        try:
            return self.whole()
        except Exception:  # noqa: BLE001 - a part of an output need not be readable
            return Draft(inner=self.recorder.calls) if self.recorder.calls else None

    def whole(self) -> Draft:
        """Put everything together.

        Raises:
            ValueError: Nothing had come.
        """
        if not self.chunks:
            raise EmptyStreamError
        whole = self.chunks[0]
        for chunk in self.chunks[1:]:
            whole = _joined(whole, chunk)
        return self.calls._read(whole, perf_counter() - self.started, self.recorder)  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class _Given:
    """A caller's input; wrapped, because None is an input too."""

    value: Any = field(repr=False)


def _input(request: Request, tier: Tier) -> Any:
    """Return what a tier is given; of a conversation, what a model of a cascade's own can read."""
    native = request.native
    value = native.value if isinstance(native, _Given) else native
    model = getattr(tier.native, "inner", None)
    if model is None or isinstance(value, str):
        return value
    try:
        messages = model._convert_input(value).to_messages()  # noqa: SLF001
    except Exception:  # noqa: BLE001 - the tier itself will say what it cannot take
        return value
    if not needs_reading(messages):
        return value
    return readable(messages, reader(model, tier.index, tier.native.chat.arguments({})))


def _joined(whole: Any, chunk: Any) -> Any:
    """Add a piece to what came before it; what cannot be added replaces it."""
    if isinstance(whole, dict) and isinstance(chunk, dict):
        return {
            **whole,
            **{k: _joined(whole[k], v) if k in whole else v for k, v in chunk.items()},
        }
    try:
        return whole + chunk
    except TypeError:
        return chunk


def _messages(value: Any) -> Sequence[BaseMessage]:
    if isinstance(value, str):
        return [HumanMessage(value)]
    if isinstance(value, PromptValue):
        return value.to_messages()
    if isinstance(value, BaseMessage):
        return [value]
    if isinstance(value, Mapping):
        key = next((key for key in _QUESTION_KEYS if key in value), None)
        if key is not None:
            return _messages(value[key])
    elif isinstance(value, Sequence):
        try:
            return convert_to_messages(value)
        except (TypeError, ValueError, NotImplementedError):
            pass
    return [HumanMessage(json.dumps(value, default=str, ensure_ascii=False))]
