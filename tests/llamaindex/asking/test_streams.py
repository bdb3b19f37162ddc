"""Streams: of a tier, with what is under it, and of a request, as its caller reads it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

import pytest

from cascade_core.draft import Draft
from cascade_core.effects import Chunk
from cascade_core.loop import streams
from llamaindex_cascade.asking.streams import (
    arecorded,
    ashown,
    recorded,
    shown,
)
from llamaindex_cascade.reading.recorder import current, recording


class Source:
    """Items that tell how far they were read, and whether they were closed."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def items(self) -> Generator[int, None, None]:
        try:
            for number in range(3):
                self.seen.append(number)
                yield number
        finally:
            self.seen.append("closed")

    async def aitems(self) -> AsyncGenerator[int, None]:
        for number in self.items():
            yield number


def doubled(item: int) -> Iterator[int]:
    if item:
        yield item
        yield item


def test_the_first_item_is_made_before_anybody_reads() -> None:
    source = Source()
    stream = shown(source.items(), doubled)
    assert source.seen == [0]
    assert [*stream] == [1, 1, 2, 2]
    assert source.seen == [0, 1, 2, "closed"]


async def test_the_first_item_is_awaited_before_anybody_reads() -> None:
    source = Source()
    stream = await ashown(source.aitems(), doubled)
    assert source.seen == [0]
    assert [each async for each in stream] == [1, 1, 2, 2]


def test_a_first_item_that_was_taken_is_shown_first() -> None:
    source = Source()
    items = source.items()
    next(items)
    assert [*shown(items, doubled, next(items))] == [1, 1, 2, 2]


def test_a_stream_that_its_reader_leaves_is_closed() -> None:
    source = Source()
    stream = shown(source.items(), doubled)
    next(stream)
    stream.close()
    assert source.seen == [0, 1, "closed"]


def watched(seen: list[Any]) -> Iterator[int]:
    for number in range(2):
        seen.append(current())
        yield number


async def awatched(seen: list[Any]) -> AsyncGenerator[int, None]:
    for number in range(2):
        seen.append(current())
        yield number


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
async def test_only_the_reading_of_a_stream_is_recorded(awaited: bool) -> None:
    inside: list[Any] = []
    outside: list[Any] = []
    with recording() as recorder:
        pass
    if awaited:
        outside += [current() async for _ in arecorded(awatched(inside), recorder)]
    else:
        outside += [current() for _ in recorded(watched(inside), recorder)]
    assert inside == [recorder, recorder]
    assert outside == [None, None]


def test_with_none_the_recorder_around_sees_nothing_of_a_stream() -> None:
    inside: list[Any] = []
    with recording() as around:
        for _ in recorded(watched(inside), None):
            assert current() is around
    assert inside == [None, None]


class Stream:
    """A response on its way, as HTTP clients hold it; their own classes have this name."""

    response = None

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> Iterator[str]:
        yield from "ab"

    def close(self) -> None:
        self.closed = True


class AsyncStream(Stream):
    async def __aiter__(self) -> AsyncGenerator[str, None]:
        for each in "ab":
            yield each

    async def close(self) -> None:  # type: ignore[override]
        self.closed = True


class Texts:
    """Gathers texts."""

    def take(self, item: str) -> Chunk:
        return Chunk(item)

    def had(self) -> Draft:
        return Draft("arrived")

    def whole(self) -> Draft:
        return Draft("all")


def read_from(stream: Stream) -> Generator[str, None, None]:
    yield from stream


async def aread_from(stream: AsyncStream) -> AsyncGenerator[str, None]:
    async for each in stream:
        yield each


async def test_the_connection_under_a_stream_that_is_left_is_closed() -> None:
    under, aunder = Stream(), AsyncStream()
    left, aleft = (
        streams.Stream(read_from(under), Texts()),
        streams.AsyncStream(aread_from(aunder), Texts()),
    )
    left.pull()
    await aleft.pull()
    left.close()
    await aleft.close()
    assert under.closed
    assert aunder.closed


async def test_that_of_a_stream_read_to_its_end_is_its_clients_to_close() -> None:
    under, aunder = Stream(), AsyncStream()
    ended, aended = (
        streams.Stream(read_from(under), Texts()),
        streams.AsyncStream(aread_from(aunder), Texts()),
    )
    for _ in range(3):
        last, alast = ended.pull(), await aended.pull()
    assert last.draft.text == alast.draft.text == "all"
    ended.close()
    await aended.close()
    assert not under.closed
    assert not aunder.closed
