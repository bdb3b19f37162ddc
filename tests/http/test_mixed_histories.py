"""Conversations answered by one provider that go on at another, through the real integrations."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from cascade_core.errors import ConfigurationError
from langchain_cascade import CascadeMiddleware, ChatCascade
from tests.http.asking import ask, client
from tests.http.stub import Raw, Say, Stub, refused
from tests.http.test_streaming_tiers import _response, openai

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOOL: Any = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object"}},
}
ANTHROPIC_SEARCH: Any = {"type": "web_search_20250305", "name": "web_search"}
OPENAI_SEARCH: Any = {"type": "web_search"}
CACHED: Any = {"cache_control": {"type": "ephemeral"}}


def _message(body: dict[str, Any]) -> Raw:
    """Answer as Anthropic does."""
    usage = {"input_tokens": 3, "output_tokens": 2}
    whole = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": "claude's answer"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    return Raw(json.dumps(whole))


def claude(stub: Stub, name: str = "claude-strong") -> ChatAnthropic:
    url = stub.base_url.removesuffix("/v1")
    return ChatAnthropic(model=name, base_url=url, api_key="k", max_retries=0)


def down(stub: Stub) -> Any:
    """Return a cheap model that is down."""
    stub.script("down", refused(500, "down"))
    return client(stub, "down")


CALL = {"name": "look", "args": {"at": "it"}, "id": "call_1", "type": "tool_call"}
CLAUDE = AIMessage(
    [
        {"type": "thinking", "thinking": "secret thought", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "blob=="},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "text", "text": "I will look.", "citations": [{"type": "x"}]},
        {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": "it"}},
    ],
    tool_calls=[CALL],
    id="lc_run--1",
    response_metadata={
        "id": "msg_01",
        "model_name": "claude-strong",
        "model_provider": "anthropic",
    },
)
RESPONSES = AIMessage(
    [
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "secret blob==", "summary": []},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "text", "text": "I will look.", "annotations": [], "id": "msg_1"},
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "look",
            "arguments": '{"at": "it"}',
        },
    ],
    tool_calls=[CALL],
    id="resp_1",
    response_metadata={"id": "resp_1", "model_name": "gpt-r", "model_provider": "openai"},
)
CHAT = AIMessage(
    "I will look.",
    tool_calls=[CALL],
    additional_kwargs={"refusal": None, "reasoning_content": "secret thought"},
    response_metadata={"id": "chatcmpl-1", "model_name": "gpt-c", "model_provider": "openai"},
)
RESULT = ToolMessage("it is there", tool_call_id="call_1")


def talk(answer: AIMessage) -> list[Any]:
    return [HumanMessage("look at it"), answer, RESULT, HumanMessage("and?")]


PRIVATE = (
    *("secret", "sig==", "blob", "rs_1", "msg_1", "ws_1", "fc_1", "resp_1", "srvtoolu"),
    *("web_search_tool_result", "citations", "reasoning_content", "thinking"),
)


def tiers(stub: Stub) -> dict[str, Any]:
    stub.script("gpt-c", Say("a chat answer"))
    stub.script("gpt-r", _response)
    stub.script("claude-strong", _message)
    return {
        "gpt-c": client(stub, "gpt-c"),
        "gpt-r": openai(stub, "gpt-r", use_responses_api=True),
        "claude-strong": claude(stub),
    }


WRITTEN = {"claude-strong": CLAUDE, "gpt-r": RESPONSES, "gpt-c": CHAT}


@pytest.mark.parametrize("to", ["gpt-c", "gpt-r", "claude-strong"])
@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("how", ["ainvoke", "astream", "agent", "objects"])
async def test_what_one_model_alone_can_read_goes_back_to_it_and_to_no_other(
    stub: Stub, written: str, to: str, how: str
) -> None:
    tier = tiers(stub)[to]
    other = down(stub)
    messages = deepcopy(talk(WRITTEN[written]))
    asked = [message.model_dump(exclude={"id"}) for message in messages]
    llm = ChatCascade([other, tier])
    if how == "agent":
        agent: Any = create_agent(tier, [], middleware=[CascadeMiddleware([other, tier])])
        await agent.ainvoke({"messages": messages})
    elif how == "objects":
        schema = {"title": "A", "description": "A.", "type": "object", "properties": {}}
        await llm.with_structured_output(schema, include_raw=True).ainvoke(messages)
    elif to == "claude-strong":
        await ask(llm, "ainvoke", messages)
    else:
        await ask(llm, how, messages)
    (body,) = stub.asked(to)
    sent = json.dumps(body.get("messages") or body.get("input"))
    assert "I will look." in sent
    assert "it is there" in sent
    assert sent.count("call_1") == 2
    if written == to == "claude-strong":
        assert "sig==" in sent
        assert "blob==" in sent
    elif written == to == "gpt-r":
        assert "secret blob==" in sent
    elif written != to:
        assert [word for word in PRIVATE if word in sent] == []
    assert asked == [message.model_dump(exclude={"id"}) for message in messages]


async def test_another_model_of_the_same_provider_gets_no_thoughts_either(stub: Stub) -> None:
    stub.script("claude-other", _message)
    await ChatCascade([down(stub), claude(stub, "claude-other")]).ainvoke(talk(CLAUDE))
    assert "sig==" not in json.dumps(stub.asked("claude-other")[0])


@pytest.mark.parametrize(("to", "own"), [("gpt-r", OPENAI_SEARCH), ("claude-strong", None)])
async def test_each_tier_gets_its_own_built_in_tools_only(stub: Stub, to: str, own: Any) -> None:
    tier = tiers(stub)[to]
    agent: Any = create_agent(
        tier,
        [ANTHROPIC_SEARCH, OPENAI_SEARCH],
        middleware=[CascadeMiddleware([tier])],
    )
    await agent.ainvoke({"messages": [("user", "hi")]})
    bound = ChatCascade([tier]).bind_tools([TOOL, ANTHROPIC_SEARCH, OPENAI_SEARCH])
    await bound.ainvoke("hi")
    by_agent, by_model = (body.get("tools") or [] for body in stub.asked(to))
    wanted = own or ANTHROPIC_SEARCH
    assert [tool["type"] for tool in by_agent] == [wanted["type"]]
    names = [tool.get("name") or tool["type"] for tool in by_model]
    assert names == ["look", wanted.get("name") or wanted["type"]]


@pytest.mark.parametrize("to", ["gpt-c", "gpt-r", "claude-strong"])
async def test_marks_for_a_cache_go_to_who_knows_them(stub: Stub, to: str) -> None:
    tier = tiers(stub)[to]
    system = SystemMessage([{"type": "text", "text": "be kind", **CACHED}])
    await ChatCascade([down(stub), tier]).ainvoke([system, HumanMessage("hi")], **CACHED)
    marked = "cache_control" in json.dumps(stub.asked(to)[0])
    assert marked is (to == "claude-strong")


@pytest.mark.parametrize("odd", ["functions.look:0", "", "x" * 70])
@pytest.mark.parametrize("to", ["gpt-c", "gpt-r", "claude-strong"])
async def test_ids_that_a_provider_refuses_are_made_anew_for_a_call_and_its_result(
    stub: Stub, odd: str, to: str
) -> None:
    tier = tiers(stub)[to]
    answer = AIMessage(
        "I will look.",
        tool_calls=[{**CALL, "id": odd}],
        response_metadata={"model_name": "kimi", "model_provider": "moonshot"},
    )
    result = ToolMessage("it is there", tool_call_id=odd)
    await ChatCascade([down(stub), tier]).ainvoke([HumanMessage("look"), answer, result])
    (body,) = stub.asked(to)
    if to == "claude-strong":
        parts = [p for m in body["messages"] for p in m["content"] if isinstance(p, dict)]
        (call,) = [p["id"] for p in parts if p["type"] == "tool_use"]
        (back,) = [p["tool_use_id"] for p in parts if p["type"] == "tool_result"]
    elif to == "gpt-c":
        (call,) = [c["id"] for m in body["messages"] for c in m.get("tool_calls") or ()]
        (back,) = [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"]
    else:
        kinds = {item.get("type"): item for item in body["input"]}
        call = kinds["function_call"]["call_id"]
        back = kinds["function_call_output"]["call_id"]
    assert call == back
    assert 0 < len(call) <= 64
    if to == "claude-strong":
        assert call.replace("_", "").replace("-", "").isalnum()


async def test_a_conversation_that_openai_keeps_goes_on_there_or_not_at_all(stub: Stub) -> None:
    made = tiers(stub)
    llm = ChatCascade([made["claude-strong"], made["gpt-r"]], on_no_score="accept")
    await llm.ainvoke("and?", previous_response_id="resp_0")
    assert not stub.asked("claude-strong")
    assert stub.asked("gpt-r")[0]["previous_response_id"] == "resp_0"
    backwards = ChatCascade([made["gpt-r"], made["claude-strong"]])
    with pytest.raises(ConfigurationError, match="send the whole history"):
        await backwards.ainvoke("and?", previous_response_id="resp_0")
