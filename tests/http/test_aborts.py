"""What is given up is really given up: the server sees its client leave and stops writing."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing, closing
from dataclasses import asdict
from typing import Any

import pytest

from cascade_core import collect_decisions
from cascade_core.signals import SelfConsistency, SequenceLogprob
from langchain_cascade import ChatCascade
from tests.http.asking import (
    chunks_of,
    client,
    nothing_left_behind,
    record_of,
    streamed,
    ticket,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOPELESS = ticket(378).text
"""The cheap answer has 16 tokens, the first of which is not sure."""
WORSE = ticket(120).text
"""The cheap answer has 13 tokens, with a mean probability of 0.68."""
LENGTHS = {HOPELESS: 16, WORSE: 13}


class Counted:
    """What the server did during a block."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._before = asdict(server.counters)

    def __getattr__(self, name: str) -> int:
        count: int = getattr(self._server.counters, name) - self._before[name]
        return count

    async def quiet(self) -> None:
        """Wait until the server works on nothing any more."""
        await until(lambda: self._server.counters.in_flight == 0)


def cascade(
    server: Any, strong: Any = None, limit: int | None = None, **settings: Any
) -> ChatCascade:
    """Return a cascade of a server's two models, the strong one of another where one is given."""
    cheap = client(server, "desk-small", **({} if limit is None else {"max_tokens": limit}))
    return ChatCascade(tiers=[cheap, client(strong or server, "desk-large")], **settings)


CASES = {
    "least likely token": (HOPELESS, {"signals": [SequenceLogprob("min")]}),
    "mean of at most 16 tokens": (WORSE, {"limit": 16, "thresholds": [0.8]}),
}


@streamed
@pytest.mark.parametrize("case", CASES)
async def test_a_draft_that_cannot_pass_any_more_is_cut_off_on_the_server(
    desk: Any, slow_desk: Any, how: str, case: str
) -> None:
    prompt, settings = CASES[case]
    alone = await client(desk, "desk-small").ainvoke(prompt)
    strong = await client(desk, "desk-large").ainvoke(prompt)
    whole = alone.usage_metadata["output_tokens"]
    assert whole == LENGTHS[prompt]
    await Counted(desk).quiet()
    counted, strongs = Counted(slow_desk), Counted(desk)
    async with nothing_left_behind():
        chunks = await chunks_of(cascade(slow_desk, desk, **settings), how, prompt)
        await counted.quiet()
        await strongs.quiet()
    assert (counted.requests, counted.disconnected, counted.finished) == (1, 1, 0)
    assert (strongs.requests, strongs.disconnected, strongs.finished) == (1, 0, 1)
    generated = counted.tokens_generated
    assert generated < whole
    record = record_of(chunks[-1])
    draft, answer = record["calls"]
    assert (draft["outcome"], answer["outcome"]) == ("aborted", "returned")
    assert 0 < draft["usage"]["output_tokens"] <= generated
    assert draft["tokens_source"] == "estimate"
    assert record["reason"] == "low_confidence"
    assert record["confidence"] < record["threshold"]
    if "limit" in settings:
        assert draft["tokens_saved"] == 16 - draft["usage"]["output_tokens"] > 0
    else:
        assert "tokens_saved" not in draft  # nobody knows how long it would have become
    # What the caller saw is the strong model's answer, to the letter.
    assert "".join(chunk.text for chunk in chunks) == strong.text
    assert {c.response_metadata.get("model_name") for c in chunks} <= {None, "desk-large"}


@streamed
async def test_a_cascade_that_buffers_lets_the_draft_finish(
    desk: Any, slow_desk: Any, how: str
) -> None:
    counted = Counted(slow_desk)
    llm = cascade(slow_desk, desk, signals=[SequenceLogprob("min")], streaming_policy="buffer")
    record = record_of((await chunks_of(llm, how, HOPELESS))[-1])
    await counted.quiet()
    assert (counted.disconnected, counted.finished) == (0, 1)
    assert record["calls"][0]["outcome"] == "rejected"
    assert record["calls"][0]["usage"]["output_tokens"] == LENGTHS[HOPELESS]


@pytest.mark.simulation
async def test_many_aborted_streams_at_once_leave_nothing_open(desk: Any, slow_desk: Any) -> None:
    llm = cascade(slow_desk, desk, signals=[SequenceLogprob("min")])
    await Counted(desk).quiet()
    counted, strongs = Counted(slow_desk), Counted(desk)
    async with nothing_left_behind():
        several = await asyncio.gather(*(chunks_of(llm, "astream", HOPELESS) for _ in range(8)))
        await counted.quiet()
        await strongs.quiet()
    assert (counted.disconnected, counted.finished) == (8, 0)
    assert (strongs.disconnected, strongs.finished) == (0, 8)
    assert {record_of(chunks[-1])["calls"][0]["outcome"] for chunks in several} == {"aborted"}
    assert len({"".join(c.text for c in chunks) for chunks in several}) == 1


async def test_closing_a_stream_closes_the_connection_of_the_live_last_tier(
    slow_desk: Any,
) -> None:
    llm = cascade(slow_desk, signals=[SequenceLogprob("min")])
    counted = Counted(slow_desk)

    def read_two() -> None:
        with closing(llm.stream(HOPELESS)) as chunks:
            assert "cascade" not in next(chunks).response_metadata
            next(chunks)
            assert slow_desk.counters.in_flight == 1

    async with nothing_left_behind():
        await asyncio.to_thread(read_two)
        await counted.quiet()
    assert (counted.disconnected, counted.finished) == (2, 0)


async def test_closing_an_async_stream_closes_the_connection_of_the_live_last_tier(
    slow_desk: Any,
) -> None:
    llm = cascade(slow_desk, signals=[SequenceLogprob("min")])
    counted = Counted(slow_desk)
    async with nothing_left_behind():
        async with aclosing(llm.astream(HOPELESS)) as chunks:
            await anext(chunks)
            await anext(chunks)
            assert slow_desk.counters.in_flight == 1
        await counted.quiet()
    assert (counted.disconnected, counted.finished) == (2, 0)


async def test_breaking_out_of_a_loop_over_a_stream_closes_its_connection(slow_desk: Any) -> None:
    llm = cascade(slow_desk, signals=[SequenceLogprob("min")])
    counted = Counted(slow_desk)
    async with nothing_left_behind():
        async for _ in llm.astream(HOPELESS):
            break
        for _ in llm.stream(HOPELESS):
            break
        gc.collect()
        await counted.quiet()
    assert (counted.disconnected, counted.finished) == (4, 0)


@pytest.mark.parametrize("how", ["ainvoke", "astream"])
async def test_a_cancelled_task_closes_the_connection_of_its_draft(
    slow_desk: Any, how: str
) -> None:
    llm = cascade(slow_desk)
    counted = Counted(slow_desk)
    run = llm.ainvoke(HOPELESS) if how == "ainvoke" else chunks_of(llm, how, HOPELESS)
    async with nothing_left_behind():
        with collect_decisions() as seen:
            task = asyncio.create_task(run)
            await until(lambda: counted.tokens_generated > 0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await counted.quiet()
    assert (counted.requests, counted.disconnected, counted.finished) == (1, 1, 0)
    assert [record["reason"] for record in seen] == ["cancelled"]


async def test_a_timeout_around_a_cascade_closes_its_connection(slow_desk: Any) -> None:
    counted = Counted(slow_desk)

    async def expire(limit: asyncio.Timeout) -> None:
        await until(lambda: counted.tokens_generated > 0)
        limit.reschedule(0)

    async def ask_in_time() -> None:
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
            group.create_task(expire(limit))
            await cascade(slow_desk).ainvoke(HOPELESS)

    async with nothing_left_behind():
        with pytest.raises(TimeoutError):
            await ask_in_time()
        await counted.quiet()
    assert (counted.disconnected, counted.finished) == (1, 0)


async def test_a_cancelled_task_closes_the_connections_of_all_its_samples(slow_desk: Any) -> None:
    llm = cascade(slow_desk, signals=[SelfConsistency(4)])
    counted = Counted(slow_desk)
    async with nothing_left_behind():
        task = asyncio.create_task(llm.ainvoke(HOPELESS))
        await until(lambda: slow_desk.counters.in_flight == 4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await counted.quiet()
    assert (counted.requests, counted.disconnected, counted.finished) == (5, 4, 1)
