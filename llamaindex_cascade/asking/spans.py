"""What a request's spans are told of its decision, and those of its calls of what they are for."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, NamedTuple
from uuid import uuid4

from llama_index.core.instrumentation.events.chat_engine import StreamChatEndEvent
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import active_instrument_tags, instrument_tags

from cascade_core.draft import Draft
from cascade_core.effects import Adopt, Ask, Failed, Open
from cascade_core.loop.port import Caller
from cascade_core.loop.run_metadata import call_metadata
from cascade_core.loop.streams import AsyncStream, Stream
from cascade_core.tier import Tier
from llamaindex_cascade.asking.calls import target_of
from llamaindex_cascade.asking.instrumentation import chain, is_openinference

DECISION_SPAN = "cascade decision"
"""The name of the span that tells of a decision where the request's own has ended."""

_dispatcher = get_dispatcher(__name__)


class _Open(NamedTuple):
    """A span, and who keeps it."""

    handler: Any
    span: Any


def open_spans(span_id: str | None) -> list[_Open]:
    """Return what each span handler keeps of a span that is open.

    Args:
        span_id: Its id.
    """
    if span_id is None:
        return []
    found = [
        _Open(handler, getattr(handler, "open_spans", {}).get(span_id))
        for each in chain(_dispatcher)
        for handler in each.span_handlers
    ]
    return [each for each in found if each.span is not None]


def write_on_spans(spans: Sequence[_Open], said: Mapping[str, Any]) -> None:
    """Say on a request's spans what became of it: as tags, and as attributes in OpenTelemetry.

    Args:
        spans: The spans; those of streams have ended before they are read.
        said: The decision as flat metadata.
    """
    for handler, span in spans:
        with suppress(Exception):  # another maker's span: the answer must get out
            span.tags = {**span.tags, **said}  # the dictionary may be the caller's own
            _write_attributes(handler, span, said)
            if is_openinference(handler) and span.waiting_for_streaming:
                _let_go(span)


class TaggedCalls:
    """Calls tiers and judges, and has their spans and events say by tags what each call is for.

    Args:
        calls: Makes the calls.
        decision_id: The decision that they are for.
    """

    def __init__(self, calls: Caller, decision_id: str) -> None:
        self._calls = calls
        self._id = decision_id

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request."""
        return self._calls.fatal

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Ask a tier or a judge, and wait."""
        with self._tagged(effect):
            return self._calls.call(effect, sample)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Ask a tier or a judge, and wait."""
        with self._tagged(effect):
            return await self._calls.acall(effect, sample)

    def open(self, effect: Open) -> Stream:
        """Start a tier's stream."""
        with self._tagged(effect):
            return self._calls.open(effect)

    async def aopen(self, effect: Open) -> AsyncStream:
        """Start a tier's stream."""
        with self._tagged(effect):
            return await self._calls.aopen(effect)

    def as_chunk(self, native: Any, tier: Tier) -> Any:
        """Return a whole answer as the one piece of a stream."""
        return self._calls.as_chunk(native, tier)

    def adopt(self, effect: Adopt) -> Draft:
        """Return what a function gave as an answer."""
        return self._calls.adopt(effect)

    def _tagged(self, effect: Ask | Open) -> AbstractContextManager[None]:
        target = target_of(effect)
        tier = target.index if isinstance(target, Tier) else None
        purpose = "draft" if isinstance(effect, Open) else effect.purpose
        about = call_metadata(self._id, tier, purpose)
        return instrument_tags({**active_instrument_tags.get(), **about})


def _write_attributes(handler: Any, span: Any, said: Mapping[str, Any]) -> None:
    """Write on the span of OpenTelemetry that a handler made, if it did."""
    trace, context = sys.modules.get("opentelemetry.trace"), getattr(span, "context", None)
    if trace is None or context is None:
        return
    made = trace.get_current_span(context)
    if made.is_recording():
        made.set_attributes(said)
        return
    # It was sent when the last tier's stream ended, before anybody knew what that had cost.
    from opentelemetry import context as contexts  # noqa: PLC0415 - it is there

    below, arguments = f"{DECISION_SPAN}-{uuid4()}", inspect.signature(lambda: None).bind()
    token = contexts.attach(context)
    try:
        handler.span_enter(below, arguments, parent_id=span.id_, tags=dict(said))
        opened = handler.open_spans.get(below)
        if opened is not None:
            trace.get_current_span(opened.context).set_attributes(said)
        handler.span_exit(below, arguments)
    finally:
        contexts.detach(token)


def _let_go(span: Any) -> None:
    """Have OpenInference end the span of a stream.

    It waits until it hears of a model's stream that ends; that of an accepted draft ended before.
    """
    ended = StreamChatEndEvent(span_id=span.id_)
    for each in chain(_dispatcher):
        for handler in each.event_handlers:
            if is_openinference(handler):
                handler.handle(ended)
