"""Asking a model in every way LangChain has, and looking at what came of it."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from cascade_demo.desk import Ticket, tickets

KEY = "sk-test-never-shown"
WAYS = ["invoke", "ainvoke", "stream", "astream", "batch"]
PRICES = {
    "desk-small": {"input": "0.15", "output": "0.60"},
    "desk-large": {"input": "2.50", "output": "10"},
    "cheap": {"input": "1", "output": "2"},
    "strong": {"input": "10", "output": "20"},
}

every_way = pytest.mark.parametrize("how", WAYS)
streamed = pytest.mark.parametrize("how", ["stream", "astream"])
whole = pytest.mark.parametrize("how", ["invoke", "ainvoke"])


def client(server: Any, model: str, **settings: Any) -> ChatOpenAI:
    """Return a real client that never asks twice by itself."""
    given = {"api_key": KEY, "temperature": 0, "max_retries": 0, "stream_usage": True}
    return ChatOpenAI(model=model, base_url=server.base_url, **{**given, **settings})


async def ask(llm: Any, how: str, prompt: Any) -> Any:
    """Ask and return one message; of a stream, its chunks put together."""
    if how == "invoke":
        return await asyncio.to_thread(llm.invoke, prompt)
    if how == "ainvoke":
        return await llm.ainvoke(prompt)
    if how == "batch":
        return (await asyncio.to_thread(llm.batch, [prompt]))[0]
    chunks = await chunks_of(llm, how, prompt)
    answer = chunks[0]
    for chunk in chunks[1:]:
        answer += chunk
    return answer


async def chunks_of(llm: Any, how: str, prompt: Any) -> list[Any]:
    if how == "stream":
        return await asyncio.to_thread(lambda: list(llm.stream(prompt)))
    return [chunk async for chunk in llm.astream(prompt)]


def record_of(message: Any) -> dict[str, Any]:
    record: dict[str, Any] = message.response_metadata["cascade"]
    return record


def ticket(number: int) -> Ticket:
    """Return a ticket of the test split by its number."""
    return tickets("test", number + 1)[number]


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true in {seconds} s"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def nothing_left_behind() -> AsyncIterator[None]:
    """Check that no task and no thread of ours outlives the block."""
    # The loop's own pool, and threads of the servers, are here before and after.
    await asyncio.to_thread(lambda: None)
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    yield
    gc.collect()
    new = lambda: {  # noqa: E731
        thread
        for thread in set(threading.enumerate()) - threads
        if not thread.name.startswith("asyncio_")
    }
    await until(lambda: asyncio.all_tasks() <= tasks and not new())
