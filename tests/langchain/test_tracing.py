"""LangSmith sees decisions: its real client sends real runs to a server here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.output_parsers import StrOutputParser
from langchain_core.tools import tool
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.tracers.schemas import Run
from langsmith import Client

from cascade_core import Audit, CascadeExhausted, CascadeWarning, collect_decisions, flush_log
from cascade_core.loop.run_metadata import CALL, DECISION
from cascade_core.signals import Judge, SelfConsistency
from langchain_cascade import CascadeMiddleware, RunnableCascade
from tests.langchain.fakes import UNSURE, FakeChat, ProviderError, Say, ask, joined, pair, record_of
from tests.langchain.test_scope import ways
from tests.memory_log import MemoryLog
from tests.receiver import Receiver

PRICES = {"cheap": {"input": 1, "output": 2}, "strong": {"input": 100, "output": 200}}
SECRET = "my doctor says"
POLICY = {
    "version": 1,
    "rules": [{"name": "to strong", "match": {"tag": "legal"}, "then": {"bypass": True}}],
}


class Traced:
    """What arrived at LangSmith."""

    def __init__(self, server: Receiver) -> None:
        self._server = server
        self._client = Client(
            api_url=server.url, api_key="unused", info={"batch_ingest_config": {}}
        )
        self.tracer = LangChainTracer(client=self._client, project_name="tests")
        self.config: Any = {"callbacks": [self.tracer]}

    @property
    def runs(self) -> list[dict[str, Any]]:
        self._client.flush()
        return self._server.runs()

    def named(self, name: str) -> dict[str, Any]:
        (run,) = [run for run in self.runs if run["name"] == name]
        return run

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [run for run in self.runs if run["run_type"] == "llm"]

    def whole(self) -> bool:
        """Assert that all runs are one tree, and all have ended."""
        runs = self.runs
        ids = {run["id"] for run in runs}
        (root,) = [run for run in runs if run.get("parent_run_id") is None]
        assert {run["trace_id"] for run in runs} == {root["id"]}
        assert {run.get("parent_run_id") for run in runs} - ids == {None}
        assert all(run.get("end_time") for run in runs)
        return True


@pytest.fixture
def traced() -> Iterator[Traced]:
    with Receiver() as server:
        yield Traced(server)


def said(run: dict[str, Any]) -> dict[str, Any]:
    """What a run says of the cascade."""
    metadata = run["extra"]["metadata"]
    return {key: value for key, value in metadata.items() if key.startswith("cascade_")}


def expected(record: dict[str, Any], outcome: str) -> dict[str, Any]:
    found = {
        name: record[name.removeprefix("cascade_")]
        for name in DECISION
        if name.removeprefix("cascade_") in record
    }
    found |= {"cascade_decision_id": record["id"], "cascade_outcome": outcome}
    return {name: value for name, value in found.items() if value is not None}


@ways
@pytest.mark.parametrize("sure", [True, False], ids=["accepted", "escalated"])
async def test_the_run_of_a_request_says_who_answered_and_why(
    traced: Traced, how: str, sure: bool
) -> None:
    outcome, tier = ("accepted", 0) if sure else ("escalated", 1)
    two = pair("Rome" if sure else UNSURE, prices=PRICES)
    with collect_decisions() as seen:
        await ask(how, two.cascade, traced.config | {"metadata": {"cascade_class": "geo"}})
    (record,) = seen
    assert traced.whole()
    run = traced.named("ChatCascade")
    assert said(run) == expected(record, outcome)
    assert said(run)["cascade_cost_usd"] > 0
    assert said(run)["cascade_class"] == "geo"
    assert run["tags"] == [f"cascade:{outcome}", f"cascade:answered-by:{tier}"]


@ways
async def test_a_cascade_of_chains_says_the_same(traced: Traced, how: str) -> None:
    tiers = [FakeChat(UNSURE, model_name="cheap"), FakeChat("Oslo", model_name="strong")]
    cascade = RunnableCascade(tiers=tiers, prices=PRICES, signals=[lambda request, draft: 0.1])
    with collect_decisions() as seen:
        await ask(how, cascade, traced.config)
    assert traced.whole()
    assert said(traced.named("RunnableCascade")) == expected(seen[0], "escalated")
    assert [said(run)["cascade_tier"] for run in traced.calls] == [0, 1]


def purposes(traced: Traced, decision: str) -> list[tuple[str, int]]:
    about = [said(run) for run in traced.calls]
    assert {each["cascade_decision_id"] for each in about} == {decision}
    assert {key for each in about for key in each} <= set(CALL)
    return sorted((each["cascade_purpose"], each.get("cascade_tier", -1)) for each in about)


@ways
async def test_every_call_says_which_tier_it_is_and_what_for(traced: Traced, how: str) -> None:
    judge = Judge(FakeChat("A", model_name="judge"))
    says = [Say("Rome", p=None), Say("Oslo", p=None)]
    two = pair(says, signals=[judge, SelfConsistency(2)], combine="mean")
    await ask(how, two.cascade, traced.config)
    assert traced.whole()
    assert purposes(traced, traced.named("ChatCascade")["id"]) == [
        ("draft", 0),
        ("draft", 1),
        ("judge", -1),
        ("sample", 0),
        ("sample", 0),
    ]


def test_the_call_of_an_audit_says_so(traced: Traced) -> None:
    two = pair("7", "7", log=MemoryLog(), audit=Audit(1.0))
    record = record_of(two.cascade.invoke("hi", traced.config))
    flush_log()
    assert traced.whole()
    assert purposes(traced, record["id"]) == [("audit", 1), ("draft", 0)]


async def test_a_request_that_nobody_answers_says_so(traced: Traced) -> None:
    broken = Say(error=ProviderError())
    two = pair(broken, broken, prices=PRICES)
    with pytest.raises(CascadeExhausted):
        await two.cascade.ainvoke("hi", traced.config)
    run = traced.named("ChatCascade")
    assert traced.whole()
    assert said(run)["cascade_outcome"] == said(run)["cascade_reason"] == "exhausted"
    assert "cascade_tier" not in said(run)
    assert run["tags"] == ["cascade:exhausted"]


async def test_a_cancelled_request_says_so_with_what_it_had_cost(traced: Traced) -> None:
    asked = asyncio.Event()

    class Slow(FakeChat):
        async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
            asked.set()
            await asyncio.Event().wait()

    two = pair(UNSURE, Slow("late", model_name="strong"), prices=PRICES)
    task = asyncio.create_task(two.cascade.ainvoke("hi", traced.config))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    run = traced.named("ChatCascade")  # LangChain itself leaves the run of the model open
    assert run["end_time"]
    assert said(run)["cascade_outcome"] == "cancelled"
    assert said(run)["cascade_cost_usd"] > 0
    assert run["tags"] == ["cascade:cancelled"]


@pytest.mark.parametrize("how", ["stream", "astream"])
async def test_a_stream_that_is_left_says_so(traced: Traced, how: str) -> None:
    two = pair(UNSURE, "many words that nobody waits for")
    if how == "stream":
        stream = two.cascade.stream("hi", traced.config)
        next(stream)
        stream.close()
    else:
        chunks = two.cascade.astream("hi", traced.config)
        await anext(chunks)
        await chunks.aclose()
    assert said(traced.named("ChatCascade"))["cascade_outcome"] == "cancelled"


def test_a_cached_answer_says_so(traced: Traced) -> None:
    two = pair("Rome", cache=InMemoryCache())
    two.cascade.invoke("hi")
    two.cascade.invoke("hi", traced.config)
    run = traced.named("ChatCascade")
    assert (said(run)["cascade_reason"], said(run)["cascade_cost_usd"]) == ("cached", 0)
    assert run["tags"] == ["cascade:cached", "cascade:answered-by:0"]


def test_a_rule_is_named_and_its_request_went_straight(traced: Traced) -> None:
    two = pair("Rome", policy=POLICY)
    two.cascade.invoke("hi", traced.config | {"tags": ["legal"]})
    run = traced.named("ChatCascade")
    assert said(run)["cascade_rule"] == "to strong"
    assert run["tags"] == ["legal", "cascade:straight", "cascade:answered-by:1"]


@ways
async def test_tokens_are_counted_once(traced: Traced, how: str) -> None:
    two = pair(UNSURE)
    with collect_decisions() as seen:
        await ask(how, two.cascade, traced.config)
    counted = {
        run["id"]: run["extra"]["metadata"]["usage_metadata"]["total_tokens"]
        for run in traced.runs
        if "usage_metadata" in run["extra"].get("metadata", {})
        or "usage_metadata" in (run.get("outputs") or {})
    }
    assert set(counted) == {run["id"] for run in traced.calls}
    usage = [call["usage"] for call in seen[0]["calls"]]
    assert sum(counted.values()) == sum(u["input_tokens"] + u["output_tokens"] for u in usage)
    assert "ls_model_name" not in traced.named("ChatCascade")["extra"]["metadata"]


def test_what_is_said_holds_no_text(traced: Traced) -> None:
    two = pair(f"{SECRET} Rome", prices=PRICES)
    two.cascade.invoke(f"{SECRET} hi", traced.config)
    for run in traced.runs:
        assert SECRET not in str(run["extra"]) + str(run["tags"])
        assert set(said(run)) <= {*DECISION, *CALL}


def test_requests_side_by_side_do_not_mix(traced: Traced) -> None:
    two = pair(lambda asked, _: Say("yes", p=0.99 if "sure" in asked[-1].text else 0.1))
    questions = ["sure", "not"] * 10
    answers = two.cascade.batch(questions, traced.config)
    tiers = {record_of(a)["id"]: record_of(a)["tier"] for a in answers}
    found = [run for run in traced.runs if run["name"] == "ChatCascade"]
    assert {said(run)["cascade_decision_id"]: said(run)["cascade_tier"] for run in found} == tiers
    assert set(tiers.values()) == {0, 1}
    assert {run["id"] for run in found} == set(tiers)


@tool
def lookup(city: str) -> str:
    """Look a city up."""
    return f"{city} is a city"


def agent_of(first: Any, second: Any) -> Any:
    tiers = [FakeChat(first, model_name="cheap"), FakeChat(second, model_name="strong")]
    middleware = CascadeMiddleware(tiers=tiers, prices=PRICES, hold=None)
    return create_agent(tiers[1], [lookup], middleware=[middleware])


ASKED = {"messages": [("user", "hi")]}
CALLS = Say("", p=0.99, tool_calls=[{"name": "lookup", "args": {"city": "Rome"}, "id": "1"}])


@pytest.mark.filterwarnings("ignore:.*answers tool calls without")
@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])
async def test_an_agents_turns_are_in_one_tree_and_each_says_its_decision(
    traced: Traced, how: str
) -> None:
    agent = agent_of([CALLS, UNSURE], "Oslo")
    with collect_decisions() as seen:
        if how == "invoke":
            agent.invoke(ASKED, traced.config)
        elif how == "ainvoke":
            await agent.ainvoke(ASKED, traced.config)
        elif how == "stream":
            list(agent.stream(ASKED, traced.config, stream_mode="messages"))
        else:
            [x async for x in agent.astream(ASKED, traced.config, stream_mode="messages")]
    assert traced.whole()
    runs = {run["id"]: run for run in traced.runs}
    turns = [run for run in runs.values() if "cascade_outcome" in said(run)]
    turns.sort(key=lambda run: run["start_time"])
    assert [said(run) for run in turns] == [
        expected(seen[0], "accepted"),
        expected(seen[1], "escalated"),
    ]
    for turn in turns:
        assert turn["name"].endswith("wrap_model_call")
        assert runs[turn["parent_run_id"]]["name"] == "model"
        inside = [run for run in traced.calls if run["parent_run_id"] == turn["id"]]
        ids = {said(run)["cascade_decision_id"] for run in inside}
        assert ids == {said(turn)["cascade_decision_id"]}
    assert len(traced.calls) == 3


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_a_cascade_as_an_agents_model_is_below_its_node(traced: Traced, how: str) -> None:
    agent = create_agent(pair(UNSURE, "Oslo").cascade, [])
    with collect_decisions() as seen:
        if how == "invoke":
            agent.invoke(ASKED, traced.config)
        else:
            await agent.ainvoke(ASKED, traced.config)
    assert traced.whole()
    run = traced.named("ChatCascade")
    assert said(run) == expected(seen[0], "escalated")
    assert run["parent_run_id"] == traced.named("model")["id"]
    assert {call["parent_run_id"] for call in traced.calls} == {run["id"]}


@ways
async def test_a_cascade_inside_a_tier_says_its_own_decision(traced: Traced, how: str) -> None:
    inner = pair(UNSURE, "Oslo").cascade
    tiers = [inner | StrOutputParser(), FakeChat("late", model_name="last") | StrOutputParser()]
    outer = RunnableCascade(tiers=tiers, signals=[lambda request, draft: 0.99])
    with collect_decisions() as seen:
        if how == "stream":
            list(outer.stream("hi", traced.config))
        elif how == "astream":
            [x async for x in outer.astream("hi", traced.config)]
        else:
            await ask(how, outer, traced.config)
    records = {record["id"]: record for record in seen}
    assert traced.whole()
    runs = [traced.named("ChatCascade"), traced.named("RunnableCascade")]
    assert [said(run)["cascade_outcome"] for run in runs] == ["escalated", "accepted"]
    assert [said(run)["cascade_tier"] for run in runs] == [1, 0]
    for run in runs:
        assert said(run)["cascade_reason"] == records[run["id"]]["reason"]
    ids = {said(call)["cascade_decision_id"] for call in traced.calls}
    assert ids == {runs[0]["id"]}


def test_an_agent_whose_turn_fails_says_so(traced: Traced) -> None:
    broken = Say(error=ProviderError())
    with pytest.raises(CascadeExhausted):
        agent_of(broken, broken).invoke(ASKED, traced.config)
    assert traced.whole()
    (turn,) = [run for run in traced.runs if "cascade_outcome" in said(run)]
    assert said(turn)["cascade_outcome"] == "exhausted"


class Kept(BaseTracer):
    """A tracer of another maker's."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        pass

    def _on_chain_end(self, run: Run) -> None:
        self.ended.append(run)


def test_other_tracers_find_a_turns_decision_on_the_agents_node() -> None:
    kept = Kept()
    agent_of(UNSURE, "Oslo").invoke(ASKED, {"callbacks": [kept]})
    (turn,) = [run for run in kept.ended if "cascade_outcome" in run.metadata]
    assert turn.name == "model"
    assert turn.metadata["cascade_tier"] == 1
    assert "cascade:escalated" in (turn.tags or [])


def test_a_tracer_that_refuses_costs_no_answer() -> None:
    class Refusing(Kept):
        def _on_chain_start(self, run: Run) -> None:
            run.tags = 5  # type: ignore[assignment]

    two = pair("Rome")
    with pytest.warns(CascadeWarning, match="Refusing cannot be told of decisions"):
        answer = two.cascade.invoke("hi", {"callbacks": [Refusing()]})
    assert answer.text == "Rome"


async def test_watchers_still_see_the_answer_alone(traced: Traced) -> None:
    two = pair(UNSURE, "Oslo it is")
    events = [e async for e in two.cascade.astream_events("hi", traced.config, version="v2")]
    tokens = [e["data"]["chunk"] for e in events if e["event"] == "on_chat_model_stream"]
    assert joined(tokens).text == "Oslo it is"
    assert said(traced.named("ChatCascade"))["cascade_tier"] == 1
