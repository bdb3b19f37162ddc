"""A scripted server, and a question put to a cascade whose cheap tier is a real integration."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache, reduce
from operator import add
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else importing it waits for the network

import pytest

from tests.integrations.classes import Class
from tests.integrations.wire import Wire


@pytest.fixture(scope="session")
def wire() -> Iterator[Wire]:
    with Wire() as running:
        yield running


@dataclass(frozen=True)
class Draft:
    """What became of the cheap tier's draft, by the record."""

    reason: str
    usage: dict[str, int]
    source: str
    model: str | None


Ask = Callable[[Class, str], Awaitable[Draft]]


def surely(request: Any, draft: Any) -> float:
    """A free signal: only gates can be against a draft."""
    return 0.99


async def in_langchain(model: Any, how: str) -> dict[str, Any]:
    from langchain_core.language_models import FakeListChatModel

    from langchain_cascade import ChatCascade

    strong = FakeListChatModel(responses=["strong"])
    cascade = ChatCascade(tiers=[model, strong], signals=[surely])
    asked: dict[str, Callable[[], Any]] = {
        "whole": lambda: asyncio.to_thread(cascade.invoke, "When?"),
        "awhole": lambda: cascade.ainvoke("When?"),
        "stream": lambda: asyncio.to_thread(lambda: reduce(add, cascade.stream("When?"))),
        "astream": lambda: accumulated(cascade.astream("When?")),
    }
    message = await asked[how]()
    return message.response_metadata["cascade"]


async def accumulated(parts: AsyncIterator[Any]) -> Any:
    return reduce(add, [part async for part in parts])


async def in_llamaindex(llm: Any, how: str) -> dict[str, Any]:
    from llama_index.core.llms import ChatMessage
    from llama_index.core.llms.mock import MockLLM

    from llamaindex_cascade import CascadeLLM

    cascade, question = CascadeLLM(tiers=[llm, MockLLM()], signals=[surely]), [ChatMessage("When?")]

    async def streamed() -> Any:
        return [response async for response in await cascade.astream_chat(question)][-1]

    asked: dict[str, Callable[[], Any]] = {
        "whole": lambda: asyncio.to_thread(cascade.chat, question),
        "awhole": lambda: cascade.achat(question),
        "stream": lambda: asyncio.to_thread(lambda: list(cascade.stream_chat(question))[-1]),
        "astream": streamed,
    }
    response = await asked[how]()
    return response.additional_kwargs["cascade"]


@cache
def made(cls: Class, url: str) -> Any:
    return cls.made(url)


@pytest.fixture
def ask(wire: Wire) -> Ask:
    """Put a question to a cascade, in one of its ways, and return what became of the draft."""

    async def put(cls: Class, how: str) -> Draft:
        asking = in_langchain if cls.framework == "langchain" else in_llamaindex
        # An asynchronous client belongs to the loop of its test.
        model = cls.made(wire.url) if how.startswith("a") else made(cls, wire.url)
        record = await asking(model, how)
        call = record["calls"][0]
        accepted = record["tier"] == 0
        return Draft(
            record["reason"] if accepted else call.get("note") or call["outcome"],
            call["usage"],
            call["tokens_source"],
            call["model"],
        )

    return put
