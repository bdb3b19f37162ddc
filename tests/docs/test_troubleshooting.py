"""Every message that docs/troubleshooting.md quotes is one that the product prints."""

from __future__ import annotations

import ast
import re
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.provoking import PROVOKED
from tests.docs.provoking_commands import MISTAKES
from tests.running import in_process

PAGE = ROOT / "docs" / "troubleshooting.md"
CODE = [
    ROOT / name
    for name in (
        "shared/cascade_core",
        "shared/cascade_demo",
        "langchain_cascade",
        "llamaindex_cascade",
    )
]
QUOTED = [
    " ".join(text.split())
    for text in re.findall(
        r"^```text\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
]
FEWEST_LETTERS = 15
"""Letters in a row that a template has to say itself."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Make every mistake once; what is said of each, by its name."""
    found = {}
    for mistake in (*PROVOKED, *MISTAKES):
        folder = tmp_path_factory.mktemp(mistake.__name__)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setenv("OPENAI_API_KEY", "unused")
            patch.setenv("COLUMNS", "200")
            if mistake in MISTAKES:
                ran = in_process(patch, Caught())(*mistake())  # type: ignore[arg-type, call-arg]
                assert ran.status == 2, mistake.__name__
                # Typer names the program as it was started.
                message = re.sub(r"see \S.*(?=cascade \w+ --help)", "see ", ran.err)
            else:
                message = mistake(folder)  # type: ignore[call-arg]
        found[mistake.__name__] = " ".join(message.replace(str(folder), "/path/to/project").split())
    return found


class Caught:
    """What `capfd` does, for more than one test."""

    def __init__(self) -> None:
        self._streams = StringIO(), StringIO()
        self._redirected = ExitStack()
        self._redirected.enter_context(redirect_stdout(self._streams[0]))
        self._redirected.enter_context(redirect_stderr(self._streams[1]))
        self._reads = 0

    def readouterr(self) -> tuple[str, str]:
        self._reads += 1
        if self._reads == 2:  # before the command, and after it
            self._redirected.close()
        return self._streams[0].getvalue(), self._streams[1].getvalue()


@pytest.mark.parametrize("name", [mistake.__name__ for mistake in (*PROVOKED, *MISTAKES)])
def test_a_mistake_is_answered_as_quoted(name: str, said: dict[str, str]):
    assert said[name] in QUOTED


@pytest.mark.parametrize("message", QUOTED)
def test_a_quoted_message_is_one_that_the_product_prints(message: str, said: dict[str, str]):
    words = message.removeprefix("cascade: ")
    seen = message in said.values() or any(pattern.search(words) for pattern in templates())
    assert seen, "no text of the product reads like this any more"


def test_every_warning_is_explained():
    missing = []
    for path in files():
        if path.name == "hooks.py":  # nothing of a user's is a hook
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and name_of(node.func) in GIVERS:
                texts = [part for part in ast.walk(node) if isinstance(part, ast.JoinedStr)]
                patterns = [found for text in texts if (found := template(text)) is not None]
                said = [any(pattern.search(message) for message in QUOTED) for pattern in patterns]
                if not all(said):
                    missing.append(f"{path.name}:{node.lineno}")
    assert not missing


GIVERS = {"warn", "give", "give_of_setup", "Note"}
"""What warnings are given with."""


def name_of(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def files() -> list[Path]:
    return [path for folder in CODE for path in sorted(folder.rglob("*.py"))]


@cache
def templates() -> list[re.Pattern[str]]:
    """Find every text of the product that can be part of a message, with room for its figures."""
    found: list[re.Pattern[str]] = []
    for path in files():
        tree = ast.parse(path.read_text("utf-8"))
        skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        skipped |= {id(part) for node in joined for part in node.values}
        texts = [template(node) for node in ast.walk(tree) if id(node) not in skipped]
        found += [pattern for pattern in texts if pattern is not None]
    return found


def template(node: ast.AST) -> re.Pattern[str] | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        parts = [node.value]
        pattern = re.escape(" ".join(node.value.split()))
    elif isinstance(node, ast.JoinedStr):
        parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
        pattern = "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else ".{0,300}?"
            for part in node.values
        )
    else:
        return None
    longest = max((len(part) for part in parts if isinstance(part, str)), default=0)
    return re.compile(pattern) if longest >= FEWEST_LETTERS else None
