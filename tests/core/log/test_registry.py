"""Where a decision is kept is remembered for a while, and in bounds."""

from weakref import WeakSet

import pytest

from cascade_core.log import JsonlLog, registry
from cascade_core.log.registry import log_of, place_of, register, registered_logs, remember


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch):
    monkeypatch.setattr(registry, "_registered", WeakSet())
    monkeypatch.setattr(registry, "_recent", {})
    monkeypatch.setattr(registry, "_before", {})


def test_what_is_remembered_stays_in_bounds(monkeypatch):
    monkeypatch.setattr(registry, "REMEMBERED", 4)
    one = register(object(), None)
    for number in range(100):
        remember(str(number), one)
        assert log_of(str(number)) is one
        assert log_of(str(max(0, number - 4))) is one
    assert log_of("50") is None
    assert len(registry._recent) + len(registry._before) <= 8


def test_logs_of_one_file_are_one_and_the_one_that_redacts(tmp_path):
    path = tmp_path / "decisions.jsonl"
    one, other = register(JsonlLog(path), None), register(JsonlLog(str(path)), str.upper)
    third = register(object(), None)
    assert set(registered_logs()) == {other, third}
    assert one not in registered_logs()


def test_a_place_is_the_same_however_it_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "d.jsonl"
    assert place_of("d.jsonl") == place_of(path) == place_of(JsonlLog(path))
    assert place_of("sqlite:///d.db") == place_of(f"sqlite:///{tmp_path}/d.db")
    assert place_of("postgres://u:p@h/d") == place_of("postgresql+psycopg://u:p@h/d")
    assert place_of("what://is/this") == "what://is/this"
    assert place_of(path) != place_of("sqlite:///d.jsonl")


def test_no_log_is_not_registered():
    assert register(None, None) is None
    assert registered_logs() == []
