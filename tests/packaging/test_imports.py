"""Public names import, and importing the adapter costs little more than importing LangChain."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from functools import cache

import pytest

PUBLIC = {
    "cascade_core": ["CascadeError", "Policy", "Verdict", "collect_decisions"],
    "cascade_core.signals": [
        "Grounding",
        "Judge",
        "SelfConsistency",
        "SequenceLogprob",
        "TokenMargin",
        "Verbalized",
    ],
    "llamaindex_cascade": [
        "CascadeDecisionEvent",
        "CascadeLLM",
        "CascadeQueryEngine",
        "CascadeSynthesizer",
    ],
    "langchain_cascade": ["CascadeMiddleware", "ChatCascade", "RunnableCascade"],
}

# Slow to import, or not installed everywhere: each waits until something needs it.
HEAVY = {
    "genai_prices",
    "langchain",
    "langgraph",
    "openai",
    "rich",
    "starlette",
    "tiktoken",
    "typer",
    "uvicorn",
}


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in PUBLIC.items() for name in names],
)
def test_a_public_name_imports_and_is_listed(module: str, name: str) -> None:
    loaded = importlib.import_module(module)
    assert getattr(loaded, name) is not None
    assert name in loaded.__all__


@cache
def loaded_by(statement: str) -> frozenset[str]:
    """Top-level packages that a fresh interpreter has loaded after `statement`."""
    code = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return frozenset(name.partition(".")[0] for name in json.loads(result.stdout))


def test_importing_the_adapter_loads_nothing_heavy_beyond_langchain_core() -> None:
    baseline = loaded_by("import langchain_core.language_models.chat_models")
    assert loaded_by("import langchain_cascade") & HEAVY <= baseline


def test_importing_the_llamaindex_adapter_loads_nothing_heavy_beyond_its_llms() -> None:
    baseline = loaded_by("import llama_index.core.llms")
    assert loaded_by("import llamaindex_cascade") & (HEAVY | {"langchain_core"}) <= baseline


def test_importing_the_core_loads_no_framework() -> None:
    frameworks = {"langchain", "langchain_core", "llama_index", "langgraph"}
    assert not loaded_by("import cascade_core, cascade_core.signals") & (frameworks | HEAVY)
