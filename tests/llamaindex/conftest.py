"""What the tests of the LlamaIndex adapter put back when they are done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core import Settings
from llama_index.core.callbacks.base import BASE_TRACE_EVENT, global_stack_trace


@pytest.fixture
def settings() -> Iterator[Any]:
    """LlamaIndex's settings, put back afterwards."""
    kept = dict(vars(Settings))
    yield Settings
    vars(Settings).clear()
    vars(Settings).update(kept)


@pytest.fixture(autouse=True)
def _events_begin_anew() -> None:
    """Reset LlamaIndex's stack of open events: a stream that a test drops ends at some later time,
    and then takes an event off the stack of whichever test runs by then."""
    global_stack_trace.set([BASE_TRACE_EVENT])
