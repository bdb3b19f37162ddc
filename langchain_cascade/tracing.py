"""What tracers are told of a decision: on the cascade's own run, before it is ended and sent.

A run's metadata and tags are given when it starts, and who answers is known when it ends. LangChain
keeps a run that has not ended where its tracers (LangSmith's among them) can be given more of it.
Langfuse keeps an observation instead. Handlers of other kinds are told nothing beyond what every
run tells them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer
from langchain_core.tracers.langchain import LangChainTracer

from cascade_core.loop.run_metadata import decision_metadata, decision_tags

if TYPE_CHECKING:
    from cascade_core.loop.session import Session

DECISION_RUN = "cascade decision"
"""The name of the run that tells of a decision where the cascade's own run cannot."""


def tell_tracers(
    handlers: Sequence[BaseCallbackHandler], run_id: UUID | None, session: Session | None
) -> None:
    """Write a decision on the run of its request.

    Args:
        handlers: The run's handlers.
        run_id: The run.
        session: The request, decided or not; None where it did not come to that.
    """
    if session is None or run_id is None or not any(_takes(each) for each in handlers):
        return
    said = decision_metadata(session)
    for handler in handlers:
        try:
            _tell(handler, run_id, said, decision_tags(said))
        except Exception as error:  # noqa: BLE001 - the answer must get out
            _say_untold(session, type(handler).__name__, error)


def tell_run(run: Any, session: Session) -> None:
    """Write a decision on a run of LangSmith's own, which no handler keeps; see `inner_run`."""
    try:
        said = decision_metadata(session)
        write_on(run, said, decision_tags(said))
    except Exception as error:  # noqa: BLE001 - the answer must get out
        _say_untold(session, type(run).__name__, error)


def _say_untold(session: Session, name: str, error: Exception) -> None:
    session.plan.notices.give(
        f"tracing:{name}",
        f"{name} cannot be told of decisions ({type(error).__name__}): its runs lack the "
        "cascade_ metadata",
    )


def inner_run(handlers: Iterable[BaseCallbackHandler]) -> Any:
    """Return LangSmith's innermost run, where LangSmith traces; None elsewhere.

    LangChain traces an agent's middleware with LangSmith's own decorator: that run is LangSmith's
    alone, inside the node's run that all handlers know.
    """
    if not any(isinstance(handler, LangChainTracer) for handler in handlers):
        return None
    from langsmith import get_current_run_tree  # noqa: PLC0415 - on use

    return get_current_run_tree()


def _takes(handler: BaseCallbackHandler) -> bool:
    return isinstance(handler, BaseTracer | AsyncBaseTracer) or _is_langfuse(handler)


def _is_langfuse(handler: BaseCallbackHandler) -> bool:
    return "langfuse" in sys.modules and any(
        cls.__module__.startswith("langfuse.") for cls in type(handler).__mro__
    )


def _tell(
    handler: BaseCallbackHandler, run_id: UUID, said: Mapping[str, Any], tags: list[str]
) -> None:
    if isinstance(handler, BaseTracer | AsyncBaseTracer):
        run = handler.run_map.get(str(run_id))
        if run is not None:
            write_on(run, said, tags)
    elif _is_langfuse(handler):
        _tell_langfuse(handler, run_id, said, tags)


def write_on(run: Any, said: Mapping[str, Any], tags: Sequence[str]) -> None:
    """Add to a run's metadata and tags; what it was begun with may be other runs' as well."""
    run.extra = {**(run.extra or {})}
    run.extra["metadata"] = {**(run.extra.get("metadata") or {}), **said}
    run.tags = list(dict.fromkeys([*(run.tags or ()), *tags]))


def _tell_langfuse(handler: Any, run_id: UUID, said: Mapping[str, Any], tags: list[str]) -> None:
    """Write on Langfuse's observation; where it cannot be found, on one of its own below it."""
    observation = getattr(handler, "_runs", {}).get(run_id)
    if observation is not None and hasattr(observation, "update"):
        observation.update(metadata={**said, "cascade_tags": tags})
        return
    child = uuid4()
    about: dict[str, Any] = {"run_id": child, "parent_run_id": run_id}
    handler.on_chain_start(None, {}, name=DECISION_RUN, tags=tags, metadata=dict(said), **about)
    handler.on_chain_end({}, **about)
