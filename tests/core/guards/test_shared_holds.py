"""What is held, on a Redis server: a turn or a conversation goes on in another process."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation.dispatcher import instrument_tags
from llama_index.core.tools import FunctionTool

from cascade_core import RedisStore, collect_decisions
from cascade_core.guards.holding import Holding
from cascade_core.guards.holds import SHARED_FOR, Stay
from cascade_core.guards.redis_holds import MOST_NEWS, CascadeHolds, SharedHolds, shared_holds
from cascade_core.guards.redis_link import RedisLink
from cascade_core.held import Held
from cascade_core.request import Request, ToolCall, Turn
from cascade_core.usage import Usage
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.core.guards.redis_server import RedisServer, needs_redis
from tests.core.guards.test_redis_ledger import told, until
from tests.core.making import PRICES, Answer, make_tiers, plan_for, play, sure
from tests.langchain import fakes as langchain_fakes
from tests.llamaindex import fakes as llamaindex_fakes

pytestmark = needs_redis

CALL = ToolCall("look_up", {}, "call_0123456789abcdef")
ACTS = Answer("x", fields={"tool_calls": (CALL,)})
QUESTION = [Turn("user", "Where is it?")]
STEP = [*QUESTION, Turn("assistant", "x", (CALL,)), Turn("tool", "1")]


class Process:
    """A process with one cascade."""

    def __init__(self, store: RedisStore, hold: str, name: str = "desk") -> None:
        self.link = RedisLink(store)
        self.shared = self.link.user("holds", SharedHolds)
        self.holding = Holding(hold, "desk", 2, CascadeHolds(self.shared, name))

    def ask(self, turns, *said, further=False, thread: str | None = "t"):
        request = Request(turns, further=further, thread=thread)
        self.holding.fetch(request)
        request.held = self.holding.find(request, make_tiers(), PRICES)
        verdict, _, _ = play(plan_for(), said[0], said[-1], request=request)
        self.holding.remember(request, verdict, "d1")
        return verdict

    def written(self) -> None:
        until(lambda: not self.shared.owes)


@pytest.fixture
def process(shared_server: RedisServer, prefix: str) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def make(hold: str = "turn", name: str = "desk", server: RedisServer | None = None) -> Process:
        store = RedisStore((server or shared_server).url(prefix=prefix, lease=1.5))
        made.append(Process(store, hold, name))
        return made[-1]

    yield make
    for each in made:
        each.link.close()


def test_a_turn_goes_on_in_another_process(process):
    first, second = process(), process()
    assert first.ask(QUESTION, sure(0.1), ACTS).tier == 1
    first.written()
    assert second.ask(STEP, sure(0.9), further=True).held == Held(1, "turn", "d1")


def test_a_conversation_stays_with_the_strong_model_in_another_process(process):
    first, second = process("conversation"), process("conversation")
    assert second.ask(QUESTION, sure(0.99)).reason == "confident"  # which it remembers
    second.written()
    first.ask(QUESTION, sure(0.1), sure(0.9))
    first.written()
    assert second.ask(QUESTION, sure(0.9)).held == Held(1, "conversation", "d1")


def test_cascades_of_other_names_are_decided_for_themselves(process):
    first, second = process(), process(name="another")
    first.ask(QUESTION, sure(0.1), ACTS)
    first.written()
    assert second.ask(STEP, sure(0.99), further=True).held is None


def test_what_is_held_is_forgotten_in_time_and_no_text_or_name_is_on_the_server(
    process, shared_server, prefix
):
    first = process("conversation")
    first.ask([Turn("user", "my secret")], sure(0.1), ACTS, thread="anna@example.com")
    first.written()
    client = shared_server.client()
    keys = list(client.scan_iter(f"*{prefix}*:h:*"))
    assert len(keys) > 2
    for key in keys:
        assert 0 < client.pttl(key) <= SHARED_FOR * 1000
        seen = key + client.get(key)
        assert b"secret" not in seen
        assert b"anna" not in seen


def test_with_the_server_gone_each_process_goes_by_what_it_remembers(process, server):
    with told() as said:
        first = process(server=server)
        server.end()
        first.ask(QUESTION, sure(0.1), ACTS)
        assert first.ask(STEP, sure(0.9), further=True).held == Held(1, "turn", "d1")
        until(lambda: first.link.down)
    assert ["does not answer" in each for each in said] == [True]


def test_what_waits_for_a_server_that_is_away_is_bounded(process, server):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = process(server=server)
        server.end()
        for number in range(MOST_NEWS + 9):
            first.shared.put([str(number)], Stay(1, "d", 0.0), 60)
        assert len(first.shared._news) <= MOST_NEWS


def test_all_that_is_remembered_comes_back_as_it_was(process):
    first, second = process(), process()
    kept = Stay(1, "d1", 12.5, Usage(10, 2, cached_tokens=3))
    CascadeHolds(first.shared, "a").put([b"key"], kept, 60)
    first.written()
    assert CascadeHolds(second.shared, "a").get([b"key", b"none"]) == [kept, None]


@pytest.mark.parametrize("said", ["", "nonsense", "[1]", "[null,1,2,3]", '[1,"d",1,{"x":1}]'])
def test_what_is_not_of_ours_says_nothing(process, shared_server, prefix, said):
    first = process()
    shared_server.client().set(f"{{{prefix}}}:h:name", said)
    assert first.shared.get(["name"]) == [None]


# --- two cascades of a framework, as two processes have them ---------------------------------------


@pytest.fixture
def store(shared_server: RedisServer, prefix: str) -> RedisStore:
    return RedisStore(shared_server.url(prefix=prefix, lease=1.5))


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
