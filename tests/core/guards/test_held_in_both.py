"""Two cascades of a framework, as two processes have them, hold each other's turns."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

pytest.importorskip("llama_index.core", reason="LangChain's oldest versions are tried without it")

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation.dispatcher import instrument_tags
from llama_index.core.tools import FunctionTool

from cascade_core import RedisStore, collect_decisions
from cascade_core.guards.redis_holds import shared_holds
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.core.guards.redis_server import RedisServer, needs_redis
from tests.core.guards.test_redis_ledger import until
from tests.langchain import fakes as langchain_fakes
from tests.llamaindex import fakes as llamaindex_fakes

pytestmark = needs_redis


@pytest.fixture
def store(shared_server: RedisServer, prefix: str) -> RedisStore:
    return RedisStore(shared_server.url(prefix=prefix, lease=1.5, timeout=60))


def _all_written(store: RedisStore) -> None:
    shared = shared_holds(store, "")._shared
    until(lambda: not shared.owes)
    time.sleep(0)


def look_up(number: int) -> str:
    """Look up an entry by its number."""
    return f"entry {number}"


@pytest.mark.parametrize("manner", ["sync", "async"])
def test_a_llamaindex_turn_goes_on_in_another_process(store, manner):
    def make(p: float) -> CascadeLLM:
        say = llamaindex_fakes.Say("", p=p, said="looking", tool_calls=[("look_up", {"number": 1})])
        strong = llamaindex_fakes.Say("", said="looking", tool_calls=[("look_up", {"number": 1})])
        tiers = [
            llamaindex_fakes.FakeLLM(say, model="m0"),
            llamaindex_fakes.FakeLLM(strong, model="m1"),
        ]
        return CascadeLLM(tiers, thresholds=0.8, on_tool_call="escalate", store=store)

    tool = FunctionTool.from_defaults(look_up)
    history = [ChatMessage(role="user", content="Where is it?")]

    async def ask(llm: CascadeLLM) -> Any:
        if manner == "sync":
            return llm.chat_with_tools([tool], chat_history=history)
        return await llm.achat_with_tools([tool], chat_history=history)

    with collect_decisions() as seen:
        first = asyncio.run(ask(make(0.1)))
    assert seen[0]["tier"] == 1
    _all_written(store)
    (call,) = make(0.1).get_tool_calls_from_response(first)
    result = ChatMessage(
        role="tool", content="entry 1", additional_kwargs={"tool_call_id": call.tool_id}
    )
    history += [first.message, result]
    with collect_decisions() as seen:
        asyncio.run(ask(make(0.99)))
    assert (seen[0]["tier"], seen[0]["reason"]) == (1, "held")


def _langchain(store: RedisStore, p: float) -> Any:
    tiers = [
        langchain_fakes.FakeChat(langchain_fakes.Say("so", p=p), model_name="m0"),
        langchain_fakes.FakeChat(langchain_fakes.Say("so"), model_name="m1"),
    ]
    llm = ChatCascade(tiers, thresholds=0.8, hold="conversation", store=store)
    config: Any = {"configurable": {"thread_id": "t1"}}
    return lambda: llm.invoke("a", config).response_metadata["cascade"]


def _llamaindex(store: RedisStore, p: float) -> Any:
    tiers = [
        llamaindex_fakes.FakeLLM(llamaindex_fakes.Say("so", p=p), model="m0"),
        llamaindex_fakes.FakeLLM(llamaindex_fakes.Say("so"), model="m1"),
    ]
    llm = CascadeLLM(tiers, thresholds=0.8, hold="conversation", store=store)

    def ask() -> Any:
        with instrument_tags({"session_id": "s1"}), collect_decisions() as seen:
            llm.chat([ChatMessage(role="user", content="a")])
        return seen[0]

    return ask


@pytest.mark.parametrize("make", [_langchain, _llamaindex])
def test_a_conversation_goes_on_in_another_process(store, make):
    assert make(store, 0.1)()["reason"] == "low_confidence"
    _all_written(store)
    assert make(store, 0.99)()["held"]["by"] == "conversation"
