"""Files of lines and labelled tables are looked at like a log's database, with the same figures."""

from __future__ import annotations

import json
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.replaying import replay
from cascade_core.log.urls import sqlite_file
from cascade_core.policy.document import Policy
from cascade_core.review.periods import Period, period_of
from cascade_core.review.source import open_source
from cascade_core.review.temporary_log import TemporaryLog
from cascade_core.review.workbench import Workbench
from cascade_core.traffic.log_report import report_of
from cascade_core.traffic.reading import read_log
from tests.core.review.logs import everything
from tests.core.traffic.making import audit, decision, said, write_lines
from tests.core.traffic.storing import store

OLD = {"version": 1, "at": None, "latency_ms": None}


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file of lines, with records of version 1 among them, and lines that are none."""
    old = [{**decision(f"old {i}"), **OLD} for i in range(3)]
    for each in old:
        del each["at"]
    file = write_lines([*everything()[:80], *old, *everything()[80:]], tmp_path / "log.jsonl")
    text = lines(file)
    text[7:7] = ["no JSON\n", '{"a": "table\'s row"}\n', "\n"]
    file.write_text("".join(text))
    return file


@pytest.mark.parametrize("by", [None, "day", "tag", "class", "reason", "cascade"])
@pytest.mark.parametrize(
    "asked",
    [{}, {"until": "2026-03-05"}, {"since": "2026-03-05"}, {"since": "2026-03-02", "until": "4d"}],
    ids=str,
)
def test_figures_of_a_file_of_lines_are_the_commands(
    log: Path, asked: dict[str, str], by: str | None
) -> None:
    period = period_of(asked)
    found = Workbench(open_source(str(log))).report(period, by).as_dict()
    wanted = report_of(
        str(log), read_log(str(log), period.begin, period.end, tags=True), by=by
    ).as_dict()
    assert (found.pop("unreadable"), wanted.pop("unreadable")) == (0, 2)  # `said` tells of them
    assert found == wanted


def test_what_is_no_entry_is_counted_and_shown(log: Path) -> None:
    double = json.dumps(decision("kept 1", cost_usd=7.0))
    log.write_text(log.read_text() + f'{double}\n{{"id": "torn", "calls')
    source = open_source(str(log))
    assert source.said == (
        "2 lines are no entries of a log and left out; the first is line 8",
        "the last line was cut off, or is being written, and is left out",
        "1 entry has the id of an earlier one, and the first of each id counts",
    )
    assert (source.kind, source.keeps_feedback) == ("log", str(log))


def test_lines_that_are_appended_are_read_and_only_those(log: Path) -> None:
    bench = Workbench(open_source(str(log)))
    before = bench.snapshot()
    with log.open("a") as file:
        file.write(json.dumps(decision("new", 25)) + "\n" + json.dumps(decision("half"))[:40])
    bench.refresh()
    grown = bench.snapshot()
    assert len(grown) == len(before) + 1
    assert grown.ids[len(grown) - 1] == "new"
    assert bench.source.filled == 1
    with log.open("a") as file:
        file.write(json.dumps(decision("half"))[40:] + "\n" + json.dumps(said("new", 1.0)) + "\n")
    bench.refresh()
    assert len(bench.snapshot()) == len(before) + 2
    assert bench.report(Period()).read.feedback.n == 11
    assert not any("cut off" in each for each in bench.source.said)


def test_a_log_that_nothing_was_written_to_yet_is_looked_at_and_grows(
    log: Path, tmp_path: Path
) -> None:
    file = tmp_path / "begins.jsonl"
    file.touch()
    bench = Workbench(open_source(str(file)))
    assert (bench.source.kind, len(bench.snapshot())) == ("log", 0)
    file.write_bytes(log.read_bytes())
    bench.refresh()
    assert list(bench.snapshot().ids) == list(Workbench(open_source(str(log))).snapshot().ids)


def test_a_file_that_has_become_another_is_read_anew(log: Path) -> None:
    bench = Workbench(open_source(str(log)))
    bench.snapshot()
    log.unlink()
    write_lines([decision("only")], log)
    bench.refresh()
    assert list(bench.snapshot().ids) == ["only"]


def test_a_file_that_is_gone_is_told_of_until_it_is_back(log: Path) -> None:
    bench = Workbench(open_source(str(log)))
    bench.snapshot()
    away = log.rename(log.with_name("away"))
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"log\.jsonl.*No such file"):
            bench.refresh()
        with pytest.raises(ConfigurationError, match=r"log\.jsonl.*No such file"):
            bench.snapshot()
    away.rename(log)
    assert len(bench.snapshot()) == 103


def test_content_of_a_file_stays_there_to_be_shown(tmp_path: Path) -> None:
    file = write_lines(
        [decision("a", request=[{"role": "user", "text": "Hi"}], response="Hello")],
        tmp_path / "log.jsonl",
    )
    source = open_source(str(file))
    import sqlalchemy as sa

    from cascade_core.log.reading import database_to_read
    from cascade_core.log.schema import details

    with database_to_read(source.database).reading() as connection:
        row = connection.execute(sa.select(details)).one()
    assert (json.loads(row.request)[0]["text"], row.response) == ("Hi", "Hello")


PROGRAM = """
import os, sys, time
from cascade_core.review.source import open_source
source = open_source(sys.argv[1])
print(source.database, flush=True)
if sys.argv[2] == "fails":
    raise RuntimeError("on purpose")
if sys.argv[2] == "waits":
    time.sleep(60)
"""


@pytest.mark.processes
@pytest.mark.parametrize("ends", ["well", "fails", "waits"])
def test_what_a_file_was_read_into_is_private_and_goes_with_the_program(
    log: Path, ends: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(log), ends],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        file = sqlite_file(process.stdout.readline().strip())
        assert file is not None
        if ends == "waits":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
            process.send_signal(signal.SIGTERM)
    assert not file.parent.exists()


def test_what_cannot_be_read_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, text in (("a.csv", "id\n1\n"), ("b.jsonl", "{}\n"), ("c.db", "x")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigurationError):
            open_source(str(tmp_path / name))
    with pytest.raises(ConfigurationError, match="there is no file"):
        open_source(f"sqlite:///{tmp_path / 'd.db'}")
    assert not list(tmp_path.glob("cascade-review-*"))


def a_table(n: int = 200, seed: int = 0, **more: Any) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        reading, good = rng.random(), rng.random()
        rows.append(
            {
                "id": f"row {i}",
                "request": f"question {i}",
                "class": ["a", "b", ""][i % 3],
                "t0_model": "small",
                "t0_response": f"small {i}",
                "t0_quality": float(good < reading),
                "t0_cost_usd": round(0.001 * rng.random(), 9),
                "t0_signal_free": round(reading, 4) if i % 17 else None,
                "t0_signal_judge": round((reading + good) / 2, 4),
                "t0_paid_judge_usd": 0.0003,
                "t1_model": "large",
                "t1_response": f"large {i}",
                "t1_quality": float(good < 0.97),
                "t1_cost_usd": round(0.01 * rng.random(), 9),
                **{name: make(i) for name, make in more.items()},
            }
        )
    return rows


def table_file(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


POLICIES = [
    Policy(),
    Policy(name="one", thresholds=(0.5,)),
    Policy.load({"thresholds": [0.3], "classes": {"b": {"thresholds": [0.8]}}}),
    Policy(thresholds=(0.0,)),
]


@pytest.mark.parametrize("policy", POLICIES, ids=["none", "one", "by class", "all kept"])
def test_sums_of_a_table_are_the_means_of_a_replay(tmp_path: Path, policy: Policy) -> None:
    rows = a_table()
    del rows[5]["t1_quality"]
    bench = Workbench(open_source(str(table_file(tmp_path / "t.jsonl", rows))), policy)
    plain = bench.report(Period(), "class").as_dict()
    means, n = bench.replay().as_dict(), 199
    assert (plain["requests"], means["n"], plain["answered"]) == (n, n, n)
    for name in ("cost_usd", "strong_cost_usd"):
        assert plain[name] == pytest.approx(means[name] * n, abs=1e-12)
    assert plain["escalated"] == pytest.approx(means["escalated"])
    for name in ("quality", "strong_quality", "harm"):
        assert plain["audits"][name] == pytest.approx(means[name])
    by_class = {each["name"]: each for each in plain["groups"]}
    own = bench.replay().by_class["b"]
    assert own.cost_usd is not None
    assert by_class["b"]["cost_usd"] == pytest.approx(own.cost_usd * own.n, abs=1e-12)
    assert by_class["b"]["audits"]["quality"] == pytest.approx(own.quality)
    assert ("thresholds" in " ".join(bench.source.said)) == (policy.thresholds is None)
    assert any("1 rows are left out" in each for each in bench.source.said)
    kept = bench.snapshot().worked(Period()).way.kept
    assert int(kept.sum()) == plain["by_tier"].get("0", 0)


def test_rows_that_weigh_more_stand_for_more(tmp_path: Path) -> None:
    rows = a_table(weight=lambda i: 1 + i % 4)
    source = open_source(str(table_file(tmp_path / "t.jsonl", rows)))
    bench = Workbench(source, Policy(thresholds=(0.6,)))
    assert source.weighted
    assert any("weigh differently" in each for each in source.said)
    found = bench.report(Period()).as_dict()["audits"]
    means = bench.replay().as_dict()
    for name in ("quality", "strong_quality"):
        assert found[name] == pytest.approx(means[name])


def test_a_row_of_a_table_is_a_decision_with_all_that_is_known(tmp_path: Path) -> None:
    rows = a_table(60, t0_gate=lambda i: "gate_empty" if i == 7 else "")
    source = open_source(str(table_file(tmp_path / "t.jsonl", rows)))
    bench = Workbench(source, Policy(name="p", thresholds=(0.6,)))
    assert (source.kind, source.keeps_feedback, source.weighted) == ("table", None, False)
    snapshot = bench.snapshot()
    assert np.isnan(snapshot.at).all()
    assert len(snapshot.ids.find([f"row {i}" for i in range(60)])) == 60
    from cascade_core.log.reading import read_events, read_records

    records = {each["id"]: each for each in read_records(source.database)}
    audits = {each["decision"]: each for each in read_events(source.database)}
    for i, row in enumerate(rows):
        record, audited = records[row["id"]], audits[row["id"]]
        readings = [row["t0_signal_free"], row["t0_signal_judge"]]
        gated = bool(row["t0_gate"])
        lowest = min(each for each in readings if each is not None)
        kept = lowest >= 0.6 and not gated
        assert record["tier"] == (0 if kept else 1), i
        assert record["response"] == row[f"t{record['tier']}_response"]
        assert record["request"][0]["text"] == row["request"]
        assert record["judged"][0]["signals"]["free"] == row["t0_signal_free"]
        assert record["reason"] == (
            "confident" if kept else "gate_custom" if gated else "low_confidence"
        )
        assert sum(call["cost_usd"] for call in record["calls"]) == pytest.approx(
            record["cost_usd"]
        )
        assert [each["quality"] for each in audited["tiers"]] == [
            row["t0_quality"],
            row["t1_quality"],
        ]


def test_another_policy_decides_anew_on_a_tables_rows(tmp_path: Path) -> None:
    file = table_file(tmp_path / "t.jsonl", a_table())
    bench = Workbench(open_source(str(file)), Policy(thresholds=(0.9,)))
    before = bench.report(Period()).figures.by_tier
    bench.draft.reset(Policy(thresholds=(0.1,)))
    bench.refresh()
    assert bench.report(Period()).figures.by_tier != before
    table_file(file, a_table(50))
    bench.refresh()
    assert len(bench.snapshot()) == 50
    assert bench.labels().table is not None
    assert len(bench.labels().table) == 50  # type: ignore[arg-type]


def test_replays_are_those_of_the_command_and_kept(tmp_path: Path) -> None:
    file = table_file(tmp_path / "t.jsonl", a_table())
    bench = Workbench(open_source(str(file)), Policy(thresholds=(0.9,)))
    other = Policy(thresholds=(0.4,))
    assert bench.replay(other).as_dict() == replay(file, other).as_dict()
    assert bench.replay(Policy(thresholds=(0.4,))) is bench.replay(other)
    assert bench.replay().as_dict() == replay(file, Policy(thresholds=(0.9,))).as_dict()


def test_a_policy_that_does_not_fit_a_table_is_refused_at_once(tmp_path: Path) -> None:
    source = open_source(str(table_file(tmp_path / "t.jsonl", a_table(20))))
    with pytest.raises(ConfigurationError, match=r"fit 3 or 4 tiers, but .* has 2"):
        Workbench(source, Policy(thresholds=(0.5, 0.5, 0.5)))


def test_thresholds_are_those_that_requests_met_where_no_policy_has_any(tmp_path: Path) -> None:
    entries = [decision("a", 1, threshold=0.4), decision("b", 2, threshold=0.7), audit("a")]
    url = store([*entries, decision("c", 3, tier=1)], f"sqlite:///{tmp_path / 'log.db'}")
    bench = Workbench(open_source(url))
    assert bench.deciding().thresholds == (0.7,)
    assert "latest requests" in bench.policy_origin
    assert bench.deciding(Policy(thresholds=(0.2,))).thresholds == (0.2,)
    empty = Workbench(open_source(store([], f"sqlite:///{tmp_path / 'empty.db'}")))
    assert empty.deciding().thresholds == (0.9,)
    assert "without one" in empty.policy_origin


def test_a_filling_that_fails_leaves_nothing_and_who_reads_beside_one_is_not_kept_waiting() -> None:
    log = TemporaryLog()

    def entries() -> int:
        with sqlite3.connect(f"{sqlite_file(log.url)}", timeout=0) as database:
            return int(database.execute("SELECT count(*) FROM decisions").fetchone()[0])

    def fail() -> None:
        with log.filling() as into:
            into.add(decision("lost"))
            into.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert entries() == 0
    with log.filling() as into:
        into.add(decision("kept"))
    with log.filling() as into:
        into.add(decision("more"))
        into.flush()
        assert entries() == 1
    assert entries() == 2
    log.close()
