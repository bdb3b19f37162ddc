"""Finds what belongs to a request beside its prompt: the conversation, and retrieved texts.

The texts an answer was made from are in a chain's input, its output, or the config.

A chat model is only given a prompt, with whatever was retrieved somewhere
inside it; so a `ChatCascade` can only know the contexts from its caller. What
was retrieved by tools stands in the messages of an agent, and is not read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.documents import Document
from langchain_core.runnables.config import RunnableConfig

from cascade_core.errors import ConfigurationError
from cascade_core.integrations.threads import thread_in

KEYS = ("context", "contexts", "documents", "docs", "source_documents")
METADATA_KEY = "cascade_contexts"


def thread_of(config: RunnableConfig) -> str | None:
    """Return the conversation that a request belongs to: LangGraph's, else what metadata name."""
    configurable = config.get("configurable")
    named = thread_in(configurable) if configurable else None
    return named or thread_in(config.get("metadata"))


def contexts_in(value: Any) -> tuple[str, ...] | None:
    """Read the contexts of a chain's input or output.

    Args:
        value: Anything; only a mapping with one of `KEYS` that holds a text, a
            `Document`, or a list of these has contexts.

    Returns:
        The texts that are not blank, each once; empty where nothing was
        retrieved, None where there is no place for what was.
    """
    if not isinstance(value, Mapping):
        return None
    found = [texts for key in KEYS if (texts := _texts(value.get(key))) is not None]
    if not found:
        return None
    return tuple(dict.fromkeys(text for texts in found for text in texts))


def contexts_of(config: RunnableConfig, value: Any = None) -> tuple[str, ...]:
    """Return the contexts of a request: those named in the config, else those of the input.

    Args:
        config: May name them as `metadata["cascade_contexts"]`: a list of texts
            or `Document`s. Like all metadata, tracers see them.
        value: The input of a chain.

    Raises:
        ConfigurationError: The metadata holds something else.
    """
    named = (config.get("metadata") or {}).get(METADATA_KEY)
    if named is None:
        return contexts_in(value) or ()
    texts = _texts(named)
    if texts is None:
        raise ConfigurationError(
            f"config metadata {METADATA_KEY!r} is {type(named).__name__}: "
            "give a list of texts or Documents"
        )
    return texts


def _texts(value: Any) -> tuple[str, ...] | None:
    """Return the texts of a text, a document or a list of them; None for anything else."""
    entries = value if isinstance(value, list | tuple) else [value]
    texts = [entry.page_content if isinstance(entry, Document) else entry for entry in entries]
    if not all(isinstance(text, str) for text in texts):
        return None
    return tuple(text for text in texts if text.strip())
