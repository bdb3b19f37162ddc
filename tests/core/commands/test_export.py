"""`cascade export`, and commands that take a log where they take a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.labels import read_table
from cascade_core.log.urls import shown_source
from cascade_core.traffic.periods import since_when
from tests.core.calibration.labels import columns
from tests.core.commands.making import BY_A, SECRET, write_policy
from tests.core.commands.test_replay import figures, refused
from tests.core.log.traffic import served, write_log
from tests.running import Run

Json = dict[str, Any]
Keep = Callable[[list[Json], list[Json]], str]

RATES = np.where(np.arange(1200) % 3 == 0, 0.9, 0.5)


def in_a_file(records: list[Json], events: list[Json]) -> str:
    return str(write_log(Path("decisions.jsonl"), records, events))


def in_a_database(records: list[Json], events: list[Json]) -> str:
    pytest.importorskip("sqlalchemy")
    from cascade_core.log import open_log

    log = open_log("sqlite:///decisions.db")
    assert log is not None
    for record in records:
        log.write(record)
    for event in events:
        log.write_event(event)
    assert log.flush(60)
    return "sqlite:///decisions.db"


@pytest.fixture(params=[in_a_file, in_a_database])
def keep(request: pytest.FixtureRequest) -> Keep:
    """Ways to keep a log."""
    return request.param


def test_a_log_becomes_a_table(cascade: Run, keep: Keep) -> None:
    records, events = served(columns(60), rate=1.0)
    log = keep(records, events)
    ran = cascade("export", log, "--out", "labels.csv")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == ("labels.csv written: 60 audited requests, which stand for about 60 of 60\n")
    table = read_table("labels.csv")
    assert table.ids == columns(60)["id"]
    assert table.tiers[0].quality.tolist() == columns(60)["t0_quality"]


def test_what_is_left_out_is_said_on_standard_error_or_in_json(cascade: Run, keep: Keep) -> None:
    records, events = served(columns(60), rate=1.0)
    events[0] |= {"status": "skipped", "why": "budget", "tiers": []}
    log = keep(records, events)
    ran = cascade("export", log, "--out", "labels.csv")
    assert ran.err.startswith(f"cascade: {log}: 1 of 60 audits were not done (skipped: budget 1);")
    found = json.loads(cascade("export", log, "--out", "labels.jsonl", "--json").out)
    assert (found["rows"], found["left_out"], found["out"]) == (
        59, {"skipped: budget": 1}, "labels.jsonl",
    )  # fmt: skip
    assert len(found["said"]) == 1


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_tune_on_a_log_gives_the_policy_that_its_export_gives(
    cascade: Run, keep: Keep, suffix: str
) -> None:
    records, events = served(
        columns(1200, sharp=20.0), rate=RATES, thread=lambda row: f"thread {row // 2}"
    )
    log, table = keep(records, events), f"labels.{suffix}"
    asked = ["--harm", 0.05, "--method", "signal", "--name", "desk"]
    assert cascade("tune", log, *asked, "--out", "a.json").status == 0
    assert cascade("export", log, "--out", table).status == 0
    assert cascade("tune", table, *asked, "--out", "b.json").status == 0
    one, other = (json.loads(Path(name).read_text()) for name in ("a.json", "b.json"))
    assert (one["tuned"].pop("table"), other["tuned"].pop("table")) == (log, table)
    assert (one["tuned"].pop("fitted_table"), other["tuned"].pop("fitted_table")) == (log, table)
    assert one == other
    assert one["promises"][0]["kind"] == "harm"


def test_replay_on_a_log_weighs_its_audits(cascade: Run, keep: Keep) -> None:
    table = columns(1200)
    log = keep(*served(table, rate=RATES))
    policy = write_policy({"calibrators": [BY_A], "thresholds": [0.6]})
    found = figures(cascade("replay", log, "--policy", policy, "--json"))
    assert cascade("export", log, "--out", "labels.csv").status == 0
    exported = figures(cascade("replay", "labels.csv", "--policy", policy, "--json"))
    assert found == exported
    assert found["strong_quality"] == pytest.approx(np.mean(table["t1_quality"]), abs=0.02)
    assert found["weak_quality"] == pytest.approx(np.mean(table["t0_quality"]), abs=0.04)


def test_a_table_of_json_lines_is_no_log(cascade: Run) -> None:
    records, events = served(columns(60), rate=1.0)
    in_a_file(records, events)
    assert cascade("export", "decisions.jsonl", "--out", "labels.jsonl").status == 0
    policy = write_policy({"calibrators": [BY_A], "thresholds": [0.6]})
    of_log, of_table = (
        figures(cascade("replay", name, "--policy", policy, "--json"))
        for name in ("decisions.jsonl", "labels.jsonl")
    )
    assert of_log == of_table
    said = refused(cascade("export", "labels.jsonl", "--out", "again.csv"))
    assert "labels.jsonl" in said


def test_only_some_decisions_are_exported(cascade: Run, keep: Keep) -> None:
    records, events = served(
        columns(10),
        rate=1.0,
        cascade=lambda row: "ab"[row % 2],
        policy_version=lambda row: str(row % 4),
        at=lambda row: f"2026-11-{row + 1:02}T00:00:00+00:00",
    )
    log = keep(records, events)
    assert "several cascades" in refused(cascade("export", log, "--out", "labels.csv"))
    asked = ["--cascade", "b", "--policy-version", "3", "--since", "2026-11-05"]
    assert cascade("export", log, "--out", "labels.csv", *asked).status == 0
    assert read_table("labels.csv").ids == ["r7"]


def test_a_log_without_audits_says_what_to_do(cascade: Run, keep: Keep) -> None:
    records, _ = served(columns(5), rate=0.0)
    log = keep(records, [])
    said = refused(cascade("tune", log, "--harm", 0.05, "--out", "p.json"))
    assert "none of its 5 decisions was audited; give the cascade audit=Audit(rate=0.05)" in said


def test_a_log_in_which_nothing_fits_is_said(cascade: Run, keep: Keep) -> None:
    log = keep(*served(columns(5), rate=1.0))
    said = refused(cascade("export", log, "--out", "labels.csv", "--since", "2027-01-01"))
    assert "holds no answered request that fits; leave out what narrows it (--cascade" in said


def test_audits_of_which_none_was_done_are_no_table(cascade: Run, keep: Keep) -> None:
    records, events = served(columns(5), rate=1.0)
    for event in events:
        event |= {"status": "failed", "why": "RateLimitError", "tiers": []}
    said = refused(cascade("export", keep(records, events), "--out", "labels.csv"))
    assert "none of its 5 audits was done (failed: RateLimitError 5)" in said


def test_tiers_that_only_hard_requests_reached_are_no_ground_for_thresholds(
    cascade: Run, keep: Keep
) -> None:
    records, events = served(columns(40), rate=1.0)
    for record, event in zip(records, events, strict=True):
        event["tiers"][1]["tier"] = 2
        if not record["accepted"]:
            event["tiers"].append({**event["tiers"][0], "tier": 1, "model": "middle"})
    log = keep(records, events)
    said = refused(cascade("tune", log, "--quality", 0.9, "--out", "p.json"))
    assert "tier 1 was asked in" in said
    assert "thresholds need every tier's answer to a fair sample" in said
    ran = cascade("export", log, "--out", "labels.csv")
    assert "tier 1 was not asked in" in ran.err
    assert np.isnan(read_table("labels.csv").tiers[1].quality).any()


def test_lines_of_other_programs_are_left_out_and_said(cascade: Run) -> None:
    records, events = served(columns(5), rate=1.0)
    events.append({"event": "audit", "decision": "r0", "status": "done"})
    log = in_a_file(records, events)
    with Path(log).open("a") as lines:
        lines.write(f'{{"text": "{SECRET}"}}\nhalf a li\n')
    ran = cascade("export", log, "--out", "labels.csv")
    assert ran.err == "cascade: decisions.jsonl: 2 lines could not be read and are left out\n"
    assert "5 audited requests" in ran.out


@pytest.mark.parametrize("command", ["export", "tune", "replay"])
def test_a_log_that_is_not_there_is_one_line(cascade: Run, command: str) -> None:
    pytest.importorskip("sqlalchemy")
    policy = write_policy({"calibrators": [BY_A], "thresholds": [0.6]})
    asked = {
        "export": ["--out", "labels.csv"],
        "tune": ["--harm", 0.05, "--out", "p.json"],
        "replay": ["--policy", policy],
    }[command]
    said = refused(cascade(command, "sqlite:///gone.db", *asked))
    assert said.startswith("cascade: sqlite:///gone.db: there is no file ")
    assert not Path("gone.db").exists()
    said = refused(cascade(command, "mysql://me:hunter2@host/db", *asked))
    assert "does not know mysql://" in said
    assert "hunter2" not in said


def test_nothing_is_written_over_the_log(cascade: Run) -> None:
    log = in_a_file(*served(columns(5), rate=1.0))
    assert "is the labelled table itself, or the log" in refused(
        cascade("export", log, "--out", log)
    )
    assert "of no known kind" in refused(cascade("export", log, "--out", "labels.txt"))


def test_a_prompt_is_in_no_message(cascade: Run) -> None:
    records, events = served(columns(5), rate=1.0, request=[{"role": "user", "text": SECRET}])
    del records[0]["request"]
    ran = cascade("export", in_a_file(records, events), "--out", "labels.csv")
    assert ran.status == 0
    assert SECRET not in ran.out + ran.err + Path("labels.csv").read_text()


def test_since_is_read() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert since_when(None) is None
    assert since_when("7d", now) == datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
    assert since_when("90m", now) == datetime(2026, 11, 28, 10, 30, tzinfo=UTC).timestamp()
    assert since_when("2026-11-28") == datetime(2026, 11, 28, tzinfo=UTC).timestamp()
    zoned = since_when("2026-11-28T12:00:00+02:00")
    assert zoned == datetime(2026, 11, 28, 10, tzinfo=UTC).timestamp()
    with pytest.raises(ConfigurationError, match="--since 'yesterday': give 7d, 12h, or a date"):
        since_when("yesterday")


def test_a_password_is_never_shown() -> None:
    shown = shown_source("postgresql://me:hunter2@host/db")
    assert shown == "postgresql://me:***@host/db"
    assert shown_source("sqlite:///decisions.db") == "sqlite:///decisions.db"
