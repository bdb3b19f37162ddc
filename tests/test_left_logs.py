"""A test is told nothing of what the logs of another test lost."""

from __future__ import annotations

import sqlite3
import warnings
from pathlib import Path

from cascade_core import flush_log
from cascade_core.log import open_log
from tests.core.log.databases import a_record
from tests.left_logs import forget_logs


def test_a_database_that_cannot_be_written_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "broken.db"
    file.write_text("no database, and longer than the head of one " * 9)
    log = open_log(f"sqlite:///{file}")
    with warnings.catch_warnings(action="ignore"):
        log.write(a_record())
        assert not flush_log(1)
        assert forget_logs() == [f"sqlite:///{file}"]
    assert flush_log(0)
    assert forget_logs() == []


def test_what_was_lost_is_forgotten(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}")
    with warnings.catch_warnings(action="ignore"):
        log._writer.lose("of no room")
    assert forget_logs() == []
    assert flush_log(0)


def test_what_a_good_log_was_given_is_written(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}")
    log.write(a_record(id="one"))
    assert forget_logs() == []
    with sqlite3.connect(tmp_path / "log.db") as read:
        assert read.execute("select id from decisions").fetchall() == [("one",)]
