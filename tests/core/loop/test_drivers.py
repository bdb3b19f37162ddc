"""The drivers: whatever happens, the flow and the port's stream are closed."""

import asyncio
import contextvars
import inspect
import itertools

import pytest

from cascade_core.effects import Ask, Compute, Computed, Drafts, Emit, Failed, Note, Open, Pull
from cascade_core.loop import drivers
from tests.core.making import (
    REQUEST,
    AsyncFakePort,
    FakePort,
    ProviderError,
    StopEverythingError,
    broken,
    make_tiers,
    mute,
    no_waiting,
)

TIER = make_tiers(1)[0]
ASK = Ask(TIER, REQUEST)
OPEN = Open(TIER, REQUEST, live=True)


def flow_of(*effects, end="done"):
    """A flow that yields effects, keeps the replies, and returns them or raises."""

    def flow():
        replies = []
        for effect in effects:
            reply = yield effect
            replies.append(reply)
        if isinstance(end, BaseException):
            raise end
        return replies

    return flow()


class Drive:
    """One interface for the four drivers."""

    def __init__(self, kind):
        self.is_async = kind.startswith("a")
        self.streams = kind.endswith("stream")

    def port(self, *answers):
        self.models = AsyncFakePort(*answers) if self.is_async else FakePort(*answers)
        return self.models

    @property
    def sync(self):
        return self.models.sync if self.is_async else self.models

    def __call__(self, flow, port):
        if self.is_async:
            return asyncio.run(self._adrive(flow, port))
        if not self.streams:
            return drivers.run(flow, port)
        return list(drivers.stream(flow, port))[-1].value

    async def _adrive(self, flow, port):
        if not self.streams:
            return await drivers.arun(flow, port)
        items = [item async for item in drivers.astream(flow, port)]
        return items[-1].value


@pytest.fixture(params=["run", "arun", "stream", "astream"])
def drive(request):
    return Drive(request.param)


def closed(flow):
    return inspect.getgeneratorstate(flow) == inspect.GEN_CLOSED


def test_every_effect_gets_its_reply(drive):
    notes = Note("key", "text")
    add = Compute(lambda a, b: a + b, (1, 2))
    flow = flow_of(ASK, OPEN, Pull(), add, notes)
    replies = drive(flow, drive.port(mute()))
    assert isinstance(replies[0], Drafts)
    assert replies[1].native == ("m0", 0)
    assert replies[2].native == ("m0", 1)
    assert replies[3] == Computed(3)
    assert replies[4] is None
    assert drive.sync.notes == {"key": "text"}


def test_success_closes_the_flow_and_the_stream(drive):
    flow, port = flow_of(OPEN), drive.port(mute())
    drive(flow, port)
    assert closed(flow)
    assert drive.sync.closed == [0]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_a_flow_that_raises_closes_the_stream_and_its_error_comes_out(drive, error):
    port = drive.port(mute())
    with pytest.raises(type(error)):
        drive(flow_of(OPEN, end=error), port)
    assert drive.sync.closed == [0]


def test_an_exception_of_the_port_is_a_reply_with_the_time_it_took(drive, monkeypatch):
    monkeypatch.setattr(drivers, "perf_counter", itertools.count(100, 7).__next__)
    error = ProviderError()
    ask, opened = drive(flow_of(ASK, OPEN), drive.port(broken(error)))
    assert isinstance(ask, Failed)
    assert ask.error is error
    assert ask.seconds == 7
    assert opened.error is error


@pytest.mark.parametrize("effect", [ASK, OPEN])
@pytest.mark.parametrize("error", [StopEverythingError(), KeyboardInterrupt(), SystemExit()])
def test_fatal_exceptions_and_interrupts_end_the_flow(drive, effect, error):
    flow, port = flow_of(effect), drive.port(broken(error))
    with pytest.raises(type(error)):
        drive(flow, port)
    assert closed(flow)


def test_a_fatal_exception_closes_the_stream_that_was_running(drive):
    def stop():
        raise StopEverythingError

    flow, port = flow_of(OPEN, Compute(stop, ())), drive.port(mute())
    with pytest.raises(StopEverythingError):
        drive(flow, port)
    assert closed(flow)
    assert drive.sync.closed == [0]


def test_a_function_that_raises_is_a_reply_even_with_stop_iteration(drive):
    def stop():
        raise StopIteration("odd")

    (reply,) = drive(flow_of(Compute(stop, ())), drive.port())
    assert isinstance(reply, Failed)


def test_a_coroutine_function_is_awaited(drive):
    async def double(x):
        await asyncio.sleep(0)
        return 2 * x

    assert drive(flow_of(Compute(double, (4,))), drive.port()) == [Computed(8)]


async def test_a_coroutine_is_awaited_in_sync_code_inside_a_running_loop():
    context = contextvars.ContextVar("context", default="lost")
    context.set("kept")

    async def read():
        await asyncio.sleep(0)
        return context.get()

    async def fail():
        raise ProviderError

    kept, failed = drivers.run(flow_of(Compute(read, ()), Compute(fail, ())), FakePort())
    assert kept == Computed("kept")
    assert isinstance(failed.error, ProviderError)


# --- streams ------------------------------------------------------------------------------------


async def test_a_stream_yields_what_is_emitted_and_then_the_result():
    shown = ["a", "b", drivers.Result([None, None])]
    assert list(drivers.stream(flow_of(Emit("a"), Emit("b")), FakePort())) == shown
    items = drivers.astream(flow_of(Emit("a"), Emit("b")), AsyncFakePort())
    assert [item async for item in items] == shown


def test_a_stream_is_closed_before_its_result_is_seen():
    port = FakePort(mute())
    items = drivers.stream(flow_of(OPEN), port)
    assert isinstance(next(items), drivers.Result)
    assert port.closed == [0]


def test_a_consumer_that_stops_closes_flow_and_stream():
    flow, port = flow_of(OPEN, Emit("a"), Emit("b")), FakePort(mute())
    items = drivers.stream(flow, port)
    assert next(items) == "a"
    items.close()
    assert closed(flow)
    assert port.closed == [0]


async def test_an_async_consumer_that_stops_closes_flow_and_stream():
    flow, port = flow_of(OPEN, Emit("a"), Emit("b")), AsyncFakePort(mute())
    items = drivers.astream(flow, port)
    assert await anext(items) == "a"
    await items.aclose()
    assert closed(flow)
    assert port.sync.closed == [0]


class SlowPort(AsyncFakePort):
    """Waits for ever, on the second thing it is asked."""

    async def ask(self, effect):
        await asyncio.Event().wait()

    async def pull(self):
        await asyncio.Event().wait()


@pytest.mark.parametrize("waiting", [ASK, Pull()])
@pytest.mark.parametrize("streams", [False, True])
async def test_cancellation_ends_the_flow_and_closes_the_stream(waiting, streams):
    flow, port = flow_of(OPEN, waiting), SlowPort(mute())

    async def consume():
        if not streams:
            return await drivers.arun(flow, port)
        return [item async for item in drivers.astream(flow, port)]

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.01)
    assert port.sync.opened == [0]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed(flow)
    assert port.sync.closed == [0]


# --- play ---------------------------------------------------------------------------------------


def test_play_takes_replies_from_a_list_except_for_what_needs_none():
    flow = flow_of(ASK, Emit("a"), Note("k", "t"), Pull())
    replies, effects = drivers.play(flow, ["first", "second"])
    assert replies == ["first", None, None, "second"]
    assert [type(effect) for effect in effects] == [Ask, Emit, Note, Pull]


def test_play_takes_replies_from_a_function():
    replies, _ = drivers.play(flow_of(ASK, Pull()), lambda effect: type(effect).__name__)
    assert replies == ["Ask", "Pull"]


class Losing:
    """A client that loses a cancellation: raises an error instead, or goes on with an answer."""

    fatal = ()

    def __init__(self, instead):
        self.instead, self.asked, self.closed = instead, 0, 0

    async def ask(self, effect=None):
        self.asked += 1
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            if isinstance(self.instead, Exception):
                raise self.instead from None
        return self.instead

    pull = ask

    async def close(self):
        self.closed += 1

    def note(self, effect):
        return None


class AtOnce(Losing):
    """A client that answers at once."""

    def __init__(self):
        super().__init__("an answer")

    async def ask(self, effect=None):
        return "an answer"

    pull = ask


@pytest.mark.parametrize("instead", [ConnectionError(), "an answer"])
@pytest.mark.parametrize("driver", [drivers.arun, drivers.astream])
async def test_a_cancellation_that_a_client_loses_still_ends_the_request(driver, instead):
    port = Losing(instead)

    async def consume():
        if driver is drivers.arun:
            return await driver(flow_of(ASK, Pull()), port)
        return [item async for item in driver(flow_of(ASK, Pull()), port)]

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert (port.asked, port.closed) == (1, 1)
    assert caught.value.__cause__ is (instead if isinstance(instead, Exception) else None)


async def test_a_stream_may_be_read_by_a_task_that_was_once_cancelled():
    """What was asked of a task before it read a stream is no business of the stream."""

    async def read():
        asyncio.current_task().cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(0)
        return [item async for item in drivers.astream(flow_of(ASK, Pull()), AtOnce())]

    (result,) = await asyncio.create_task(read())
    assert result.value == ["an answer", "an answer"]


@pytest.mark.parametrize("driver", [drivers.arun, drivers.astream])
async def test_a_task_group_that_ends_within_a_computation_cancels_nothing(driver):
    """Python 3.11 leaves the count of cancellations raised when a group ends its own task."""

    async def with_a_group():
        async def fail():
            raise ValueError

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
        except* ValueError:
            pass
        return "value"

    async def drive():
        flow = flow_of(Compute(with_a_group, ()), Pull())
        if driver is drivers.arun:
            return await driver(flow, AtOnce())
        return [item async for item in driver(flow, AtOnce())][-1].value

    replies = await asyncio.create_task(drive())
    assert replies == [Computed("value"), "an answer"]


async def test_a_flow_may_be_driven_where_no_task_is_running():
    """A framework with a scheduler of its own steps coroutines out of callbacks."""
    replies = asyncio.get_running_loop().create_future()

    def step():
        try:
            replies.set_result(no_waiting(drivers.arun(flow_of(ASK), AtOnce())))
        except Exception as error:  # noqa: BLE001 - a callback's would be lost
            replies.set_exception(error)

    asyncio.get_running_loop().call_soon(step)
    assert await replies == ["an answer"]


def test_a_flow_may_be_driven_where_no_event_loop_is_running():
    assert no_waiting(drivers.arun(flow_of(ASK), AtOnce())) == ["an answer"]


@pytest.mark.parametrize("call", [drivers.awaited, drivers.in_thread, drivers.in_own_thread])
async def test_a_function_that_runs_out_of_an_iterator_is_not_awaited_for_ever(call):
    def runs_out():
        next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(call(runs_out), 30)
