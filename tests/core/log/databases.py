"""Databases that tests of a log write to: SQLite always, PostgreSQL where there is a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from cascade_core.log import feedback_event, writer
from cascade_core.log.writer import LogWriter

SERVER = os.environ.get("CASCADE_TEST_POSTGRES")
"""The URL of a PostgreSQL server where databases may be made; `make test-services` gives it."""

KINDS = ["sqlite", *(["postgresql"] if SERVER else [])]


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'decisions.db'}"
        return
    assert SERVER is not None
    server = sa.make_url(SERVER).set(drivername="postgresql+psycopg")
    name = f"test_{uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


def a_record(**given: Any) -> dict[str, Any]:
    """Return a record of a request that was answered by the cheap tier."""
    call = {
        "tier": 0,
        "model": "m0",
        "purpose": "draft",
        "usage": {"input_tokens": 120, "output_tokens": 20},
        "tokens_source": "provider",
        "cost_usd": 3e-05,
        "latency_ms": 812.1,
        "outcome": "accepted",
    }
    return {
        "id": str(uuid4()),
        "tier": 0,
        "model": "m0",
        "accepted": True,
        "reason": "confident",
        "confidence": 0.93,
        "threshold": 0.8,
        "calibrated": True,
        "signals": {"sequence_logprob": 0.93},
        "calls": [{**call, "outcome": "failed", "usage": None}, call],
        "cost_usd": 3e-05,
        "class": "refund",
        "policy": "p",
        "strong_cost_usd": 0.0005,
        "strong_cost_is_estimate": True,
        "version": 2,
        "at": datetime.now(UTC).isoformat(),
        "latency_ms": 812.4,
        "cascade": "desk",
        "framework": "langchain",
        "thread": "t1",
        "tags": ["vip"],
        "metadata": {"tenant": "acme"},
        "input_tokens": 120,
        "digest": "ab" * 16,
        "rule": "long",
        "policy_version": 3,
        "judged": [],
        **given,
    }


def flushed(log, *given, seconds=30):
    """Write records and events; tell whether they are in the log."""
    for each in given:
        (log.write_event if "event" in each else log.write)(each)
    return log.flush(seconds)


def tried(log, *given):
    """Write records that the database fails to take, once; tell whether they are there even so."""
    for each in given:
        log.write(each)
    inbox = log._writer.inbox
    with inbox._moved:
        assert inbox._moved.wait_for(lambda: inbox._failed, 60)
    return log.flush(0)


def work(log, name, count):
    for number in range(count):
        log.write(a_record(id=f"{name}-{number}"))
        log.write_event(feedback_event(f"{name}-{number}", 1.0))


def work_in_a_child(log, name, count):
    """Work in a process of its own, which has a minute to write at its end, not five seconds."""
    writer.LEAVING = 60.0
    work(log, name, count)


def let_go(log, monkeypatch):
    """Give up what a log still has to write: its database will never be there."""
    monkeypatch.setattr(LogWriter, "_write", lambda *_: None)
    while log._writer.inbox.unsettled:  # a flush waits for one more try of a log that fails
        log.flush(1)
    log.flush(1)  # what was lost is told once: here, and to no other test
