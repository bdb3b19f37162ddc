"""`on_handoff=` of LlamaIndex's cascades: what may be given, and what functions answer."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    MessageRole,
)
from llama_index.core.llms import LLM

from cascade_core.draft import Draft
from cascade_core.given import bare_model
from cascade_core.setup.handler import OnHandoff, read_handler
from cascade_core.tier import Tier
from llamaindex_cascade.asking.models import load_model
from llamaindex_cascade.asking.tiers import make_tier


def llm_handler(given: Any, index: int) -> OnHandoff | None:
    """Read `on_handoff=` of a cascade of LLMs: an LLM, its name, or a function.

    Args:
        given: The setting.
        index: The place behind the last tier.

    Raises:
        ConfigurationError: It is none of these.
    """

    def make(given: Any) -> Tier | None:
        model, said = bare_model(given)
        if isinstance(model, str):
            model = load_model(model, "on_handoff")
            given = model if said is None else said.of(model)
        return make_tier(given, index) if isinstance(model, LLM) else None

    return read_handler(given, make, "an LLM, its name")


def as_response(value: Any, like: Any) -> ChatResponse | CompletionResponse:
    """Return what a function gave as a response of a model.

    Args:
        value: A text, a message, or a response.
        like: The response that was handed off.

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(value, ChatResponse | CompletionResponse) and type(value) is type(like):
        return value
    if isinstance(value, ChatResponse):
        value = value.message
    if isinstance(like, CompletionResponse):
        text = value.content if isinstance(value, ChatMessage) else value
        text = text.text if isinstance(text, CompletionResponse) else text
        if isinstance(text, str):
            return CompletionResponse(text=text)
    elif isinstance(value, ChatMessage):  # whose role is a user's where nothing says it
        return ChatResponse(message=value.model_copy(update={"role": MessageRole.ASSISTANT}))
    elif isinstance(value, str):
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=value))
    msg = f"on_handoff gave {type(value).__name__}, which is no text, ChatMessage or response"
    raise TypeError(msg)


def response_draft(value: Any, like: Any) -> Draft:
    """Return what a function gave as the draft of a model; see `as_response`."""
    response = as_response(value, like)
    text = response.text if isinstance(response, CompletionResponse) else response.message.content
    return Draft(text or "", native=response)
