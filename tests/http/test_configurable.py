"""Models that a caller's configuration decides, forms of answers, and models that others swap."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_model_call
from langchain.chat_models import init_chat_model
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock

from cascade_core.errors import ConfigurationError
from cascade_core.signals import Judge
from langchain_cascade import CascadeMiddleware, ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.http import test_llamaindex as llamaindex
from tests.http.asking import PRICES, WAYS, ask, client, record_of
from tests.http.stub import Say, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHER: Any = {"configurable": {"model": "other"}}
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def configurable(stub: Stub, **settings: Any) -> Any:
    return init_chat_model(
        "cheap",
        model_provider="openai",
        configurable_fields=("model",),
        base_url=stub.base_url,
        api_key="k",
        max_retries=0,
        **settings,
    )


def _script(stub: Stub) -> None:
    stub.script("cheap", Say("the cheap answer", p=0.99))
    stub.script("other", Say("another answer", p=0.1))
    stub.script("strong", Say("the strong answer"))


@pytest.mark.parametrize("how", WAYS)
async def test_a_configurable_model_is_a_tier(stub: Stub, how: str) -> None:
    _script(stub)
    llm = ChatCascade([configurable(stub), client(stub, "strong")], prices=PRICES)
    assert record_of(await ask(llm, how, "hi"))["tier"] == 0
    assert record_of(await ask(llm.with_config(OTHER), how, "hi"))["reason"] == "low_confidence"
    assert stub.asked("other")[0]["logprobs"] is True
    assert not stub.asked("other")[0].get("stream")


async def test_a_configurable_model_takes_tools_and_schemas(stub: Stub) -> None:
    tool: Any = {"type": "function", "function": {"name": "look", "parameters": {}}}
    stub.script("cheap", Say(tool_calls=[("look", {})]))
    llm = ChatCascade([configurable(stub), client(stub, "strong")])
    answer = await ask(llm.bind_tools([tool]), "ainvoke", "hi")
    assert [call["name"] for call in answer.tool_calls] == ["look"]
    stub.script("cheap", Say('{"a": 1}'))
    schema = {"title": "A", "type": "object", "properties": {"a": {"type": "integer"}}}
    made = llm.with_structured_output(schema, method="json_schema")
    assert await made.ainvoke("hi") == {"a": 1}


async def test_a_configurable_model_is_a_tier_of_an_agents_middleware(stub: Stub) -> None:
    _script(stub)
    middleware = CascadeMiddleware([configurable(stub), client(stub, "strong")])
    agent: Any = create_agent(client(stub, "strong"), [], middleware=[middleware])
    asked = {"messages": [("user", "hi")]}
    state = await agent.ainvoke(asked)
    assert record_of(state["messages"][-1])["tier"] == 0
    state = await agent.ainvoke(asked, OTHER)
    assert record_of(state["messages"][-1])["tier"] == 1
    assert stub.asked("other")


async def test_a_configurable_model_needs_one_to_be_judged_by() -> None:
    with pytest.raises(ConfigurationError, match="where no configuration names one"):
        ChatCascade([init_chat_model(), init_chat_model()])


@pytest.mark.parametrize("how", WAYS)
async def test_the_form_of_answers_is_set_for_all_tiers(stub: Stub, how: str) -> None:
    _script(stub)
    tiers = [client(stub, "cheap"), client(stub, "strong")]
    llm = ChatCascade(tiers, output_version="v1")
    answer = await ask(llm, how, "hi")
    assert [block["type"] for block in answer.content] == ["text"]
    assert tiers[0].output_version != "v1"
    llm.output_version = "v0"
    assert (await ask(llm, how, "hi")).content == "the cheap answer"


async def test_a_model_swapped_by_other_middleware_is_in_the_record_with_its_cost(
    stub: Stub,
) -> None:
    _script(stub)

    @wrap_model_call
    async def swap(request: Any, handler: Any) -> Any:
        if request.model.model_name == "cheap":
            request = request.override(model=client(stub, "other"))
        return await handler(request)

    prices = {**PRICES, "other": {"input": 1_000_000, "output": 0}}
    cascade = CascadeMiddleware(
        [client(stub, "cheap"), client(stub, "strong")],
        signals=[lambda _request, _draft: 1.0],
        prices=prices,
    )
    agent: Any = create_agent(client(stub, "strong"), [], middleware=[cascade, swap])
    state = await agent.ainvoke({"messages": [("user", "hi")]})
    (call,) = record_of(state["messages"][-1])["calls"]
    assert call["model"] == "other"
    assert call["cost_usd"] >= 1


NOT_SHOWN = "[here was image content, which is not shown to you]"


async def test_a_judge_is_told_of_images_it_cannot_see(stub: Stub) -> None:
    _script(stub)
    stub.script("judge", Say("A"))
    image = {"type": "image_url", "image_url": {"url": PIXEL}}
    asked = [HumanMessage([{"type": "text", "text": "what is it?"}, image])]
    tiers = [client(stub, "cheap"), client(stub, "strong")]
    await ask(ChatCascade(tiers, signals=[Judge(client(stub, "judge"))]), "ainvoke", asked)
    models = [llamaindex.client(stub, name) for name in ("cheap", "strong", "judge")]
    llm = CascadeLLM(models[:2], signals=[Judge(models[2])])
    await llm.achat([ChatMessage(blocks=[TextBlock(text="what is it?"), ImageBlock(url=PIXEL)])])
    asked_of_judge = stub.asked("judge")
    assert len(asked_of_judge) == 2
    for body in asked_of_judge:
        assert NOT_SHOWN in str(body["messages"])
