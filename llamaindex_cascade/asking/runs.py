"""Which run of a workflow or a query a request belongs to, for budgets of runs.

LlamaIndex says of a span only which one is its parent. So a span handler notes each as it begins;
it is there once a cascade of this process has a budget of runs.
"""

from __future__ import annotations

from typing import Any

from llama_index.core.instrumentation.span import BaseSpan, active_span_id
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from llama_index_instrumentation import get_dispatcher

from cascade_core.integrations.runs import Roots, run_named

_roots = Roots()


class SpansSeen(BaseSpanHandler[BaseSpan]):
    """Notes the parent of each span as it begins."""

    @classmethod
    def class_name(cls) -> str:
        """Name the class, as LlamaIndex wants it."""
        return "CascadeRuns"

    def span_enter(self, id_: str, *_: Any, parent_id: str | None = None, **__: Any) -> None:
        """Note a span."""
        _roots.began(id_, parent_id)

    def span_exit(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def span_drop(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def new_span(self, *_: Any, **__: Any) -> BaseSpan | None:
        """Make none."""
        return None

    def prepare_to_exit_span(self, *_: Any, **__: Any) -> BaseSpan | None:
        """Do nothing."""
        return None

    def prepare_to_drop_span(self, *_: Any, **__: Any) -> BaseSpan | None:
        """Do nothing."""
        return None


_following: list[bool] = []


def follow_span_runs() -> None:
    """Note from now on which run each span is part of."""
    if not _following:
        _following.append(True)
        get_dispatcher().add_span_handler(SpansSeen())


def span_run_of(tags: dict[str, Any]) -> str | None:
    """Return the run that a request belongs to.

    Args:
        tags: The caller's instrumentation tags; `run_id` among them names the run.
    """
    named = run_named(tags)
    return named if named is not None or not _following else _roots.of(active_span_id.get())
