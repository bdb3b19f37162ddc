"""Models of packages beyond a framework's own integrations, by name: `"demo:desk-small"`.

Such a package registers a provider's name under an adapter's entry-point group, and makes its
models; an adapter looks names up and imports no such package itself.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

CHAT_MODELS = "model_cascade.chat_models"
"""Where makers of LangChain's chat models are registered, by provider."""

LLMS = "model_cascade.llms"
"""The same of LlamaIndex's LLMs."""


def make_named(group: str, name: str, where: str) -> Any:
    """Make a model from its name.

    Args:
        group: `CHAT_MODELS` or `LLMS`.
        name: Provider and model, such as `"demo:desk-small"`.
        where: How an error names the place where it was given.

    Returns:
        The model; None where nobody has registered such a provider.
    """
    provider, colon, model = name.partition(":")
    for entry in entry_points(group=group, name=provider) if colon else ():
        return entry.load()(model, where)
    return None
