"""The journal: what survives a kill, and what it refuses to go on with."""

from __future__ import annotations

import json
from decimal import Decimal
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


def test_every_cut_of_the_file_loses_only_the_line_it_cuts(tmp_path: Path) -> None:
    whole = filled(tmp_path / "whole").read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        path = tmp_path / "cut"
        path.write_bytes(whole[:cut])
        with Journal(path, SETTINGS) as journal:
            assert len(journal.entries) == max(0, sum(end <= cut for end in ends) - 1)
            journal.add(entry(9))
        with Journal(path, SETTINGS) as journal:
            assert 9 in journal.entries
        path.unlink()


def test_rubbish_at_the_end_is_dropped_and_in_the_middle_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    path.write_bytes(path.read_bytes() + b"\0\0\0\n")
    with Journal(path, SETTINGS) as journal:
        assert len(journal.entries) == 3
        journal.add(entry(3))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"rubbish\n", *lines[2:]]))
    with pytest.raises(ConfigurationError, match="line 3: is damaged"):
        Journal(path, SETTINGS)


def test_other_settings_are_refused_by_name_and_nothing_is_lost(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"other settings \(prices\)"):
        Journal(path, {**SETTINGS, "prices": "yours"})
    with pytest.raises(ConfigurationError, match=r"other settings \(tiers, texts\)"):
        Journal(path, {"prices": "mine", "tiers": ["a"], "texts": True})
    assert path.read_bytes() == before


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(json.dumps({"request": "mine"}) + "\n")
    with pytest.raises(ConfigurationError, match="is no journal"):
        Journal(path, SETTINGS)
    assert "mine" in path.read_text()


def test_two_runs_cannot_share_one(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with (
        Journal(tmp_path / "j", SETTINGS),
        pytest.raises(ConfigurationError, match="another run"),
    ):
        Journal(tmp_path / "j", SETTINGS)


def test_a_run_that_finished_nothing_leaves_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", SETTINGS):
        assert (tmp_path / "j").exists()
    assert not (tmp_path / "j").exists()


def test_the_journal_lies_beside_its_table() -> None:
    assert journal_path(Path("some/labels.csv")) == Path("some/labels.csv.partial.jsonl")
