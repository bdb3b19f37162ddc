"""`cascade watch`: learns from a log's audits."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.log import open_log
from cascade_core.log.learning import LearningStore
from cascade_core.log.policies import PolicyStore
from cascade_core.watch.passes import LogWatch
from tests.core.commands.test_replay import refused
from tests.core.log.traffic import served, write_log
from tests.core.watch.traffic import grow, requests
from tests.running import Run

URL = "sqlite:///decisions.db"
ASKED = ("--harm", "0.05", "--once")


def test_audits_become_a_policy_in_two_passes_and_the_list_tells_of_it(cascade: Run) -> None:
    grow(URL, 0, 100)
    ran = cascade("watch", URL, *ASKED)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"waiting: {URL}: 100 audits read; needs about 50 more for the first fit\n"
    grow(URL, 100, 200)
    assert cascade("watch", URL, *ASKED).out.startswith("frozen: candidate 1 was fitted to 300")
    grow(URL, 300, 300)
    (line,) = cascade("watch", URL, *ASKED, "--json").out.splitlines()
    event = json.loads(line)
    assert (event["event"], event["version"]) == ("activated", 1)
    listed = json.loads(cascade("policy", URL, "list", "--json").out)
    assert listed["active"] == 1
    assert [each["event"] for each in listed["watched"]] == ["frozen", "activated"]
    assert "activated: version 1: harm " in cascade("policy", URL, "list").out


def test_the_path_of_a_database_is_told_its_address(cascade: Run) -> None:
    grow(URL, 0, 1)
    for given in (("decisions.db",), ("log.jsonl", "--policy", "decisions.db")):
        assert "give its address: sqlite:///decisions.db" in refused(
            cascade("watch", *given, *ASKED)
        )


def test_one_audit_is_one_audit(cascade: Run) -> None:
    grow(URL, 0, 1)
    assert f"waiting: {URL}: 1 audit read; needs" in cascade("watch", URL, *ASKED).out


def test_a_proposal_is_for_somebody_to_activate(cascade: Run) -> None:
    grow(URL, 0, 300)
    cascade("watch", URL, *ASKED, "--propose")
    grow(URL, 300, 300)
    out = cascade("watch", URL, *ASKED, "--propose").out
    assert "(proposed, not activated)\nto bring it into use: cascade policy " in out
    assert out.endswith(f"{URL} activate 1\n")
    assert "not activated" not in cascade("policy", URL, "list").out.split("none is in use")[0]
    assert PolicyStore(URL).active_number() is None
    cascade("policy", URL, "activate", "1")
    grow(URL, 600, 50)
    out = cascade("watch", URL, *ASKED, "--propose").out
    assert out == "adopted: version 1 was activated by hand\n"


def test_a_file_is_watched_with_its_policies_in_a_database(cascade: Run) -> None:
    write_log(Path("decisions.jsonl"), *served(requests(0, 300), rate=1.0))
    ran = cascade("watch", "decisions.jsonl", "--policy", "sqlite:///policies.db", *ASKED)
    assert (ran.status, ran.out[:7]) == (0, "frozen:")


def test_it_runs_until_it_is_stopped_and_says_a_thing_once(
    cascade: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(URL, 0, 20)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("cascade_core.commands.watch.time.sleep", pause)
    ran = cascade("watch", URL, "--harm", "0.05", "--interval", "7")
    assert ran.status == 0
    assert pauses == [7.0, 7.0, 7.0]
    assert len(ran.out.splitlines()) == 1
    assert ran.err == "stopped; all that was found is kept\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((URL, *ASKED), "there is no file"),
        (("decisions.jsonl", *ASKED), "give its URL as --policy"),
        (("decisions.jsonl", *ASKED, "--policy", URL), "cannot be read: No such file"),
        (("sqlite:///other.db", *ASKED, "--policy", URL), "there is no file"),
        ((URL, "--harm", "2", "--once"), "harm=2: give a number between 0 and 1, e.g. 0.02"),
        (
            (URL, *ASKED, "--confidence", "95"),
            "confidence=95: give a number between 0 and 1, e.g. 0.95",
        ),
    ],
)
def test_what_cannot_be_watched_is_one_line(
    cascade: Run, arguments: tuple[Any, ...], said: str
) -> None:
    assert said in refused(cascade("watch", *arguments))
    assert not Path("decisions.db").exists()


def test_a_log_without_audits_says_how_to_have_them(cascade: Run) -> None:
    grow(URL, 0, 10, rate=0.0)
    assert "give the cascade audit=Audit(rate=0.05)" in refused(cascade("watch", URL, *ASKED))
    (event,) = LogWatch(URL, harm=0.05).once()
    assert event.kind == "waiting", "whoever runs on waits for them"


def test_what_runs_goes_on_where_a_database_is_away_for_a_while(
    cascade: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(URL, 0, 20)
    whole, pauses = LogWatch.once, 0

    def pause(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses > 5:
            raise KeyboardInterrupt

    def once(watching: LogWatch) -> Any:
        if pauses in {1, 2, 4}:
            raise ConfigurationError("the server is away")
        return whole(watching)

    monkeypatch.setattr("cascade_core.commands.watch.time.sleep", pause)
    monkeypatch.setattr(LogWatch, "once", once)
    ran = cascade("watch", URL, "--harm", "0.05")
    assert ran.status == 0
    assert ran.err.splitlines()[:2] == ["the server is away (tried again every 30 s)"] * 2
    assert ran.out.startswith("waiting: ")


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("{nope", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        ('{"turn": 1, "form": 2, "steward": {}, "numbers": {}, "active": 1}', "a newer release"),
        ('{"turn": 1, "steward": {}, "numbers": {}, "active": 1}', "is damaged"),
    ],
)
def test_a_state_that_cannot_be_gone_on_with_is_one_line(
    cascade: Run, kept: str, said: str
) -> None:
    grow(URL, 0, 100)
    cascade("watch", URL, *ASKED)
    with sqlite3.connect("decisions.db") as database:
        database.execute("UPDATE meta SET value = ? WHERE key = 'watch'", (kept,))
    assert said in refused(cascade("watch", URL, *ASKED))


def test_where_a_cascade_learns_by_itself_no_other_watches(cascade: Run) -> None:
    grow(URL, 0, 100)
    LearningStore(URL).take("some process", time.time(), 60.0, "desk")
    assert "the cascade 'desk' learns there by itself" in refused(cascade("watch", URL, *ASKED))
    for wrong in (-100, 1e6):  # ended, or written by a clock that was set right since
        LearningStore(URL).take("some process", time.time() + wrong, 60.0, "desk")
        assert cascade("watch", URL, *ASKED).status == 0
    assert LearningStore(URL).take("another process", time.time(), 60.0, "desk")


def test_a_report_says_how_a_watch_stands(cascade: Run) -> None:
    grow(URL, 0, 100)
    assert json.loads(cascade("report", URL, "--json").out)["stewardship"] is None
    for first in (100, 300):
        grow(URL, first, 200 if first == 100 else 300)
        cascade("watch", URL, *ASKED)
    *_, last, line = cascade("report", URL).out.splitlines()
    assert "  activated: version 1: harm " in last
    assert line == "watch: 600 audits read; 1 under test; version 1 is in use"
    found = json.loads(cascade("report", URL, "--json").out)["stewardship"]
    assert (found["learning"], found["audits"], found["active"]) == (None, 600, 1)
    assert (found["last"]["event"], found["last"]["version"]) == ("activated", 1)


def test_a_report_says_where_programs_end_before_anything_is_learned(cascade: Run) -> None:
    log = open_log(URL)
    assert log is not None
    log.write(
        {"id": "a", "at": "2026-03-01T00:00:00.000Z", "reason": "learning", "calls": [], "tier": 1}
    )
    assert log.flush(60)  # type: ignore[attr-defined]
    assert "\nlearning: nothing yet: no program" in cascade("report", URL).out
    grow(URL, 0, 1)
    cascade("watch", URL, *ASKED)
    assert cascade("report", URL).out.endswith(
        "watch: 1 audit read; 0 under test; none is in use\n"
    )


@pytest.mark.parametrize("table", ["audits", "details", "activations"])
def test_a_database_that_lacks_something_is_one_line(cascade: Run, table: str) -> None:
    grow(URL, 0, 100)
    cascade("watch", URL, *ASKED)
    with sqlite3.connect("decisions.db") as database:
        database.execute(f"DROP TABLE {table}")
    assert "cannot be read" in refused(cascade("watch", URL, *ASKED))
