"""What an LLM can do, as far as its object tells without a call.

Nothing here imports an integration: classes are known by name, so that a
cascade of two models loads only those two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.llms import LLM

NO_LOGPROBS = frozenset(
    {
        "Anthropic",
        "Bedrock",
        "BedrockConverse",
        "Cohere",
        "GoogleGenAI",
        "Gemini",
        "HuggingFaceInferenceAPI",
        "HuggingFaceLLM",
        "LiteLLM",
        "LlamaCPP",
        "MistralAI",
        "Ollama",
        "OpenAIResponses",
        "Vertex",
    }
)
"""Integrations that fill in no token log-probabilities, whatever they are asked."""

HOSTS = {
    "AzureOpenAI": "azure",
    "Fireworks": "fireworks",
    "Groq": "groq",
    "Ollama": "ollama",
    "OpenRouter": "openrouter",
    "Perplexity": "perplexity",
    "TogetherLLM": "together",
}
"""Integrations of hosts that serve other makers' models, at prices of their own."""

_NAME_FIELDS = ("model", "model_name", "model_id", "engine")
_LIMIT_FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")


def class_names(llm: object) -> frozenset[str]:
    """Return the names of an object's class and its bases."""
    return frozenset(cls.__name__ for cls in type(llm).__mro__)


def model_name(llm: LLM) -> str | None:
    """Return the name a model is priced by, or None."""
    for name in _NAME_FIELDS:
        value = getattr(llm, name, None)
        if isinstance(value, str) and value:
            return value
    known = llm.metadata.model_name
    return None if known == "unknown" else known


def host(llm: LLM) -> str | None:
    """Return who hosts a model, where its integration serves other makers' models."""
    return next((HOSTS[c.__name__] for c in type(llm).__mro__ if c.__name__ in HOSTS), None)


def max_tokens(llm: LLM) -> int | None:
    """Return the most tokens a model may write in one answer, where its caller set a limit."""
    for name in _LIMIT_FIELDS:
        value = getattr(llm, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return None


def token_limit(kwargs: Mapping[str, Any]) -> int | None:
    """Return the limit that one request's own arguments set."""
    limits = (kwargs.get(name) for name in _LIMIT_FIELDS)
    return next((n for n in limits if isinstance(n, int) and n > 0), None)


def gives_logprobs(llm: LLM) -> bool | None:
    """Tell whether a model returns log-probabilities when asked.

    Returns:
        True or False where its integration is known, None where only trying
        tells.
    """
    names = class_names(llm)
    if names & NO_LOGPROBS or _declined(llm):
        return False
    return True if "OpenAI" in names else None


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
    if not llm.metadata.is_chat_model:  # the legacy endpoint takes their number
        return {"logprobs": max(top, 1)}
    return {"logprobs": True, "top_logprobs": top} if top else {"logprobs": True}


def usage_options(llm: LLM) -> dict[str, Any]:
    """Return the arguments of a streamed call that have its tokens reported."""
    if "OpenAI" not in class_names(llm):
        return {}
    return {"stream_options": {"include_usage": True}}


def calls_tools(llm: LLM) -> bool:
    """Tell whether a model can be offered tools."""
    return llm.metadata.is_function_calling_model and hasattr(llm, "chat_with_tools")


def _declined(llm: LLM) -> bool:
    """Tell whether the caller switched logprobs off on this very model."""
    return "logprobs" in llm.model_fields_set and getattr(llm, "logprobs", None) is False
