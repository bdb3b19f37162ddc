"""How a decided request is shown: as a response, or as a stream of responses, text or objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
)
from llama_index_instrumentation import get_dispatcher

from cascade_core.loop.session import Decided
from llamaindex_cascade.asking.streams import Show

_dispatcher = get_dispatcher(__name__)


def stamped(decided: Decided, *, last_of_stream: bool = False) -> Any:
    """Return the answer with its record; a copy, since a tier may keep its own."""
    native = decided.verdict.draft.native
    update: dict[str, Any] = {
        "additional_kwargs": {**native.additional_kwargs, "cascade": decided.record}
    }
    if last_of_stream:  # all of the text, and nothing new
        update["delta"] = ""
    return native.model_copy(update=update)


def responses(item: Any) -> Iterator[Any]:
    """Show responses; the last comes once more, with the record."""
    yield stamped(item, last_of_stream=True) if isinstance(item, Decided) else item


def deltas(ended: Callable[[Decided], None]) -> Show:
    """Show the text of responses.

    Args:
        ended: Told what was decided.
    """

    def show(item: Any) -> Iterator[str]:
        if isinstance(item, Decided):
            ended(item)
        else:
            yield item.delta or ""

    return show


def objects(ended: Callable[[Decided], None]) -> Show:
    """Show ever more complete objects, and tell of them as LlamaIndex's own models do.

    Args:
        ended: Told what was decided.
    """
    part: Any = None

    def show(item: Any) -> Iterator[Any]:
        nonlocal part
        if isinstance(item, Decided):
            ended(item)
            _dispatcher.event(LLMStructuredPredictEndEvent(output=part))
        else:
            part = item
            _dispatcher.event(LLMStructuredPredictInProgressEvent(output=part))
            yield part

    return show
