"""The chain run a cascade's request happens under.

Entering starts the run, leaving ends it with the output or the error. Tags,
metadata and callbacks of the cascade itself are handed down to the tiers'
runs: whoever hides or counts the cascade means the models in it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self, TypeVar

from langchain_core.callbacks import (
    AsyncCallbackManager,
    BaseCallbackManager,
    CallbackManager,
)
from langchain_core.runnables.config import RunnableConfig

from cascade_core.errors import ConfigurationError
from langchain_cascade.tracing import tell_tracers

if TYPE_CHECKING:
    from cascade_core.loop.session import Session

Manager = TypeVar("Manager", CallbackManager, AsyncCallbackManager)


_EVERY_MODEL_SAYS = frozenset({"lc_versions"})
"""Metadata that LangChain puts on every model, and so on every tier's run anyway."""


def _configure(manager: type[Manager], owner: Any, config: RunnableConfig) -> Manager:
    configured = manager.configure(
        config.get("callbacks"),
        None,
        getattr(owner, "verbose", False),
        config.get("tags"),
        None,
        config.get("metadata"),
        None,
    )
    if tags := getattr(owner, "tags", None):
        configured.add_tags(tags)
    metadata = getattr(owner, "metadata", None)
    if metadata and not metadata.keys() <= _EVERY_MODEL_SAYS:
        configured.add_metadata(metadata)
    own = getattr(owner, "callbacks", None)
    for handler in (own.handlers if isinstance(own, BaseCallbackManager) else own) or ():
        configured.add_handler(handler, inherit=True)  # once: it looks whether it has it
    return configured


def control_flow() -> tuple[type[Exception], ...]:
    """Return the exceptions by which LangGraph steers; they are no failures of a tier."""
    errors = sys.modules.get("langgraph.errors")
    return () if errors is None else (errors.GraphBubbleUp,)


def fatal() -> tuple[type[Exception], ...]:
    """Return the exceptions that end a request: ours, and those by which LangGraph steers."""
    return (ConfigurationError, *control_flow())


class _Scope:
    """What a chain run is made of, sync or async.

    Args:
        owner: The cascade.
        value: Its input.
        config: The caller's configuration; its `run_id` and `run_name` are used up.

    Attributes:
        run: The run's manager.
        output: What the run ends with; set it before leaving.
        session: The request that is decided under it; its tracers are told of the decision.
    """

    __slots__ = ("_config", "_owner", "_value", "output", "run", "session")

    def __init__(self, owner: Any, value: Any, config: RunnableConfig) -> None:
        self._owner = owner
        self._value = value
        self._config = config
        self.output: Any = None
        self.session: Session | None = None
        self.run: Any

    def _start(self, manager: type[Manager]) -> Any:
        config = self._config
        return _configure(manager, self._owner, config).on_chain_start(
            None,
            self._value,
            name=config.pop("run_name", None) or self._owner.get_name(),
            run_id=config.pop("run_id", None),
        )

    def _tell(self) -> None:
        tell_tracers(self.run.handlers, self.run.run_id, self.session)


class Scope(_Scope):
    """A chain run, as a context manager; see `_Scope`."""

    __slots__ = ()

    def __enter__(self) -> Self:
        self.run = self._start(CallbackManager)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._tell()
        if error is not None:
            self.run.on_chain_error(error)
        else:
            self.run.on_chain_end(self.output)


class AsyncScope(_Scope):
    """The same, awaited."""

    __slots__ = ()

    async def __aenter__(self) -> Self:
        self.run = await self._start(AsyncCallbackManager)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._tell()
        if error is not None:
            await self.run.on_chain_error(error)
        else:
            await self.run.on_chain_end(self.output)
