"""A cascade as the model of LangChain's own agent."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from cascade_core import collect_decisions
from cascade_core.signals import Claims
from langchain_cascade import ChatCascade
from tests.langchain.fakes import (
    FakeChat,
    Say,
    answer_prompt,
    pair,
    record_of,
    tokens_by_model,
    tokens_seen,
)

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


class Report(BaseModel):
    """A report."""

    summary: str


ASKED: Any = {"messages": [("user", "weather in 'Oslo'?")]}


async def run(agent: Any, how: str, config: Any = None) -> Any:
    return agent.invoke(ASKED, config) if how == "invoke" else await agent.ainvoke(ASKED, config)


both = pytest.mark.parametrize("how", ["invoke", "ainvoke"])


@both
async def test_an_agent_calls_tools_and_answers(how: str) -> None:
    two = pair(answer_prompt)
    agent = create_agent(two.cascade, [weather])
    handler = UsageMetadataCallbackHandler()
    with collect_decisions() as seen:
        state = await run(agent, how, {"callbacks": [handler]})
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert state["messages"][2].content == "sunny in Oslo"
    assert [r["reason"] for r in seen] == ["tool_call", "held"]
    assert tokens_seen(handler)["cheap"] == tuple(
        sum(part) for part in zip(*(tokens_by_model(r)["cheap"] for r in seen), strict=True)
    )
    assert not two.strong.calls


@both
async def test_an_agents_bad_tool_call_escalates_before_anything_runs(how: str) -> None:
    bad = Say("", p=0.99, tool_calls=[{"name": "weather", "args": {"town": "Oslo"}}])
    two = pair(bad, answer_prompt)
    with collect_decisions() as seen:
        state = await run(create_agent(two.cascade, [weather]), how)
    assert seen[0]["reason"] == "gate_tool_call"
    assert state["messages"][2].content == "sunny in Oslo"


@both
async def test_an_agent_streams_no_draft_and_every_message_once(how: str) -> None:
    two = pair(Say("a draft nobody trusts", p=0.1), answer_prompt)
    agent = create_agent(two.cascade, [weather])
    if how == "invoke":
        shown = list(agent.stream(ASKED, stream_mode="messages"))
    else:
        shown = [item async for item in agent.astream(ASKED, stream_mode="messages")]
    answers = [m for m, _ in shown if m.type in {"ai", "AIMessageChunk"}]
    assert "".join(str(m.content) for m in answers) == "you said: sunny in Oslo"
    assert len({m.id for m in answers}) == 2


@both
async def test_an_agent_makes_structured_responses(how: str) -> None:
    two = pair(answer_prompt)
    state = await run(create_agent(two.cascade, [], response_format=Report), how)
    assert state["structured_response"] == Report(summary="Oslo")
    assert record_of(state["messages"][1])["tier"] == 0


class ChatAnthropic(FakeChat):
    """Known by its name, as every integration is."""


MARK: Any = {"cache_control": {"type": "ephemeral"}}


@pytest.mark.filterwarnings("default::cascade_core.errors.CascadeWarning")
@pytest.mark.parametrize(
    ("strong", "system", "warned"),
    [
        (ChatAnthropic(), None, 1),
        (ChatAnthropic().bind(**MARK), None, 0),
        (ChatAnthropic(), SystemMessage([{"type": "text", "text": "be kind", **MARK}]), 0),
        (FakeChat(), None, 0),
    ],
)
async def test_prompt_caching_is_not_lost_without_a_word(
    strong: Any, system: Any, warned: int
) -> None:
    agent = create_agent(
        ChatCascade([FakeChat(), strong], on_no_score="accept"), [weather], system_prompt=system
    )
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(2):
            await run(agent, "ainvoke")
    said = [str(w.message) for w in seen if "caches prompts" in str(w.message)]
    assert len(said) == warned


def test_an_answer_that_was_checked_statement_by_statement_is_kept_in_a_checkpoint() -> None:
    judge = FakeChat("1: A", model_name="judge")
    tiers = [FakeChat("Sunny all day.", model_name=name) for name in ("cheap", "strong")]
    cascade = ChatCascade(tiers=tiers, signals=[Claims(judge)], thresholds=[0.5])
    agent = create_agent(cascade, [], checkpointer=InMemorySaver())
    told: Any = {"configurable": {"thread_id": "one"}}
    agent.invoke({"messages": [("user", "And tomorrow?")]}, told)
    kept = agent.get_state(told).values["messages"][-1]
    assert record_of(kept)["signals"] == {"claims": 0.99}
    assert record_of(kept)["judged"][0]["evidence"]["claims"][0]["claim"] == 1
