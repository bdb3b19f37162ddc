"""What is said of something that was given as a tier and is no model."""

from __future__ import annotations

from langchain_core.language_models import BaseLLM
from langchain_core.runnables import Runnable

from cascade_core.errors import ConfigurationError
from cascade_core.given import check_is_one, is_of
from cascade_core.integrations.decisions import NO_TIER, decision_model
from langchain_cascade.wrapping import is_undecided


def no_chat_model(given: object, where: str) -> ConfigurationError:
    """Return the error that says what a thing is, and what to give in its place.

    Args:
        given: What was given.
        where: How an error names it.

    Raises:
        ConfigurationError: It is a class, or a list; says what to give.
    """
    check_is_one(given, where)
    if decision_model(given) is not None:
        hint = NO_TIER
    elif isinstance(given, BaseLLM):
        hint = "a chat model takes its place, such as ChatOpenAI for OpenAI"
    elif isinstance(given, Runnable):
        hint = (
            "give it a model to be where no configuration names one"
            if is_undecided(given)
            else "for chains and other runnables use RunnableCascade"
        )
    else:
        hint = _of_another_framework(given) or (
            "give a chat model, or a name such as 'openai:gpt-4o-mini'"
        )
    return ConfigurationError(f"{where} is not a chat model but {type(given).__name__}; {hint}")


def no_runnable(given: object, where: str) -> ConfigurationError:
    """Return the same of what cannot be run as a chain."""
    check_is_one(given, where)
    hint = _of_another_framework(given)
    if isinstance(given, str):
        hint = "only ChatCascade takes models by name"
    of = f"{where} is not a runnable but {type(given).__name__}"
    return ConfigurationError(f"{of}; {hint}" if hint else of)


def _of_another_framework(given: object) -> str | None:
    if not is_of(given, "llama_index"):
        return None
    return "it is LlamaIndex's: use llamaindex_cascade, or LangChain's class of that provider"
