"""Imports point one way, and the source keeps the house rules a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "shared" / "cascade_core"
DEMO = ROOT / "shared" / "cascade_demo"
LANGCHAIN = ROOT / "langchain_cascade"
LLAMAINDEX = ROOT / "llamaindex_cascade"

LONGEST_MODULE = 400
# Sentences as data: one list, as long as it is.
DATA_MODULES = {DEMO / "phrases.py"}

# Written in pieces, so that this file does not find itself.
SLASH, SK = "/", "sk"
MACHINE_PATH = rf"(?<![\w.]){SLASH}(?:home|Users|root|work)/[\w.-]+"
KEY = rf"\b{SK}-(?:ant-|proj-)?[A-Za-z0-9_]{{16,}}"
FORBIDDEN_TEXT = re.compile(f"{MACHINE_PATH}|{KEY}")


def modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import, inside functions and by name too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and node.args:
            function = node.func
            name = getattr(function, "attr", None) or getattr(function, "id", None)
            first = node.args[0]
            if (
                name in {"import_module", "__import__"}
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                yield node.lineno, first.value.partition(".")[0]


def offences(package: Path, *forbidden: str) -> list[str]:
    return [
        f"{label(path)}:{line} imports {name}"
        for path in modules(package)
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
    assert list(imported(path)) == [(2, "langchain_core"), (3, "llama_index")]


def test_the_core_never_prints() -> None:
    calls = [
        f"{label(path)}:{node.lineno}"
        for path in modules(CORE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert calls == []


@pytest.mark.parametrize("package", [CORE, DEMO, LANGCHAIN, LLAMAINDEX], ids=label)
def test_no_module_outgrows_its_subject(package: Path) -> None:
    lengths = {
        label(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules(package)
        if path not in DATA_MODULES
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


@pytest.mark.parametrize("package", [CORE, DEMO, LANGCHAIN, LLAMAINDEX], ids=label)
def test_every_module_says_why_it_exists(package: Path) -> None:
    silent = [
        label(path)
        for path in modules(package)
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def tracked() -> list[Path]:
    """Files of the repository, as git sees them; outside a repository, the packages and tests."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        out = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [
            p
            for folder in (CORE, DEMO, LANGCHAIN, LLAMAINDEX, ROOT / "tests")
            for p in modules(folder)
        ]
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
