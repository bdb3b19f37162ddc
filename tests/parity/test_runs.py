"""A budget of runs: one run is a whole agent, chain or workflow, however many requests it makes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.instrumentation.span import active_span_id
from llama_index.core.tools import FunctionTool
from llama_index_instrumentation.dispatcher import instrument_tags

from cascade_core import Budget, collect_decisions
from cascade_core.errors import BudgetExceeded
from cascade_core.integrations.runs import Roots
from langchain_cascade import CascadeMiddleware, ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.balances import balances_of
from tests.langchain.fakes import FakeChat, answer_prompt
from tests.langchain.fakes import Say as Said
from tests.llamaindex.fakes import FakeLLM, Say
from tests.llamaindex.llm.test_agents import DONE, OSLO, by_turn, weather

pytestmark = [
    pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]


class Limited(FakeChat):
    """A chat model that says how much it may write."""

    max_tokens: int | None = 100


class LimitedLLM(FakeLLM):
    """An LLM that says how much it may write."""

    max_tokens: int | None = 100


ONE_CALL = Budget(tokens=113, per="run", when_short="refuse", name="one call")
MANY = Budget(tokens=10**6, per="run", when_short="refuse", name="many")


def runs_of(cascade: Any) -> set[str]:
    """Return the runs that anything was spent in."""
    return {run for _, run, _ in balances_of(cascade)}


def chat(budget: Budget) -> ChatCascade:
    return ChatCascade(
        tiers=[Limited([Said("yes", p=0.99)] * 9), Limited([Said("no")] * 9)],
        budget=replace(budget),
    )


def llm(budget: Budget, *said: Any) -> CascadeLLM:
    cheap = LimitedLLM(by_turn(*said) if said else Say("yes", p=0.99))
    return CascadeLLM(tiers=[cheap, LimitedLLM(Say("no"))], budget=replace(budget))


def test_a_chain_is_one_run_and_the_next_one_is_another():
    cascade = chat(ONE_CALL)
    twice = RunnableLambda(lambda text: [cascade.invoke(text), cascade.invoke(text)])
    with pytest.raises(BudgetExceeded):
        twice.invoke("hi")
    assert cascade.invoke("hi").content == "yes"
    assert len(runs_of(cascade)) == 2


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_an_agent_of_langchain_is_one_run(how):
    cascade = ChatCascade(
        tiers=[Limited(answer_prompt), Limited(answer_prompt)], budget=replace(MANY)
    )
    agent = create_agent(cascade, [weather])
    asked: Any = {"messages": [("user", "weather in 'Oslo'?")]}
    with collect_decisions() as seen:
        for _ in range(2):
            agent.invoke(asked) if how == "invoke" else await agent.ainvoke(asked)
    assert len(seen) == 4
    assert len(runs_of(cascade)) == 2


def test_an_agent_with_a_middleware_is_one_run():
    middleware = CascadeMiddleware(
        tiers=[Limited(answer_prompt), Limited(answer_prompt)], budget=MANY
    )
    agent = create_agent(Limited(answer_prompt), [weather], middleware=[middleware])
    asked: Any = {"messages": [("user", "weather in 'Oslo'?")]}
    with collect_decisions() as seen:
        agent.invoke(asked)
        agent.invoke(asked)
    assert len(seen) == 4
    assert len(runs_of(middleware)) == 2


async def test_an_agent_of_llamaindex_is_one_run():
    active_span_id.set(None)  # what another test began and left is no part of this
    cascade = llm(MANY, OSLO, DONE)
    agent = FunctionAgent(tools=[FunctionTool.from_defaults(weather)], llm=cascade)
    with collect_decisions() as seen:
        await agent.run("weather in Oslo?")
        await agent.run("weather in Oslo?")
    assert len(seen) == 4
    assert len(runs_of(cascade)) == 2


def test_a_request_of_its_own_is_a_run():
    cascade = llm(ONE_CALL)
    assert cascade.complete("hi").text == "yes"
    assert cascade.complete("hi").text == "yes"
    assert len(runs_of(cascade)) == 2


def test_a_caller_names_the_run():
    two = chat(ONE_CALL), llm(ONE_CALL)
    named: Any = {"metadata": {"run_id": "mine"}}
    two[0].invoke("hi", named)
    with pytest.raises(BudgetExceeded, match="'one call' has no room left for this run"):
        two[0].invoke("hi", named)
    with instrument_tags({"run_id": "mine"}):
        two[1].complete("hi")
        with pytest.raises(BudgetExceeded):
            two[1].complete("hi")
    assert [runs_of(each) for each in two] == [{"mine"}, {"mine"}]


def test_only_the_last_pieces_of_work_are_remembered():
    roots = Roots(remembered=3)
    roots.began("root", None)
    for part in range(9):
        roots.began(part, "root")  # what is worked on is forgotten last
    assert roots.of(8) == "root"
    assert roots.of(1) == "1"
    assert len(roots._roots) == 3
