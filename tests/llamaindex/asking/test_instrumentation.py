"""Spans and events are made for those who observe them, and for nobody else."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.span import active_span_id
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler

from llamaindex_cascade.asking.instrumentation import spanned_if_observed
from llamaindex_cascade.reading.recorder import recording
from tests.llamaindex.retrieval import events

_dispatcher = get_dispatcher(__name__)


@spanned_if_observed
class Asked:
    """Answers with the span it is asked in."""

    @_dispatcher.span
    def ask(self, question: str, *, loud: bool = False) -> str | None:
        return active_span_id.get()

    @_dispatcher.span
    async def aask(self, question: str, *, loud: bool = False) -> str | None:
        return active_span_id.get()


@contextmanager
def spans() -> Iterator[SimpleSpanHandler]:
    handler, root = SimpleSpanHandler(), get_dispatcher()
    root.add_span_handler(handler)
    try:
        yield handler
    finally:
        root.span_handlers.remove(handler)


async def test_a_method_that_nobody_observes_has_no_span() -> None:
    assert Asked().ask("why?") is None
    assert await Asked().aask("why?") is None


@pytest.mark.parametrize("observing", [events, spans, recording])
async def test_a_method_that_somebody_observes_has_one(observing: Any) -> None:
    with observing():
        span = Asked().ask("why?", loud=True)
        awaited = await Asked().aask("why?", loud=True)
    assert str(span).startswith("Asked.ask-")
    assert str(awaited).startswith("Asked.aask-")


def test_a_method_in_a_span_raises_what_it_raised_without() -> None:
    for observing in (nullcontext, spans):
        with observing(), pytest.raises(TypeError, match="question"):
            Asked().ask()  # type: ignore[call-arg]


def test_methods_are_seen_as_they_were_written() -> None:
    assert inspect.iscoroutinefunction(Asked.aask)
    assert not inspect.iscoroutinefunction(Asked.ask)
    assert [*inspect.signature(Asked.ask).parameters] == ["self", "question", "loud"]
