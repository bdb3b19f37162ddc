"""Shadow mode: the answer is out at once, and what goes on behind it is written down in the end."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from cascade_core import collect_decisions, flush_log
from cascade_core.loop import behind
from cascade_core.loop.session import Session
from tests.core.loop.test_session import REQUEST, SURE, UNSURE, Kept, Models, Moments, Way, engine
from tests.core.making import Answer, ProviderError

SETTINGS = {"mode": "shadow", "prices": {"m0": {"input": 1, "output": 1}}}
PENDING = {"tier": None, "reason": "unfinished", "accepted": None, "cost_usd": None}


class Held(Models):
    """Models of which the cheap one answers only when it is let go."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.go = threading.Event()

    def call(self, effect, sample):
        if effect.target.index == 0:
            assert self.go.wait(60)
        return super().call(effect, sample)

    async def acall(self, effect, sample):
        if effect.target.index == 0:
            while not self.go.is_set():  # noqa: ASYNC110 - it is set from another thread
                await asyncio.sleep(0.001)
        return super().call(effect, sample)


@pytest.mark.parametrize("name", ["run", "stream"])
def test_the_answer_does_not_wait_for_the_cheap_tier(name):
    log, hook, models = Kept(), Moments(), Held(SURE, SURE)
    asked = Session(engine(log, [hook], **SETTINGS), REQUEST, models)
    with collect_decisions() as seen:
        asked._collectors = (seen,)
        verdict, record = Way(name)(asked)
    assert (verdict.tier, verdict.reason, record["shadow"]) == (1, "shadow", PENDING)
    assert [call["tier"] for call in record["calls"]] == [1]
    assert (log.records, seen, hook.seen) == ([], [], ["before"])
    models.go.set()
    assert flush_log(60)
    (whole,) = log.records
    assert seen == [whole]
    assert whole["id"] == record["id"]
    assert whole["shadow"]["accepted"] is True
    assert [(c["tier"], c["outcome"]) for c in whole["calls"]] == [(1, "returned"), (0, "rejected")]
    assert hook.seen == ["before", "decided", "ended"]
    assert len(record["calls"]) == 1, "what the caller has is not changed behind it"


@pytest.mark.parametrize("name", ["arun", "astream"])
async def test_nor_does_it_where_it_is_awaited(name):
    log, models = Kept(), Held(UNSURE, SURE)
    asked = Session(engine(log, **SETTINGS), REQUEST, models)
    _, record = await Way(name)._awaited(asked)
    assert (record["shadow"], log.records) == (PENDING, [])
    models.go.set()
    assert await asyncio.to_thread(flush_log, 60)
    assert [whole["shadow"]["reason"] for whole in log.records] == ["low_confidence"]


def test_a_loop_that_ends_leaves_a_record_of_what_is_known():
    log, models = Kept(), Held(SURE, SURE)
    asked = Session(engine(log, **SETTINGS), REQUEST, models)
    Way("arun")(asked)  # `asyncio.run` cancels what is still under way
    (record,) = log.records
    assert record["shadow"] == {**PENDING, "error": "CancelledError"}
    assert (record["tier"], record["reason"]) == (1, "shadow")


@pytest.mark.parametrize("name", ["run", "astream"])
def test_a_cheap_tier_that_fails_costs_nobody_an_answer(name):
    log = Kept()
    asked = Session(engine(log, **SETTINGS), REQUEST, Models(Answer(error=ProviderError()), SURE))
    assert Way(name)(asked).verdict.tier == 1
    flush_log(60)
    assert log.records[0]["shadow"]["reason"] in {"failed", "unfinished"}


def test_what_goes_on_behind_sees_the_context_of_its_request():
    here, seen = ContextVar("here", default=None), []

    class Looks(Models):
        def call(self, effect, sample):
            seen.append((effect.target.index, here.get()))
            return super().call(effect, sample)

    here.set("mine")
    Session(engine(**SETTINGS), REQUEST, Looks(SURE, SURE)).run()
    flush_log(60)
    assert seen == [(1, "mine"), (0, "mine")]


def test_a_request_waits_itself_where_too_much_is_under_way(monkeypatch):
    monkeypatch.setattr(behind, "AT_ONCE", 0)
    log = Kept()
    _, record = Session(engine(log, **SETTINGS), REQUEST, Models(SURE, SURE)).run()
    assert record["shadow"]["accepted"] is True
    assert log.records == [record]


def test_a_stream_that_is_closed_after_its_answer_is_still_written_down_once():
    log, models = Kept(), Held(SURE, SURE)
    items = Session(engine(log, **SETTINGS), REQUEST, models).stream()
    for item in items:
        last = item
    items.close()
    models.go.set()
    flush_log(60)
    assert len(log.records) == 1
    assert last.record["id"] == log.records[0]["id"]


def test_waiting_ends_when_it_is_told_to():
    models = Held(SURE, SURE)
    Session(engine(**SETTINGS), REQUEST, models).run()
    assert not flush_log(0)
    models.go.set()
    assert flush_log(60)


PROGRAM = """
import threading
from cascade_core.loop import behind
from tests.core.loop.test_behind import SETTINGS, Held
from tests.core.loop.test_session import REQUEST, SURE, engine
from cascade_core.loop.session import Session
behind.AT_EXIT = {seconds}
models = Held(SURE, SURE)
if {let_go}:
    threading.Timer(0.05, models.go.set).start()
Session(engine({log!r}, **SETTINGS), REQUEST, models).run()
"""


@pytest.mark.processes
@pytest.mark.parametrize(("let_go", "reason"), [(True, "confident"), (False, "unfinished")])
def test_a_program_that_ends_waits_a_little_and_writes_down_what_is_known(tmp_path, let_go, reason):
    log = tmp_path / "log.jsonl"
    program = PROGRAM.format(seconds=60 if let_go else 0.05, let_go=let_go, log=str(log))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert f'"reason": "{reason}"' in log.read_text()
    assert log.read_text().count("\n") == 1


def test_a_program_that_ends_lets_a_thread_finish_what_it_is_writing_down(monkeypatch):
    ending, written = threading.Event(), []
    monkeypatch.setattr(behind, "flush_log", lambda _: True)  # waited for in vain
    monkeypatch.setattr(behind, "flush_writers", lambda _: written.append("flushed"))
    monkeypatch.setattr(behind, "AT_EXIT", 60)
    claim, writing = behind._Work.claim, threading.Event()

    def claims(work):
        first = claim(work)
        if not first:
            ending.set()  # the end of the program comes second
        return first

    def write():
        writing.set()
        assert ending.wait(60)
        written.append("record")

    monkeypatch.setattr(behind._Work, "claim", claims)
    assert behind.start_thread(lambda: None, write, lambda _: written.append("given up"))
    assert writing.wait(60)
    behind._at_exit()
    assert written == ["record", "flushed"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_does_not_wait_for_what_goes_on_in_its_parent():
    models = Held(SURE, SURE)
    Session(engine(**SETTINGS), REQUEST, models).run()
    child = os.fork()
    if not child:
        signal.alarm(60)
        os._exit(0 if flush_log() else 1)
    assert os.waitpid(child, 0)[1] == 0
    models.go.set()
    assert flush_log(60)


def left_by_its_loop(asked):
    """Answer a request in an event loop that is closed without ending its tasks; return those."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asked.arun())
    left = asyncio.all_tasks(loop)
    loop.close()
    return left


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_a_closed_loop_leaves_is_written_down_and_nobody_waits_for_it():
    log = Kept()
    left = left_by_its_loop(Session(engine(log, **SETTINGS), REQUEST, Held(SURE, SURE)))
    assert len(left) == 1
    with ThreadPoolExecutor() as elsewhere:
        assert elsewhere.submit(flush_log, 30).result()
    (record,) = log.records
    assert record["shadow"]["error"] == "CancelledError"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nor_does_it_take_the_place_of_others(monkeypatch):
    monkeypatch.setattr(behind, "AT_ONCE", 1)
    log = Kept()
    left = [
        left_by_its_loop(Session(engine(log, **SETTINGS), REQUEST, Held(SURE, SURE)))
        for _ in range(3)
    ]
    assert [len(each) for each in left] == [1, 1, 1]
    assert flush_log(30)
    assert len(log.records) == 3


def test_a_task_that_is_cancelled_before_it_begins_is_given_up():
    given_up = []

    async def never():
        raise AssertionError

    async def begin():
        assert behind.start_task(never, never, given_up.append)
        (work,) = behind._of_this_process()
        work.task.cancel()

    asyncio.run(begin())
    assert [type(error) for error in given_up] == [asyncio.CancelledError]
    assert flush_log(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_what_goes_on_in_a_parent_takes_no_place_in_its_child(monkeypatch):
    monkeypatch.setattr(behind, "AT_ONCE", 1)
    models = Held(SURE, SURE)
    Session(engine(**SETTINGS), REQUEST, models).run()
    child = os.fork()
    if not child:
        signal.alarm(60)
        os._exit(0 if behind.start_thread(int, int, lambda _: None) else 1)
    assert os.waitpid(child, 0)[1] == 0
    models.go.set()
    assert flush_log(60)
