"""What `cascade` alone proposes: it fits what is installed, and the folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cascade_core.commands import next_steps
from cascade_core.commands.next_steps import is_project, models_of, what_next
from tests.running import only_installed

LANGCHAIN = {"langchain_core", "langchain"}
LLAMAINDEX = {"llama_index", "llama_index.core"}
DEMO = {"langchain_openai", "starlette", "uvicorn"}
EVERYTHING = LANGCHAIN | LLAMAINDEX | DEMO | {"llama_index.llms", "llama_index.llms.openai_like"}

Install = Callable[[set[str]], None]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Let these modules be installed and no others."""
    return partial(only_installed, monkeypatch)


@pytest.mark.parametrize(
    ("there", "said", "unsaid"),
    [
        (
            set(),
            ["No adapter is installed", "[demo]'", "[demo-llamaindex]'", "cascade init"],
            ["ChatCascade", "CascadeLLM", "check"],
        ),
        (
            LANGCHAIN,
            ["pip install 'model-cascade[demo]'\n       cascade demo\n", "ChatCascade"],
            ["CascadeLLM", "check", "llamaindex"],
        ),
        (
            LLAMAINDEX,
            ["[demo-llamaindex]'\n       cascade demo --framework llamaindex\n", "CascadeLLM"],
            ["ChatCascade", "check", "[demo]"],
        ),
        (LANGCHAIN | DEMO, ["cascade demo\n", "cascade check openai:"], ["pip", "CascadeLLM"]),
        (EVERYTHING, ["cascade demo\n", "ChatCascade(", "CascadeLLM("], ["pip", "--framework"]),
    ],
    ids=["nothing", "langchain", "llamaindex", "demo", "all"],
)
def test_the_steps_fit_what_is_installed(
    installed: Install, tmp_path: Path, there: set[str], said: list[str], unsaid: list[str]
) -> None:
    installed(there)
    steps = what_next(tmp_path)
    assert [text for text in said if text not in steps] == []
    assert [text for text in unsaid if text in steps] == []
    assert 3 <= sum(line.startswith("  ") and line[2].isdigit() for line in steps.splitlines()) <= 4


def project(folder: Path, models: str = '"demo:desk-small", "demo:desk-large"') -> Path:
    for name in ("requests.csv", "cascade.toml"):
        (folder / name).write_text("")
    (folder / "app_langchain.py").write_text(f"x = 1\nCHEAP, STRONG = {models}\n")
    return folder


def test_a_starter_project_is_told_from_any_other_folder(tmp_path: Path) -> None:
    assert not is_project(tmp_path)
    assert is_project(project(tmp_path))
    (tmp_path / "cascade.toml").unlink()
    assert not is_project(tmp_path)


def test_in_a_starter_project_the_next_step_is_said_and_none_that_is_done(
    installed: Install, tmp_path: Path
) -> None:
    installed(LANGCHAIN)
    assert "pip install 'model-cascade[demo]'" in what_next(project(tmp_path))
    installed(EVERYTHING)
    begun = what_next(tmp_path)
    assert begun.startswith("This folder is a starter project")
    assert "pip" not in begun
    assert "python app_langchain.py" in begun
    assert "cascade collect requests.csv --tier demo:desk-small --tier demo:desk-large" in begun
    assert "tune" not in begun.replace("to tune on", "")
    (tmp_path / "labels.csv").write_text("")
    labelled = what_next(tmp_path)
    assert "cascade tune labels.csv" in labelled
    assert "collect" not in labelled
    (tmp_path / "policy.json").write_text("")
    tuned = what_next(tmp_path)
    assert "cascade replay labels.csv --policy policy.json" in tuned
    assert 'POLICY = HERE / "policy.json" in app_langchain.py' in tuned
    assert "cascade tune" not in tuned


def test_a_starter_projects_own_models_are_the_ones_to_collect_from(
    installed: Install, tmp_path: Path
) -> None:
    installed(LANGCHAIN)
    said = what_next(project(tmp_path, '"openai:gpt-4o-mini", "ollama:llama3.2:3b"'))
    assert "--tier openai:gpt-4o-mini --tier ollama:llama3.2:3b " in said
    assert "pip" not in said  # the embedded models' needs are no longer theirs


@pytest.mark.parametrize("content", [b"", b"CHEAP, STRONG = make()\n", b"\xff\xfe\x00"])
def test_where_a_script_names_no_models_the_embedded_ones_are_meant(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "app_langchain.py").write_bytes(content)
    assert models_of(tmp_path / "app_langchain.py") == next_steps.EMBEDDED
    assert models_of(tmp_path / "none.py") == next_steps.EMBEDDED
