"""`cascade audit`: its options, what it says, and what it leaves in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cascade_core import flush_log
from cascade_core.errors import ConfigurationError
from cascade_core.log.reading import read_events
from langchain_cascade import ChatCascade, auditing
from langchain_cascade.commands import audit as command
from tests.langchain.fakes import FakeChat, Say

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PRICES = {"cheap": {"input": 1, "output": 1}, "strong": {"input": 10, "output": 10}}
asked: list[list[Any]] = []


def models() -> list[Any]:
    def strong(messages: Any, _: Any) -> Say:
        asked.append(list(messages))
        return Say("5")

    return [FakeChat(Say("4"), model_name="cheap"), FakeChat(strong, model_name="strong")]


def broken_models() -> list[Any]:
    return [FakeChat(Say("4"), model_name="cheap"), FakeChat(RuntimeError, model_name="strong")]


def chains() -> list[Any]:
    return [lambda text: f"{text} is 4", lambda text: f"{text} is 5"]


def grades(request: Any, draft: Any, strong: Any) -> float:
    assert request.question.startswith("2 + 2")
    return 0.25 if draft.text == "4" else 1.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of four answered requests, with content."""
    path = tmp_path / "kept.jsonl"
    cascade = ChatCascade(tiers=models(), prices=PRICES, log=str(path), log_content=True)
    for n in range(4):
        cascade.invoke([("system", "Be brief."), ("user", f"2 + 2, for the {n}th time?")])
    flush_log()
    (tmp_path / "prices.json").write_text(json.dumps(PRICES))
    asked.clear()
    return path


def run(log: Path, *options: str, factory: str = "models") -> Any:
    app = typer.Typer()
    app.command()(command.audit)
    given = [str(log), "--factory", f"{__name__}:{factory}", "--rate", "1"]
    given += ["--prices", str(log.parent / "prices.json"), *options]
    return CliRunner().invoke(app, given)


def events(log: Path) -> list[dict[str, Any]]:
    return list(read_events(log))


def test_models_are_asked_what_was_asked_then(log: Path) -> None:
    ran = run(log)
    assert ran.exit_code == 0, ran.output
    assert "4 of 4 requests to audit: about $" in ran.stderr
    assert "4 audits made of 4 picked among 4 requests; spent $" in ran.stdout
    assert [(m.type, m.content) for m in asked[0]] == [
        ("system", "Be brief."),
        ("human", "2 + 2, for the 0th time?"),
    ]
    assert [(e["status"], e["harm"], e["compare"]) for e in events(log)] == [
        ("done", 1.0, "auto")
    ] * 4
    assert {e["drawn_later"]["rate"] for e in events(log)} == {1.0}


def test_the_same_command_audits_only_what_is_new(log: Path) -> None:
    run(log)
    ran = run(log)
    assert "0 of 4 requests to audit" in ran.stderr
    assert "0 audits made of 4 picked among 4 requests, 4 made before" in ran.stdout
    assert len(events(log)) == 4


def test_a_function_of_yours_compares(log: Path) -> None:
    found = json.loads(run(log, "--compare", f"{__name__}:grades", "--json").stdout)
    assert (found["done"], found["stopped"]) == (4, None)
    assert [e["quality"] for e in events(log)] == [0.25] * 4
    assert {e["compare"] for e in events(log)} == {"function:grades"}


def test_chains_are_given_the_text_of_what_was_asked_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    ChatCascade(tiers=models(), log=str(path), log_content=True).invoke("2 + 2")
    flush_log()
    (tmp_path / "prices.json").write_text("{}")
    assert run(path, factory="chains").exit_code == 0
    (event,) = events(path)
    assert (event["status"], event["tiers"][1]["drawn"]) == ("done", True)


def test_audits_that_fail_are_made_again(log: Path) -> None:
    ran = run(log, factory="broken_models")
    assert "4 failed; the same command makes them again." in ran.stdout
    assert {e["status"] for e in events(log)} == {"failed"}
    assert "4 audits made" in run(log).stdout


def test_requests_without_content_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "bare.jsonl"
    ChatCascade(tiers=models(), log=str(path)).invoke("2 + 2")
    flush_log()
    (tmp_path / "prices.json").write_text("{}")
    ran = run(path)
    assert "1 skipped: the log does not hold all" in ran.stdout
    assert [(e["status"], e["why"]) for e in events(path)] == [("skipped", "content")]


def test_a_cap_leaves_the_rest_for_another_day(log: Path) -> None:
    ran = run(log, "--max-usd", "0.0001", "--concurrency", "1")
    assert "The cap leaves no room for" in ran.stdout
    assert len(events(log)) < 4


def test_ctrl_c_keeps_what_is_done(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(auditing, "run_audit", stopped)
    ran = run(log)
    assert ran.exit_code == 1
    assert "give the same command to go on" in ran.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--compare", "agreement"], "give auto, judge:MODEL, or module:function"),
        (["--compare", "judge:"], "give auto, judge:MODEL, or module:function"),
        (["--rate", "5"], "0.05 for 5 %"),
        (["--rate", "0"], "above 0"),
        (["--max-usd", "-1"], "max_usd -1"),
        (["--tier", "demo:desk-small"], "either as --tier"),
        (["--cascade", "other", "--signals", "nonsense"], "unknown signal"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(
    log: Path, options: list[str], says: str
) -> None:
    ran = run(log, *options)
    assert isinstance(ran.exception, ConfigurationError)
    assert says in str(ran.exception)
    assert (asked, events(log)) == ([], [])


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text("{}")
    ran = run(tmp_path / "none.jsonl")
    assert isinstance(ran.exception, ConfigurationError)
    assert "none.jsonl" in str(ran.exception)


def test_a_file_of_other_lines_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text("{}")
    (tmp_path / "other.jsonl").write_text('{"a": 1}\nnot JSON\n')
    ran = run(tmp_path / "other.jsonl")
    assert isinstance(ran.exception, ConfigurationError)
    assert "other.jsonl holds no answered request, and 2 lines" in str(ran.exception)
