"""Which run of an agent or a chain a request belongs to, for budgets of runs.

LangChain says of a run only which one is its parent. So a handler that all runs inherit notes each
as it begins; it is there once a cascade of this process has a budget of runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.context import register_configure_hook

from cascade_core.integrations.runs import Roots, run_named

_roots = Roots()


class _RunsSeen(BaseCallbackHandler):
    """Notes the parent of each run as it begins."""

    run_inline = True  # nothing is waited for
    ignore_llm = ignore_chat_model = ignore_retry = ignore_custom_event = True

    def __copy__(self) -> _RunsSeen:
        return self

    def __deepcopy__(self, memo: object) -> _RunsSeen:
        return self

    def on_chain_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002
        inputs: dict[str, Any],  # noqa: ARG002
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **_: Any,
    ) -> None:
        """Note a run."""
        _roots.began(run_id, parent_run_id)

    on_tool_start = on_retriever_start = on_chain_start  # type: ignore[assignment]


_seen: ContextVar[BaseCallbackHandler | None] = ContextVar("cascade_runs", default=_RunsSeen())  # noqa: B039 - it has no state
_following: list[bool] = []


def follow_chain_runs() -> None:
    """Note from now on which run each one is part of."""
    if not _following:
        _following.append(True)
        register_configure_hook(_seen, inheritable=True)


def chain_run_of(metadata: Mapping[str, Any] | None, run_id: UUID | None) -> str | None:
    """Return the run that a request belongs to.

    Args:
        metadata: The request's; `run_id` in it names the run.
        run_id: Of the innermost run around the request, or its own.
    """
    named = run_named(metadata)
    return named if named is not None or not _following else _roots.of(run_id)
