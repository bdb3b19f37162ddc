"""LangChain's standard model parameters, given to a cascade for all of its tiers.

Chat models take these by convention, so code that makes one model can make a
cascade. A tier given by name is made with them; on a model that exists already
they are set where the model has the field, and a warning tells where it has not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from langchain_core.caches import BaseCache
from langchain_core.callbacks import Callbacks
from langchain_core.language_models import BaseChatModel, ModelProfile
from langchain_core.rate_limiters import BaseRateLimiter
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from cascade_core.integrations.classes import LIMIT_FIELDS
from cascade_core.setup.settings import CascadeKeywords
from cascade_core.warn import warn

_AT_CREATION = frozenset({"timeout", "max_retries", "api_key"})
"""Parameters that integrations build their HTTP client with; later changes do nothing."""


class ChatKeywords(CascadeKeywords, total=False):
    """What a chat cascade takes besides: the standard parameters, and any chat model's fields."""

    temperature: float | None
    """Sampling temperature of every tier."""
    max_tokens: int | None
    """The most tokens a tier may write."""
    stop: list[str] | None
    """Stop sequences of every call that brings none of its own."""
    timeout: float | None
    """Seconds a call may take; for tiers given by name."""
    max_retries: int | None
    """How often a tier tries again; for tiers given by name."""
    api_key: SecretStr | str | None
    """The provider's key; for tiers given by name. Never shown."""
    streaming: bool | None
    """False answers `stream` in one chunk."""
    logprobs: bool | None
    """Whether answers carry token log-probabilities, where the tiers give them; a cascade that is
    itself a tier is asked for them so."""
    tags: list[str] | None
    """Tags of the cascade's runs in traces."""
    metadata: dict[str, Any] | None
    """Metadata of the cascade's runs in traces."""
    callbacks: Callbacks
    """Who is told of the cascade's runs."""
    verbose: bool
    """Whether the cascade's runs are printed."""
    cache: BaseCache | bool | None
    """Where whole answers are kept: a cache, or True for the global one. False also keeps the last
    tier from any."""
    rate_limiter: BaseRateLimiter | None
    """Limits the requests to the cascade; tiers keep limiters of their own."""
    disable_streaming: bool | Literal["tool_calling"]
    """Whether `stream` answers in one chunk: always, or where tools are bound."""
    profile: ModelProfile | None
    """What the cascade can do; default: what all of its tiers can."""
    output_version: str | None
    """The form of every tier's answers: "v0", "v1", or an integration's own."""
    custom_get_token_ids: Callable[[str], list[int]] | None
    """Not used: the first tier counts tokens."""


class StandardParameters(BaseModel):
    """The standard parameters as fields; see `ChatKeywords`."""

    model_config = ConfigDict(defer_build=True)  # importing stays quick

    temperature: float | None = None
    max_tokens: int | None = None
    stop: list[str] | None = None
    timeout: float | None = None
    max_retries: int | None = None
    api_key: SecretStr | None = Field(default=None, repr=False)
    streaming: bool | None = None
    logprobs: bool | None = None


NAMES = frozenset(StandardParameters.model_fields)
SAMPLING = ("logprobs", "max_tokens", "stop", "temperature")
"""Parameters that make a model answer as it does; part of cache keys."""


def for_tiers(parameters: Any) -> dict[str, Any]:
    """Return what of the parameters is set on the tiers themselves."""
    names = ("temperature", "max_tokens", "timeout", "max_retries", "api_key")
    values = {name: getattr(parameters, name) for name in names}
    if "output_version" in parameters.model_fields_set:  # the field's default is for all models
        values["output_version"] = parameters.output_version
    return {name: value for name, value in values.items() if value is not None}


def apply(model: BaseChatModel, parameters: Mapping[str, Any], where: str) -> BaseChatModel:
    """Return a model with parameters set; itself where there is nothing to change.

    Args:
        model: A chat model that exists already.
        parameters: See `for_tiers`.
        where: How a warning names the model.
    """
    update: dict[str, Any] = {}
    for name, value in parameters.items():
        field = _field(model, name)
        if name in _AT_CREATION and getattr(model, name, None) != value:
            field = None
        if field is not None:
            update[field] = value
        else:
            warn(f"{name}= has no effect on {where} ({type(model).__name__}): set it on that model")
    if not update:
        return model
    copy = model.model_copy(update=update)
    copy.__dict__.pop("_serialized", None)  # cached, and part of cache keys
    return copy


def _field(model: BaseChatModel, name: str) -> str | None:
    fields = type(model).model_fields
    candidates = LIMIT_FIELDS if name == "max_tokens" else (name,)
    return next((candidate for candidate in candidates if candidate in fields), None)
