"""Tiers given by name: a provider and a model, made into an LLM by LlamaIndex's own integration."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TypeGuard, cast

from llama_index.core.llms import LLM

from cascade_core.errors import ConfigurationError
from cascade_core.given import bare_model
from cascade_core.named import LLMS, make_named

CLASSES = {
    "anthropic": "Anthropic",
    "bedrock_converse": "BedrockConverse",
    "cohere": "Cohere",
    "deepseek": "DeepSeek",
    "fireworks": "Fireworks",
    "google_genai": "GoogleGenAI",
    "groq": "Groq",
    "litellm": "LiteLLM",
    "mistralai": "MistralAI",
    "ollama": "Ollama",
    "openai": "OpenAI",
    "openai_like": "OpenAILike",
    "openrouter": "OpenRouter",
    "together": "TogetherLLM",
}
"""The class of each provider, in the module `llama_index.llms.<provider>`; all take `model=`."""


AGREEING = "a model of Agreement"
"""How errors name a model that a signal asks what the tiers are asked."""


def with_models(tiers: object) -> object:
    """Return tiers with LLMs in place of names; as they are where none is a name."""
    if isinstance(tiers, str) or not isinstance(tiers, Sequence):
        return tiers
    if not any(_is_name(bare_model(tier)[0]) for tier in tiers):
        return tiers
    return [with_model(tier, f"tiers[{place}]") for place, tier in enumerate(tiers)]


def with_model(tier: object, where: str) -> object:
    """Return a tier with an LLM in place of a name; as it is where it is none."""
    name, said = bare_model(tier)
    if not _is_name(name):
        return tier
    model = load_model(name, where)
    return model if said is None else said.of(model)


def load_model(name: str, where: str) -> LLM:
    """Make an LLM from a name; keys and addresses come from the environment.

    Args:
        name: Provider and model, such as `"openai:gpt-4o-mini"` or `"ollama:llama3.2:3b"`.
        where: How an error names it.

    Raises:
        ConfigurationError: The provider is not known or its package not installed, or
            the model cannot be made.
    """
    if (registered := make_named(LLMS, name, where)) is not None:
        return cast("LLM", registered)
    provider, _, model = name.partition(":")
    if provider not in CLASSES or not model:
        msg = (
            f"{where}={name!r} names no model of a provider known here; give an LLM, or "
            f"provider:model with one of {', '.join(CLASSES)}"
        )
        raise ConfigurationError(msg)
    # Served by who knows whom, and asked in messages all the same: plain completion is rare now.
    chats = {"is_chat_model": True} if provider == "openai_like" else {}
    try:
        module = import_module(f"llama_index.llms.{provider}")
        return cast("LLM", getattr(module, CLASSES[provider])(model=model, **chats))
    except ImportError as error:
        package = f"llama-index-llms-{provider.replace('_', '-')}"
        msg = f"{where}={name!r} needs the package {package} (pip install {package})"
        raise ConfigurationError(msg) from error
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        msg = f"{where}={name!r} cannot be made into an LLM: {reason}"
        raise ConfigurationError(msg) from error


def _is_name(tier: object) -> TypeGuard[str]:
    return isinstance(tier, str) and ":" in tier
