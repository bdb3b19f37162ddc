"""`cascade init`: what it writes, that it runs as its own README says, and what it leaves alone."""

from __future__ import annotations

import csv
import re
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langchain_openai")
pytest.importorskip("llama_index.llms.openai_like")

from cascade_core import Policy
from cascade_core.commands.next_steps import EMBEDDED, is_project, models_of, project_steps
from cascade_core.errors import ConfigurationError
from cascade_demo import init as starting
from cascade_demo.asking import FRAMEWORKS
from tests.running import Run, in_process, only_installed

COMMON = {"README.md", "cascade.toml", "requests.csv", "grading.py", "prices.json"}


@pytest.fixture
def cascade(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    return in_process(monkeypatch, capfd)


Line = Callable[[str], str]


@pytest.fixture
def line(
    cascade: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    lent: None,
) -> Iterator[Line]:
    """Run a line of the project's README in its folder, in this process, which has imported all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # `collect` looks for a grader in the folder

    def run(command: str) -> str:
        program, *arguments = shlex.split(command)
        if program == "cascade":
            ran = cascade(*arguments)
            assert ran.status == 0, ran.err
            return ran.out
        assert program == "python"
        capfd.readouterr()
        runpy.run_path(arguments[0], run_name="__main__")
        return capfd.readouterr().out

    yield run
    sys.modules.pop("grading", None)


def commands_of(readme: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", readme, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_the_project_runs_as_its_readme_says_from_the_first_line_to_the_last(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path
    monkeypatch.setattr(starting, "TICKETS", 200)  # enough for the promise
    starting.write_project(folder, FRAMEWORKS)
    install, *commands = commands_of((folder / "README.md").read_text())
    assert install == "pip install 'model-cascade[demo-llamaindex]'"
    apps = [f"python app_{framework}.py" for framework in FRAMEWORKS]
    assert commands[:2] == apps
    assert [command.split()[1] for command in commands[2:]] == ["collect", "tune", "replay"]
    said = []
    for command in commands:
        # What `cascade` alone would have said to do.
        proposed = [line for step in project_steps(folder) for line in step.lines]
        assert command in proposed
        said.append(line(command))
    for app in said[:2]:  # both frameworks decide alike
        assert app.count("who   desk-small (tier 0)\n  why   confident: 0.9") == 2
        assert app.count("who   desk-large (tier 1)\n  why   low_confidence: 0.") == 2
        assert app.count("cost  $0.000") == 4
    assert said[0] == said[1]
    assert "promised: harm ≤ 5 %" in said[3]
    for app in apps:  # the last step: serve with what was tuned
        script = folder / app.split()[1]
        text = script.read_text()
        assert text.count('HERE / "cascade.toml"') == 1
        script.write_text(text.replace('HERE / "cascade.toml"', 'HERE / "policy.json"'))
    (tuned,) = {line(app) for app in apps}
    threshold = Policy.load(folder / "policy.json").thresholds
    assert threshold is not None
    assert tuned.count(f"threshold of {threshold[0]:.3f}") == 4


def test_the_policy_can_be_read_and_the_requests_have_references_and_classes(
    tmp_path: Path,
) -> None:
    starting.write_project(tmp_path, ["langchain"])
    policy = Policy.load(tmp_path / "cascade.toml")
    assert policy.thresholds == (0.97,)
    with (tmp_path / "requests.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) == {"id", "request", "reference", "class"}
    assert len(rows) == starting.TICKETS
    assert all(all(row.values()) for row in rows)
    assert set(policy.classes) <= {row["class"] for row in rows}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_script_is_written_for_the_framework_that_was_asked_for(
    cascade: Run, tmp_path: Path, framework: str
) -> None:
    ran = cascade("init", tmp_path / "p", "--framework", framework)
    assert (ran.status, ran.err) == (0, "")
    names = {path.name for path in (tmp_path / "p").iterdir()}
    assert names == COMMON | {f"app_{framework}.py"}
    assert all(name in ran.out for name in names)
    assert f"\n  cd {tmp_path / 'p'}\n  python app_{framework}.py\n" in ran.out
    readme = (tmp_path / "p" / "README.md").read_text()
    (other,) = set(FRAMEWORKS) - {framework}
    assert f"app_{other}" not in readme
    assert not re.search(r"@[A-Z]+@", readme)
    assert models_of(tmp_path / "p" / f"app_{framework}.py") == EMBEDDED


def test_it_is_written_into_the_folder_one_is_in(
    cascade: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    ran = cascade("init", "--framework", "both")
    assert ran.status == 0
    assert "cd " not in ran.out
    assert is_project(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("there", "expected", "extra"),
    [
        (("langchain_core", "langchain"), {"app_langchain.py"}, "demo"),
        # No integration of a provider: there is no `llama_index.llms`.
        (("llama_index", "llama_index.core"), {"app_llamaindex.py"}, "demo-llamaindex"),
        ((), {"app_langchain.py", "app_llamaindex.py"}, "demo-llamaindex"),
    ],
    ids=["langchain", "llamaindex", "nothing"],
)
def test_what_is_installed_decides_where_nobody_does(
    cascade: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: tuple[str, ...],
    expected: set[str],
    extra: str,
) -> None:
    only_installed(monkeypatch, there)
    ran = cascade("init", tmp_path / "p")
    assert (ran.status, ran.err) == (0, "")
    assert {path.name for path in (tmp_path / "p").iterdir()} == COMMON | expected
    assert f"  pip install 'model-cascade[{extra}]'\n" in ran.out


def test_files_in_the_way_are_named_and_nothing_is_written(cascade: Run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "grading.py").symlink_to(tmp_path / "nowhere")
    ran = cascade("init", tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"cascade: {tmp_path} has README.md, grading.py already, and nothing is overwritten: "
        "move them away, or give another folder\n"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", "grading.py"}
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("stopped", "raised"),
    [
        (OSError(28, "No space left on device"), ConfigurationError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["full disk", "interrupt"],
)
def test_what_stops_it_leaves_nothing_half_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stopped: BaseException,
    raised: type[BaseException],
) -> None:
    (tmp_path / "there").mkdir()
    whole = Path.open

    def stop(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "prices.json":
            raise stopped
        return whole(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", stop)
    for folder in (tmp_path / "new" / "deep", tmp_path / "up" / ".." / "over", tmp_path / "there"):
        with pytest.raises(raised) as told:
            starting.write_project(folder, FRAMEWORKS)
        if raised is ConfigurationError:
            assert str(told.value) == f"{folder} cannot be written to: No space left on device"
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_what_others_put_into_a_new_folder_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, whole = tmp_path / "new", Path.open

    def race(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "prices.json":
            path.touch()
        return whole(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", race)
    with pytest.raises(ConfigurationError, match="cannot be written to: File exists"):
        starting.write_project(folder, FRAMEWORKS)
    assert [path.name for path in folder.iterdir()] == ["prices.json"]


def test_a_folder_that_cannot_even_be_looked_for_is_one_line(cascade: Run, tmp_path: Path) -> None:
    ran = cascade("init", tmp_path / ("x" * 300))
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.endswith("cannot be written to: File name too long\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("taken",), "taken is a file: give a folder"),
        (("taken/deeper",), "taken/deeper cannot be written to: Not a directory"),
        (("x", "--framework", "haystack"), "use one of langchain, llamaindex, both"),
        (("x", "y"), "init --help"),
    ],
)
def test_bad_arguments_are_one_line(
    cascade: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("")
    ran = cascade("init", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert said in ran.err
    assert not (tmp_path / "x").exists()
