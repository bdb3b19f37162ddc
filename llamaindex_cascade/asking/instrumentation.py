"""Events and spans: what LlamaIndex's own observers see of a cascade, and only if there are any."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

from llama_index.core.instrumentation.event_handlers import NullEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.span_handlers import NullSpanHandler
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import (
    DISPATCHER_SPAN_DECORATED_ATTR,
    Dispatcher,
    active_instrument_tags,
)

from cascade_core.integrations.threads import thread_in
from cascade_core.log import Record
from llamaindex_cascade.asking.runs import SpansSeen, span_run_of
from llamaindex_cascade.reading.recorder import RecorderEvents, RecorderSpans, current

Class = TypeVar("Class", bound=type)

_dispatcher = get_dispatcher(__name__)
_DEAF = frozenset({NullEventHandler, NullSpanHandler, RecorderEvents, RecorderSpans, SpansSeen})
"""Handlers that take no notice of decisions."""


class CascadeDecisionEvent(BaseEvent):
    """A cascade has decided.

    Many calls return only a text (`predict`) or an object (`structured_predict`):
    this event, like `collect_decisions()`, brings the record out all the same.

    Attributes:
        record: The decision's record, as on a response; no prompt or answer text.
    """

    record: dict[str, Any]

    @classmethod
    def class_name(cls) -> str:
        """Return the event's name."""
        return "CascadeDecisionEvent"


def announce(record: Record, span: str | None) -> None:
    """Tell LlamaIndex's event handlers of a decision, if anybody listens.

    Args:
        record: The decision's record.
        span: The span in which it was asked for.
    """
    if not is_observed():
        return
    event = CascadeDecisionEvent(record=record, span_id=span)
    event.tags.update(active_instrument_tags.get())
    for each in chain(_dispatcher):
        for handler in each.event_handlers:
            # OpenInference reads its spans' attributes, and warns of events it does not know.
            if not is_openinference(handler):
                with suppress(Exception):  # as the dispatcher does
                    handler.handle(event)


def is_observed() -> bool:
    """Tell whether anybody takes notice of decisions."""
    return takes_notice(_dispatcher)


def is_openinference(handler: object) -> bool:
    """Tell whether a handler is of OpenInference's instrumentation, which Langfuse uses as well."""
    return type(handler).__module__.startswith("openinference.")


def request_facts() -> dict[str, Any]:
    """Return what the caller's instrumentation tags say of a request.

    All of them are its metadata: `cascade_class` among them names the class, and `thread_id`,
    `session_id` or `conversation_id` its conversation, and `run_id` its run. `tags`, a text or
    several, are its tags.
    """
    given = active_instrument_tags.get()
    run = span_run_of(given)
    if not given:
        return {"run": run}
    tags = _texts(given.get("tags"))
    return {"metadata": given, "tags": tags, "thread": thread_in(given), "run": run}


def _texts(given: object) -> tuple[str, ...]:
    texts = given if isinstance(given, list | tuple | set | frozenset) else (given,)
    return tuple(text for text in texts if isinstance(text, str))


def spanned_if_observed(cls: Class) -> Class:
    """Leave out the spans of a class's methods while nobody observes any.

    A span costs nearly as much as a decision, most of it to work out the
    method's signature, which is done once here.
    """
    dispatcher = get_dispatcher(cls.__module__)
    for name, spanned in list(vars(cls).items()):
        plain = getattr(spanned, "__wrapped__", None)
        if inspect.isfunction(plain) and hasattr(plain, DISPATCHER_SPAN_DECORATED_ATTR):
            plain.__signature__ = inspect.signature(plain)  # type: ignore[attr-defined]
            setattr(cls, name, _spanned_if_observed(plain, spanned, dispatcher))
    return cls


def _spanned_if_observed(
    plain: Callable[..., Any], spanned: Any, dispatcher: Dispatcher
) -> Callable[..., Any]:
    def chosen(self: Any) -> Callable[..., Any]:
        seen = takes_notice(dispatcher) or current() is not None
        method: Callable[..., Any] = (spanned if seen else plain).__get__(self, type(self))
        return method

    if inspect.iscoroutinefunction(plain):

        @wraps(plain)
        async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await chosen(self)(*args, **kwargs)
    else:

        @wraps(plain)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            return chosen(self)(*args, **kwargs)

    return call


def takes_notice(dispatcher: Dispatcher) -> bool:
    """Tell whether a dispatcher, or one that it passes on to, has a handler that takes notice."""
    for each in chain(dispatcher):
        for handlers in (each.event_handlers, each.span_handlers):
            for handler in handlers:
                if type(handler) not in _DEAF:
                    return True
    return False


def chain(dispatcher: Dispatcher) -> Iterator[Dispatcher]:
    """Yield a dispatcher and those that it passes on to."""
    yield dispatcher
    while dispatcher.propagate and dispatcher.name != dispatcher.root_name:
        dispatcher = dispatcher.parent
        yield dispatcher
