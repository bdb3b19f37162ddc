"""The cell that tells how to use models of one's own makes what it says, four times over.

Needs no notebook software, so that it also runs where all integrations are installed.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent.parent / "cookbooks"
PROVIDERS = ("OpenAI", "Anthropic", "Ollama", "vLLM")
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")


def _cell(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    return next((text for text in texts if re.match(r"#+ With your own models\n", text)), "")


def _fences(path: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", _cell(path), re.DOTALL | re.MULTILINE)


PATHS = sorted(FOLDER.glob("*.ipynb"))
CASES = [
    pytest.param(fence, id=f"{path.stem}-{place}")
    for path in PATHS
    for place, fence in enumerate(_fences(path), 1)
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_names_four_ways(path: Path) -> None:
    assert len(_fences(path)) == len(PROVIDERS)
    assert [name for name in PROVIDERS if name.lower() not in _cell(path).lower()] == []


@pytest.mark.parametrize("fence", CASES)
def test_each_makes_a_cheap_and_a_strong_model(fence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, "unused")
    for name in _imported(fence):
        if not _is_installed(name):
            pytest.skip(f"{name} is not installed")
    made: dict[str, object] = {}
    exec(compile(fence, "With your own models", "exec"), made)
    for name in ("cheap", "strong"):
        assert hasattr(made[name], "invoke") or hasattr(made[name], "complete")
    assert made["strong"] is not made["cheap"]


def _imported(code: str) -> list[str]:
    return [
        node.module
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and node.module
    ]


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # nor is what it would be in
        return False
