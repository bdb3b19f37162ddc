"""Records are written behind the requests; a database that is slow, full or gone costs no answer."""

import asyncio
import gc
import multiprocessing
import os
import resource
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from cascade_core.log import database_log as waiting
from cascade_core.log import feedback_event, inbox, open_log, schema
from cascade_core.log import writer as module
from cascade_core.log.database import VERSION_TABLE, Database
from cascade_core.log.reading import read_events, read_records
from cascade_core.log.writer import LogWriter
from cascade_core.loop.session import Session
from tests.core.log.databases import a_record, flushed, let_go, tried, work, work_in_a_child
from tests.core.loop.test_session import REQUEST, SURE, Models, engine

FULL = "the database does not keep up"


def ids(url):
    return sorted(record["id"] for record in read_records(url))


@pytest.fixture
def held(url, monkeypatch):
    """A log with room for three records, whose database takes none before `go` is set."""
    go, write = threading.Event(), LogWriter._write

    def wait_and_write(self, batch):
        assert go.wait(60)
        write(self, batch)

    monkeypatch.setattr(LogWriter, "_write", wait_and_write)
    monkeypatch.setattr(inbox, "ROOM", 3)

    def make(overflow="block", records=3):
        log = open_log(url, overflow=overflow)
        log.go = go
        made.append(log)
        for number in range(records):
            log.write(a_record(id=str(number)))
        return log

    made = []
    yield make
    go.set()
    for log in made:
        log.flush(30)


def test_where_there_is_no_room_a_record_is_dropped_and_counted(held):
    log = held("drop")
    with pytest.warns(UserWarning, match=FULL):
        log.write(a_record(id="3"))
    log.write(a_record(id="4"))
    log.write_event(feedback_event("0", 1.0))
    log.go.set()
    assert log.lost == 3
    assert not log.flush(30)
    assert ids(log.url) == ["0", "1", "2"]
    log.write(a_record(id="5"))
    assert log.flush(30)
    assert ids(log.url) == ["0", "1", "2", "5"]


def test_or_a_request_waits_for_room(held):
    log = held()
    threading.Timer(0.05, log.go.set).start()
    log.write(a_record(id="3"))
    assert log.flush(30)
    assert (log.lost, ids(log.url)) == (0, ["0", "1", "2", "3"])


def test_and_goes_on_when_it_has_waited_long_enough(held, monkeypatch):
    log = held()
    monkeypatch.setattr(waiting, "WAIT", 0.01)
    with pytest.warns(UserWarning, match=FULL):
        log.write(a_record(id="3"))
    monkeypatch.setattr(waiting, "WAIT", 10_000)
    log.write(a_record(id="4"))  # nobody waits behind one who has waited in vain
    asyncio.run(log.awrite(a_record(id="5")))
    assert log.lost == 3
    log.go.set()
    assert not log.flush(30)
    monkeypatch.setattr(waiting, "WAIT", 30)
    for number in range(6, 16):  # once something is written they wait again
        log.write(a_record(id=str(number)))
    assert log.flush(30)
    assert log.lost == 3


async def test_the_event_loop_goes_on_while_a_coroutine_waits(held):
    log = held()
    write = asyncio.create_task(log.awrite(a_record(id="3")))
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert not write.done()
    log.go.set()
    await write
    assert await asyncio.to_thread(log.flush, 30)
    assert log.lost == 0


async def test_a_coroutine_does_not_wait_for_ever_either(held, monkeypatch):
    log = held()
    monkeypatch.setattr(waiting, "WAIT", 0.01)
    with pytest.warns(UserWarning, match=FULL):
        await log.awrite_event(feedback_event("0", 1.0))
    assert log.lost == 1


def test_bytes_are_bounded_as_well(held, monkeypatch):
    monkeypatch.setattr(inbox, "ROOM", 1000)
    monkeypatch.setattr(inbox, "ROOM_BYTES", 10_000)
    log = held("drop", records=0)
    log.write(a_record(response="x" * 20_000))  # alone it has to fit
    with pytest.warns(UserWarning, match=FULL):
        log.write(a_record())
    log.go.set()
    log.flush(30)
    assert len(ids(log.url)) == 1


def test_flushing_tells_that_it_was_not_done_in_time(held):
    log = held(records=1)
    assert not log.flush(0.01)
    log.go.set()
    assert log.flush(30)


def test_the_thread_ends_where_nothing_happens_and_begins_again(url, monkeypatch):
    monkeypatch.setattr(module, "REST", 0.01)
    log = open_log(url)
    for number in range(3):
        log.write(a_record(id=str(number)))
        assert log.flush(30)
        while log._writer._thread is not None:
            time.sleep(0.001)
        assert log._writer._connection is None
    assert ids(url) == ["0", "1", "2"]


def test_where_no_thread_can_be_started_flushing_writes(url, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    log = open_log(url)
    log.write(a_record(id="1"))
    assert log.flush(30)
    assert ids(url) == ["1"]


# --- a database in trouble ------------------------------------------------------------------------


def test_a_database_that_comes_back_is_written_again(tmp_path):
    (tmp_path / "there").mkdir()
    log = open_log(f"sqlite:///{tmp_path / 'there' / 'a.db'}")
    (tmp_path / "there").rename(tmp_path / "gone")
    with pytest.warns(UserWarning, match=r"cannot be written \(\w+\): answers go on"):
        assert not tried(log, *(a_record(id=str(number)) for number in range(5)))
    (tmp_path / "gone").rename(tmp_path / "there")
    assert log.flush(30)
    assert (log.lost, ids(log.url)) == (0, ["0", "1", "2", "3", "4"])


def test_who_waits_for_a_database_that_is_down_is_told_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(inbox, "PATIENCE", 0.1)
    (tmp_path / "there").mkdir()
    log = open_log(f"sqlite:///{tmp_path / 'there' / 'a.db'}")
    (tmp_path / "there").rename(tmp_path / "gone")
    with pytest.warns(UserWarning, match="cannot be written"):
        assert not flushed(log, a_record(id="0"), seconds=None)
    assert not log.flush(), "nor for ever the next time"
    assert log.lost == 0, "it may still be written"
    (tmp_path / "gone").rename(tmp_path / "there")
    assert log.flush()
    assert ids(log.url) == ["0"]


def test_a_try_that_had_begun_before_is_not_the_one_that_is_waited_for(monkeypatch):
    monkeypatch.setattr(inbox, "PATIENCE", 0)
    box = inbox.Inbox()
    box.offer(SimpleNamespace(packed=b""))
    box.begin()
    box.fail()
    box.begin()
    happens = iter([box.fail, box.begin, box.fail])  # the first try began too early to count
    monkeypatch.setattr(box._moved, "wait", lambda _: next(happens)())
    assert not box.all_settled(None)
    assert list(happens) == []


def test_a_disk_that_is_full_loses_nothing_that_has_room(tmp_path):
    log = open_log(f"sqlite:///{tmp_path / 'a.db'}")
    log.write(a_record(id="0"))
    assert log.flush(30)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in tmp_path.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, limits[1]))
    try:
        with pytest.warns(UserWarning, match="cannot be written"):
            assert not tried(log, a_record(id="1", response="x" * largest))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.flush(30)
    assert ids(log.url) == ["0", "1"]


def removed(file):
    for end in ("", "-wal", "-shm"):
        Path(f"{file}{end}").unlink()


def renamed(file):
    file.rename(file.with_name("old.db"))


def emptied(file):
    removed(file)
    file.touch()


@pytest.mark.parametrize("happens", [removed, renamed, emptied])
def test_what_is_written_after_a_file_was_taken_away_is_in_a_new_one(tmp_path, happens):
    file = tmp_path / "a.db"
    log = open_log(f"sqlite:///{file}")
    assert flushed(log, a_record(id="0"))
    happens(file)
    assert flushed(log, a_record(id="1"))
    assert (log.lost, ids(log.url)) == (0, ["1"])


@pytest.mark.filterwarnings("ignore:log=.*cannot be written")
def test_tables_that_somebody_has_dropped_are_made_again(url):
    log = open_log(url)
    assert flushed(log, a_record(id="0"))
    database = Database(url)
    with database.writing() as connection:
        for table in (*reversed(schema.decisions.metadata.sorted_tables), sa.table(VERSION_TABLE)):
            connection.exec_driver_sql(f"DROP TABLE {table.name}")
    assert flushed(log, a_record(id="1"))
    assert (log.lost, ids(url)) == (0, ["1"])


def answers(log):
    """Answer three requests; return which tiers did, once the log has been tried."""
    found = [Session(engine(log), REQUEST, Models(SURE, SURE)).run()[0].tier for _ in range(3)]
    assert not tried(log)
    return found


def test_a_database_that_may_not_be_written_costs_no_answer(tmp_path, monkeypatch):
    path = tmp_path / "a.db"
    assert open_log(f"sqlite:///{path}").flush()
    log = open_log(f"sqlite:///{path}")
    log.write(a_record(id="0"))
    assert log.flush(30)
    monkeypatch.setattr(inbox, "ROOM", 1)
    monkeypatch.setattr(waiting, "WAIT", 0.01)
    read_only = open_log(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.warns(UserWarning, match="loses decisions") as caught:
        assert answers(read_only) == [0, 0, 0]
    assert read_only.lost == 2
    said = " ".join(str(one.message) for one in caught)
    assert "cannot be written (OperationalError)" in said
    assert said.count("loses decisions") == 1
    let_go(read_only, monkeypatch)


def test_where_warnings_are_errors_the_answer_gets_out(url, monkeypatch):
    monkeypatch.setattr(inbox, "ROOM", 0)
    log = open_log(url, overflow="drop")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verdict, _ = Session(engine(log), REQUEST, Models(SURE, SURE)).run()
    assert (verdict.tier, log.lost) == (0, 1)


# --- processes ------------------------------------------------------------------------------------

PROGRAM = """
import sys
from cascade_core import flush_log
from cascade_core.log import open_log, writers, writer
from cascade_core.loop import behind
writers.LEAVING = behind.AT_EXIT = float(sys.argv[2])
log = open_log(sys.argv[1])
for number in range(100):
    log.write({"id": str(number), "reason": "confident", "calls": []})
"""


def ran(url, seconds):
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, url, str(seconds)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


@pytest.mark.processes
def test_a_program_that_ends_writes_what_is_left(url):
    assert ran(url, 30) == ""
    assert len(ids(url)) == 100


@pytest.mark.processes
def test_or_says_how_much_is_lost():
    said = ran("postgresql://ann:geheim@127.0.0.1:1/x", 0.1)
    assert said.strip() == "log='postgresql://ann:***@127.0.0.1:1/x': 100 records were lost"


@pytest.mark.processes
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_write_what_is_theirs_and_nothing_else(url, method):
    log = open_log(url)
    work(log, "before", 50)  # some of it waits, some of it is being written
    context = multiprocessing.get_context(method)
    children = [
        context.Process(target=work_in_a_child, args=(log, f"child{n}", 50)) for n in range(3)
    ]
    for child in children:
        child.start()
    work(log, "after", 50)
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert log.flush(30)
    names = [f"child{n}" for n in range(3)] + ["before", "after"]
    assert ids(url) == sorted(f"{name}-{number}" for name in names for number in range(50))
    assert len(list(read_events(url))) == 250


def test_a_child_of_a_program_that_was_waiting_does_not_hang(held):
    log = held()
    child = os.fork()
    if not child:
        log.go.set()
        log.write(a_record(id="child"))
        os._exit(0 if log.flush(30) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert ids(log.url) == ["child"]
    log.go.set()
    assert log.flush(30)
    assert ids(log.url) == ["0", "1", "2", "child"]


def test_a_record_that_comes_while_the_thread_goes_to_rest_rouses_it(tmp_path):
    writer, idle = LogWriter(f"sqlite:///{tmp_path / 'log.db'}"), []

    class LookedAt(inbox.Inbox):
        def __len__(self):
            idle.append(writer._idle)
            return super().__len__()

    writer.inbox, writer._idle = LookedAt(), False
    writer._wake.set()
    assert writer._has_work()
    assert idle == [True]  # one that comes after this look finds the thread idle, and wakes it


def test_a_record_of_a_stream_that_is_collected_is_taken_in_while_another_is(tmp_path):
    url = f"sqlite:///{tmp_path / 'log.db'}"
    log = open_log(url)

    class Collecting(deque):
        def append(self, parcel):
            gc.collect()  # as may happen anywhere
            super().append(parcel)

    def stream():
        try:
            yield
        finally:
            log.write(a_record(id="collected"))

    def use():
        left = stream()
        next(left)
        circle = [left]
        circle.append(circle)
        del left, circle
        log.write(a_record(id="another"))

    log._writer.inbox._parcels = Collecting()
    gc.disable()
    try:
        worker = threading.Thread(target=use, daemon=True)
        worker.start()
        worker.join(60)
    finally:
        gc.enable()
    assert not worker.is_alive()
    assert log.flush(30)
    assert ids(url) == ["another", "collected"]
