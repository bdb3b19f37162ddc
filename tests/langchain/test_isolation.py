"""Many requests on one object: nothing of one is ever seen in another."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler

from cascade_core import collect_decisions
from tests.langchain.fakes import (
    Pair,
    Say,
    joined,
    pair,
    record_of,
    tokens_by_model,
    tokens_seen,
)


def _number(messages: Any) -> int:
    return int(str(messages[-1].content).split()[0])


def _cheap(messages: Any, kwargs: Any) -> Say:
    number = _number(messages)
    p = 0.99 if number % 2 else 0.2
    return Say(f"cheap {number} " + "w " * (number % 5), p=p, delay=0.0005 * (number % 3))


def _strong(messages: Any, kwargs: Any) -> Say:
    number = _number(messages)
    return Say(f"strong {number} " + "w " * (number % 7), p=None)


def _prompt(number: int) -> str:
    return f"{number} " + "x " * (number % 11)


def _check(number: int, message: Any, seen: list[dict[str, Any]], handler: Any) -> None:
    record = record_of(message)
    words = message.content.split()
    read = 1 + number % 11
    cheap = (read, 2 + number % 5)
    strong = (read, 2 + number % 7)
    expected = {"cheap": cheap} if number % 2 else {"cheap": cheap, "strong": strong}
    assert words[:2] == ["cheap" if number % 2 else "strong", str(number)]
    assert [r["id"] for r in seen] == [record["id"]]
    assert tokens_by_model(record) == expected
    assert tokens_seen(handler) == expected
    assert message.usage_metadata["output_tokens"] == (cheap if number % 2 else strong)[1]
    assert record["reason"] == ("confident" if number % 2 else "low_confidence")


@pytest.fixture
def two() -> Pair:
    return pair(_cheap, _strong)


@pytest.mark.simulation
@pytest.mark.parametrize("how", ["ainvoke", "astream"])
async def test_hundreds_of_concurrent_requests_mix_nothing_up(two: Pair, how: str) -> None:
    async def one(number: int) -> None:
        handler = UsageMetadataCallbackHandler()
        config: Any = {"callbacks": [handler]}
        with collect_decisions() as seen:
            if how == "ainvoke":
                message: Any = await two.cascade.ainvoke(_prompt(number), config)
            else:
                chunks = [c async for c in two.cascade.astream(_prompt(number), config)]
                message = joined(chunks)
        _check(number, message, seen, handler)

    await asyncio.gather(*(one(number) for number in range(300)))
    assert len(two.cheap.calls) == 300
    assert len(two.strong.calls) == 150
    assert two.cheap.journal.peak > 1


@pytest.mark.simulation
def test_eight_threads_of_two_hundred_requests_mix_nothing_up(two: Pair) -> None:
    def one(number: int) -> None:
        handler = UsageMetadataCallbackHandler()
        config: Any = {"callbacks": [handler]}
        with collect_decisions() as seen:
            if number % 3:
                message: Any = two.cascade.invoke(_prompt(number), config)
            else:
                message = joined(list(two.cascade.stream(_prompt(number), config)))
        _check(number, message, seen, handler)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(1600)))
    assert len(two.cheap.calls) == 1600
    assert two.cheap.journal.peak > 1


def test_a_batch_keeps_its_order_and_collects_every_decision(two: Pair) -> None:
    with collect_decisions() as seen:
        messages = two.cascade.batch([_prompt(n) for n in range(40)])
    assert [int(m.content.split()[1]) for m in messages] == list(range(40))
    assert {r["id"] for r in seen} == {record_of(m)["id"] for m in messages}
    assert len(seen) == 40


async def test_an_async_batch_keeps_its_order_and_collects_every_decision(two: Pair) -> None:
    with collect_decisions() as seen:
        messages = await two.cascade.abatch([_prompt(n) for n in range(40)])
    assert [int(m.content.split()[1]) for m in messages] == list(range(40))
    assert {r["id"] for r in seen} == {record_of(m)["id"] for m in messages}


def test_a_model_that_hands_out_one_shared_message_is_not_written_on() -> None:
    from langchain_core.language_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    shared = AIMessage("always this", id="one")

    def forever() -> Any:
        while True:
            yield shared

    two = pair(GenericFakeChatModel(messages=forever()), on_no_score="accept")
    first, second = two.cascade.invoke("a"), two.cascade.invoke("b")
    assert "cascade" not in shared.response_metadata
    assert record_of(first)["id"] != record_of(second)["id"]
