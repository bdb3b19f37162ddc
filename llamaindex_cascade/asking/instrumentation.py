"""Events and spans: what LlamaIndex's own observers see of a cascade, and what they cost."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from llama_index.core.instrumentation.event_handlers import NullEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import active_instrument_tags

from cascade_core.log import Record
from llamaindex_cascade.reading.recorder import RecorderEvents

Class = TypeVar("Class", bound=type)

_dispatcher = get_dispatcher(__name__)
_DEAF = (NullEventHandler, RecorderEvents)
"""Handlers that take no notice of decisions; without others no event is made."""


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


def announce(record: Record) -> None:
    """Tell LlamaIndex's event handlers of a decision, if anybody listens."""
    if _listened():
        _dispatcher.event(CascadeDecisionEvent(record=record))


def request_metadata() -> dict[str, Any]:
    """Return the caller's instrumentation tags: `cascade_class` among them names the class."""
    return active_instrument_tags.get()


def _listened() -> bool:
    dispatcher = _dispatcher
    while True:
        if any(type(handler) not in _DEAF for handler in dispatcher.event_handlers):
            return True
        if not dispatcher.propagate or dispatcher.name == dispatcher.root_name:
            return False
        dispatcher = dispatcher.parent


def signed(cls: Class) -> Class:
    """Work the signatures of a class's spanned methods out once: a span does so at every call."""
    for method in list(vars(cls).values()):
        spanned = getattr(method, "__wrapped__", None)
        if inspect.isfunction(spanned):
            spanned.__signature__ = inspect.signature(spanned)  # type: ignore[attr-defined]
    return cls
