"""`on_handoff=` of LangChain's cascades: what may be given, and what functions answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from cascade_core.abilities import NOTHING_KNOWN
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Failed
from cascade_core.given import bare_model, described
from cascade_core.setup.handler import OnHandoff, read_handler
from cascade_core.tier import Tier
from langchain_cascade.tiers import make_tier, to_core
from langchain_cascade.wrapping import find_chat_model


def chat_handler(
    given: Any, index: int, parameters: Mapping[str, Any] | None = None, *, chains: bool = True
) -> OnHandoff | None:
    """Read `on_handoff=` of a cascade of chat models.

    Args:
        given: A chat model, its name, another runnable that takes the messages, or a function.
        index: The place behind the last tier.
        parameters: Standard parameters that all models are made or changed with.
        chains: Whether runnables that are no chat models can be called.

    Raises:
        ConfigurationError: It is none of these.
    """

    def make(given: Any) -> Tier | None:
        model, _ = bare_model(given)
        if isinstance(model, str) or _is_chat_model(model):
            (tier,) = to_core([make_tier(given, "on_handoff", parameters)])
            return replace(tier, index=index)
        return _chain(given, index) if chains else None

    kinds = "a chat model, its name, another runnable" if chains else "a chat model, its name"
    return read_handler(given, make, kinds)


def runnable_handler(given: Any, index: int) -> OnHandoff | None:
    """Read `on_handoff=` of a cascade of runnables: a runnable, or a function.

    Raises:
        ConfigurationError: It is neither.
    """
    return read_handler(given, lambda given: _chain(given, index), "a runnable")


def as_message(value: Any) -> AIMessage:
    """Return what a function gave as an answer of a chat model.

    Raises:
        TypeError: It is neither a text nor a message.
    """
    if isinstance(value, str):
        return AIMessage(value)
    if isinstance(value, AIMessage):
        return value
    msg = f"on_handoff gave {type(value).__name__}, which is neither a text nor an AIMessage"
    raise TypeError(msg)


def as_output(value: Any, handed_off: Any, shape: Callable[[Any], Any] | None) -> Any:
    """Return what a function gave as an output like that of the tiers.

    Args:
        value: What it gave.
        handed_off: The output that was handed off.
        shape: Makes an output of it; None = a text becomes a message where the tiers' are.
    """
    if shape is not None:
        return shape(value)
    spoken = isinstance(value, str) and isinstance(handed_off, AIMessage)
    return as_message(value) if spoken else value


def as_object(schema: Any) -> Callable[[Any], dict[str, Any]]:
    """Return a function that makes `{"raw", "parsed", "parsing_error"}` of an object, or its JSON.

    Args:
        schema: What it is to be an object of.
    """

    def shape(value: Any) -> dict[str, Any]:
        if isinstance(value, AIMessage):
            value = value.text
        is_class = isinstance(schema, type) and issubclass(schema, BaseModel)
        if isinstance(value, str):
            value = schema.model_validate_json(value) if is_class else json.loads(value)
        elif is_class and isinstance(value, Mapping):
            value = schema.model_validate(value)
        text = value.model_dump_json() if isinstance(value, BaseModel) else json.dumps(value)
        return {"raw": AIMessage(text), "parsed": value, "parsing_error": None}

    return shape


def is_chain(effect: Ask) -> bool:
    """Tell whether an answer is handed off to a runnable that is no chat model."""
    return effect.purpose == "handoff" and isinstance(effect.target.native, Runnable)


def spoken_by_chain(draft: Draft | Failed) -> Draft | Failed:
    """Return a runnable's output as an answer of a chat model."""
    if isinstance(draft, Failed):
        return draft
    return replace(draft, native=as_message(draft.native))


def _chain(given: Any, index: int) -> Tier | None:
    runnable, said = bare_model(given)
    if not isinstance(runnable, Runnable):
        return None
    return Tier(index, native=runnable, abilities=described(NOTHING_KNOWN, said))


def _is_chat_model(given: object) -> bool:
    return isinstance(given, Runnable) and find_chat_model(given) is not None
