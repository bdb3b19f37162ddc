"""Feedback finds the log that has its decision, says what is wrong with it, and waits for nobody."""

import asyncio
import gc
import json
import subprocess
import sys
import threading
from decimal import Decimal
from fractions import Fraction
from uuid import UUID
from weakref import WeakSet

import pytest

from cascade_core import flush_log, record_feedback
from cascade_core.errors import CascadeWarning, ConfigurationError
from cascade_core.log import registry
from cascade_core.log.reading import read_events
from cascade_core.loop.session import Session
from cascade_core.request import Request
from cascade_core.setup.engine import Engine
from cascade_core.setup.settings import CascadeSettings
from tests.core.loop.test_session import SURE, Models
from tests.core.making import make_tiers


class Kept:
    """A log in memory that keeps events too."""

    def __init__(self, error=None):
        self.records, self.events, self.threads = [], [], []
        self.error = error

    def write(self, record):
        self.records.append(record)

    def write_event(self, event):
        if self.error is not None:
            raise self.error
        self.events.append(event)
        self.threads.append(threading.get_ident())


class AsyncKept(Kept):
    async def write_event(self, event):
        await asyncio.sleep(0)
        super().write_event(event)


@pytest.fixture(autouse=True)
def no_other_cascades(monkeypatch):
    """Cascades of other tests may still be alive."""
    monkeypatch.setattr(registry, "_registered", WeakSet())


def engine(log, **settings):
    given = {"prices": {"m0": {"input": 1, "output": 2}, "m1": {"input": 10, "output": 20}}}
    return Engine(CascadeSettings(tiers=(), log=log, **given, **settings), make_tiers())


def decide(made, text="Where is my order?"):
    """Have a request decided; return its id."""
    return Session(made, Request.of(text), Models(SURE, SURE)).run().record["id"]


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_feedback_goes_where_its_decision_is_however_often_it_is_given():
    logs = [Kept(), Kept()]
    engines = [engine(log) for log in logs]
    first, second = [decide(each) for each in engines]
    record_feedback(second, 0.25, by="anna", corrected="On Tuesday.")
    record_feedback(second, True)
    record_feedback(first, Fraction(1, 2))
    assert [event["quality"] for event in logs[0].events] == [0.5]
    anna, other = logs[1].events
    assert anna["event"] == "feedback"
    assert (anna["decision"], anna["quality"], anna["by"]) == (second, 0.25, "anna")
    assert anna["corrected"] == "On Tuesday."
    assert (other["quality"], other["by"], other["corrected"]) == (1.0, None, None)
    assert anna["id"] != other["id"]


def test_in_another_process_a_named_file_gets_it(tmp_path):
    path = tmp_path / "decisions.jsonl"
    path.write_text("", encoding="utf-8")
    record_feedback("made elsewhere", 0, log=path)
    record_feedback(UUID(int=7), 1, log=str(path))
    assert [(line["decision"], line["quality"]) for line in lines(path)] == [
        ("made elsewhere", 0.0),
        (str(UUID(int=7)), 1.0),
    ]


def test_a_named_log_that_a_cascade_has_open_is_the_cascades_own(tmp_path):
    path = tmp_path / "decisions.jsonl"
    made = engine(path, redact=str.upper)
    decide(made)
    record_feedback("made elsewhere", 1, corrected="secret", log=str(path))
    assert lines(path)[-1]["corrected"] == "SECRET"


def test_where_one_log_is_alive_a_decision_of_long_ago_belongs_to_it():
    log = Kept()
    made = engine(log)
    record_feedback("long ago", 1, log=None)
    assert [event["decision"] for event in log.events] == ["long ago"]
    del made


def test_where_no_log_or_several_may_have_it_the_caller_has_to_say():
    with pytest.raises(ConfigurationError, match="no cascade with a log is alive"):
        record_feedback("d1", 1)
    made = [engine(Kept()), engine(Kept())]
    with pytest.raises(ConfigurationError, match="have 2 logs: name the one"):
        record_feedback("d1", 1)
    del made


def test_a_log_is_let_go_with_its_cascade():
    made = engine(Kept())
    decision = decide(made)
    del made
    gc.collect()
    with pytest.raises(ConfigurationError, match="no cascade with a log is alive"):
        record_feedback(decision, 1)


@pytest.mark.parametrize(
    "quality", [-0.01, 1.01, float("nan"), float("inf"), "good", None, Decimal("0.5"), [1]]
)
def test_a_quality_that_is_none_is_refused(quality):
    with pytest.raises(ConfigurationError, match=r"quality is .*: give a number in \[0, 1\]"):
        record_feedback("d1", quality, log=Kept())


@pytest.mark.parametrize("decision", [None, 7, "", "  ", "x" * 501, {"id": "d1"}])
def test_an_id_that_is_none_is_refused(decision):
    with pytest.raises(ConfigurationError, match="decision_id"):
        record_feedback(decision, 1, log=Kept())


@pytest.mark.parametrize("name", ["by", "corrected"])
def test_what_is_no_text_is_refused_unquoted(name):
    with pytest.raises(ConfigurationError, match=f"{name}= takes a text, not list"):
        record_feedback("d1", 1, log=Kept(), **{name: ["secret"]})


@pytest.mark.parametrize("name", ["misspelt.jsonl", "sqlite:///misspelt.db"])
def test_a_log_that_is_not_there_is_not_begun(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=f"{name}.*there is no such log"):
        record_feedback("d1", 1, log=name)
    assert not list(tmp_path.iterdir())


def test_a_log_that_keeps_decisions_only_is_named():
    class Decisions:
        def write(self, record):
            raise AssertionError

    with pytest.raises(ConfigurationError, match="log=Decisions keeps no feedback"):
        record_feedback("d1", 1, log=Decisions())


def test_a_redact_that_fails_costs_the_text_alone():
    def broken(text):
        raise ValueError(text)

    log = Kept()
    made = engine(log, redact=broken)
    with pytest.warns(CascadeWarning, match="corrected= and note= are left out"):
        record_feedback(decide(made), 0, by="anna", corrected="secret", note="secret")
    (event,) = log.events
    assert (event["by"], event["corrected"], event["note"]) == ("anna", None, None)


def test_a_note_goes_through_redact_as_a_corrected_answer_does():
    log = Kept()
    made = engine(log, redact=str.upper)
    record_feedback(decide(made), 0, corrected="yes", note="too short")
    record_feedback(decide(made), 0, note="too long")
    assert [(e["corrected"], e["note"]) for e in log.events] == [
        ("YES", "TOO SHORT"),
        (None, "TOO LONG"),
    ]


def test_a_file_with_a_corrected_answer_is_its_owners_alone(tmp_path):
    path = tmp_path / "decisions.jsonl"
    made = engine(path)
    decision = decide(made)
    assert path.stat().st_mode & 0o077
    record_feedback(decision, 0, corrected="On Tuesday.")
    assert not path.stat().st_mode & 0o077


@pytest.mark.processes
def test_a_database_keeps_feedback_of_every_process(tmp_path):
    url = f"sqlite:///{tmp_path}/decisions.db"
    made = engine(url)
    decision = decide(made)
    record_feedback(decision, 0.5, by="anna")
    record_feedback("made elsewhere", 1, log=url)
    code = (
        f"from cascade_core import record_feedback; record_feedback('{decision}', 0, log='{url}')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

    async def give():
        record_feedback(decision, 0.25, corrected="On Tuesday.")
        await asyncio.to_thread(flush_log)

    file = tmp_path / "decisions.db"
    flush_log()
    assert file.stat().st_mode & 0o077
    asyncio.run(give())
    found = [(e["decision"], e["quality"], e["corrected"]) for e in read_events(url, "feedback")]
    assert found == [
        (decision, 0.5, None),
        ("made elsewhere", 1.0, None),
        (decision, 0.0, None),
        (decision, 0.25, "On Tuesday."),
    ]
    assert not any(each.stat().st_mode & 0o007 for each in tmp_path.glob("decisions.db*"))


@pytest.mark.parametrize("kind", [Kept, AsyncKept])
def test_an_event_loop_does_not_wait_for_the_log(kind):
    log = kind()
    made = engine(log)
    decision = decide(made)

    async def give():
        record_feedback(decision, 1)
        await asyncio.to_thread(flush_log)
        return threading.get_ident()

    here = asyncio.run(give())
    assert [event["decision"] for event in log.events] == [decision]
    assert here not in log.threads


def test_an_async_log_is_awaited_without_an_event_loop_too():
    log = AsyncKept()
    made = engine(log)
    record_feedback(decide(made), 1)
    assert len(log.events) == 1


def test_a_log_that_cannot_be_written_raises_or_warns_where_nobody_waits():
    log = Kept(error=OSError("secret"))
    made = engine(log)
    decision = decide(made)
    with pytest.raises(OSError, match="secret"):
        record_feedback(decision, 1)

    async def give():
        record_feedback(decision, 1)
        await asyncio.to_thread(flush_log)

    with pytest.warns(CascadeWarning, match=r"cannot be written \(OSError\)") as warned:
        asyncio.run(give())
    assert "secret" not in str(warned[0].message)
