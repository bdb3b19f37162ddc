"""`cascade review`: what it says before it serves, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cascade_core.review.serving import open_socket
from tests.core.review.logs import everything
from tests.core.traffic.making import decision
from tests.core.traffic.storing import store
from tests.running import Run

TWO = {"name": "two", "thresholds": [0.9]}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.db'}"
    store(everything(), url)
    return url


def refused(cascade: Run, *arguments: object) -> str:
    ran = cascade("review", *arguments)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("cascade: ")
    assert ran.err.count("\n") == 1
    return ran.err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nothing.jsonl", "nothing.jsonl"),
        ("nothing.csv", "nothing.csv"),
        ("sqlite:///nothing.db", "there is no file"),
        ("text.txt", "text.txt"),
        ("sqlite:///text.txt", "is it a database?"),
        ("mysql://u:hush@h/db", "does not know mysql://"),
        ("postgresql://u:hush@127.0.0.1:1/db", "does the server run"),
    ],
)
def test_what_is_no_log_is_one_line(cascade: Run, source: str, said: str) -> None:
    Path("text.txt").write_text("no log", encoding="utf-8")
    err = refused(cascade, source)
    assert said in err
    assert "hush" not in err


def test_a_policy_has_to_be_one(cascade: Run, log: str) -> None:
    assert "nothing.json" in refused(cascade, log, "--policy", "nothing.json")
    Path("bad.json").write_text('{"thresholds": [2]}', encoding="utf-8")
    assert "bad.json" in refused(cascade, log, "--policy", "bad.json")


def test_a_policy_has_to_fit_the_log(cascade: Run) -> None:
    store([decision("a", 1, tier=2)], "sqlite:///three.db")
    Path("two.json").write_text(json.dumps(TWO), encoding="utf-8")
    err = refused(cascade, "sqlite:///three.db", "--policy", "two.json")
    assert "(two.json) is of 2 tiers, and in sqlite:///three.db tier 2 has answered" in err


def test_a_port_that_is_taken_is_one_line(cascade: Run, log: str) -> None:
    with open_socket(0) as taken:
        port = taken.getsockname()[1]
        assert f"--port {port} cannot be taken" in refused(cascade, log, "--port", port)
    assert "--port" in refused(cascade, log, "--port", 70000)


def test_a_period_is_of_an_export(cascade: Run, log: str) -> None:
    assert "--export" in refused(cascade, log, "--since", "7d")
    assert "--since 'soon'" in refused(cascade, log, "--since", "soon", "--export", "site")
    assert not Path("site").exists()


def test_an_export_says_what_it_wrote(cascade: Run, log: str) -> None:
    ran = cascade("review", log, "--export", "site", "--decisions", 0)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith("open site/index.html\n")
    assert Path("site/index.html").is_file()


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "jinja2", "sqlalchemy"])
def test_a_missing_package_names_the_extra(
    cascade: Run, log: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cascade_core

    # A package that is imported anew has none of its modules: other tests get this one back.
    if "cascade_core.review" in sys.modules:
        monkeypatch.setattr(cascade_core, "review", cascade_core.review)
    for name in [name for name in sys.modules if name.startswith("cascade_core.review")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    err = refused(cascade, log)
    assert f"needs {package}" in err
    assert "pip install 'model-cascade[review]'" in err
