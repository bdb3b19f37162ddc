"""What a caller wraps around a chat model, and how it is kept around a changed model.

A tier may be a chat model, bound (`bind`, `with_config`), retried, with fallbacks, or
configurable. What is called is a variant: the same wrapping over a changed copy of the model.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import RunnableConfig, merge_configs
from langchain_core.runnables.fallbacks import RunnableWithFallbacks

from langchain_cascade.capabilities import logprob_fields
from langchain_cascade.quiet import hush, quiet_fields, streams, wants_stream, without_streaming

Model: TypeAlias = Runnable[Any, Any]


class Variant(NamedTuple):
    """A way to call a tier.

    Attributes:
        draft: Never streamed by itself: a draft must not reach a stream of the
            caller's, and bridged streams lose all but the last logprobs.
        driven: A draft whose stream is driven by us: it is to stream as its owner wants it.
        logprobs: Asks for token log-probabilities.
        top_logprobs: How many alternatives a token.
        fields: Further fields to set on the model.
        fresh: Bypasses the answer cache: samples served from one are no samples.
    """

    draft: bool = False
    logprobs: bool = False
    top_logprobs: int = 0
    fresh: bool = False
    driven: bool = False
    fields: tuple[tuple[str, Any], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the answer comes in one piece, whatever its owner asked for."""
        return self.draft and not self.driven


@dataclass(frozen=True, slots=True)
class Flat:
    """A bare chat model with everything that was bound to it."""

    model: BaseChatModel
    kwargs: Mapping[str, Any]
    config: RunnableConfig


def find_chat_model(runnable: object) -> BaseChatModel | None:
    """Return the chat model inside a wrapping, or None where there is none."""
    while not isinstance(runnable, BaseChatModel):
        if isinstance(runnable, RunnableBindingBase):
            runnable = runnable.bound
        elif isinstance(runnable, RunnableWithFallbacks):
            runnable = runnable.runnable
        elif is_undecided(runnable):
            runnable = _decided(runnable)
        elif isinstance(getattr(runnable, "default", None), Runnable):  # configurable
            runnable = runnable.default  # type: ignore[attr-defined]
        else:
            return None
    return runnable


def rebuild(
    runnable: Model, change: Callable[[BaseChatModel], Model], *, whole: bool = False
) -> Model:
    """Put the same wrapping around a changed model.

    Args:
        runnable: The model in its wrapping.
        change: Changes the model.
        whole: Leave out bound arguments that ask for a stream.
    """
    if isinstance(runnable, BaseChatModel):
        return change(runnable)
    if isinstance(runnable, RunnableBindingBase):
        update: dict[str, Any] = {"bound": rebuild(runnable.bound, change, whole=whole)}
        if whole:
            inner = find_chat_model(runnable.bound)
            streams = inner is not None and wants_stream(inner)
            update["kwargs"] = without_streaming(runnable.kwargs, only_wish=streams)
        return runnable.model_copy(update=update)
    if isinstance(runnable, RunnableWithFallbacks):
        others = [rebuild(fallback, change, whole=whole) for fallback in runnable.fallbacks]
        first = rebuild(runnable.runnable, change, whole=whole)
        return runnable.model_copy(update={"runnable": first, "fallbacks": others})
    if is_undecided(runnable):
        return DecidedLater(runnable, change, whole=whole)
    if not hasattr(runnable, "default"):
        return runnable
    # On use: building these classes takes longer than all of ours together.
    from langchain_core.runnables.configurable import (  # noqa: PLC0415
        RunnableConfigurableAlternatives,
        RunnableConfigurableFields,
    )

    if isinstance(runnable, RunnableConfigurableAlternatives):
        choices = {
            key: rebuild(other, change, whole=whole) if isinstance(other, Runnable) else other
            for key, other in runnable.alternatives.items()
        }
        default = rebuild(runnable.default, change, whole=whole)
        return runnable.model_copy(update={"default": default, "alternatives": choices})
    if isinstance(runnable, RunnableConfigurableFields):
        flat = flatten(rebuild(runnable.default, change, whole=whole))
        if flat is None:
            return runnable
        # The fields are the model's own: what the change bound to it goes around them.
        copy = runnable.model_copy(update={"default": flat.model})
        return copy.bind(**flat.kwargs) if flat.kwargs else copy
    return runnable


def is_undecided(runnable: object) -> bool:
    """Tell whether a caller's configuration says which model it is (`init_chat_model`)."""
    module = sys.modules.get("langchain.chat_models.base")
    return module is not None and isinstance(runnable, module._ConfigurableModel)  # noqa: SLF001


def decide(runnable: Any, config: RunnableConfig | None) -> Model:
    """Return the model that a configuration means, with what is bound to it."""
    model: Model = runnable._model(config)  # noqa: SLF001
    return model


def _decided(runnable: object) -> object:
    """Return the model that is meant where no configuration says anything; None without one."""
    try:
        return decide(runnable, RunnableConfig())
    except Exception:  # noqa: BLE001 - whatever a client lacks, such as a model's name
        return None


class DecidedLater(Runnable[Any, Any]):
    """A model that a caller's configuration decides, changed once it is decided.

    Args:
        given: LangChain's configurable model.
        change: Changes the model.
        whole: See `rebuild`.
    """

    def __init__(
        self, given: Model, change: Callable[[BaseChatModel], Model], *, whole: bool
    ) -> None:
        self._given = given
        self._change = change
        self._whole = whole

    def _made(self, config: RunnableConfig | None) -> Model:
        return rebuild(decide(self._given, config), self._change, whole=self._whole)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Ask the model that the configuration means."""
        return self._made(config).invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Ask the model that the configuration means."""
        return await self._made(config).ainvoke(input, config, **kwargs)

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Ask the model that the configuration means."""
        yield from self._made(config).stream(input, config, **kwargs)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Ask the model that the configuration means."""
        async for chunk in self._made(config).astream(input, config, **kwargs):
            yield chunk


def vary(model: BaseChatModel, variant: Variant) -> BaseChatModel:
    """Return a copy of a model that is called in a variant's way; the model itself where it is.

    One that has no way to stream needs no copy: its owner may look at what it has counted.
    """
    update: dict[str, Any] = {}
    if variant.draft and streams(model):
        update.update(quiet_fields(model) if variant.whole else {"disable_streaming": True})
    if variant.fresh:
        update["cache"] = False
    update.update(variant.fields)
    if variant.logprobs:
        asked = logprob_fields(model, variant.top_logprobs)
        if "model_kwargs" in update and "model_kwargs" in asked:
            asked["model_kwargs"] = without_streaming(asked["model_kwargs"])
        update.update(asked)
    if not update:
        return model
    copy = model.model_copy(update=update)
    if variant.whole:
        hush(copy)
    # The serialised form is cached on the instance and is part of the answer
    # cache's key: a copy that kept it would be served the original's answers.
    copy.__dict__.pop("_serialized", None)
    return copy


def setup_text(runnable: Model) -> str:
    """Return all that makes a model answer as it does; it may hold what must not be shown."""
    if isinstance(runnable, BaseChatModel):
        cls = type(runnable)
        return f"{cls.__module__}.{cls.__qualname__} {runnable._get_llm_string()}"  # noqa: SLF001
    if isinstance(runnable, RunnableBindingBase):
        bound = sorted(runnable.kwargs.items(), key=str)
        return f"{type(runnable).__name__} {bound} {setup_text(runnable.bound)}"
    if isinstance(runnable, RunnableWithFallbacks):
        return " or ".join(setup_text(r) for r in runnable.runnables)
    return repr(runnable)


def bound_kwargs(runnable: Model) -> dict[str, Any]:
    """Return the arguments bound to a model, whatever else is around it."""
    kwargs: dict[str, Any] = {}
    while isinstance(runnable, RunnableBindingBase):
        kwargs = {**runnable.kwargs, **kwargs}
        runnable = runnable.bound
    return kwargs


def is_one_model(runnable: Model) -> bool:
    """Tell whether one model alone answers: nothing is around it but bindings and retries."""
    while isinstance(runnable, RunnableBindingBase):
        runnable = runnable.bound
    return isinstance(runnable, BaseChatModel)


def flatten(runnable: Model) -> Flat | None:
    """Return a bare model and all that is bound to it.

    Returns:
        None where there is more around the model than bindings, such as a retry.
    """
    kwargs: dict[str, Any] = {}
    config: RunnableConfig = {}
    while isinstance(runnable, RunnableBinding):
        if runnable.config_factories:
            return None
        kwargs = {**runnable.kwargs, **kwargs}
        config = merge_configs(runnable.config, config)
        runnable = runnable.bound
    return Flat(runnable, kwargs, config) if isinstance(runnable, BaseChatModel) else None
