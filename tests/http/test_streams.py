"""What a reader of a stream sees, and when, over real HTTP."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from typing import Any

import pytest

from cascade_core.signals import SequenceLogprob
from langchain_cascade import ChatCascade
from tests.http.asking import chunks_of, client, record_of, streamed, ticket, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SURE, UNSURE = ticket(251).text, ticket(378).text


def cascade(server: Any, **settings: Any) -> ChatCascade:
    tiers = [client(server, "desk-small"), client(server, "desk-large")]
    return ChatCascade(tiers=tiers, signals=[SequenceLogprob("min")], **settings)


@streamed
async def test_an_accepted_draft_is_replayed_in_the_chunks_the_server_sent(
    desk: Any, how: str
) -> None:
    alone = await chunks_of(client(desk, "desk-small"), how, SURE)
    replayed = await chunks_of(cascade(desk, thresholds=[0.5]), how, SURE)
    pieces = [chunk.text for chunk in replayed if chunk.text]
    assert pieces == [chunk.text for chunk in alone if chunk.text]
    assert len(pieces) == 19
    assert [c.chunk_position for c in replayed[:-1]] == [None] * (len(replayed) - 1)
    assert record_of(replayed[-1])["reason"] == "confident"
    assert len({chunk.id for chunk in replayed}) == 1


@streamed
async def test_the_last_tier_streams_as_it_would_alone(desk: Any, how: str) -> None:
    alone = await chunks_of(client(desk, "desk-large"), how, UNSURE)
    live = await chunks_of(cascade(desk), how, UNSURE)
    assert [c.text for c in live if c.text] == [c.text for c in alone if c.text]
    assert record_of(live[-1])["tier"] == 1
    assert all("cascade" not in chunk.response_metadata for chunk in live[:-1])


async def test_the_first_chunk_of_the_last_tier_comes_before_the_server_has_finished(
    slow_desk: Any,
) -> None:
    finished, seen = slow_desk.counters.finished, 0
    async with aclosing(cascade(slow_desk).astream(UNSURE)) as chunks:
        while seen <= 5:
            seen += bool((await anext(chunks)).text)
        assert slow_desk.counters.finished == finished
    await until(lambda: slow_desk.counters.in_flight == 0)


async def test_the_first_chunk_of_a_sync_stream_comes_before_the_server_has_finished(
    slow_desk: Any,
) -> None:
    finished = slow_desk.counters.finished

    def read() -> None:
        seen = 0
        with closing(cascade(slow_desk).stream(UNSURE)) as chunks:
            while seen <= 5:
                seen += bool(next(chunks).text)
            assert slow_desk.counters.finished == finished

    await asyncio.to_thread(read)
    await until(lambda: slow_desk.counters.in_flight == 0)


async def test_no_chunk_of_a_draft_comes_before_it_is_accepted(slow_desk: Any) -> None:
    finished = slow_desk.counters.finished
    async for _ in cascade(slow_desk, thresholds=[0.5]).astream(SURE):
        await until(lambda: slow_desk.counters.finished == finished + 1)


async def test_an_event_stream_shows_the_answer_once(desk: Any) -> None:
    llm = cascade(desk)
    expected = await client(desk, "desk-large").ainvoke(UNSURE)
    pieces = [
        event["data"]["chunk"].text
        async for event in llm.astream_events(UNSURE, version="v2")
        if event["event"] == "on_chain_stream" and event["name"] == "ChatCascade"
    ]
    assert "".join(pieces) == expected.text
