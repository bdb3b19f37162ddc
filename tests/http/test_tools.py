"""Tool calls in OpenAI's format over real HTTP."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool

from cascade_core.errors import CascadeWarning
from langchain_cascade import ChatCascade
from tests.http.asking import ask, client, every_way, record_of, whole
from tests.http.stub import Reply, Say, Stub

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore:.*answers tool calls without:UserWarning"),
]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


GOOD = Say(tool_calls=[("add", {"a": 1, "b": 2})])
BAD = {
    "wrong type": Say(tool_calls=[("add", {"a": 1, "b": "two"})]),
    "missing argument": Say(tool_calls=[("add", {"a": 1})]),
    "not JSON": Say(tool_calls=[("add", '{"a": 1, "b"')]),
    "unknown tool": Say(tool_calls=[("subtract", {"a": 1, "b": 2})]),
    "one of two bad": Say(tool_calls=[("add", {"a": 1, "b": 2}), ("add", {"a": []})]),
}


def pair(stub: Stub, **settings: Any) -> ChatCascade:
    return ChatCascade(tiers=[client(stub, "cheap"), client(stub, "strong")], **settings)


@every_way
async def test_a_tool_call_that_fits_is_accepted_on_the_gates(stub: Stub, how: str) -> None:
    stub.script("cheap", GOOD)
    message = await ask(pair(stub).bind_tools([add]), how, "1 + 2?")
    assert [(c["name"], c["args"]) for c in message.tool_calls] == [("add", {"a": 1, "b": 2})]
    record = record_of(message)
    assert (record["tier"], record["reason"], record["accepted"]) == (0, "tool_call", True)
    assert record["confidence"] is None
    (asked,) = stub.asked("cheap")
    assert asked["logprobs"] is True
    assert asked["tools"][0]["function"]["name"] == "add"


async def test_that_tool_calls_are_accepted_unread_is_said_once(stub: Stub) -> None:
    stub.script("cheap", GOOD)
    llm = pair(stub).bind_tools([add])
    with pytest.warns(CascadeWarning, match='on_tool_call="escalate"'):
        await llm.ainvoke("1 + 2?")
    with warnings.catch_warnings():
        warnings.simplefilter("error", CascadeWarning)
        await llm.ainvoke("1 + 2?")


@every_way
@pytest.mark.parametrize("case", BAD)
async def test_a_tool_call_that_does_not_fit_escalates(stub: Stub, how: str, case: str) -> None:
    stub.script("cheap", BAD[case])
    stub.script("strong", GOOD)
    message = await ask(pair(stub).bind_tools([add]), how, "1 + 2?")
    record = record_of(message)
    assert (record["tier"], record["reason"]) == (1, "gate_tool_call")
    assert [(c["name"], c["args"]) for c in message.tool_calls] == [("add", {"a": 1, "b": 2})]
    assert message.invalid_tool_calls == []


@every_way
async def test_text_where_a_tool_was_required_escalates(stub: Stub, how: str) -> None:
    stub.script("cheap", "three, I am sure")
    stub.script("strong", GOOD)
    llm = pair(stub).bind_tools([add], tool_choice="any")
    assert record_of(await ask(llm, how, "1 + 2?"))["reason"] == "gate_tool_call"
    assert {body["tool_choice"] for body in stub.asked("cheap") + stub.asked("strong")} == {
        "required"
    }


@every_way
async def test_sure_text_is_accepted_although_tools_were_offered(stub: Stub, how: str) -> None:
    stub.script("cheap", "three")
    message = await ask(pair(stub).bind_tools([add]), how, "1 + 2?")
    assert (message.text, record_of(message)["reason"]) == ("three", "confident")


@every_way
async def test_tool_calls_can_be_sent_on_unread(stub: Stub, how: str) -> None:
    stub.script("cheap", GOOD)
    stub.script("strong", GOOD)
    with pytest.warns(CascadeWarning, match='and on_tool_call="escalate" sends every one'):
        message = await ask(pair(stub, on_tool_call="escalate").bind_tools([add]), how, "1 + 2?")
    assert (record_of(message)["tier"], record_of(message)["reason"]) == (1, "no_reading")


def turn_by_turn(first: Say, last: str) -> Any:
    """Return a script that calls a tool first and answers when it has a result."""

    def reply(body: dict[str, Any]) -> Reply:
        return Say(last) if body["messages"][-1]["role"] == "tool" else first

    return reply


@whole
async def test_an_agent_escalates_the_one_bad_call_of_its_loop(stub: Stub, how: str) -> None:
    stub.script("cheap", turn_by_turn(BAD["missing argument"], "It is 3."))
    stub.script("strong", turn_by_turn(GOOD, "never asked"))
    agent = create_agent(pair(stub, hold=None), [add])
    state = await ask(agent, how, {"messages": [("user", "1 + 2?")]})
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert [record_of(m)["tier"] for m in state["messages"] if m.type == "ai"] == [1, 0]
    assert json.loads(state["messages"][2].content) == 3
    assert state["messages"][-1].text == "It is 3."
    assert len(stub.asked("strong")) == 1
