"""The ports: several calls at once, the one running stream, warnings given once."""

import asyncio
import contextvars
import threading
import warnings

import pytest

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Chunk, Done, Drafts, Emit, Failed, Note, Open
from cascade_core.errors import CascadeWarning
from cascade_core.loop.port import AsyncPort, Port
from cascade_core.setup.plan import Notices
from tests.core.making import REQUEST, ProviderError, StopEverythingError, make_tiers

FIRST, SECOND = make_tiers(2)
PLACE = contextvars.ContextVar("place", default="lost")


class Running:
    """A stream that gives what it is told and notes that it is closed; sync or awaited."""

    def __init__(self, *pieces, awaited=False):
        self.pieces, self.closed = list(pieces), 0
        self.awaited = awaited

    def pull(self):
        return self._given(self.pieces.pop(0))

    def show(self, chunk):
        return self._given(("shown", chunk))

    def close(self):
        self.closed += 1
        return self._given(Done(Draft("arrived")))

    def _given(self, value):
        if not self.awaited:
            return value

        async def later():
            return value

        return later()


class Models:
    """Answers the i-th call of an effect with the i-th outcome."""

    fatal = (StopEverythingError,)

    def __init__(self, *outcomes, streams=()):
        self.outcomes, self.streams = outcomes, list(streams)
        self.asked = []

    def call(self, effect, sample):
        self.asked.append((effect, sample, PLACE.get()))
        outcome = self.outcomes[sample]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def acall(self, effect, sample):
        await asyncio.sleep(0)
        return self.call(effect, sample)

    def open(self, effect):
        self.asked.append(effect)
        return self.streams.pop(0)

    async def aopen(self, effect):
        return self.open(effect)

    def as_chunk(self, native, tier):
        return native, tier


class Driven:
    """A port whose methods are called without awaiting, whichever kind it is."""

    def __init__(self, kind, models):
        self._async = kind == "async"
        for stream in models.streams:
            stream.awaited = self._async
        self.notices = Notices()
        self._port = (AsyncPort if self._async else Port)(models, self.notices)

    def __getattr__(self, name):
        method = getattr(self._port, name)
        if not self._async or not asyncio.iscoroutinefunction(method):
            return method
        return lambda *args: asyncio.run(method(*args))


@pytest.fixture(params=["sync", "async"])
def port(request):
    return lambda models: Driven(request.param, models)


def ask(count=1):
    return Ask(FIRST, REQUEST, n=count)


# --- asking ---------------------------------------------------------------------------------------


def test_one_answer_is_one_draft(port):
    models, effect = Models(Draft("a")), ask()
    assert port(models).ask(effect) == Drafts((models.outcomes[0],))
    assert models.asked == [(effect, 0, "lost")]


def test_one_call_that_failed_but_was_paid_for_is_that_failure(port):
    failed = Failed(ProviderError(), draft=Draft("half"))
    assert port(Models(failed)).ask(ask()) is failed


def test_one_call_that_raises_raises(port):
    with pytest.raises(ProviderError):
        port(Models(ProviderError())).ask(ask())


def test_several_answers_come_in_the_order_they_were_asked_for(port):
    outcomes = [Draft(text) for text in "abc"]
    models, effect = Models(*outcomes), ask(3)
    reply = port(models).ask(effect)
    assert [draft.text for draft in reply.drafts] == ["a", "b", "c"]
    assert not reply.failures
    assert sorted(sample for _, sample, _ in models.asked) == [0, 1, 2]
    assert all(asked is effect for asked, _, _ in models.asked)


def test_several_calls_see_what_is_set_around_the_request(port):
    models, token = Models(Draft(), Draft()), PLACE.set("kept")
    try:
        port(models).ask(ask(2))
    finally:
        PLACE.reset(token)
    assert [place for *_, place in models.asked] == ["kept", "kept"]


def test_several_calls_are_made_at_the_same_time():
    met = threading.Barrier(3, timeout=30)

    class Meet(Models):
        def call(self, effect, sample):
            met.wait()
            return Draft(str(sample))

    assert len(Port(Meet(), Notices()).ask(ask(3)).drafts) == 3


async def test_several_calls_are_awaited_at_the_same_time():
    waiting, all_there = [], asyncio.Event()

    class Meet(Models):
        async def acall(self, effect, sample):
            waiting.append(sample)
            if len(waiting) == 3:
                all_there.set()
            await asyncio.wait_for(all_there.wait(), 30)
            return Draft(str(sample))

    assert len((await AsyncPort(Meet(), Notices()).ask(ask(3))).drafts) == 3


def test_those_of_several_that_failed_are_told_beside_the_answers(port):
    paid, error = Failed(ProviderError(), draft=Draft("half")), ProviderError()
    reply = port(Models(Draft("a"), paid, error)).ask(ask(3))
    assert [draft.text for draft in reply.drafts] == ["a"]
    assert [failed.error for failed in reply.failures] == [paid.error, error]
    assert reply.failures[0] is paid


def test_where_all_of_several_failed_the_first_failure_is_the_reply(port):
    error = ProviderError()
    reply = port(Models(error, ProviderError())).ask(ask(2))
    assert isinstance(reply, Failed)
    assert reply.error is error


@pytest.mark.parametrize("error", [StopEverythingError(), KeyboardInterrupt()])
def test_what_ends_a_request_ends_it_whatever_the_other_calls_said(port, error):
    with pytest.raises(type(error)):
        port(Models(Draft("a"), error, ProviderError())).ask(ask(3))


# --- streams --------------------------------------------------------------------------------------


def test_a_stream_is_opened_with_what_was_asked_and_gives_its_first_piece(port):
    models = Models(streams=[Running(Chunk("a"), Chunk("b"))])
    made, effect = port(models), Open(FIRST, REQUEST, live=True)
    assert made.open(effect) == Chunk("a")
    assert made.pull() == Chunk("b")
    assert models.asked == [effect]


def test_a_stream_that_breaks_is_a_reply_and_one_that_must_not_go_on_raises(port):
    broken = Failed(ProviderError())
    models = Models(streams=[Running(broken, Failed(StopEverythingError()))])
    made = port(models)
    assert made.open(Open(FIRST, REQUEST, live=True)) is broken
    with pytest.raises(StopEverythingError):
        made.pull()


def test_opening_another_stream_closes_the_one_before(port):
    first, second = Running(Chunk("a")), Running(Chunk("b"))
    made = port(Models(streams=[first, second]))
    made.open(Open(FIRST, REQUEST, live=False))
    made.open(Open(SECOND, REQUEST, live=True))
    assert (first.closed, second.closed) == (1, 0)


def test_a_stream_is_closed_once_and_says_what_had_arrived(port):
    running = Running(Chunk("a"))
    made = port(Models(streams=[running]))
    assert made.close() is None
    made.open(Open(FIRST, REQUEST, live=False))
    assert made.close().draft.text == "arrived"
    assert made.close() is None
    assert running.closed == 1


# --- showing --------------------------------------------------------------------------------------


def test_a_chunk_is_shown_as_the_running_stream_shows_it(port):
    made = port(Models(streams=[Running(Chunk("a"))]))
    assert made.emit(Emit("a")) == "a"
    made.open(Open(FIRST, REQUEST, live=True))
    assert made.emit(Emit("a")) == ("shown", "a")


def test_a_whole_answer_is_shown_as_the_chunk_of_its_tier(port):
    made = port(Models(streams=[Running(Chunk("a"))]))
    assert made.emit(Emit("whole", FIRST)) == ("whole", FIRST)
    made.open(Open(SECOND, REQUEST, live=True))
    assert made.emit(Emit("whole", FIRST)) == ("whole", FIRST)


# --- warning --------------------------------------------------------------------------------------


def test_a_warning_is_given_once_a_key(port):
    made = port(Models())
    notes = Note("key", "first"), Note("key", "second"), Note("other", "third")
    with pytest.warns(CascadeWarning) as caught:
        list(map(made.note, notes))
    assert [str(warning.message) for warning in caught] == ["first", "third"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.notices.give("key", "the plan's notices are those the port gives")
