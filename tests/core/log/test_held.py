"""Where a decision is kept is remembered for a while, and in bounds."""

from weakref import WeakSet

import pytest

from cascade_core.log import JsonlLog, held
from cascade_core.log.held import all_held, hold, log_of, place_of, remember


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch):
    monkeypatch.setattr(held, "_held", WeakSet())
    monkeypatch.setattr(held, "_recent", {})
    monkeypatch.setattr(held, "_before", {})


def test_what_is_remembered_stays_in_bounds(monkeypatch):
    monkeypatch.setattr(held, "REMEMBERED", 4)
    one = hold(object(), None)
    for number in range(100):
        remember(str(number), one)
        assert log_of(str(number)) is one
        assert log_of(str(max(0, number - 4))) is one
    assert log_of("50") is None
    assert len(held._recent) + len(held._before) <= 8


def test_logs_of_one_file_are_one_and_the_one_that_redacts(tmp_path):
    path = tmp_path / "decisions.jsonl"
    one, other = hold(JsonlLog(path), None), hold(JsonlLog(str(path)), str.upper)
    third = hold(object(), None)
    assert set(all_held()) == {other, third}
    assert one not in all_held()


def test_a_place_is_the_same_however_it_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "d.jsonl"
    assert place_of("d.jsonl") == place_of(path) == place_of(JsonlLog(path))
    assert place_of("sqlite:///d.db") == place_of(f"sqlite:///{tmp_path}/d.db")
    assert place_of("postgres://u:p@h/d") == place_of("postgresql+psycopg://u:p@h/d")
    assert place_of("what://is/this") == "what://is/this"
    assert place_of(path) != place_of("sqlite:///d.jsonl")


def test_no_log_is_not_held():
    assert hold(None, None) is None
    assert all_held() == []
