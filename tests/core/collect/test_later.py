"""The run of `cascade audit`: in order, up to a cap, and stopped without loss."""

import asyncio
from decimal import Decimal

import pytest

from cascade_core.collect.later import LaterJob, audit_all
from cascade_core.collect.logged_requests import Drawn, Logged
from cascade_core.errors import ConfigurationError
from cascade_core.log import audit_event
from tests.core.collect.test_logged_requests import logged


class Runs:
    """Audits that cost what they are told to, and what was written of them."""

    def __init__(self, *costs, cap=None, concurrency=4, records=None):
        self.todo = [
            Logged(record, 0.5, drawn=True)
            for record in records or [logged(str(k)) for k in range(len(costs))]
        ]
        self.costs = dict(enumerate(costs))
        self.events, self.started, self.told = [], [], []
        self.hold = set()
        self.job = LaterJob(
            Drawn(self.todo, 10, len(self.todo)),
            0.5,
            7,
            "auto",
            self.write,
            concurrency=concurrency,
            cap=None if cap is None else Decimal(str(cap)),
            advance=lambda *told: self.told.append(told),
        )

    async def write(self, event):
        self.events.append(event)

    async def one(self, logged):
        self.started.append(logged.id)
        while logged.id in self.hold:  # noqa: ASYNC110 - turns are what is waited for
            await asyncio.sleep(0)
        cost = self.costs[int(logged.id)]
        if isinstance(cost, BaseException):
            raise cost
        return audit_event(logged.id, status="done", probability=0.5, compare="auto", cost_usd=cost)

    async def __call__(self):
        return await audit_all(self.job, self.one)


async def test_every_picked_request_is_audited_and_written_down():
    runs = Runs(0.1, 0.2, 0.3)
    found = await runs()
    assert [event["decision"] for event in runs.events] == ["0", "1", "2"]
    assert {str(event["drawn_later"]) for event in runs.events} == {"{'rate': 0.5, 'seed': 7}"}
    assert (found.done, found.left, found.cost_usd, found.stopped) == (3, 0, 0.6, None)
    assert runs.told[-1] == (3, 3, Decimal("0.6"))


async def test_what_was_picked_when_it_was_answered_is_not_marked_as_drawn_later():
    runs = Runs(0.1)
    runs.todo[0].drawn = False
    await runs()
    assert "drawn_later" not in runs.events[0]


async def test_one_that_fails_loses_no_other():
    runs = Runs(0.1, RuntimeError("sk-secret"), 0.1)
    found = await runs()
    assert [event["status"] for event in runs.events] == ["done", "failed", "done"]
    assert runs.events[1]["why"] == "RuntimeError"
    assert (found.done, found.failed) == (2, 1)


async def test_settings_that_cannot_work_end_the_run_and_keep_what_is_done():
    runs = Runs(0.1, ConfigurationError("no"), 0.1, concurrency=1)
    with pytest.raises(ConfigurationError):
        await runs()
    assert [event["decision"] for event in runs.events] == ["0"]


async def test_what_the_log_does_not_hold_is_skipped_unasked():
    runs = Runs(0.1, records=[logged("0", response=None)])
    found = await runs()
    assert (runs.started, found.skipped) == ([], 1)
    assert (runs.events[0]["status"], runs.events[0]["why"]) == ("skipped", "content")


async def test_events_come_in_the_order_of_the_requests():
    runs = Runs(0.1, 0.1, 0.1)
    runs.hold.add("0")
    running = asyncio.ensure_future(runs())
    while len(runs.started) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert runs.events == []
    runs.hold.clear()
    await running
    assert [event["decision"] for event in runs.events] == ["0", "1", "2"]


async def test_the_cap_is_kept_by_the_dearest_so_far():
    runs = Runs(*[0.1] * 10, cap=0.35)
    found = await runs()
    assert (found.done, found.left, found.stopped) == (3, 7, "cap")
    assert found.cost_usd == pytest.approx(0.3)


async def test_before_a_cost_is_known_they_go_one_at_a_time():
    runs = Runs(*[0.1] * 6, cap=5)
    runs.hold.add("0")
    running = asyncio.ensure_future(runs())
    for _ in range(10):
        await asyncio.sleep(0)
    assert runs.started == ["0"]
    runs.hold.clear()
    assert (await running).done == 6


async def test_a_call_without_a_price_ends_a_run_with_a_cap():
    runs = Runs(None, 0.1, cap=5)
    found = await runs()
    assert (found.done, found.left, found.stopped, found.unpriced) == (1, 1, "unpriced", 1)


async def test_a_run_that_is_stopped_keeps_what_is_done_and_says_what_is_not():
    runs = Runs(0.1, 0.1, 0.1, 0.1)
    runs.hold |= {"0", "3"}
    running = asyncio.ensure_future(runs())
    while len(runs.started) < 4:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    said = [(event["decision"], event["status"], event["why"]) for event in runs.events]
    # Of the last one nothing is said: whoever reads the log knows nothing of it yet.
    assert said == [("0", "skipped", "stopped"), ("1", "done", None), ("2", "done", None)]


async def test_what_is_being_written_when_a_run_is_stopped_is_written_once():
    runs = Runs(0.1, 0.1)
    writing, go = asyncio.Event(), asyncio.Event()

    async def slow(event):
        writing.set()
        await go.wait()
        runs.events.append(event)

    runs.job.write = slow
    running = asyncio.ensure_future(runs())
    await writing.wait()
    running.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [event["decision"] for event in runs.events] == ["0", "1"]
