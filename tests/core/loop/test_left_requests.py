"""Requests that nobody waits for any longer: recorded, with every call that was paid for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cascade_core import collect_decisions, flush_log
from cascade_core.errors import ConfigurationError
from cascade_core.loop.session import Session
from tests.core.loop.test_session import REQUEST, SURE, UNSURE, Kept, Models, engine


class Interrupted(Models):
    """The strong tier is being asked when Ctrl-C is pressed, or something else ends all."""

    def __init__(self, error, *answers):
        super().__init__(*answers)
        self.error = error

    def call(self, effect, sample):
        if effect.target.index == 1:
            raise self.error
        return super().call(effect, sample)


@pytest.mark.parametrize(
    ("error", "last"),
    [(KeyboardInterrupt(), "aborted"), (ConfigurationError("no model"), "aborted")],
)
def test_what_was_paid_for_is_in_the_log_whatever_ends_a_request(error, last):
    log = Kept()
    with collect_decisions() as seen, pytest.raises(type(error)):
        Session(engine(log), REQUEST, Interrupted(error, UNSURE, SURE)).run()
    assert log.records == seen
    (record,) = seen
    assert record["reason"] == "cancelled"
    assert [call["outcome"] for call in record["calls"]] == ["rejected", last]
    assert record["cost_usd"] is None


def test_a_request_that_ends_before_anything_was_paid_for_leaves_no_record():
    log = Kept()

    class Unasked(Models):
        def call(self, effect, sample):
            raise ConfigurationError("no model")

    with pytest.raises(ConfigurationError):
        Session(engine(log), REQUEST, Unasked()).run()
    assert log.records == []


async def test_no_event_loop_waits_for_the_log_of_a_cancelled_request():
    go, asked = threading.Event(), asyncio.Event()

    class Slow(Kept):
        def write(self, record):
            go.wait(60)
            super().write(record)

    class Waits(Models):
        async def acall(self, effect, sample):
            asked.set()
            await asyncio.Event().wait()

    log = Slow()
    with collect_decisions() as seen:
        task = asyncio.create_task(Session(engine(log), REQUEST, Waits()).arun())
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(seen) == 1
    assert log.records == []  # its thread waits, and nobody else does
    go.set()
    assert await asyncio.to_thread(flush_log, 60)
    assert log.records == seen


def test_a_stream_that_is_left_has_what_had_arrived_of_the_answer():
    log = Kept()
    chunks = Session(engine(log), REQUEST, Models(UNSURE, SURE)).stream()
    next(chunks)
    chunks.close()
    (record,) = log.records
    assert record["reason"] == "cancelled"
    assert [call["outcome"] for call in record["calls"]][-1] == "aborted"
    assert record["calls"][-1]["usage"] is not None
    assert record["cost_usd"] is None or record["cost_usd"] > 0


def test_a_stream_that_was_read_to_its_end_is_recorded_once():
    log = Kept()
    chunks = Session(engine(log), REQUEST, Models(SURE, SURE)).stream()
    for _ in chunks:
        pass
    chunks.close()
    assert [record["reason"] for record in log.records] == ["confident"]
