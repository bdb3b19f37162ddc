"""The embedded models by name: `demo:desk-small` and `demo:desk-large`, wherever names are taken.

Their server is a process of its own. It starts with the first such model and ends with this
program.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_demo.asking import EXTRAS
from cascade_demo.prices import PRICES


def chat_model(name: str, where: str) -> Any:
    """Return LangChain's chat model of an embedded model.

    Args:
        name: `desk-small` or `desk-large`.
        where: How an error names the place where it was given.

    Raises:
        ConfigurationError: There is no such model, or what it needs is not installed.
    """
    return _make("langchain", name, where)


def llm(name: str, where: str) -> Any:
    """Return LlamaIndex's LLM of an embedded model; see `chat_model`."""
    return _make("llamaindex", name, where)


def _make(framework: str, name: str, where: str) -> Any:
    given = f"{where}={f'demo:{name}'!r}"
    if name not in PRICES:
        known = " or ".join(f"demo:{each}" for each in PRICES)
        raise ConfigurationError(f"{given}: the demo has no such model; use {known}")
    try:
        make: Callable[[str, str], Any] = import_module(f"cascade_demo.asking_{framework}").embedded
        return make(name, _base_url())
    except ModuleNotFoundError as error:
        msg = (
            f"{given} needs {error.name or 'a package'}, which is not installed: "
            f"pip install 'model-cascade[{EXTRAS[framework]}]'"
        )
        raise ConfigurationError(msg) from error


@cache
def _base_url() -> str:
    import cascade_demo

    return cascade_demo.start().base_url
