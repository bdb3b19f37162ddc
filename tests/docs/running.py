"""Runs the code of a page: every block from the top, in one folder and with one set of names.

What a block's language and title mean is said in `docs/contributing.md`.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest import mock

from sybil import Document, Example, Region
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown.lexers import DirectiveInHTMLCommentLexer, RawFencedCodeBlockLexer

from tests.docs.standin.redirect.sitecustomize import leading
from tests.outputs import ANYTHING, differences

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
COOKBOOKS = ROOT / "docs" / "cookbooks"
"""Made of the notebooks, which have tests of their own."""

PAGES = [*sorted(p for p in (ROOT / "docs").rglob("*.md") if p.parent != COOKBOOKS), README]

WIDTH = 88
"""Columns of the terminal that commands are shown in."""

_INFO = re.compile(r"(?P<language>\w*)(?P<rest>[^\n]*)\n")
_TITLE = re.compile(r'title="([^"]+)"')
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n?", re.MULTILINE)
_CHANGE = re.compile(r"cd ([\w-]+)")
_PORT = re.compile(r"--port[= ](\d+)")


@dataclass
class Shown:
    """A command of a page, with what is shown below it and what came out now."""

    written: str
    kept: str
    fresh: str = ""

    @property
    def command(self) -> str:
        """What the shell gets: a line may go on after a backslash."""
        return self.written.replace("\\\n", " ")

    @property
    def differences(self) -> list[str]:
        return differences(self.kept, self.fresh)


@dataclass
class Page:
    """A page and the folder its code runs in; commands run in the one that `cd` led to."""

    path: Path
    folder: Path
    env: dict[str, str]
    behind: ExitStack
    commands: list[str] = field(default_factory=list)
    titled: set[str] = field(default_factory=set)
    rewrite: bool = False
    fresh: dict[int, str] = field(default_factory=dict)
    inside: str = ""

    def parse(self, document: Document) -> Iterator[Region]:
        """Find the blocks; a parser for Sybil."""
        for region in DirectiveInHTMLCommentLexer("invisible-code-block", r"python")(document):
            yield Region(region.start, region.end, region.lexemes["source"], PythonEvaluator())
        for region in RawFencedCodeBlockLexer(_INFO)(document):
            language, rest = region.lexemes["language"], region.lexemes["rest"]
            source, title = region.lexemes["source"], _TITLE.search(rest)
            if title:
                yield Region(region.start, region.end, (title[1], source), self.write)
            elif language == "python":
                yield Region(region.start, region.end, source, PythonEvaluator())
            elif language == "console":
                yield Region(region.start, region.end, source, self.console)
            elif language == "sh":
                yield Region(region.start, region.end, source, self.set_up)

    def write(self, example: Example) -> str | None:
        """Write a titled block to its file."""
        name, source = example.parsed
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder):
            return f"{name}: a file of the page belongs into the page's folder"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        if path.suffix == ".py":
            self.titled.add(name)
        return None

    def console(self, example: Example) -> str | None:
        """Run the commands of a block and compare what they print."""
        shown = read_console(example.parsed)
        if not shown:
            return "no line of this block begins with '$ '"
        said = []
        for one in shown:
            self.commands.append(one.command)
            status, one.fresh = self.run(one.command)
            said += [f"$ {one.command}", *one.differences] if one.differences else []
            if status and (not one.kept.strip() or ANYTHING in one.kept.splitlines()):
                said.append(f"$ {one.command}\nended with status {status}:\n{one.fresh}")
        if self.rewrite and any(one.differences for one in shown):
            self.fresh[example.line] = write_console(shown)
            return None
        return "\n".join(said) or None

    def set_up(self, example: Example) -> str | None:
        """Look whether what is to be installed and made exists; it is not run."""
        wrong = [said for line in example.parsed.splitlines() if (said := set_up_fault(line))]
        return "\n".join(wrong) or None

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; one that ends with `&` goes on behind those after it."""
        if entered := _CHANGE.fullmatch(command):
            self.inside = entered[1]
            return 0, ""
        kept_running = command.rstrip().endswith("&")
        env = self.env
        if command.startswith("cascade check") and "--live" not in command:
            # Nothing is sent; but what answers at another address than the provider's is not known.
            env = {k: v for k, v in env.items() if k not in {"OPENAI_BASE_URL", "OPENAI_API_BASE"}}
        process = subprocess.Popen(
            ["/bin/sh", "-c", command.rstrip().removesuffix("&")],
            cwd=self.folder / self.inside,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if kept_running else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        if kept_running:
            self.behind.callback(process.wait)
            self.behind.callback(_end, process)
            if port := _PORT.search(command):
                _await_port(int(port[1]), process)
            return 0, ""
        try:
            out, _ = process.communicate(timeout=600)
        finally:
            _end(process)
        return process.returncode, out.replace(f"{self.folder}/", "")


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


def _await_port(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(1200):
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        assert process.poll() is None, "the command ended before it listened"
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


# --- console blocks ------------------------------------------------------------------------------


def read_console(source: str) -> list[Shown]:
    """Read commands and their outputs."""
    found = list(_COMMAND.finditer(source))
    starts = [match.start() for match in found] + [len(source)]
    return [
        Shown(match[1], source[match.end() : end])
        for match, end in zip(found, starts[1:], strict=True)
    ]


def write_console(shown: list[Shown]) -> str:
    """Write commands and their outputs; what has not changed stays as it was."""
    parts = []
    for one in shown:
        same = not one.differences
        output = one.kept if same else "\n".join(line.rstrip() for line in one.fresh.splitlines())
        parts.append((one.written, output.strip("\n")))
    return "\n".join(f"$ {command}" + (f"\n{out}" if out else "") for command, out in parts) + "\n"


# --- what is only to be installed -----------------------------------------------------------------


def set_up_fault(line: str) -> str | None:
    """Say what is wrong with a line for a shell that is not run here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    line = line.partition(" #")[0].strip()
    if not line or line.startswith("#"):
        return None
    if line.startswith("make"):
        text = (ROOT / "Makefile").read_text(encoding="utf-8")
        targets = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
        named = [word for word in line.split()[1:] if "=" not in word]
        return f"no such target: {line}" if set(named) - targets else None
    if re.match(r"(?:python3? -m )?pip install ", line):
        ours = re.findall(r"(?:\.|model-cascade)\[([\w,-]+)\]", line)
        extras = {extra for group in ours for extra in group.split(",")}
        unknown = extras - project["optional-dependencies"].keys()
        return f"no such extra: {', '.join(sorted(unknown))}" if unknown else None
    if re.match(r"(?:export|git clone|cd|source|\.|python3? -m venv|ollama|vllm) ?", line):
        return None
    return f"`sh` is for what sets a machine up; show this as `console`: {line}"


# --- a page --------------------------------------------------------------------------------------


@contextmanager
def standin() -> Iterator[int]:
    """Start the stand-in for providers; gives its port."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "shared")])
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.docs.standin.server"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin
    assert server.stdout
    try:
        yield int(server.stdout.readline())
    finally:
        server.stdin.close()
        server.wait(10)


def environment(port: int) -> dict[str, str]:
    """What the code of a page finds in its environment."""
    url = f"http://127.0.0.1:{port}"
    return {
        "OPENAI_API_KEY": "unused",
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_BASE": f"{url}/v1",
        "ANTHROPIC_API_KEY": "unused",
        "ANTHROPIC_BASE_URL": url,
        "OLLAMA_HOST": url,
        "STANDIN_PORT": str(port),
        "LANGSMITH_TRACING": "false",
        "COLUMNS": str(WIDTH),
        "NO_COLOR": "1",
        "PYTHONHASHSEED": "0",
    }


@contextmanager
def opened(path: Path, port: int, *, rewrite: bool = False) -> Iterator[tuple[Page, Document]]:
    """Make a page ready to run: its folder, its names, providers on loopback."""
    settings = environment(port)
    bin_folder = str(Path(sys.executable).parent)
    paths = [Path(__file__).parent / "standin" / "redirect", ROOT, ROOT / "shared"]
    env = {
        **{k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")},
        **settings,
        "PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory())).resolve()
        page = Page(path, folder, env, stack, rewrite=rewrite)
        document = Document.parse(str(path), page.parse)
        module = ModuleType("page")
        document.namespace = module.__dict__
        # Not `patch.dict`: it would take back what the page imports, to be imported twice.
        sys.modules["page"] = module
        stack.callback(sys.modules.pop, "page", None)
        stack.enter_context(mock.patch.dict(os.environ, settings))
        for name in ("connect", "connect_ex"):
            there = leading(getattr(socket.socket, name), port)
            stack.enter_context(mock.patch.object(socket.socket, name, there))
        before = Path.cwd()
        os.chdir(folder)
        stack.callback(os.chdir, before)
        stack.callback(_forget)
        yield page, document


def run(path: Path, port: int, *, rewrite: bool = False) -> Page:
    """Run all of a page.

    Raises:
        AssertionError: A block fails, or prints something else than is shown.
    """
    with opened(path, port, rewrite=rewrite) as (page, document):
        for example in document:
            with redirect_stdout(StringIO()):
                example.evaluate()
        for name in page.titled:
            used = any(Path(name).name in command for command in page.commands)
            said = [*page.commands, *(path.read_text("utf-8") for path in page.folder.glob("*.py"))]
            imported = any(re.search(rf"\b{Path(name).stem}\b", one) for one in said)
            assert used or imported, f"{path.name}: no command runs {name}"
    return page


def _forget() -> None:
    """Take back what a page has set for its whole program."""
    core: Any = sys.modules.get("llama_index.core")
    if core is not None:
        for name in ("_llm", "_embed_model", "_callback_manager", "_tokenizer", "_node_parser"):
            if hasattr(core.Settings, name):
                setattr(core.Settings, name, None)
