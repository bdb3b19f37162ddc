"""One tier of a chat cascade: the caller's model and the variants we call it in.

A tier may be a chat model, bound (`bind`, `with_config`), retried, with
fallbacks, or a cascade itself. What the caller wrapped around a model stays
around it: a variant rebuilds the same wrapping over a changed copy of the model
inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.runnables.base import RunnableBindingBase, coerce_to_runnable
from langchain_core.runnables.config import RunnableConfig, merge_configs
from langchain_core.runnables.fallbacks import RunnableWithFallbacks

from cascade_core.errors import ConfigurationError
from cascade_core.setup.plan import Notices
from cascade_core.tier import LogprobMemory, Tier
from langchain_cascade.capabilities import (
    gives_logprobs,
    host,
    logprob_fields,
    max_tokens,
    model_name,
)
from langchain_cascade.parameters import apply

if TYPE_CHECKING:
    from langchain_cascade.tools import BoundTools

Model: TypeAlias = Runnable[Any, Any]


class Variant(NamedTuple):
    """A way to call a tier.

    Attributes:
        draft: Never streamed by itself: a draft must not reach a stream of the
            caller's, and bridged streams lose all but the last logprobs.
        logprobs: Asks for token log-probabilities.
        top_logprobs: How many alternatives a token.
        fresh: Bypasses the answer cache: samples served from one are no samples.
    """

    draft: bool = False
    logprobs: bool = False
    top_logprobs: int = 0
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Flat:
    """A bare chat model with everything that was bound to it."""

    model: BaseChatModel
    kwargs: Mapping[str, Any]
    config: RunnableConfig


@dataclass(eq=False)
class ChatTier:
    """A tier as the caller gave it.

    Attributes:
        given: The caller's model, wrapped or not.
        inner: The chat model inside all wrapping.
        variants: Variants made so far.
    """

    given: Model
    inner: BaseChatModel
    variants: dict[Variant, Model] = field(default_factory=dict)

    @cached_property
    def logprobs_are_ours(self) -> bool:
        """Whether logprobs on an answer were asked for by the cascade, not by the caller."""
        asked = logprob_fields(self.inner, 0)
        return bool(asked) and getattr(self.inner, "logprobs", None) is not True

    def model(self, variant: Variant, tools: BoundTools | None = None) -> Model:
        """Return the tier in a variant, with the caller's tools bound by the tier itself."""
        made = self.variants if tools is None else tools.variants(self)
        if variant not in made:
            made[variant] = self._make(variant, tools)
        return made[variant]

    def identity(self) -> str:
        """Return a hash of everything that makes the tier answer as it does.

        A hash, because a model's own description may hold what must not be shown.
        """
        return sha256(_describe(self.given).encode()).hexdigest()

    def _make(self, variant: Variant, tools: BoundTools | None) -> Model:
        def change(model: BaseChatModel) -> Model:
            changed = vary(model, variant)
            return changed if tools is None else tools.bind_to(changed)

        return rebuild(self.given, change)


class TierList(list[object]):
    """The `tiers` of a cascade, with what was made of them and said about them.

    LangChain makes a cascade anew, from its fields, for every call that
    configures one (`configurable_fields`): what was learned about a tier, and
    the warnings given, must outlive such a cascade and go on with its tiers.
    """

    def __init__(self, tiers: Iterable[object]) -> None:
        super().__init__(tiers)
        self.made: dict[tuple[tuple[str, Any], ...], tuple[Tier, ...]] = {}
        self.notices = Notices()

    def __deepcopy__(self, memo: dict[int, Any]) -> TierList:
        """Copy the models; what was made of the old ones is none of the new ones' business."""
        return TierList(deepcopy(list(self), memo))


def core_tiers(tiers: object, parameters: Mapping[str, Any]) -> tuple[Tier, ...]:
    """Return a cascade's tiers as the core sees them, made once for a `TierList`.

    Raises:
        ConfigurationError: See `make_tiers`.
    """
    if not isinstance(tiers, TierList):
        return to_core(make_tiers(tiers, parameters))
    key = tuple(sorted(parameters.items()))
    if key not in tiers.made:
        tiers.made[key] = to_core(make_tiers(tiers, parameters))
    return tiers.made[key]


def make_tiers(tiers: object, parameters: Mapping[str, Any] | None = None) -> tuple[ChatTier, ...]:
    """Read the `tiers=` argument of a chat cascade.

    Args:
        tiers: The tiers.
        parameters: Standard parameters for all of them.

    Raises:
        ConfigurationError: It is no list, is empty, or holds something that is
            not a chat model.
    """
    listed = _listed(tiers, "chat models")
    return tuple(
        make_tier(tier, f"tiers[{place}]", parameters) for place, tier in enumerate(listed)
    )


def make_runnables(tiers: object) -> tuple[Model, ...]:
    """Read the `tiers=` argument of a cascade of runnables.

    Raises:
        ConfigurationError: It is no list, is empty, or holds something that
            cannot be run.
    """
    made = []
    for place, tier in enumerate(_listed(tiers, "runnables")):
        try:
            made.append(coerce_to_runnable(cast("Any", tier)))
        except TypeError:
            msg = f"tiers[{place}] is not a runnable but {type(tier).__name__}"
            raise ConfigurationError(msg) from None
    return tuple(made)


def _listed(tiers: object, of: str) -> Sequence[object]:
    if isinstance(tiers, str) or not isinstance(tiers, Sequence):
        msg = f"tiers= takes a list of {of}, cheapest first, not {type(tiers).__name__}"
        raise ConfigurationError(msg)
    if not tiers:
        msg = "tiers=[] is empty: give at least a cheap and a strong model"
        raise ConfigurationError(msg)
    return tiers


def make_tier(given: object, where: str, parameters: Mapping[str, Any] | None = None) -> ChatTier:
    """Read one tier: a chat model, wrapped or not, or a name for `init_chat_model`.

    Args:
        given: The tier.
        where: How an error names it.
        parameters: Standard parameters to make or change it with.

    Raises:
        ConfigurationError: It is not a chat model.
    """
    if isinstance(given, str):
        given = load_model(given, where, parameters)
    elif parameters and isinstance(given, Runnable):
        given = rebuild(given, lambda model: apply(model, parameters, where))
    if isinstance(given, Runnable):
        inner = find_chat_model(given)
        if inner is not None:
            return ChatTier(given, inner)
        hint = "; for chains and other runnables use RunnableCascade"
    else:
        hint = "; give a chat model, or a name such as 'openai:gpt-4o-mini'"
    msg = f"{where} is not a chat model but {type(given).__name__}{hint}"
    raise ConfigurationError(msg)


def load_model(name: str, where: str, parameters: Mapping[str, Any] | None = None) -> BaseChatModel:
    """Make a chat model from a name, through LangChain's `init_chat_model`.

    Raises:
        ConfigurationError: LangChain is not installed or does not know the name.
    """
    try:
        from langchain.chat_models import init_chat_model  # noqa: PLC0415 - heavy and optional
    except ImportError:
        msg = f"{where}={name!r}: model names need the package langchain (pip install langchain)"
        raise ConfigurationError(msg) from None
    try:
        return cast("BaseChatModel", init_chat_model(name, **(parameters or {})))
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        msg = f"{where}={name!r} cannot be made into a chat model: {reason}"
        raise ConfigurationError(msg) from error


def find_chat_model(runnable: object) -> BaseChatModel | None:
    """Return the chat model inside a wrapping, or None where there is none."""
    while not isinstance(runnable, BaseChatModel):
        if isinstance(runnable, RunnableBindingBase):
            runnable = runnable.bound
        elif isinstance(runnable, RunnableWithFallbacks):
            runnable = runnable.runnable
        elif isinstance(getattr(runnable, "default", None), Runnable):  # configurable
            runnable = runnable.default  # type: ignore[attr-defined]
        else:
            return None
    return runnable


def rebuild(runnable: Model, change: Callable[[BaseChatModel], Model]) -> Model:
    """Put the same wrapping around a changed model."""
    if isinstance(runnable, BaseChatModel):
        return change(runnable)
    if isinstance(runnable, RunnableBindingBase):
        return runnable.model_copy(update={"bound": rebuild(runnable.bound, change)})
    if isinstance(runnable, RunnableWithFallbacks):
        return runnable.model_copy(
            update={
                "runnable": rebuild(runnable.runnable, change),
                "fallbacks": [rebuild(fallback, change) for fallback in runnable.fallbacks],
            }
        )
    if not hasattr(runnable, "default"):
        return runnable
    # On use: building these classes takes longer than all of ours together.
    from langchain_core.runnables.configurable import (  # noqa: PLC0415
        RunnableConfigurableAlternatives,
        RunnableConfigurableFields,
    )

    if isinstance(runnable, RunnableConfigurableAlternatives):
        others = {
            key: rebuild(other, change) if isinstance(other, Runnable) else other
            for key, other in runnable.alternatives.items()
        }
        default = rebuild(runnable.default, change)
        return runnable.model_copy(update={"default": default, "alternatives": others})
    if isinstance(runnable, RunnableConfigurableFields):
        flat = flatten(rebuild(runnable.default, change))
        if flat is None:
            return runnable
        # The fields are the model's own: what the change bound to it goes around them.
        copy = runnable.model_copy(update={"default": flat.model})
        return copy.bind(**flat.kwargs) if flat.kwargs else copy
    return runnable


def vary(model: BaseChatModel, variant: Variant) -> BaseChatModel:
    """Return a copy of a model that is called in a variant's way."""
    update: dict[str, Any] = {}
    if variant.draft:
        update["disable_streaming"] = True
    if variant.fresh:
        update["cache"] = False
    if variant.logprobs:
        update.update(logprob_fields(model, variant.top_logprobs))
    if not update:
        return model
    copy = model.model_copy(update=update)
    # The serialised form is cached on the instance and is part of the answer
    # cache's key: a copy that kept it would be served the original's answers.
    copy.__dict__.pop("_serialized", None)
    return copy


def _describe(runnable: Model) -> str:
    if isinstance(runnable, BaseChatModel):
        cls = type(runnable)
        return f"{cls.__module__}.{cls.__qualname__} {runnable._get_llm_string()}"  # noqa: SLF001
    if isinstance(runnable, RunnableBindingBase):
        bound = sorted(runnable.kwargs.items(), key=str)
        return f"{type(runnable).__name__} {bound} {_describe(runnable.bound)}"
    if isinstance(runnable, RunnableWithFallbacks):
        return " or ".join(_describe(r) for r in runnable.runnables)
    return repr(runnable)


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


def can_stream(tier: ChatTier) -> bool:
    """Tell whether a draft of the tier can be streamed, watched and cut off."""
    flat = flatten(tier.given)
    if flat is None or flat.model.output_version == "v1":
        return False
    cls = type(flat.model)
    if cls.stream is not BaseChatModel.stream:  # it streams in a way of its own
        return False
    own = cls._stream is not BaseChatModel._stream  # noqa: SLF001
    return own and flat.model.disable_streaming is not True


def to_core(tiers: Sequence[ChatTier]) -> tuple[Tier, ...]:
    """Return the tiers as the core sees them."""
    return tuple(
        Tier(
            index=index,
            model=model_name(tier.inner),
            native=tier,
            provider=host(tier.inner),
            logprobs=LogprobMemory(gives_logprobs(tier.inner)),
            max_tokens=_limit(tier),
            streams=can_stream(tier),
        )
        for index, tier in enumerate(tiers)
    )


def _limit(tier: ChatTier) -> int | None:
    flat = flatten(tier.given)
    if flat is None:
        return None
    bound = [flat.kwargs.get(key) for key in ("max_tokens", "max_completion_tokens")]
    return next((n for n in bound if isinstance(n, int)), None) or max_tokens(flat.model)
