"""How a decided request is shown: as a response, or as a stream of responses, text or objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatResponse
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
)
from llama_index_instrumentation import get_dispatcher

from cascade_core.loop.session import Decided
from llamaindex_cascade.asking.authors import marked
from llamaindex_cascade.asking.streams import Show
from llamaindex_cascade.asking.tiers import LLMTier

_dispatcher = get_dispatcher(__name__)


def stamped(decided: Decided, tiers: Sequence[LLMTier], *, last_of_stream: bool = False) -> Any:
    """Return the answer with its record; a copy, since a tier may keep its own.

    Args:
        decided: What was decided.
        tiers: All tiers: the one that answered is its author.
        last_of_stream: Whether all of it has been shown before.
    """
    native = decided.verdict.draft.native
    kwargs = {**native.additional_kwargs, "cascade": decided.record}
    update: dict[str, Any] = {"additional_kwargs": kwargs}
    if last_of_stream:  # all of the text, and nothing new
        update["delta"] = ""
        kwargs.pop("thinking_delta", None)
    author = tiers[decided.verdict.tier].reader.author
    own = decided.verdict.handed_to is None
    if own and author is not None and isinstance(native, ChatResponse):
        update["message"] = marked(native.message, author)
    return native.model_copy(update=update)


def responses(tiers: Sequence[LLMTier]) -> Show:
    """Show responses; the last comes once more, with the record."""

    def show(item: Any) -> Iterator[Any]:
        if not isinstance(item, Decided):
            yield item
        elif item.verdict.draft.native is not None:  # else nothing came of the last tier's
            yield stamped(item, tiers, last_of_stream=True)

    return show


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
