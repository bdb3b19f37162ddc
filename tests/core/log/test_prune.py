"""`cascade prune`: what is old goes with all that belongs to it, and nothing else."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cascade_core.commands.prune import prune
from cascade_core.errors import ConfigurationError
from cascade_core.log import audit_event, feedback_event, open_log
from cascade_core.log import prune as module
from cascade_core.log.database import Database
from cascade_core.log.prune import Pruned, prune_log
from cascade_core.log.reading import read_events, read_records
from tests.core.log.databases import a_record

NOW = datetime.now(UTC)
CONTENT = {"request": [{"role": "user", "text": "secret " * 500}], "response": "secret " * 500}


@pytest.fixture
def log(url, monkeypatch):
    """A log of an old decision and a new one, each with content, an audit and feedback."""
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    log = open_log(url)
    for name, days in (("old", 100), ("new", 1)):
        at = (NOW - timedelta(days=days)).isoformat()
        for number in range(5):
            key = f"{name}{number}"
            log.write(a_record(id=key, at=at, **CONTENT))
            tiers = [{"tier": 0}, {"tier": 1, "response": "secret"}]
            audit = audit_event(key, status="done", probability=1.0, compare="auto", tiers=tiers)
            log.write_event({**audit, "at": at})
            said = {"note" if number else "corrected": "secret"}
            log.write_event({**feedback_event(key, 1.0, **said), "at": at})
    forsaken = {
        **feedback_event("never logged", 0.0, corrected="secret"),
        "at": "2020-01-01T00:00:00+00:00",
    }
    log.write_event(forsaken)
    assert log.flush(30)
    return log


def before():
    return (NOW - timedelta(days=90)).timestamp()


def test_what_is_old_goes_with_what_became_known_of_it(log):
    database = Database(log.url)
    counted = prune_log(database, before(), dry_run=True)
    assert len(list(read_records(log.url))) == 10
    assert prune_log(database, before()) == counted == Pruned(5, 5, 6)
    assert {record["id"] for record in read_records(log.url)} == {f"new{n}" for n in range(5)}
    left = list(read_events(log.url))
    assert len(left) == 10
    assert all(event["decision"].startswith("new") for event in left)
    assert prune_log(database, before()) == Pruned()


def test_content_alone_goes_where_figures_are_to_stay(log):
    database = Database(log.url)
    counted = prune_log(database, before(), content_only=True, dry_run=True)
    assert prune_log(database, before(), content_only=True) == counted == Pruned(5, 5, 6)
    for record in read_records(log.url):
        assert ("request" in record, "response" in record) == (record["id"].startswith("new"),) * 2
    for event in read_events(log.url, "feedback"):
        kept = "secret" in {event["corrected"], event["note"]}
        assert kept == event["decision"].startswith("new")
    for event in read_events(log.url, "audit"):
        assert ("response" in event["tiers"][1]) == event["decision"].startswith("new")
    assert prune_log(database, before(), content_only=True) == Pruned()


def test_nothing_of_what_was_deleted_is_left_in_a_file(tmp_path):
    log = open_log(f"sqlite:///{tmp_path / 'a.db'}")
    for _ in range(200):
        log.write(a_record(at="2020-01-01T00:00:00+00:00", **CONTENT))
    assert log.flush(30)
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    prune_log(Database(log.url), before())
    left = list(tmp_path.iterdir())
    assert not any(b"secret" in file.read_bytes() for file in left)
    assert sum(file.stat().st_size for file in left) < size / 10


def test_a_cascade_goes_on_writing_meanwhile(log):
    steps = module._transactions

    def written_between(connection):
        for step in steps(connection):
            yield step
            connection.commit()
            log.write(a_record(id=f"late{len(late)}"))
            late.append(log.flush(30))

    late = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_transactions", written_between)
        assert prune_log(Database(log.url), before()).decisions == 5
    assert len(late) >= 3
    assert all(late)


def test_the_command_says_what_went(log, capsys):
    prune(log.url, older_than="90d", as_json=True, dry_run=True)
    assert json.loads(capsys.readouterr().out) == {
        "dry_run": True,
        "decisions": 5,
        "audits": 5,
        "feedback": 6,
    }
    prune(log.url, older_than="90d", content_only=True)
    prune(log.url, older_than="90d")
    assert capsys.readouterr().out.splitlines() == [
        "Content of 5 decisions, 5 audits and 6 entries of feedback deleted.",
        "5 decisions, 5 audits and 6 entries of feedback deleted.",
    ]


def test_what_cannot_be_pruned_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match="appending to a file of lines"):
        prune(str(tmp_path / "a.jsonl"), older_than="90d")
    with pytest.raises(ConfigurationError, match="there is no file"):
        prune(f"sqlite:///{tmp_path / 'a.db'}", older_than="90d")
    with pytest.raises(ConfigurationError, match="--older-than 'long'"):
        prune(f"sqlite:///{tmp_path / 'a.db'}", older_than="long")
