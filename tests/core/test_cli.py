"""The command line: what is listed, and how everything that goes wrong is one line."""

from __future__ import annotations

import io
import os
import re
import runpy
import sqlite3
import subprocess
import sys
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal

import pytest
from typer.testing import CliRunner

from cascade_core import cli
from cascade_core.errors import CascadeError, CascadeExhausted, CascadeWarning, ConfigurationError

runner = CliRunner()


def entries(monkeypatch: pytest.MonkeyPatch, **commands: Any) -> None:
    """Let these commands be installed: functions, or exceptions that their import raises."""

    class Entry(EntryPoint):
        def load(self) -> Any:
            command = commands[self.name]
            if isinstance(command, BaseException):
                raise command
            return command

    found = [Entry(name, "somewhere:command", cli.GROUP) for name in commands]
    monkeypatch.setattr(cli, "entry_points", lambda group: found if group == cli.GROUP else [])


def main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Run `main` as the installed script does."""
    monkeypatch.setattr(sys, "argv", ["cascade", *arguments])
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)  # `main` changes it
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def good() -> None:
    """Do something useful."""
    sys.stdout.write("done\n")


def needing(tickets: int) -> None:
    """Need a number."""
    sys.stdout.write(f"{tickets}\n")


MISSING = ModuleNotFoundError("No module named 'langchain_core'", name="langchain_core")


def test_help_lists_every_command_of_this_project() -> None:
    shown = runner.invoke(cli.make_app(), ["--help"]).output
    for command in ("check", "demo", "init", "serve-demo"):
        assert command in shown


@pytest.mark.parametrize("command", ["check", "demo", "init", "serve-demo"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    shown = runner.invoke(cli.make_app(), [command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: cascade {command}" in shown.output


def test_without_arguments_it_says_what_to_do_next_and_lists_the_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    entries(monkeypatch, good=good)
    monkeypatch.chdir(tmp_path)
    status, out, err = main(monkeypatch, capsys)
    assert (status, err) == (0, "")
    assert out.index("cascade init my-cascade") < out.index("Do something useful")


def test_what_a_folders_script_says_steers_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("requests.csv", "cascade.toml"):
        (tmp_path / name).write_text("")
    script = 'CHEAP, STRONG = "ollama:\x1b[2J", "ollama:$(date)"\n'
    (tmp_path / "app_langchain.py").write_text(script)
    entries(monkeypatch, good=good)
    monkeypatch.chdir(tmp_path)
    status, out, _ = main(monkeypatch, capsys)
    assert status == 0
    assert r"--tier 'ollama:\x1b[2J' --tier 'ollama:$(date)' " in out
    assert "\x1b[2J" not in out


@pytest.mark.parametrize("package", ["cascade_core", "langchain_cascade", "llamaindex_cascade"])
def test_a_package_that_is_run_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str
) -> None:
    pytest.importorskip("langchain_core" if package == "langchain_cascade" else "cascade_core")
    pytest.importorskip("llama_index" if package == "llamaindex_cascade" else "cascade_core")
    monkeypatch.setattr(sys, "argv", ["cascade", "--version"])
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    with pytest.raises(SystemExit):
        runpy.run_module(package, run_name="__main__")
    assert capsys.readouterr().out.startswith("model-cascade ")


def test_a_command_that_runs_ends_with_status_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries(monkeypatch, good=good)
    assert main(monkeypatch, capsys, "good") == (0, "done\n", "")


BROKEN = {
    "a missing package": MISSING,
    "a name that is gone": ImportError("cannot import name 'x' from 'y'", name="y"),
    "a bug": AttributeError("no such thing"),
    "a syntax error": SyntaxError("invalid syntax"),
}


@pytest.mark.parametrize("problem", list(BROKEN))
def test_a_plugin_that_cannot_be_loaded_hides_no_other_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: str
) -> None:
    entries(monkeypatch, broken=BROKEN[problem], good=good)
    assert main(monkeypatch, capsys, "good") == (0, "done\n", "")
    shown = runner.invoke(cli.make_app(), ["--help"]).output
    assert "broken" in shown
    assert "Not available" in shown
    extra = "langchain" if problem == "a missing package" else "all"
    assert f"'model-cascade[{extra}]'" in " ".join(re.sub("│", " ", shown).split())


@pytest.mark.parametrize("problem", list(BROKEN))
@pytest.mark.parametrize("given", [[], ["some", "--tickets", "20", "--json"]], ids=["bare", "full"])
def test_a_plugin_that_cannot_be_loaded_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    problem: str,
    given: list[str],
) -> None:
    entries(monkeypatch, broken=BROKEN[problem], good=good)
    status, out, err = main(monkeypatch, capsys, "broken", *given)
    assert (status, out) == (2, "")
    extra = "langchain" if problem == "a missing package" else "all"
    assert f"pip install 'model-cascade[{extra}]'" in err
    assert err.count("\n") == 1
    assert ("langchain_core, which is not installed" in err) == (problem == "a missing package")


def test_a_package_missing_only_when_the_command_runs_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lazy() -> None:
        raise MISSING

    entries(monkeypatch, lazy=lazy, good=good)
    status, _, err = main(monkeypatch, capsys, "lazy")
    assert status == 2
    assert err == (
        "cascade: this command needs langchain_core, which is not installed: "
        "pip install 'model-cascade[langchain]'\n"
    )


@pytest.mark.parametrize(
    ("package", "extra"),
    [("matplotlib.pyplot", "report"), ("sklearn", "calibrate"), ("uvicorn", "demo"), ("x", "all")],
)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str, extra: str
) -> None:
    def lazy() -> None:
        raise ModuleNotFoundError(package, name=package)

    entries(monkeypatch, lazy=lazy, good=good)
    status, _, err = main(monkeypatch, capsys, "lazy")
    assert status == 2
    assert err.endswith(
        f"{package}, which is not installed: pip install 'model-cascade[{extra}]'\n"
    )


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("thresholds[0] is 2: give a number in [0, 1]"),
        CascadeExhausted([("tier 0", ValueError())]),
        CascadeError("two\nlines"),
    ],
)
def test_what_the_caller_got_wrong_is_one_line_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: CascadeError
) -> None:
    def wrong() -> None:
        raise error

    entries(monkeypatch, wrong=wrong, good=good)
    status, out, err = main(monkeypatch, capsys, "wrong")
    assert (status, out) == (2, "")
    assert err == f"cascade: {str(error).replace(chr(10), ' ')}\n"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["needing"], "cascade needing --help"),
        (["needing", "many"], "integer"),
        (["needing", "1", "--nope"], "--nope"),
        (["nothing"], "'nothing'"),
        (["--nope"], "--nope"),
    ],
)
def test_bad_options_are_one_line_that_names_them(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    named: str,
) -> None:
    entries(monkeypatch, needing=needing, good=good)
    status, out, err = main(monkeypatch, capsys, *given)
    assert (status, out) == (2, "")
    assert err.startswith("cascade: ")
    assert err.count("\n") == 1
    assert named in err
    assert "--help" in err


def test_a_bad_option_is_told_in_words_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def choosing(tickets: int = 1, method: Literal["a", "b"] = "a") -> None:
        raise AssertionError((tickets, method))

    entries(monkeypatch, choosing=choosing, good=good)
    for given in (["--method", "x"], ["--tickets", "many"]):
        _, _, err = main(monkeypatch, capsys, "choosing", *given)
        assert given[0] in err
        assert not re.search("Value error|Input should|unable to parse", err)


def test_help_breaks_its_lines_where_the_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def wordy() -> None:
        """Say much.

        These words fill a line of source that is longer than eighty columns and end here, in the
        middle of a sentence.

        Example: cascade wordy
        """

    entries(monkeypatch, wordy=wordy, good=good)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    shown = runner.invoke(cli.make_app(), ["wordy", "--help"]).output
    lines = [line.strip() for line in shown.splitlines()]
    (begins,) = [i for i, line in enumerate(lines) if line.startswith("These words")]
    assert lines[begins + 1].endswith("sentence.")


def test_a_database_that_fails_in_the_middle_is_one_line_without_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy.exc")

    def locked() -> None:
        problem = sqlite3.OperationalError("SECRET")
        raise sqlalchemy.OperationalError("INSERT", "SECRET", problem) from problem

    def damaged() -> None:
        raise sqlite3.DatabaseError("SECRET")

    entries(monkeypatch, locked=locked, damaged=damaged)
    for command, kind in (("locked", "OperationalError"), ("damaged", "DatabaseError")):
        status, out, err = main(monkeypatch, capsys, command)
        assert (status, out) == (2, "")
        assert err.startswith(f"cascade: the database cannot be read or written ({kind}): ")
        assert (err.count("\n"), "SECRET" in err) == (1, False)


def test_a_character_that_a_terminal_does_not_know_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for encoding, shown in (("ascii", b"a?b?c"), ("utf-8", "a\u2026b?c".encode())):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))
        entries(monkeypatch, tells=lambda: sys.stdout.write("a\u2026b\ud800c") and None)
        monkeypatch.setattr(sys, "argv", ["cascade", "tells"])
        monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
        with pytest.raises(SystemExit):
            cli.main()
        sys.stdout.flush()
        assert raw.getvalue().strip() == shown


def test_a_bug_of_ours_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def buggy() -> None:
        raise ZeroDivisionError

    entries(monkeypatch, buggy=buggy, good=good)
    with pytest.raises(ZeroDivisionError):
        main(monkeypatch, capsys, "buggy")


def test_an_interrupted_command_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    entries(monkeypatch, stopped=stopped, good=good)
    status, _, err = main(monkeypatch, capsys, "stopped")
    assert status != 0
    assert "Traceback" not in err


def test_a_cascades_warning_is_one_line_without_a_place_in_our_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []

    def warned() -> None:
        said.append(warnings.formatwarning("no reading", CascadeWarning, "plan.py", 52))
        said.append(warnings.formatwarning("other", DeprecationWarning, "x.py", 1))

    entries(monkeypatch, warned=warned, good=good)
    main(monkeypatch, capsys, "warned")
    assert said[0] == "cascade: no reading\n"
    assert said[1].startswith("x.py:1: DeprecationWarning: other")


@pytest.mark.processes
def test_the_module_runs_as_the_command_does() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "cascade_core.cli", "demo", "--tickets", "0"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    assert "--tickets" in ran.stderr


def test_the_version_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cascade_core import __version__

    assert main(monkeypatch, capsys, "--version") == (0, f"model-cascade {__version__}\n", "")


def test_help_names_what_an_option_takes_in_words() -> None:
    for command in ("collect", "tune", "demo"):
        shown = runner.invoke(cli.make_app(), [command, "--help"], env={"COLUMNS": "160"}).stdout
        assert not re.search(r"<(bool|str|int|float|path|list)", shown)
        assert re.search(r"--json +Print JSON", shown)
    assert "--help" in shown


def test_a_command_waits_for_no_import_of_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded: list[str] = []

    class Entry(EntryPoint):
        def load(self) -> Any:
            loaded.append(self.name)
            return good

    found = [Entry(name, "somewhere:command", cli.GROUP) for name in ("other", "good")]
    monkeypatch.setattr(cli, "entry_points", lambda group: found if group == cli.GROUP else [])
    assert main(monkeypatch, capsys, "good") == (0, "done\n", "")
    assert loaded == ["good"]
    main(monkeypatch, capsys, "--help")
    assert sorted(loaded) == ["good", "good", "other"]
