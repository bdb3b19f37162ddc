"""A watch over a log, from the first audits to a version that decides, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.watch.passes import LogWatch
from tests.core.watch.traffic import grow

HARM = 0.05


def kinds(url: str, **settings: object) -> list[str]:
    """Return what one pass of a new watch did."""
    return [event.kind for event in LogWatch(url, harm=HARM, **settings).once()]  # type: ignore[arg-type]


@pytest.fixture
def log(url: str) -> str:
    """A log with audits enough for a first candidate, which is under test."""
    grow(url, 0, 300)
    assert kinds(url) == ["frozen"]
    return url


def test_a_candidate_is_tested_on_audits_that_came_after_it_and_then_decides(log: str) -> None:
    assert kinds(log) == ["waiting"], "the audits that it was fitted to are no test"
    grow(log, 300, 300)
    assert "activated" in kinds(log)
    store = LogWatch(log, harm=HARM).store
    (promise,) = store.active().policy.promises
    assert (promise.limit, promise.confidence, promise.rows) == (HARM, 0.95, 300)
    assert "watch:" in (store.versions()[0].note or "")


def test_what_loses_too_much_is_taken_back(log: str) -> None:
    grow(log, 300, 300)
    kinds(log)
    grow(log, 600, 400, worse=0.5)
    assert "withdrawn" in kinds(log)
    store = LogWatch(log, harm=HARM).store
    assert store.active().policy.thresholds == (1.0,)
    assert [event.kind for event in store.watch_history()].count("withdrawn") == 1


def test_a_proposal_is_saved_once_and_not_activated(log: str) -> None:
    grow(log, 300, 300)
    assert "proposed" in kinds(log, propose=True)
    assert kinds(log, propose=True) == ["waiting"]
    store = LogWatch(log, harm=HARM).store
    assert store.active_number() is None
    assert [each.active for each in store.versions()] == [False]


def test_what_another_watcher_has_read_meanwhile_is_not_read_again(log: str) -> None:
    grow(log, 300, 300)
    late, early = LogWatch(log, harm=HARM), LogWatch(log, harm=HARM)
    state = late.store.load()
    assert "activated" in [event.kind for event in early.once()]
    late.store.load = lambda: state  # type: ignore[method-assign]
    assert [event.kind for event in late.once()] == ["overtaken"]
    assert len(late.store.history()) == 1


def test_policies_need_a_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="keeps its versions in a database"):
        LogWatch(str(tmp_path / "decisions.jsonl"), harm=HARM)
