"""What an LLM can do, as far as its object tells without a call.

What is known of a class by its name does not belong here; see
`cascade_core.integrations.classes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.constants import DEFAULT_CONTEXT_WINDOW
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM

from cascade_core.abilities import MODALITIES, NOTHING_KNOWN, Abilities, Missing
from cascade_core.integrations import classes
from cascade_core.integrations.classes import (
    LLAMAINDEX,
    LOGPROBS_INCLUDED,
    declines_logprobs,
    integration,
)
from cascade_core.tier import hosted


def metadata_of(llm: LLM) -> LLMMetadata | None:
    """Return what a model says of itself; None where it cannot say so now: its server is down.

    Raises:
        Exception: It will never say so, as it is set up: `FOR_GOOD` or a kind of it.
    """
    try:
        return llm.metadata
    except JSONDecodeError:
        return None
    except FOR_GOOD:
        raise
    except Exception:  # noqa: BLE001 - clients raise whatever they like
        return None


FOR_GOOD = (ValueError, TypeError, LookupError, AttributeError, NotImplementedError)
"""What is raised by a model that is set up wrongly, such as one that OpenAI does not know."""


def name_of(llm: LLM) -> str | None:
    """Return the name a model is priced by, or None."""
    known = classes.model_name(llm)
    if known is None and (described := metadata_of(llm)) is not None:
        known = described.model_name
    return None if known == "unknown" else known


def price_names(llm: LLM, answered: str | None) -> tuple[str | None, ...]:
    """Return the names that a model is priced by; see `Tier.price_names`."""
    return hosted(host(llm), answered, name_of(llm), *classes.other_names(llm))


def setup_of(llm: LLM) -> tuple[object, ...]:
    """Return what makes a model answer as it does, as far as its fields tell."""
    fields = [name for name in type(llm).model_fields if name != "callback_manager"]
    return type(llm), [(name, getattr(llm, name, None)) for name in fields]


def host(llm: LLM) -> str | None:
    """Return who hosts a model, where its integration serves other makers' models."""
    return integration(llm, LLAMAINDEX).host


def gives_logprobs(llm: LLM) -> bool | None:
    """Tell whether a model returns log-probabilities when asked.

    Returns:
        True or False where its integration is known, None where only trying
        tells.
    """
    asking = integration(llm, LLAMAINDEX).logprobs
    if asking == "never" or declines_logprobs(llm):
        return False
    return True if asking in ("arguments", "include") else None


def logprob_options(llm: LLM, top: int) -> dict[str, Any]:
    """Return the arguments of a call that ask a model for log-probabilities.

    Args:
        llm: The model.
        top: How many alternatives a token to ask for.

    Returns:
        The arguments; empty where the integration is not known to take them,
        or its owner has already asked for as much.
    """
    if gives_logprobs(llm) is not True:
        return {}
    if integration(llm, LLAMAINDEX).logprobs == "include":
        more = {"top_logprobs": top} if top else {}
        return {INCLUDE: [*_included(llm), LOGPROBS_INCLUDED], **more}
    if not llm.metadata.is_chat_model:  # the legacy endpoint takes their number
        return {"logprobs": max(top, 1)}
    return {"logprobs": True, "top_logprobs": top} if top else {"logprobs": True}


def logprob_fields(llm: LLM, top: int) -> dict[str, Any]:
    """Return the fields to set on a copy of a model so that it asks for log-probabilities.

    Args:
        llm: The model.
        top: How many alternatives a token to ask for.

    Returns:
        The fields; empty where the integration is not known to take them, or
        its owner has decided.
    """
    fields, options = type(llm).model_fields, logprob_options(llm, top)
    if options and "logprobs" in fields:
        if "logprobs" in llm.model_fields_set:
            return {}
        top = top if llm.metadata.is_chat_model else max(top, 1)
        return {"logprobs": True, "top_logprobs": top}
    own = getattr(llm, "additional_kwargs", None) or {}
    if not options or "additional_kwargs" not in fields or "logprobs" in own:
        return {}
    return {"additional_kwargs": {**own, **options}}


def sampling_options(llm: LLM, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the sampling options of one call as a model takes them.

    Args:
        llm: The model.
        options: The options, such as a temperature.

    Returns:
        What goes into the call; what the model itself must be set to is in `sampling_fields`.
    """
    by = integration(llm, LLAMAINDEX).sampling
    if by == "field":
        return {name: each for name, each in options.items() if name != "temperature"}
    return {GENERATION: dict(options)} if by == GENERATION and options else options


def sampling_fields(llm: LLM, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields to set on a copy of a model that has them in place of arguments."""
    if integration(llm, LLAMAINDEX).sampling != "field":
        return {}
    return _settings(llm, options)


def sampling_copy(llm: LLM, options: Mapping[str, Any]) -> LLM:
    """Return a copy of a model that is set to sampling options, where no arguments reach it."""
    copy = llm.model_copy(update=_settings(llm, options))
    if integration(llm, LLAMAINDEX).sampling == GENERATION:
        own = getattr(copy, _GENERATION, None) or {}
        setattr(copy, _GENERATION, {**own, **options})
    return copy


def _settings(llm: LLM, options: Mapping[str, Any]) -> dict[str, Any]:
    if "temperature" not in options:
        return {}
    temperature, fields = options["temperature"], type(llm).model_fields
    made = {"temperature": temperature} if "temperature" in fields else {}
    if "generate_kwargs" in fields:  # what models in this process are run with
        own = getattr(llm, "generate_kwargs", None) or {}
        samples = {"do_sample": True} if "do_sample" in own or not made else {}
        made["generate_kwargs"] = {**own, **samples, "temperature": temperature}
    return made


_GENERATION = "_generation_config"
GENERATION = "generation_config"
"""The argument in which Google's models take such settings."""

INCLUDE = "include"
"""What asks OpenAI's Responses API for more: a field of the model, or an argument in its place."""


def _included(llm: LLM) -> list[str]:
    more = getattr(llm, "additional_kwargs", None) or {}
    found = more.get(INCLUDE) or getattr(llm, INCLUDE, None) or ()
    return [each for each in found if each != LOGPROBS_INCLUDED]


def usage_options(llm: LLM) -> dict[str, Any]:
    """Return the arguments of a streamed call that have its tokens reported."""
    asked = integration(llm, LLAMAINDEX).usage_asked
    return {"stream_options": {"include_usage": True}} if asked else {}


def ends_named(llm: LLM) -> bool:
    """Tell whether a model's streams say why they end: one that does not was cut off."""
    return integration(llm, LLAMAINDEX).ends_named is True


def ends_hidden(llm: LLM) -> bool:
    """Tell whether a model's streams never say why they end, where its whole answers do."""
    return integration(llm, LLAMAINDEX).ends_named is False


def abilities(llm: LLM) -> Abilities:
    """Return what a model can take, by its class and its metadata."""
    if hasattr(llm, "tier_names"):  # a cascade, whose tiers know better
        return NOTHING_KNOWN
    if (known := metadata_of(llm)) is None:
        return NOTHING_KNOWN
    lacks: set[Missing] = set()
    if not calls_tools(llm, known):
        lacks.add("tools")
    if integration(llm, LLAMAINDEX).one_answer:
        lacks.add("n")
    if not known.is_chat_model:  # messages are written out as one text
        lacks |= MODALITIES
    # What LlamaIndex says of every model that it does not know is no knowledge.
    told = known.context_window not in (DEFAULT_CONTEXT_WINDOW, -1, 0)
    return Abilities(known.context_window if told else None, shared=True, lacks=frozenset(lacks))


def makes_objects(llm: LLM) -> bool:
    """Tell whether a model is made to make objects: by tools, or in a way of its provider's."""
    own = type(llm).structured_predict not in (LLM.structured_predict, _BY_PROGRAMS)
    return own or calls_tools(llm, metadata_of(llm))


_BY_PROGRAMS = FunctionCallingLLM.structured_predict


def calls_tools(llm: LLM, known: LLMMetadata | None) -> bool:
    """Tell whether a model can be offered tools, as far as it is known."""
    able = known is None or known.is_function_calling_model
    return able and any(hasattr(llm, f"{form}chat_with_tools") for form in _FORMS)


_FORMS = ("", "a", "stream_", "astream_")
"""Of a method; models that only agents ask may have but one."""
