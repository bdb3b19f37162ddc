"""What must not cross from one provider to another.

Prompt-caching middleware marks messages, tools and settings for the provider
of the agent's model; another provider answers such marks with an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool

from cascade_core.integrations.built_in import Maker, maker_of
from cascade_core.integrations.classes import CACHE_KEYS, LANGCHAIN, integration
from langchain_cascade.capabilities import chooses_api
from langchain_cascade.wrapping import bound_kwargs

if TYPE_CHECKING:
    from langchain.agents.middleware import ModelRequest


def without_foreign_cache_keys(request: ModelRequest, model: BaseChatModel) -> ModelRequest:
    """Return an agent's request without cache settings that a model would refuse.

    Args:
        request: The request, as other middleware left it.
        model: The model it is about to be sent to.
    """
    foreign = CACHE_KEYS - (integration(model, LANGCHAIN).cache_keys or frozenset())
    changes: dict[str, Any] = {}
    if foreign & set(request.model_settings):
        changes["model_settings"] = _without(request.model_settings, foreign)
    if "cache_control" in foreign:
        messages = [unmarked(message) for message in request.messages]
        if any(new is not old for new, old in zip(messages, request.messages, strict=True)):
            changes["messages"] = messages
        if request.system_message is not None:
            system = unmarked(request.system_message)
            if system is not request.system_message:
                changes["system_message"] = system
        tools = [_unmarked_tool(tool) for tool in request.tools]
        if any(new is not old for new, old in zip(tools, request.tools, strict=True)):
            changes["tools"] = tools
    return request.override(**changes) if changes else request


def _without(mapping: dict[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


_MARK = frozenset({"cache_control"})
_NESTED = ("extras", "metadata")
"""Parts of a content block or tool in which marks may hide."""


def unmarked(message: Any) -> Any:
    """Return a message without marks for a provider's prompt cache."""
    if not isinstance(message.content, list):
        return message
    content = [_unmarked_block(part) for part in message.content]
    if all(new is old for new, old in zip(content, message.content, strict=True)):
        return message
    return message.model_copy(update={"content": content})


def _unmarked_block(block: Any) -> Any:
    if not isinstance(block, dict):
        return block
    clean = _without(block, _MARK) if "cache_control" in block else block
    for key in _NESTED:
        nested = clean.get(key)
        if isinstance(nested, dict) and "cache_control" in nested:
            clean = {**clean, key: _without(nested, _MARK)}
    return clean


def _unmarked_tool(tool: Any) -> Any:
    if isinstance(tool, BaseTool):
        extras = getattr(tool, "extras", None)
        if extras and "cache_control" in extras:
            return tool.model_copy(update={"extras": _without(extras, _MARK) or None})
        return tool
    return _unmarked_block(tool)


def wants_marks(tier: object) -> bool:
    """Tell whether a tier's provider caches prompts that are marked, and its owner marks none."""
    model = getattr(tier, "inner", None)
    if model is None or "cache_control" not in (integration(model, LANGCHAIN).cache_keys or ()):
        return False
    return "cache_control" not in bound_kwargs(getattr(tier, "given", model))


def has_marks(message: Any) -> bool:
    """Tell whether a message marks a part of itself for the provider's cache."""
    return unmarked(message) is not message


def own_arguments(kwargs: Mapping[str, Any], model: BaseChatModel) -> dict[str, Any]:
    """Return a call's arguments without caches and conversations of other providers."""
    if not _is_known(model):
        return dict(kwargs)
    foreign = CACHE_KEYS - (integration(model, LANGCHAIN).cache_keys or frozenset())
    if not chooses_api(model):
        foreign |= KEPT_CONVERSATION
    if foreign.isdisjoint(kwargs):
        return dict(kwargs)
    return {key: value for key, value in kwargs.items() if key not in foreign}


KEPT_CONVERSATION = frozenset({"previous_response_id", "conversation"})
"""Arguments that name a conversation which OpenAI keeps."""


def own_tools(tools: Sequence[Any], model: BaseChatModel) -> list[Any]:
    """Return functions and the tools that a model's own provider runs."""
    return [tool for tool in tools if (maker := maker_of(tool)) is None or _runs(model, maker)]


_MAKERS: Mapping[str, Maker] = {
    "BaseChatOpenAI": "openai",
    "ChatAnthropic": "anthropic",
    "ChatAnthropicBedrock": "anthropic",
    "ChatAnthropicVertex": "anthropic",
    "ChatGoogleGenerativeAI": "google",
    "ChatVertexAI": "google",
}


def _runs(model: BaseChatModel, maker: Maker) -> bool:
    """Tell whether a model's provider runs a maker's tools; of unknown classes all is believed."""
    known = [_MAKERS[cls.__name__] for cls in type(model).__mro__ if cls.__name__ in _MAKERS]
    if known:
        return known[0] == maker
    return not _is_known(model)


def goes_on(kwargs: Mapping[str, Any], model: BaseChatModel) -> bool:
    """Tell whether a model can go on with the conversation that a call names, if it names one."""
    return KEPT_CONVERSATION.isdisjoint(kwargs) or chooses_api(model) or not _is_known(model)


def _is_known(model: BaseChatModel) -> bool:
    return any(cls.__name__ in LANGCHAIN for cls in type(model).__mro__)
