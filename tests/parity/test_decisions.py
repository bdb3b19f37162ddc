"""Decision models judge drafts in both frameworks, in every way of asking."""

from __future__ import annotations

import asyncio
import csv
import math
import pickle
import re
import warnings
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from pydantic import Field

from cascade_core import Audit, Budget, ConfigurationError, flush_log
from cascade_core.signals import Difficulty, Judge
from langchain_cascade import CascadeMiddleware, ChatCascade
from langchain_cascade.collecting import acollect
from llamaindex_cascade import CascadeLLM
from tests.decisions import Scripted
from tests.langchain.fakes import FakeChat
from tests.langchain.fakes import Say as LangChainSay
from tests.llamaindex.fakes import FakeLLM
from tests.llamaindex.fakes import Say as LlamaIndexSay
from tests.memory_log import MemoryLog
from tests.parity import langchain_way, llamaindex_way
from tests.parity.scenarios import PRICES, PROMPT, STRONG, SURE, Model, Scenario, two
from tests.standing import time_waits

BOTH = [
    pytest.param(framework, way, id=way)
    for framework in (langchain_way, llamaindex_way)
    for way in framework.WAYS
]
both = pytest.mark.parametrize(("framework", "way"), BOTH)
whole = pytest.mark.parametrize(
    ("framework", "way"), [(langchain_way, "invoke"), (llamaindex_way, "achat")]
)


class Slow(Scripted):
    """Takes longer than anybody waits."""

    begun: Any = Field(default_factory=Event)
    go: Any = Field(default_factory=Event)

    def _classify(self, state: Any, questions: Any) -> Any:
        self.begun.set()
        assert self.go.wait(60)
        return super()._classify(state, questions)


class Told(BaseCallbackHandler):
    """Keeps what is told of runs that begin."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        self.runs.append(kwargs)


async def record_of(framework: Any, way: str, signal: Any, **settings: Any) -> dict[str, Any]:
    models = [Model(SURE, max_tokens=20), Model(STRONG.draft, max_tokens=20)]
    scenario = Scenario("", models, [], "", settings=settings, signals=lambda _make: [signal])
    return (await framework.run(scenario, way)).record


def trail(record: dict[str, Any]) -> list[str]:
    return [f"{call['model']} {call['purpose']} {call['outcome']}" for call in record["calls"]]


@both
async def test_a_judge_reads_the_probability_of_yes(framework: Any, way: str) -> None:
    model = Scripted(answer=0.9)
    record = await record_of(framework, way, Judge(model))
    assert record["signals"] == {"judge": 0.9}
    assert trail(record) == ["m0 draft accepted", "m3 judge used"]
    ((state, question),) = model.asked
    assert (state["answer"], state["exchange"]) == (SURE.text, [{"user": PROMPT}])
    assert question.type == "noul"
    assert PROMPT not in question.instructions


@both
async def test_what_a_decision_costs_is_counted(framework: Any, way: str) -> None:
    record = await record_of(framework, way, Judge(Scripted()))
    judged = record["calls"][1]
    assert (judged["usage"]["input_tokens"], judged["usage"]["output_tokens"]) == (100, 2)
    assert judged["cost_usd"] == pytest.approx((100 * 1000 + 2 * 2000) / 1e6)
    assert record["cost_usd"] == pytest.approx(sum(call["cost_usd"] for call in record["calls"]))


@both
async def test_difficulty_is_one_minus_the_probability_that_the_strong_model_is_needed(
    framework: Any, way: str
) -> None:
    model = Scripted(answer=0.75)
    record = await record_of(framework, way, Difficulty(model))
    assert record["signals"] == {"difficulty": 0.25}
    assert trail(record) == ["m0 draft rejected", "m3 judge used", "m1 draft returned"]
    assert "answer" not in model.asked[0][0]


@whole
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "gave no answer to the question"),
        ({"type": "choice", "choice": "a", "probabilities": {"a": 1}, "confidence": 1}, "a choice"),
        (TimeoutError("sk-secret"), "did not answer (TimeoutError)"),
        (1.5, "sent what is no answer (ValidationError)"),
        (math.nan, "sent what is no answer (ValidationError)"),
    ],
)
async def test_what_is_no_answer_is_no_reading_and_said_once(
    framework: Any, way: str, answer: Any, said: str
) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        record = await record_of(framework, way, Judge(Scripted(answer=answer)))
    assert record["signals"] == {"judge": None}
    assert record["tier"] == 1
    (told,) = [str(each.message) for each in seen if "decision model" in str(each.message)]
    assert said in told
    assert "secret" not in told


# --- wrapped, copied, guarded ---------------------------------------------------------------------


@whole
@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model.with_retry(stop_after_attempt=2),
        lambda model: model.with_config(tags=["mine"]),
        lambda model: Scripted(answer=TimeoutError()).with_fallbacks([model]),
    ],
    ids=["retry", "config", "fallbacks"],
)
async def test_a_wrapped_model_decides_too(framework: Any, way: str, wrap: Any) -> None:
    record = await record_of(framework, way, Judge(wrap(Scripted())))
    assert record["signals"] == {"judge": 0.9}


@whole
async def test_a_signal_crosses_to_another_process(framework: Any, way: str) -> None:
    for signal in (Judge(Scripted(), criteria=["bad", "good"]), Difficulty(Scripted())):
        copied = pickle.loads(pickle.dumps(signal))
        assert copied.identity == signal.identity
    record = await record_of(framework, way, pickle.loads(pickle.dumps(Judge(Scripted()))))
    assert record["signals"] == {"judge": 0.9}


@whole
async def test_a_budget_bounds_what_it_may_cost(framework: Any, way: str) -> None:
    model = Scripted()
    record = await record_of(framework, way, Judge(model), budget=Budget(usd=10, per="day"))
    assert record["signals"] == {"judge": 0.9}
    model = Scripted()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record = await record_of(
            framework, way, Judge(model), budget=Budget(usd=0.0005, per="day"), on_no_score="accept"
        )
    assert model.asked == []  # there was room for a draft, and none for a judge at 1,000 USD
    assert record["signals"] == {"judge": None}


@whole
async def test_one_that_keeps_failing_is_left_alone(framework: Any, way: str) -> None:
    model = Scripted(answer=ConnectionError("refused"))
    scenario = Scenario("", two(SURE), [], "", signals=lambda _make: [Judge(model)], requests=12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        await framework.run(scenario, way)
    assert 0 < len(model.asked) < 12


@whole
async def test_one_that_takes_too_long_is_cut_off(
    framework: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio_way = "ainvoke" if framework is langchain_way else way
    model = Slow()
    time_waits(monkeypatch, model.begun.is_set)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record = await record_of(framework, asyncio_way, Judge(model), deadline=0.1)
    model.go.set()  # it hung until now
    assert record["signals"] == {"judge": None}


async def test_its_call_is_a_child_of_the_cascades_run() -> None:
    told = Told()
    llm = ChatCascade(
        tiers=[FakeChat(LangChainSay("yes"), model_name=n) for n in ("m0", "m1")],
        signals=[Judge(Scripted())],
    )
    await llm.ainvoke("When?", {"callbacks": [told]})
    llm.invoke("When?", {"callbacks": [told]})
    for cascade, judge in (told.runs[:2], told.runs[2:]):
        assert judge["parent_run_id"] == cascade["run_id"]
        assert "cascade:judge" in judge["tags"]
        assert judge["metadata"]["ls_provider"] == "scripted"


async def test_an_agents_turn_is_judged_by_it() -> None:
    agents = pytest.importorskip("langchain.agents")
    tiers = [FakeChat(LangChainSay("yes"), model_name=n) for n in ("m0", "m1")]
    for answer, by in ((0.9, "m0"), (0.1, "m1")):
        middleware = CascadeMiddleware(tiers=tiers, signals=[Judge(Scripted(answer=answer))])
        agent = agents.create_agent(tiers[0], middleware=[middleware])
        for state in (
            agent.invoke({"messages": [("user", "When?")]}),
            await agent.ainvoke({"messages": [("user", "When?")]}),
        ):
            assert state["messages"][-1].response_metadata["cascade"]["model"] == by


# --- labels ---------------------------------------------------------------------------------------


async def test_it_is_collected_and_grades(tmp_path: Path) -> None:
    def tier(name: str) -> FakeChat:
        return FakeChat(LangChainSay("yes"), model_name=name)

    asked = [{"request": f"Is {n} odd?"} for n in range(4)]
    grader = Scripted(answer=0.8)
    got = await acollect(
        asked,
        [tier("m0"), tier("m1")],
        tmp_path / "table.csv",
        signals=[Judge(Scripted(answer=0.7)), Difficulty(Scripted(answer=0.4), name="hard")],
        quality="judge",
        judge=grader,
        prices=PRICES,
        max_cost=100,
    )
    assert got.n == 4
    with (tmp_path / "table.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    read = ("t0_signal_judge", "t0_signal_hard", "t0_quality")
    assert {tuple(row[name] for name in read) for row in rows} == {("0.7", "0.6", "0.8")}
    assert all(float(row["t0_paid_judge_usd"]) > 0 for row in rows)
    assert len(grader.asked) == 8


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Judge(object(), criteria=["a", "b"]), "criteria=…) needs a decision model"),
        (lambda: Judge(Scripted(), criteria=["a"]), "at least two texts"),
        (lambda: Judge(Scripted(), criteria="ab"), "at least two texts"),
        (lambda: Judge(Scripted(), criteria={"a": "x", "b": ""}), "at least two texts"),
        (lambda: Judge(Scripted(), criteria={"a": "x", "b": "y"}), "name some of the labels"),
        (lambda: Judge(Scripted(), criteria={"a": "x", "b": "y"}, right=["c"]), "name some of"),
        (lambda: Judge(Scripted(), criteria=["a", "b"], right=["a"]), "right=…) names labels"),
        (lambda: Difficulty(Scripted(), criteria={"a": "x", "b": "y"}), "the easiest level first"),
        (lambda: Difficulty(Scripted(), max_chars=10), "a whole number from 1000"),
        (lambda: Difficulty(Scripted(), instructions=" "), "give a text"),
    ],
)
def test_a_misgiven_argument_is_said(make: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        make()


def test_a_decision_model_is_no_tier() -> None:
    with pytest.raises(ConfigurationError, match="answers with probabilities"):
        ChatCascade(tiers=[Scripted(), Scripted()])
    with pytest.raises(ConfigurationError, match="answers with probabilities"):
        CascadeLLM(tiers=[Scripted(), Scripted()])


# --- chains, engines, audits ----------------------------------------------------------------------


async def test_a_chain_is_judged_by_it() -> None:
    from langchain_core.runnables import RunnableLambda

    from langchain_cascade import RunnableCascade

    for answer, by in ((0.9, "cheap"), (0.1, "strong")):
        chains = [RunnableLambda(lambda _, says=says: says) for says in ("cheap", "strong")]
        cascade = RunnableCascade(tiers=chains, signals=[Judge(Scripted(answer=answer))])
        assert cascade.invoke("When?") == by
        assert await cascade.ainvoke("When?") == by


async def test_engines_and_synthesizers_are_judged_by_it() -> None:
    from llama_index.core import get_response_synthesizer

    from llamaindex_cascade import CascadeQueryEngine, CascadeSynthesizer
    from tests.llamaindex.retrieval import QUESTION, facts, nodes

    for answer, by in ((0.9, "cheap"), (0.1, "strong")):
        llms = [FakeLLM(LlamaIndexSay(name), name) for name in ("cheap", "strong")]
        judge = Judge(Scripted(answer=answer))
        engines = [facts().as_query_engine(llm=llm) for llm in llms]
        cascade = CascadeQueryEngine(tiers=engines, signals=[judge])
        assert str(cascade.query(QUESTION)) == by
        assert str(await cascade.aquery(QUESTION)) == by
        synthesizers = [get_response_synthesizer(llm=llm) for llm in llms]
        synthesizer = CascadeSynthesizer(tiers=synthesizers, signals=[judge])
        assert str(synthesizer.synthesize(QUESTION, nodes())) == by


@whole
async def test_it_grades_audits(framework: Any, way: str) -> None:
    log = MemoryLog()
    grader = Scripted(answer=0.7)
    await record_of(
        framework,
        way,
        sure,
        log=log,
        audit=Audit(rate=1.0, compare=Judge(grader)),
    )
    await asyncio.to_thread(flush_log)
    assert len(grader.asked) == 2  # the answer, and the strongest tier's


def sure(request: Any, draft: Any) -> float:
    return 0.99
