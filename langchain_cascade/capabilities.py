"""What a chat model can do, as far as its object tells without a call.

What is known of a class by its name does not belong here; see
`cascade_core.integrations.classes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.language_models import BaseChatModel

from cascade_core.abilities import NOTHING_KNOWN, Abilities, Missing
from cascade_core.integrations.classes import LANGCHAIN, declines_logprobs, integration


def host(model: BaseChatModel) -> str | None:
    """Return who hosts a model, where its integration serves other makers' models."""
    return integration(model, LANGCHAIN).host


def gives_logprobs(model: BaseChatModel) -> bool | None:
    """Tell whether a model returns log-probabilities when asked.

    Returns:
        True or False where its integration is known, None where only trying
        tells.
    """
    if _gives_none(model):
        return False
    return True if logprob_fields(model, 0) else None


def logprob_fields(model: BaseChatModel, top: int) -> dict[str, Any]:
    """Return the fields to set on a copy of a model so that it asks for logprobs.

    Args:
        model: The model.
        top: How many alternatives a token to ask for.

    Returns:
        The fields; empty where the integration is not known to take them.
    """
    if _gives_none(model):
        return {}
    if integration(model, LANGCHAIN).logprobs == "model_kwargs":
        asked = {"logprobs": True, **({"top_logprobs": top} if top else {})}
        return {"model_kwargs": {**getattr(model, "model_kwargs", {}), **asked}}
    fields = type(model).model_fields
    if "logprobs" not in fields or "bool" not in str(fields["logprobs"].annotation):
        return {}
    asked = {"logprobs": True}
    if top and "top_logprobs" in fields and not getattr(model, "top_logprobs", None):
        asked["top_logprobs"] = cast("Any", top)
    return asked


_IN_PROFILES: Mapping[str, Missing] = {
    "image_inputs": "image",
    "audio_inputs": "audio",
    "video_inputs": "video",
    "pdf_inputs": "file",
    "tool_calling": "tools",
    "structured_output": "structured_output",
}


def abilities(model: BaseChatModel) -> Abilities:
    """Return what a model can take, by its class and its profile."""
    if hasattr(model, "tier_names"):  # a cascade, whose tiers know better
        return NOTHING_KNOWN
    profile = cast("Mapping[str, Any]", model.profile or {})
    lacks = {lack for name, lack in _IN_PROFILES.items() if profile.get(name) is False}
    if not supports_tools(model):
        lacks.add("tools")
    if integration(model, LANGCHAIN).one_answer:
        lacks.add("n")
    limit = profile.get("max_input_tokens")
    known = type(limit) is int and limit > 0
    most = profile.get("max_output_tokens")
    return Abilities(
        limit if known else None,
        shared=True,
        lacks=frozenset(lacks),
        max_output_tokens=most if type(most) is int and most > 0 else None,
    )


def supports_tools(model: BaseChatModel) -> bool:
    """Tell whether a model's class can bind tools at all."""
    return type(model).bind_tools is not BaseChatModel.bind_tools


def intersect_profiles(models: Sequence[BaseChatModel]) -> dict[str, Any] | None:
    """Return what every model can do, as far as it is known.

    Returns:
        A model profile, over the models that have one; None where none has. What one model
        cannot do, all together cannot, and the smallest limit counts; that all can do a thing is
        said only where each says so.
    """
    profiles = [cast("dict[str, Any] | None", model.profile) for model in models]
    stated = [profile for profile in profiles if profile]
    if not stated:
        return None
    shared: dict[str, Any] = {}
    for key in sorted(set().union(*stated)):
        values = [profile[key] for profile in stated if profile.get(key) is not None]
        if values and all(isinstance(value, bool) for value in values):
            if not all(values) or len(values) == len(stated):
                shared[key] = all(values)
        elif values and all(type(value) is int for value in values):
            shared[key] = min(values)
    return shared


def _gives_none(model: BaseChatModel) -> bool:
    """Tell whether a model is known to return no logprobs, or its owner switched them off."""
    never = integration(model, LANGCHAIN).logprobs == "never"
    return never or declines_logprobs(model) or uses_responses(model, {})


def set_on_model(model: object) -> bool:
    """Tell whether a call's temperature and seed have to be fields of the model.

    As arguments of the call they are errors there.
    """
    return integration(model, LANGCHAIN).sampling == "field"


def chooses_api(model: BaseChatModel) -> bool:
    """Tell whether a model decides call by call which of OpenAI's APIs it uses."""
    return hasattr(model, "_use_responses_api")


def uses_responses(model: BaseChatModel, kwargs: Mapping[str, Any]) -> bool:
    """Tell whether an OpenAI model sends a call to the Responses API.

    That API has no parameter `logprobs`, and what it gives on another wish gets lost in the
    integration.

    Args:
        model: The model.
        kwargs: The arguments of the call.
    """
    if not chooses_api(model):
        return False
    try:
        payload = {**model._default_params, **kwargs}  # type: ignore[attr-defined]  # noqa: SLF001
        return bool(model._use_responses_api(payload))  # type: ignore[attr-defined]  # noqa: SLF001
    except Exception:  # noqa: BLE001 - a private helper of an integration may change
        return bool(getattr(model, "use_responses_api", False))
