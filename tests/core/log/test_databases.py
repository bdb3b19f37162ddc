"""A log in a database: what is written there is read back, whatever it holds."""

import copy
import json
import math
import pickle
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from cascade_core import flush_log
from cascade_core.errors import ConfigurationError
from cascade_core.log import audit_event, feedback_event, open_log
from cascade_core.log import database as module
from cascade_core.log.database import VERSION_TABLE, Database
from cascade_core.log.reading import database_to_read, is_log, read_events, read_records
from cascade_core.log.rows import row_of_event, rows_of
from cascade_core.log.schema import ADDED, FORM, decisions, metadata
from cascade_core.log.urls import without_password
from cascade_core.review.fetching import fetch_rows
from cascade_core.traffic.reading import read_log
from tests.core.log.databases import a_record, flushed, let_go

BACKSLASH = "\\"
WORST = "\0 \ud83d \udc00 é 😀 \u2028 ' \" % :x {y} " + BACKSLASH


def written(url, *records):
    log = open_log(url)
    for record in records:
        log.write(record)
    assert flush_log(30)
    return log


def column(url, *names):
    with Database(url).reading() as connection:
        query = sa.select(*(decisions.c[name] for name in names)).order_by(decisions.c.at)
        return [tuple(row) for row in connection.execute(query)]


def test_a_record_is_read_back_as_it_was(url):
    records = [
        a_record(
            at=f"2026-01-0{day}T12:00:00+00:00",
            request=[{"role": "user", "text": "é"}],
            response="yes",
        )
        for day in (1, 2, 3)
    ]
    written(url, records[1], records[0], records[2])
    assert list(read_records(url)) == records
    assert list(read_records(url, since=datetime(2026, 1, 2, tzinfo=UTC))) == records[1:]


def test_what_is_analysed_has_columns(url):
    record = a_record(audit={"probability": 0.25, "picked": True}, benefit=0.2, merit=0.7)
    written(url, record)
    names = [name for name in decisions.c.keys() if name not in {"at", "calls"}]  # noqa: SIM118
    (row,) = column(url, *names)
    expected = {
        **record,
        "policy_version": "3",
        "tags": '["vip"]',
        "output_tokens": 20,
        "failed_calls": 1,
        "audit_probability": 0.25,
        "audit_picked": True,
        "handoff": None,
        "promise": None,
        "committed": None,
    }
    assert dict(zip(names, row, strict=True)) == {name: expected[name] for name in names}
    ((at, calls),) = column(url, "at", "calls")
    assert (calls, at) == (2, pytest.approx(datetime.fromisoformat(record["at"]).timestamp()))


def test_events_are_read_back(url):
    tiers = [{"tier": 0, "quality": 1.0}, {"tier": 1, "quality": 1.0, "response": "Yes. \0"}]
    audit = audit_event(
        "d1", status="done", probability=0.5, compare="auto", quality=1.0, tiers=tiers
    )
    feedback = feedback_event("d1", 0.0, by="ann", corrected="No.", note="Too short.")
    log = open_log(url)
    log.write_event(audit)
    log.write_event(feedback)
    assert flush_log(30)
    assert list(read_events(url)) == [audit, feedback]
    assert list(read_events(url, "audit")) == [audit]
    assert list(read_events(url, "feedback")) == [feedback]
    assert list(read_events(url, since=datetime.now(UTC).timestamp() + 60)) == []


def test_the_worst_texts_and_numbers_cost_nothing_else(url):
    bad = a_record(
        id="bad" + WORST,
        response=WORST * 20_000,  # more than a megabyte
        request=[{"role": "user", "text": WORST}],
        thread=WORST,
        model=WORST,
        confidence=math.nan,
        cost_usd=math.inf,
        input_tokens=2**70,
        tier=2**40,
        tags=[WORST],
        metadata={"a": math.nan, WORST: 1},
        at="yesterday",
        calls="none",
    )
    good = [a_record() for _ in range(5)]
    log = written(url, *good[:2], bad, *good[2:])
    assert log.lost == 0
    found = {record["id"]: record for record in read_records(url)}
    assert {record["id"] for record in good} < set(found)
    (read,) = (record for key, record in found.items() if key.startswith("bad"))
    assert read["thread"] == WORST
    assert read["request"] == [{"role": "user", "text": WORST}]
    assert read["metadata"] == {"a": None, WORST: 1}
    assert read["response"].startswith("\ufffd \ufffd \ufffd")
    assert (None, None, None, None) in column(url, "confidence", "cost_usd", "input_tokens", "tier")


def test_an_id_that_is_there_already_costs_only_itself(url):
    first, second = a_record(id="1", model="first"), a_record(id="1", model="second")
    other = a_record()
    log = written(url, first, second, other)
    assert {record["id"] for record in read_records(url)} == {"1", other["id"]}
    assert [record["model"] for record in read_records(url) if record["id"] == "1"] == ["first"]
    assert log.lost == 0


def test_what_a_database_refuses_is_counted_and_the_rest_of_the_batch_is_kept(url, monkeypatch):
    from cascade_core.log import inserting

    rows_of = inserting.rows_of

    def refused(record):
        row, details = rows_of(record)
        return {**row, "at": None} if record["id"] == "bad" else row, details

    monkeypatch.setattr(inserting, "rows_of", refused)
    records = [a_record() for _ in range(7)]
    log = open_log(url)
    with pytest.warns(UserWarning, match=r"loses decisions: the database refuses a record"):
        assert not flushed(log, *records[:3], a_record(id="bad"), *records[3:])
    assert log.lost == 1
    assert {each["id"] for each in read_records(url)} == {each["id"] for each in records}
    assert flush_log(30), "what was lost is told of once"


def test_what_is_neither_record_nor_event_is_counted(url):
    log, kept = open_log(url), a_record()
    with pytest.warns(UserWarning, match="loses decisions"):
        assert not flushed(log, {"event": "rumour", "decision": "1"}, kept)
    assert [each["id"] for each in read_records(url)] == [kept["id"]]


def test_a_record_is_written_as_it_was_when_it_was_given(url):
    log = open_log(url)
    log.write(record := a_record())
    record["calls"].clear()
    assert flush_log(30)
    (found,) = read_records(url)
    assert len(found["calls"]) == 2


def test_kinds_of_text_and_numbers_are_plain_in_the_log(url):
    class Word(str):
        __slots__ = ()

    written(
        url, a_record(id="1", model=Word("m"), metadata={"when": datetime(2026, 1, 1, tzinfo=UTC)})
    )
    (found,) = read_records(url)
    assert (found["model"], found["metadata"]) == ("m", {"when": "2026-01-01 00:00:00+00:00"})


# --- the database itself ----------------------------------------------------------------------


def test_the_steps_make_the_tables_that_are_written(url):
    database = Database(url)
    database.open()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    assert ScriptDirectory.from_config(steps()).get_current_head() == FORM


def steps():
    config = Config()
    folder = module.Path(module.__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder))
    return config


VOID = {"reason": "budget", "accepted": False, "budget": "all", "promise": "void"}
OLD = [a_record(id="d1"), a_record(id="d2", **VOID), a_record(id="d3", metadata=VOID)]


def of_form(url, form):
    """Make a log as an earlier release did, with what was written to it then."""
    config = steps()
    database = Database(url)
    with database.connect() as connection, connection.begin():
        config.attributes.update(connection=connection, version_table=VERSION_TABLE)
        command.upgrade(config, form)
    audit = audit_event("d1", status="done", probability=0.5, compare="auto")
    events = map(row_of_event, (feedback_event("d1", 0.0, by="ann"), audit))
    written = [
        (name, row)
        for record in OLD
        for name, row in zip(("decisions", "details"), rows_of(record), strict=True)
    ]
    with database.connect() as connection, connection.begin():  # `writing` would upgrade it
        for name, row in (*written, *events):
            kept = {key: it for key, it in row.items() if (name, key) not in ADDED[form]}
            connection.execute(metadata.tables[name].insert(), kept)
    return url


def form_of(url):
    with database_to_read(url).reading() as connection:
        return connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()


@pytest.mark.parametrize("form", ADDED)
def test_a_log_of_an_earlier_form_gets_what_is_new(url, form):
    of_form(url, form)
    (feedback,) = read_events(url, "feedback")
    assert (feedback["by"], feedback["note"]) == ("ann", None)
    assert {each["id"]: each for each in read_records(url)} == {each["id"]: each for each in OLD}
    assert read_log(url, None, None).traffic.handoff.tolist() == [False] * 3
    assert form_of(url) == form, "who reads changes nothing"

    later = a_record(id="d4", handoff=True, committed={"tokens": 2, "live": True}, **VOID)
    assert flushed(open_log(url), feedback_event("d1", 1.0, note="Right after all."), later)
    assert form_of(url) == FORM
    assert [each["note"] for each in read_events(url, "feedback")] == [None, "Right after all."]
    assert column(url, "id", "handoff", "promise", "model", "committed") == [
        ("d1", None, None, "m0", None),
        ("d2", None, "void", "m0", None),
        ("d3", None, None, "m0", None),
        ("d4", True, "void", "m0", "live"),
    ]
    assert next(iter(read_events(url, "audit")))["status"] == "done"


@pytest.mark.parametrize("form", ADDED)
def test_a_log_of_an_earlier_form_is_read_where_it_cannot_be_changed(tmp_path, form):
    file = tmp_path / "decisions.db"
    of_form(f"sqlite:///{file}", form)
    url = f"sqlite:///file:{file}?mode=ro&uri=true"
    (feedback,), (audit,) = read_events(url, "feedback"), read_events(url, "audit")
    assert (feedback["by"], feedback["note"], audit["status"]) == ("ann", None, "done")
    assert sorted(each["id"] for each in read_records(url)) == ["d1", "d2", "d3"]
    assert [each.id for each in fetch_rows(url, ["d2", "d1"])] == ["d2", "d1"]
    with pytest.raises(sa.exc.OperationalError, match="readonly"):
        Database(url).open()


@pytest.mark.processes
def test_several_may_be_the_first_to_open_a_database(url):
    code = f"from cascade_core.log.database import Database; print(Database({url!r}).digest_key())"
    with ThreadPoolExecutor() as pool:
        found = set(
            pool.map(lambda _: subprocess.check_output([sys.executable, "-c", code]), range(3))
        )
    assert len(found) == 1


def test_several_threads_may_read_what_none_of_them_can_change(tmp_path):
    file = tmp_path / "decisions.db"
    of_form(f"sqlite:///{file}", "0001")
    url = f"sqlite:///file:{file}?mode=ro&uri=true"
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(lambda: list(read_records(url))) for _ in range(12)]
        assert all(len(one.result()) == len(OLD) for one in found)


def test_a_database_of_a_newer_release_is_left_alone(url):
    Database(url).open()
    with Database(url).writing() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer release: update model-cascade"):
        Database(url).open()


def test_the_digests_key_stays(url):
    key = open_log(url).digest_key()
    assert len(key) == 32
    assert Database(url).digest_key() == key


def test_a_copy_writes_to_the_same_database(url):
    log = open_log(url, overflow="drop")
    for again in (copy.deepcopy(log), pickle.loads(pickle.dumps(log))):
        assert (again.url, again.overflow) == (log.url, "drop")
        again.write(a_record())
    assert flush_log(30)
    assert len(list(read_records(url))) == 2


def test_what_people_wrote_is_not_for_everybody(tmp_path):
    for name, private, mode in (("a.db", True, 0o600), ("b.db", False, 0o644)):
        log = open_log(f"sqlite:///{tmp_path / name}", private=private)
        log.write(a_record())
        assert log.flush(30)
        for file in tmp_path.glob(f"{name}*"):
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == mode & 0o077


def test_a_relative_file_stays_where_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = open_log("sqlite:///decisions.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    log.write(a_record())
    assert flush_log(30)
    assert (tmp_path / "decisions.db").is_file()
    assert repr(log) == "DatabaseLog('sqlite:///decisions.db')"


@pytest.mark.parametrize("name", ["a%20b%41.db", "100% of it.db", "ü 💩#;'.db"])
def test_a_files_name_is_taken_as_it_is_written(tmp_path, name):
    log = open_log(f"sqlite:///{tmp_path / name}?timeout=5", private=True)
    log.write(a_record())
    assert log.flush(30)
    assert {file.name.partition(".db")[0] + ".db" for file in tmp_path.iterdir()} == {name}
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://a:b@h:5/d", "postgresql://a:***@h:5/d"),
        ("postgresql://a:b@c@h/d", "postgresql://a:***@h/d"),
        ("postgresql://a:b?c@h/d", "postgresql://a:***@h/d"),
        ("postgresql://a@h/d?sslmode=require&password=b", "postgresql://a@h/d?sslmode=require&***"),
        ("sqlite:///a.db", "sqlite:///a.db"),
    ],
)
def test_a_password_is_not_shown(url, shown):
    assert without_password(url) == shown


def write_until_it_warns(log, caught):
    assert not flushed(log, a_record(), seconds=0.05)
    while not caught:
        time.sleep(0.01)


def test_nor_is_it_where_a_server_is_not_there(monkeypatch):
    url = "postgresql://ann:geheim@127.0.0.1:1/x"
    log = open_log(url)
    with pytest.warns(UserWarning, match="cannot be written") as caught:
        write_until_it_warns(log, caught)
    with pytest.raises(ConfigurationError) as raised:
        list(read_records(url))
    said = [repr(log), str(raised.value), *(str(one.message) for one in caught)]
    assert not any("geheim" in each for each in said)
    let_go(log, monkeypatch)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://h/1", "does not know redis://: give sqlite:///"),
        ("postgresql+asyncpg://h/d", "psycopg 3 is the driver"),
        ("sqlite://", "three strokes"),
        ("sqlite:///:memory:", "gone when the program ends"),
        ("sqlite:////nowhere/at/all.db", "does not exist; make it first"),
        ("postgresql://h:port/d", "is no address of a database"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_at_once(url, said):
    with pytest.raises(ConfigurationError, match=said):
        open_log(url)


def test_an_overflow_nobody_knows_is_refused():
    with pytest.raises(ConfigurationError, match='give "block" or "drop"'):
        open_log(None, overflow="wait")


@pytest.mark.parametrize("missing", ["sqlalchemy", "alembic"])
def test_an_extra_that_is_missing_is_named(missing):
    code = (
        f"import sys; sys.modules['{missing}'] = None\n"
        "from cascade_core.log import open_log\n"
        "try: open_log('sqlite:///a.db')\n"
        "except ValueError as error: print(error)"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.strip() == (
        f"a log in a database needs {missing}, which is not installed: pip install 'model-cascade[log]'"
    )


# --- reading a file of lines ---------------------------------------------------------------------


def test_a_file_of_lines_is_read_the_same_way(tmp_path):
    path = tmp_path / "log.jsonl"
    log = open_log(path)
    records = [a_record(), a_record()]
    event = feedback_event("d", 1.0)
    log.write(records[0])
    with path.open("a") as file:
        file.write('{"id": \n[1]\n')
    log.write(records[1])
    log.write_event(event)
    with path.open("a") as file:
        file.write('{"id": 7')
    found = read_records(path)
    assert list(found) == records
    assert (found.unreadable, found.first_unreadable, found.torn) == (2, 2, True)
    assert list(read_events(path)) == [event]
    assert list(read_events(path, "audit")) == []


def test_what_is_a_log(tmp_path):
    def made(name, *lines):
        path = tmp_path / name
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return path

    assert is_log("sqlite:///a.db")
    assert is_log("postgresql://h/d")
    assert is_log(made("a.jsonl", a_record()))
    assert is_log(str(made("b.jsonl", feedback_event("d", 1.0))))
    assert not is_log(made("c.jsonl", {"id": "1", "t0_quality": 1.0}))
    assert not is_log(made("d.jsonl"))
    assert not is_log(made("e.csv", a_record()))
    assert not is_log(tmp_path / "none.jsonl")
    assert not is_log(5)
