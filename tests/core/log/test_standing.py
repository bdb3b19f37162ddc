"""A log on a disk that takes no files is read as it stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cascade_core.log.reading import read_records
from cascade_core.log.standing import stands
from tests.core.review.logs import everything
from tests.core.traffic.storing import store


@pytest.fixture
def unwritable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a log in a folder that says that it takes no files, whoever asks."""
    file = tmp_path / "a b?#.db"
    store(everything(), f"sqlite:///{tmp_path / 'log.db'}")
    (tmp_path / "log.db").rename(file)
    monkeypatch.setattr(os, "access", lambda *_: False)
    return file


def test_nothing_is_made_beside_it(unwritable: Path, tmp_path: Path) -> None:
    (tmp_path / "log.db").symlink_to(unwritable.name)
    before = unwritable.read_bytes()
    assert len(list(read_records(f"sqlite:///{tmp_path / 'log.db'}"))) == 100
    assert len(list(read_records(f"sqlite:///{tmp_path / 'log.db'}?mode=ro"))) == 100
    assert sorted(each.name for each in tmp_path.iterdir()) == [unwritable.name, "log.db"]
    assert unwritable.read_bytes() == before


def test_one_that_may_be_written_to_is_read_as_any_other(
    unwritable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stands(unwritable)
    for end in ("-wal", "-shm", "-journal"):
        beside = Path(f"{unwritable}{end}")
        beside.touch()
        assert not stands(unwritable)
        beside.unlink()
    monkeypatch.undo()
    assert not stands(unwritable)
    assert not stands(unwritable.with_name("nowhere.db"))
