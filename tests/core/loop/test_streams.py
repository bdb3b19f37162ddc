"""A running stream: pulled, put together and closed once, sync and async."""

import asyncio
import itertools

import pytest

from cascade_core.draft import Draft
from cascade_core.effects import Chunk, Done, Failed
from cascade_core.loop import streams
from cascade_core.loop.streams import AsyncStream, Stream


class Words:
    """Puts words together."""

    def __init__(self, whole_error=None, had_error=None):
        self.words = []
        self.whole_error, self.had_error = whole_error, had_error

    def take(self, item):
        self.words.append(item)
        return Chunk(item)

    def had(self):
        if self.had_error is not None:
            raise self.had_error
        return Draft(" ".join(self.words)) if self.words else None

    def whole(self):
        if self.whole_error is not None:
            raise self.whole_error
        return Draft(" ".join(self.words))


class Source:
    """Gives items and raises errors among them, sync and async, and notes how often it is closed."""

    def __init__(self, *items):
        self.items = list(items)
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        if not self.items:
            raise StopIteration
        item = self.items.pop(0)
        if isinstance(item, BaseException):
            raise item
        return item

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None

    def close(self):
        self.closed += 1

    async def aclose(self):
        self.closed += 1


class Bare:
    """Ends at once, and has nothing to be closed."""

    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration

    def __aiter__(self):
        return self

    async def __anext__(self):
        raise StopAsyncIteration


class Told(Stream):
    def __init__(self, source, gathering):
        super().__init__(source, gathering)
        self.told = []

    def _fail(self, error):
        self.told.append(("fail", type(error)))

    def _end(self, draft):
        self.told.append(("end", draft and draft.text))


class AsyncTold(AsyncStream):
    def __init__(self, source, gathering):
        super().__init__(source, gathering)
        self.told = []

    async def _fail(self, error):
        self.told.append(("fail", type(error)))

    async def _end(self, draft):
        self.told.append(("end", draft and draft.text))


@pytest.fixture(params=["sync", "async"])
def make(request):
    """Make a stream whose methods can be called without awaiting, whichever kind it is."""

    class Driven:
        def __init__(self, source, gathering=None):
            gathering = gathering or Words()
            self.stream = (Told if request.param == "sync" else AsyncTold)(source, gathering)
            self.told = self.stream.told

        def __getattr__(self, name):
            method = getattr(self.stream, name)
            if request.param == "sync":
                return method
            return lambda *args: asyncio.run(method(*args))

    return Driven


def test_pieces_are_handed_on_and_put_together(make):
    source = Source("two", "words")
    stream = make(source)
    assert stream.pull() == Chunk("two")
    assert stream.pull() == Chunk("words")
    done = stream.pull()
    assert isinstance(done, Done)
    assert done.draft.text == "two words"


def test_a_stream_that_has_ended_is_closed_with_its_answer(make):
    stream = make(source := Source("word"))
    stream.pull()
    done = stream.pull()
    assert stream.close().draft is done.draft
    assert stream.told == [("end", "word")]
    assert source.closed == 1


def test_a_stream_cut_off_is_closed_once_with_what_had_arrived(make):
    stream = make(source := Source("two", "words"))
    stream.pull()
    assert stream.close().draft.text == "two"
    assert stream.close() is None
    assert source.closed == 1
    assert stream.told == [("end", "two")]


def test_a_stream_cut_off_before_anything_arrived_has_nothing(make):
    stream = make(source := Source("word"))
    assert stream.close() is None
    assert source.closed == 1
    assert stream.told == [("end", None)]


def test_a_stream_that_breaks_pays_for_what_had_arrived(make, monkeypatch):
    monkeypatch.setattr(streams, "perf_counter", itertools.count(100, 7).__next__)
    stream = make(source := Source("two", OSError("gone")))
    stream.pull()
    failed = stream.pull()
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, OSError)
    assert failed.draft.text == "two"
    assert failed.seconds == 7
    assert stream.close() is None
    assert stream.told == [("fail", OSError)]
    assert source.closed == 0  # it has ended itself


def test_an_answer_that_cannot_be_read_is_a_failure(make):
    stream = make(Source("two"), Words(whole_error=ValueError("empty")))
    stream.pull()
    failed = stream.pull()
    assert isinstance(failed.error, ValueError)
    assert failed.draft.text == "two"


def test_what_cannot_be_put_together_hides_no_failure(make):
    stream = make(Source("two", OSError("gone")), Words(had_error=ValueError("half")))
    stream.pull()
    failed = stream.pull()
    assert isinstance(failed.error, OSError)
    assert failed.draft is None


def test_what_is_no_failure_goes_on_up_and_is_told(make):
    stream = make(Source(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        stream.pull()
    assert stream.told == [("fail", KeyboardInterrupt)]


def test_its_end_is_told_even_where_closing_fails(make):
    source = Source("two", "words")

    def fail():
        raise OSError("stuck")

    async def afail():
        raise OSError("stuck")

    source.close, source.aclose = fail, afail
    stream = make(source)
    stream.pull()
    with pytest.raises(OSError, match="stuck"):
        stream.close()
    assert stream.told == [("end", "two")]


def test_a_source_that_cannot_be_closed_need_not_be(make):
    stream = make(Bare())
    assert stream.pull().draft.text == ""
    assert stream.show("chunk") == "chunk"
    stream.close()
    assert stream.told == [("end", "")]
