"""Gather the decisions of any code, however deep the cascade is inside it.

A parser drops an answer's metadata and a chain returns a string; the record is
still wanted. Collectors live in a context variable, so concurrent requests
collect their own decisions, and worker threads that copy the context (as
LangChain's do) report to the collector of the code that started them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from cascade_core.log.record import Record

Collectors: TypeAlias = tuple[list[Record], ...]

_collectors: ContextVar[Collectors] = ContextVar("cascade_collectors", default=())


@contextmanager
def collect_decisions() -> Iterator[list[Record]]:
    """Collect the record of every decision made inside the `with` block.

    Collectors may be nested: each sees all decisions inside its own block. In batches and tasks
    that are started inside it, too; into threads of your own, copy the context.

    Yields:
        A list that grows by one record a decision, in the order they end.

    Examples:
        >>> with collect_decisions() as seen:
        ...     chain.invoke({"ticket": "Where is my order?"})
        >>> seen[0]["tier"]
        0
    """
    seen: list[Record] = []
    token = _collectors.set((*_collectors.get(), seen))
    try:
        yield seen
    finally:
        _collectors.reset(token)


collectors = _collectors.get
"""Return who collects around the current code.

A request asks when it starts: a stream may be read to its end in another thread.
"""


_aside: ContextVar[object] = ContextVar("cascade_aside", default=None)


def step_aside() -> None:
    """Leave whoever collects decisions or counts calls around the current code, for good.

    What goes on behind an answer for its own sake (an audit) is nobody's request, and no part of
    the chain that the answer was for. To be called in a context of its own.
    """
    _collectors.set(())
    _aside.set(object())


aside = _aside.get
"""Return what stands for the work behind an answer that the current code belongs to, if any.

A recorder of calls records those of its own work only.
"""
