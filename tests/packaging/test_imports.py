"""Importing an adapter costs little more than importing its framework."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

# Slow to import, or not installed everywhere: each waits until something needs it.
HEAVY = {
    "alembic",
    "genai_prices",
    "langchain",
    "langgraph",
    "openai",
    "psycopg",
    "rich",
    "sqlalchemy",
    "starlette",
    "tiktoken",
    "typer",
    "uvicorn",
}


@cache
def loaded_by(statement: str) -> frozenset[str]:
    """Top-level packages that a fresh interpreter has loaded after `statement`."""
    code = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return frozenset(name.partition(".")[0] for name in json.loads(result.stdout))


@pytest.mark.processes
def test_importing_the_adapter_loads_nothing_heavy_beyond_langchain_core() -> None:
    baseline = loaded_by("import langchain_core.language_models.chat_models")
    assert loaded_by("from langchain_cascade import ChatCascade") & HEAVY <= baseline


@pytest.mark.processes
def test_the_list_of_commands_waits_for_no_framework() -> None:
    listed = loaded_by("from cascade_core.cli import make_app; make_app()")
    assert "langchain_cascade" in listed
    assert not listed & {"langchain", "langsmith", "llama_index", "langgraph", "numpy"}


@pytest.mark.processes
def test_importing_the_llamaindex_adapter_loads_nothing_heavy_beyond_its_llms() -> None:
    baseline = loaded_by("import llama_index.core.llms")
    assert loaded_by("import llamaindex_cascade") & (HEAVY | {"langchain_core"}) <= baseline


@pytest.mark.processes
def test_importing_the_core_loads_no_framework() -> None:
    frameworks = {"langchain", "langchain_core", "llama_index", "langgraph"}
    assert not loaded_by("import cascade_core, cascade_core.signals") & (frameworks | HEAVY)
