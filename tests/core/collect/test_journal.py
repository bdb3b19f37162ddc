"""The journal: what survives a kill, and what it refuses to go on with."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from decimal import Decimal
from math import inf
from pathlib import Path

import pytest

from cascade_core.collect.journal import Entry, Journal, journal_path
from cascade_core.errors import ConfigurationError

SETTINGS = {"tiers": ["a", "b"], "prices": "mine"}


def entry(index: int, cost: str | None = "0.10") -> Entry:
    row = {"id": str(index), "t0_quality": 1.0, "t1_cost_usd": None}
    return Entry(
        index,
        row,
        None if cost is None else Decimal(cost),
        {1: "ProviderError"},
        graded_by="exact",
        problems={0: "mine:grade raised KeyError"},
        answers=[{"text": "18 \ud83d", "calls": [], "broken": 0}, None],
    )


def filled(path: Path, n: int = 3) -> Path:
    with Journal(path, SETTINGS) as journal:
        for index in range(n):
            journal.add(entry(index))
    return path


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    with Journal(path, SETTINGS) as journal:
        journal.add(entry(7, None))
    with Journal(path, SETTINGS) as journal:
        assert list(journal.in_order()) == [entry(0), entry(1), entry(2), entry(7, None)]


def test_money_is_exact_over_a_kill(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", SETTINGS) as journal:
        journal.add(entry(0, "0.1000000000000000000001"))
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.entries[0].cost == Decimal("0.1000000000000000000001")


KILLED = """
import os, signal, sys
from decimal import Decimal
from pathlib import Path
from cascade_core.collect.journal import Entry, Journal

with Journal(Path(sys.argv[1]), {"tiers": ["a", "b"], "prices": "mine"}) as journal:
    for index in range(1000):
        journal.add(Entry(index, {"id": str(index), "t0_quality": 1.0}, Decimal("0.1")))
        print(index, flush=True)
"""


@pytest.mark.processes
@pytest.mark.parametrize("after", [0, 3, 40])
def test_a_kill_loses_nothing_that_was_written_down(tmp_path: Path, after: int) -> None:
    path = tmp_path / "j"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, env=environment
    )
    assert writer.stdout is not None
    for _ in range(after + 1):
        writer.stdout.readline()
    writer.kill()
    told = after + len(writer.stdout.read().splitlines())
    writer.wait()
    with Journal(path, SETTINGS) as journal:
        assert len(journal.entries) >= told
        assert sorted(journal.entries) == list(range(len(journal.entries)))
        journal.add(entry(5000))
    assert [file.name for file in tmp_path.iterdir()] == ["j"]
    with Journal(path, SETTINGS) as journal:
        assert 5000 in journal.entries


def test_every_cut_of_what_is_written_ahead_loses_only_the_request_that_it_cuts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_core.collect.journal.SYNC_SECONDS", inf)
    path, cut_off = tmp_path / "j", tmp_path / "cut"
    ends = []
    with Journal(path, SETTINGS) as journal:
        for index in range(5):
            journal.add(entry(index))
            ends.append(ahead(path).stat().st_size)
        whole, written = path.read_bytes(), ahead(path).read_bytes()
    cuts = {*range(0, len(written), 499), *ends, *(end - 1 for end in ends)}
    for cut in sorted(cuts):
        cut_off.write_bytes(whole)
        ahead(cut_off).write_bytes(written[:cut])
        with Journal(cut_off, SETTINGS) as journal:
            assert list(journal.entries) == list(range(sum(end <= cut for end in ends)))
            journal.add(entry(9))
        with Journal(cut_off, SETTINGS) as journal:
            assert 9 in journal.entries


def ahead(path: Path) -> Path:
    """Where SQLite writes ahead."""
    return path.with_name(f"{path.name}-wal")


def test_a_power_cut_loses_no_more_than_the_last_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_core.collect.journal.SYNC_SECONDS", 0)
    synced = tmp_path / "synced"
    with Journal(tmp_path / "j", SETTINGS) as journal:
        for index in range(3):
            journal.add(entry(index))
            synced.write_bytes((tmp_path / "j").read_bytes())  # without what is written ahead
            with Journal(synced, SETTINGS) as found:
                assert list(found.entries) == list(range(index + 1))


def test_a_file_killed_before_it_was_begun_is_begun(tmp_path: Path) -> None:
    (tmp_path / "j").touch()
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert not journal.entries


def test_a_full_disk_is_one_line_and_loses_nothing_of_before(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    with Journal(path, SETTINGS) as journal:
        pages = journal._first("PRAGMA page_count")
        journal._kept.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(ConfigurationError, match=r"disk is full.*all before it are") as full:
            fill(journal)
        kept = dict(journal.entries)
    assert "\n" not in str(full.value)
    with Journal(path, SETTINGS) as journal:
        assert journal.entries == kept
        assert list(kept) == list(range(len(kept)))


def fill(journal: Journal) -> None:
    for index in range(3, 500):
        journal.add(entry(index))


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    path = filled(tmp_path / "j", 200)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\0" * 4096 + whole[8192:])
    with pytest.raises(ConfigurationError, match=r"j.* damaged"):
        Journal(path, SETTINGS)


def test_a_damaged_entry_is_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    with sqlite3.connect(path) as kept:
        kept.execute("UPDATE requests SET entry = '{' WHERE place = 1")
    kept.close()
    with pytest.raises(ConfigurationError, match="request 1: is damaged"):
        Journal(path, SETTINGS)


def test_no_answer_is_quoted_where_its_bytes_are_no_text(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    with sqlite3.connect(path) as kept:
        kept.execute("UPDATE requests SET entry = CAST(x'736563726574ff' AS TEXT) WHERE place = 1")
    kept.close()
    with pytest.raises(ConfigurationError, match="request 1: is damaged") as damaged:
        Journal(path, SETTINGS)
    assert "secret" not in str(damaged.value)


def test_a_journal_of_an_earlier_version_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "labels.csv.partial.jsonl").write_text('{"format": "model-cascade collect 2"}\n')
    with pytest.raises(ConfigurationError, match="of an earlier version: finish it with that"):
        Journal(journal_path(tmp_path / "labels.csv"), SETTINGS)
    assert not journal_path(tmp_path / "labels.csv").exists()


def test_other_settings_are_refused_by_name_and_nothing_is_lost(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"other settings \(prices\)"):
        Journal(path, {**SETTINGS, "prices": "yours"})
    with pytest.raises(ConfigurationError, match=r"other settings \(texts\)"):
        Journal(path, {"prices": "mine", "tiers": ["a"], "texts": True})
    assert path.read_bytes() == before


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(json.dumps({"request": "mine"}) + "\n")
    with pytest.raises(ConfigurationError, match="is no journal"):
        Journal(path, SETTINGS)
    assert "mine" in path.read_text()


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with sqlite3.connect(path) as mine:
        mine.execute("CREATE TABLE tickets (text TEXT)")
    mine.close()
    with pytest.raises(ConfigurationError, match="is no journal of this version"):
        Journal(path, SETTINGS)
    with sqlite3.connect(path) as mine:
        assert mine.execute("SELECT name FROM sqlite_master").fetchall() == [("tickets",)]
    mine.close()


def test_two_runs_cannot_share_one(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "j", SETTINGS),
        pytest.raises(ConfigurationError, match="another run"),
    ):
        Journal(tmp_path / "j", SETTINGS)


def test_a_run_that_finished_nothing_leaves_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", SETTINGS):
        assert (tmp_path / "j").exists()
    assert not list(tmp_path.iterdir())


def test_a_finished_journal_is_gone_with_all_that_lay_beside_it(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", SETTINGS) as journal:
        journal.add(entry(0))
        journal.remove()
    assert not list(tmp_path.iterdir())


def test_the_journal_lies_beside_its_table() -> None:
    assert journal_path(Path("some/labels.csv")) == Path("some/labels.csv.partial.db")
