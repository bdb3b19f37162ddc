"""Sees every model call inside a tier, so that a tier's cost is the sum of its calls.

Structured predictions, synthesizers and query engines make several calls, or
hide the one they make; LlamaIndex's events tell of them all. Here is who
listens, and for whom; what is made of it, see `listening`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.exception import ExceptionEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMCompletionInProgressEvent,
    LLMCompletionStartEvent,
)
from llama_index.core.instrumentation.span import BaseSpan
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from llama_index_instrumentation import get_dispatcher

from cascade_core.forks import free_in_child
from llamaindex_cascade.reading.listening import Recorder, by_span

__all__ = ["Recorder", "current", "recording", "unrecorded", "within"]

_active: ContextVar[Recorder | None] = ContextVar("llamaindex_cascade_recorder", default=None)
_installing = Lock()
free_in_child(sys.modules[__name__], "_installing")


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record the model calls made inside, those of an inner recorder apart.

    Tasks and threads started inside report too, as far as they copy their
    context. Do not hold this open across a `yield`: see `within`.
    """
    _install()
    recorder = Recorder()
    with within(recorder):
        yield recorder


@contextmanager
def within(recorder: Recorder | None) -> Iterator[None]:
    """Record into a recorder for one step of a stream.

    A generator that left a recorder active when it yields would record its
    caller's calls.
    """
    token = _active.set(recorder)
    try:
        yield
    finally:
        _active.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Keep calls from the recorder around: a cascade reports its own trail."""
    with within(None):
        yield


def current() -> Recorder | None:
    """Return the recorder around this code, for what reports to it later from elsewhere."""
    return _active.get()


class RecorderEvents(BaseEventHandler):
    """Hands LlamaIndex's events to the recorder they belong to."""

    @classmethod
    def class_name(cls) -> str:
        """Return the handler's name."""
        return "RecorderEvents"

    def handle(self, event: BaseEvent, **_: Any) -> None:
        """Note what an event tells of a model call."""
        recorder = _active.get()
        if recorder is None and not by_span:
            return
        span = event.span_id or ""
        if isinstance(event, LLMChatStartEvent | LLMCompletionStartEvent):
            if recorder is not None:
                asked = event.messages if isinstance(event, LLMChatStartEvent) else event.prompt
                recorder.start(span, asked, event.model_dict)
            return
        # A stream belongs to who saw it start, wherever it is read.
        recorder = by_span.get(span)
        if recorder is None:
            return
        if isinstance(event, LLMChatInProgressEvent | LLMCompletionInProgressEvent):
            recorder.chunk(span, event.response)
        elif isinstance(event, LLMChatEndEvent | LLMCompletionEndEvent):
            recorder.end(span, event.response)
        elif isinstance(event, ExceptionEvent):
            recorder.broke(span, event.exception)


class RecorderSpans(BaseSpanHandler[BaseSpan]):
    """Tells recorders which call runs inside which; keeps no spans itself."""

    @classmethod
    def class_name(cls) -> str:
        """Return the handler's name."""
        return "RecorderSpans"

    def span_enter(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002 - LlamaIndex's signature
        instance: Any = None,
        parent_id: str | None = None,
        tags: dict[str, Any] | None = None,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Note a span's parent and model."""
        recorder = _active.get()
        if recorder is not None:
            recorder.enter(id_, parent_id, instance)

    def span_exit(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002
        instance: Any = None,  # noqa: ARG002
        result: Any = None,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Forget a span."""
        _leave(id_, failed=False)

    def span_drop(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002
        instance: Any = None,  # noqa: ARG002
        err: BaseException | None = None,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Forget a span; a call in it has failed."""
        _leave(id_, failed=True)

    def new_span(self, *_: Any, **__: Any) -> None:
        """Make no span."""

    def prepare_to_exit_span(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def prepare_to_drop_span(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


def _leave(span: str, *, failed: bool) -> None:
    recorder = by_span.get(span) or _active.get()
    if recorder is not None:
        recorder.leave(span, failed=failed)


_EVENTS = RecorderEvents()
_SPANS = RecorderSpans()


def _install() -> None:
    """Listen to LlamaIndex; again, should somebody have replaced its handlers."""
    root = get_dispatcher()
    with _installing:
        if not any(handler is _EVENTS for handler in root.event_handlers):
            root.add_event_handler(_EVENTS)
        if not any(handler is _SPANS for handler in root.span_handlers):
            root.add_span_handler(_SPANS)
