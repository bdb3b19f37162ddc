"""Imports point one way, and the source keeps the house rules a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.packaging.source import (
    CORE,
    LANGCHAIN,
    LLAMAINDEX,
    PACKAGES,
    ROOT,
    files,
    imported,
    label,
    parsed,
)

# Written in pieces, so that this file does not find itself.
SLASH, SK = "/", "sk"
MACHINE_PATH = rf"(?<![\w.]){SLASH}(?:home|Users|root|work)/[\w.-]+"
KEY = rf"\b{SK}-(?:ant-|proj-)?[A-Za-z0-9_]{{16,}}"
FORBIDDEN_TEXT = re.compile(f"{MACHINE_PATH}|{KEY}")


def offences(package: Path, *forbidden: str) -> list[str]:
    return [
        f"{label(path)}:{line} imports {name}"
        for path in files(package)
        for line, name in imported(path)
        if name.startswith(forbidden)
    ]


def test_the_core_imports_no_framework_and_no_adapter() -> None:
    forbidden = ("langchain", "langgraph", "langsmith", "llama_index", "llamaindex", "cascade_demo")
    assert offences(CORE, *forbidden) == []


def test_the_langchain_adapter_imports_no_other_adapter() -> None:
    assert offences(LANGCHAIN, "llama_index", "llamaindex", "cascade_demo") == []


def test_the_llamaindex_adapter_imports_no_other_adapter() -> None:
    assert offences(LLAMAINDEX, "langchain", "langgraph", "langsmith", "cascade_demo") == []


def test_the_scan_sees_lazy_and_named_imports(tmp_path: Path) -> None:
    path = tmp_path / "lazy.py"
    path.write_text(
        "def f():\n"
        "    from langchain_core.messages import AIMessage\n"
        "    return import_module('llama_index.core')\n"
    )
    assert list(imported(path)) == [
        (2, "langchain_core.messages.AIMessage"),
        (3, "llama_index.core"),
    ]


def test_the_core_never_prints() -> None:
    calls = [
        f"{label(path)}:{node.lineno}"
        for path in files(CORE)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert calls == []


@pytest.mark.parametrize("package", PACKAGES, ids=label)
def test_every_module_says_why_it_exists(package: Path) -> None:
    silent = [label(path) for path in files(package) if ast.get_docstring(parsed(path)) is None]
    assert silent == []


def tracked() -> list[Path]:
    """Files of the repository, as git sees them; outside a repository, the packages and tests."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        out = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [p for folder in (*PACKAGES, ROOT / "tests") for p in files(folder)]
    return [path for name in out.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_holds_a_key_or_a_path_of_somebodys_machine() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # weights and the like
        for number, line in enumerate(text.splitlines(), 1):
            # The match itself is not shown: it may be a key.
            if FORBIDDEN_TEXT.search(line):
                found.append(f"{label(path)}:{number}")
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        f"{SLASH}home/ada/x.py",
        f"{SLASH}Users/ada",
        f"{SK}-proj-{'a' * 24}",
        f"{SK}-{'Zz9' * 8}",
    ],
)
def test_the_text_scan_sees(text: str) -> None:
    assert FORBIDDEN_TEXT.search(f"value = '{text}'")


@pytest.mark.parametrize("text", ["sk-test", "task-specific-something-long", "a/homeward/bound"])
def test_the_text_scan_lets_pass(text: str) -> None:
    assert not FORBIDDEN_TEXT.search(text)
