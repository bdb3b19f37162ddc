"""The tiers and judges of a chat cascade: read from what the caller gave, ready to be called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, Protocol, TypeAlias, cast
from weakref import WeakKeyDictionary

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import coerce_to_runnable

from cascade_core.errors import ConfigurationError
from cascade_core.given import Tier as DeclaredTier
from cascade_core.given import bare_model, check_is_one, described, listed_tiers
from cascade_core.integrations.classes import LANGCHAIN, integration, model_name, other_names
from cascade_core.integrations.decisions import decision_model
from cascade_core.integrations.limits import (
    answers_asked,
    max_tokens,
    model_in,
    token_limit,
    tokens_beside,
)
from cascade_core.integrations.schemas import schema_set
from cascade_core.named import CHAT_MODELS, make_named
from cascade_core.setup.notices import Notices
from cascade_core.tier import LogprobMemory, Tier, hosted
from langchain_cascade.capabilities import (
    abilities,
    chooses_api,
    gives_logprobs,
    host,
    logprob_fields,
    uses_responses,
)
from langchain_cascade.misgiven import no_chat_model, no_runnable
from langchain_cascade.parameters import apply
from langchain_cascade.pieces import can_prepare
from langchain_cascade.wrapping import (
    Flat,
    Model,
    Variant,
    bound_kwargs,
    find_chat_model,
    flatten,
    is_one_model,
    rebuild,
    setup_text,
    vary,
)

GivenTier: TypeAlias = Runnable[LanguageModelInput, AIMessage] | str | DeclaredTier
"""A chat model, bare or wrapped, or its name for `init_chat_model`; or one of them in a `Tier`."""


class Binds(Protocol):
    """The caller's tools, as far as a tier has to know them."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What they become in a call, as far as all providers are alike."""
        ...

    def bind_to(self, model: BaseChatModel) -> Model:
        """Let one model bind the tools."""
        ...


@dataclass(eq=False)
class ChatTier:
    """A tier as the caller gave it.

    Attributes:
        given: The caller's model, wrapped or not.
        inner: The chat model inside all wrapping.
        said: What the caller says that it can take.
        variants: Variants made so far.
        with_tools: The same for each caller's tools, as long as those are used.
    """

    given: Model
    inner: BaseChatModel
    said: DeclaredTier | None = None
    variants: dict[Variant, Model] = field(default_factory=dict)
    with_tools: WeakKeyDictionary[Binds, dict[Variant, Model]] = field(
        default_factory=WeakKeyDictionary
    )

    @cached_property
    def logprobs_are_ours(self) -> bool:
        """Whether logprobs on an answer were asked for by the cascade, not by the caller."""
        asked = logprob_fields(self.inner, 0)
        return bool(asked) and getattr(self.inner, "logprobs", None) is not True

    def model(self, variant: Variant, tools: Binds | None = None) -> Model:
        """Return the tier in a variant, with the caller's tools bound by the tier itself."""
        made = self.variants if tools is None else self.with_tools.setdefault(tools, {})
        if variant not in made:
            made[variant] = self._make(variant, tools)
        return made[variant]

    def price_names(self, answered: str | None) -> tuple[str | None, ...]:
        """Return the names that the model is priced by; see `Tier.price_names`."""
        inner = self.inner
        return hosted(host(inner), answered, model_name(inner), *other_names(inner))

    def mute(self, kwargs: Mapping[str, Any], tools: Binds | None = None) -> bool:
        """Tell whether a call with these arguments is answered without log-probabilities."""
        if not chooses_api(self.inner):
            return False
        return uses_responses(self.inner, self.arguments(kwargs, tools))

    def arguments(self, kwargs: Mapping[str, Any], tools: Binds | None = None) -> dict[str, Any]:
        """Return the arguments of a call with all that is bound to the tier."""
        bound = {} if tools is None else tools.arguments
        return {**self._bound, **bound, **kwargs}

    @cached_property
    def _bound(self) -> Mapping[str, Any]:
        return bound_kwargs(self.given)

    def identity(self) -> str:
        """Return a hash of everything that makes the tier answer as it does.

        A hash, because a model's own description may hold what must not be shown.
        """
        return sha256(setup_text(self.given).encode()).hexdigest()

    def _make(self, variant: Variant, tools: Binds | None) -> Model:
        def change(model: BaseChatModel) -> Model:
            changed = vary(model, variant)
            return changed if tools is None else tools.bind_to(changed)

        if variant.logprobs and self.mute({}, tools):
            variant = variant._replace(logprobs=False, top_logprobs=0)
        return rebuild(self.given, change, whole=variant.whole)


class Judges:
    """The judge models of a cascade's signals, made ready to be called.

    Args:
        models: Chat models, and decision models, which are ready as they are.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        bare = [model for model in models if decision_model(model) is None]
        self._tiers = {id(model): make_tier(model, "the model of a judge") for model in bare}

    def __getitem__(self, model: object) -> ChatTier:
        """Return a judge by the object its signal holds."""
        if id(model) not in self._tiers:  # a signal of the caller's own that asks models
            return make_tier(model, "the model a signal asks")
        return self._tiers[id(model)]


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

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the models cross to another process, and nothing that was made of them."""
        return type(self), (list(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> TierList:
        """Copy the models; what was made of the old ones is none of the new ones' business."""
        copied = TierList(deepcopy(list(self), memo))
        copied.notices = self.notices.of_setup()
        return copied


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
    listed = listed_tiers(tiers, "chat models")
    return tuple(
        make_tier(tier, f"tiers[{place}]", parameters) for place, tier in enumerate(listed)
    )


def make_runnables(tiers: object) -> tuple[Model, ...]:
    """Read the `tiers=` argument of a cascade of runnables.

    Raises:
        ConfigurationError: It is no list, is empty, or holds something that
            cannot be run.
    """
    listed = listed_tiers(tiers, "runnables")
    return tuple(make_runnable(tier, f"tiers[{place}]") for place, tier in enumerate(listed))


def make_runnable(tier: object, where: str) -> Model:
    """Read one tier of a cascade of runnables; see `make_runnables`."""
    runnable: Any = bare_model(tier)[0]
    if isinstance(runnable, type) and issubclass(runnable, Runnable):
        check_is_one(runnable, where)  # other classes make what they are called for
    try:
        return cast("Model", coerce_to_runnable(runnable))
    except TypeError:
        raise no_runnable(runnable, where) from None


def make_tier(tier: object, where: str, parameters: Mapping[str, Any] | None = None) -> ChatTier:
    """Read one tier: a chat model, wrapped or not, or a name for `init_chat_model`.

    Args:
        tier: The tier.
        where: How an error names it.
        parameters: Standard parameters to make or change it with.

    Raises:
        ConfigurationError: It is not a chat model.
    """
    model, said = bare_model(tier)
    if isinstance(model, str):
        model = load_model(model, where, parameters)
    elif parameters and isinstance(model, Runnable):
        model = rebuild(model, lambda bare: apply(bare, parameters, where))
    if isinstance(model, Runnable):
        inner = find_chat_model(model)
        if inner is not None:
            return ChatTier(model, inner, said)
    raise no_chat_model(model, where)


def load_model(name: str, where: str, parameters: Mapping[str, Any] | None = None) -> BaseChatModel:
    """Make a chat model from a name, through LangChain's `init_chat_model`.

    Models of packages that have registered themselves, such as the demo's, are made by those.

    Raises:
        ConfigurationError: LangChain is not installed or does not know the name.
    """
    registered = make_named(CHAT_MODELS, name, where)
    if registered is not None:
        return apply(registered, parameters or {}, where)
    if not name.rpartition(":")[2].strip():
        msg = f"{where}={name!r} names no model; write provider:model, such as openai:gpt-4o-mini"
        raise ConfigurationError(msg)
    try:
        from langchain.chat_models import init_chat_model  # noqa: PLC0415 - heavy and optional
    except ImportError:
        msg = f"{where}={name!r}: model names need the package langchain (pip install langchain)"
        raise ConfigurationError(msg) from None
    try:
        return cast("BaseChatModel", init_chat_model(name, **(parameters or {})))
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if "model_provider" in reason:  # an argument of LangChain's that nobody here can give
            knows = "it names no provider that LangChain knows"
            reason = f"{knows}; write provider:model, such as openai:gpt-4o-mini"
        msg = f"{where}={name!r} cannot be made into a chat model: {reason}"
        raise ConfigurationError(msg) from error


def can_stream(tier: ChatTier) -> bool:
    """Tell whether a draft of the tier can be streamed, watched and cut off."""
    flat = flatten(tier.given)
    if flat is None or not can_prepare(flat.model):
        return False
    cls = type(flat.model)
    if cls.stream is not BaseChatModel.stream:  # it streams in a way of its own
        return False
    own = cls._stream is not BaseChatModel._stream  # noqa: SLF001
    return own and not _streaming_disabled(flat)


def _streaming_disabled(flat: Flat) -> bool:
    """Tell whether the owner of a model wants it not to stream."""
    model = flat.model
    off = "streaming" in model.model_fields_set and getattr(model, "streaming", None) is False
    return off or model.disable_streaming is True or flat.kwargs.get("stream", True) is False


def to_core(tiers: Sequence[ChatTier]) -> tuple[Tier, ...]:
    """Return the tiers as the core sees them."""
    return tuple(core_tier(index, tier) for index, tier in enumerate(tiers))


def core_tier(index: int, tier: ChatTier) -> Tier:
    """Return one tier as the core sees it."""
    bound = bound_kwargs(tier.given)
    several = not is_one_model(tier.given)
    said = described(abilities(tier.inner), tier.said)
    known = integration(tier.inner, LANGCHAIN)
    if several or model_in(bound) is not None:  # the profile is that of one model, or of another
        said = replace(said, max_output_tokens=None)
    return Tier(
        index=index,
        model=model_in(bound) or model_name(tier.inner),
        native=tier,
        names=other_names(tier.inner),
        provider=host(tier.inner),
        logprobs=LogprobMemory(False if tier.mute({}) else gives_logprobs(tier.inner)),
        abilities=said,
        max_tokens=None if several else _limit(tier.inner, bound),
        streams=can_stream(tier),
        streams_logprobs=known.logprobs_streamed is not False,
        streams_calls=known.calls_streamed is not False,
        output_schema=schema_set(tier.inner, bound),
        setup=tier.identity,
        composite=several or hasattr(tier.inner, "tier_names"),
        answers=answers_asked(tier.arguments({}))
        or answers_asked({"n": getattr(tier.inner, "n", None)})
        or 1,
        beside=tokens_beside(bound, getattr(tier.inner, "model_kwargs", None)),
    )


def _limit(model: BaseChatModel, bound: Mapping[str, Any]) -> int | None:
    limit = token_limit(bound)
    return max_tokens(model) if limit is None else limit or None
