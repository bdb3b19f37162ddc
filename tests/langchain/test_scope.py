"""The tree of runs: a chain run, with a model run below it for every call."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.callbacks import CallbackManager
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda

from cascade_core import collect_decisions
from cascade_core.signals import Judge, SelfConsistency
from tests.langchain.fakes import UNSURE, FakeChat, Runs, Say, ask, pair

WAYS = ["invoke", "ainvoke", "stream", "astream", "batch", "abatch"]
ways = pytest.mark.parametrize("how", WAYS)


@ways
async def test_every_call_of_a_model_is_a_child_of_the_cascades_chain_run(how: str) -> None:
    runs = Runs()
    judge = Judge(FakeChat("A", model_name="judge"))
    says = [Say("Rome", p=None), Say("Oslo", p=None)]
    two = pair(says, signals=[judge, SelfConsistency(2)], combine="mean")
    await ask(how, two.cascade, {"callbacks": [runs]})
    (chain,) = runs.of("chain")
    (chain_id,) = [key for key, run in runs.by_id.items() if run is chain]
    assert chain.parent is None
    assert chain.name == "ChatCascade"
    models = runs.of("llm")
    assert len(models) == 5  # draft, judge, two samples, answer
    assert {run.parent for run in models} == {chain_id}
    assert {run.ended for run in runs.by_id.values()} == {"ok"}
    purposes = [tag for run in models for tag in run.tags if tag.startswith("cascade:")]
    assert purposes.count("cascade:judge") == 1
    assert purposes.count("cascade:sample") == 2
    assert purposes.count("cascade:draft") == 2
    assert sum("nostream" in run.tags for run in models) == 4


@ways
@pytest.mark.parametrize("form", ["list", "manager"])
async def test_callbacks_given_explicitly_leave_no_child_an_orphan(how: str, form: str) -> None:
    runs = Runs()
    callbacks: Any = (
        [runs] if form == "list" else CallbackManager([runs], inheritable_handlers=[runs])
    )
    outer = RunnableLambda(lambda text: text) | pair(UNSURE).cascade | StrOutputParser()
    await ask(how, outer, {"callbacks": callbacks})
    roots = [run for run in runs.by_id.values() if run.parent is None]
    assert len(roots) == 1
    for run in runs.by_id.values():
        assert run.parent is None or run.parent in runs.by_id
    assert len(runs.of("llm")) == 2


@ways
async def test_the_callers_tags_metadata_and_name_are_on_the_runs(how: str) -> None:
    runs = Runs()
    config = {
        "callbacks": [runs],
        "tags": ["mine"],
        "metadata": {"user": "u1"},
        "run_name": "triage",
    }
    await ask(how, pair(UNSURE).cascade, config)
    (chain,) = runs.of("chain")
    assert chain.name == "triage"
    for run in runs.by_id.values():
        assert "mine" in run.tags
        assert run.metadata["user"] == "u1"
    assert all(run.name != "triage" for run in runs.of("llm"))


@ways
async def test_the_cascades_own_tags_metadata_and_callbacks_are_handed_down(how: str) -> None:
    runs = Runs()
    two = pair(UNSURE, tags=["own"], metadata={"team": "x"}, callbacks=[runs])
    await ask(how, two.cascade)
    assert len(runs.of("chain")) == 1
    assert len(runs.of("llm")) == 2
    for run in runs.by_id.values():
        assert "own" in run.tags
        assert run.metadata["team"] == "x"


@ways
async def test_a_tiers_own_tags_metadata_and_callbacks_stay_its_own(how: str) -> None:
    runs, mine = Runs(), Runs()
    cheap = FakeChat(UNSURE, model_name="cheap", tags=["c"], metadata={"k": 1}, callbacks=[mine])
    await ask(how, pair(cheap).cascade, {"callbacks": [runs]})
    draft, answer = runs.of("llm")
    assert "c" in draft.tags
    assert draft.metadata["k"] == 1
    assert "c" not in answer.tags
    assert [run.kind for run in mine.by_id.values()] == ["llm"]


@ways
async def test_tracers_learn_which_model_and_settings_each_run_had(how: str) -> None:
    runs = Runs()
    cheap = FakeChat(UNSURE, model_name="cheap", temperature=0.5)
    await ask(how, pair(cheap).cascade, {"callbacks": [runs]})
    draft, answer = runs.of("llm")
    assert draft.metadata["ls_model_name"] == "cheap"
    assert draft.metadata["ls_temperature"] == 0.5
    assert answer.metadata["ls_model_name"] == "strong"


async def test_decisions_are_collected_in_threads_tasks_and_nested_blocks() -> None:
    import asyncio

    two = pair(UNSURE)
    chain = RunnableLambda(lambda text: text) | two.cascade | StrOutputParser()
    with collect_decisions() as outer:
        chain.batch(["a", "b", "c"])
        with collect_decisions() as inner:
            await asyncio.gather(chain.ainvoke("d"), chain.ainvoke("e"))
        chain.invoke("f")
    chain.invoke("not collected")
    assert (len(outer), len(inner)) == (6, 2)


async def test_decisions_of_an_async_stream_are_collected_by_its_reader() -> None:
    with collect_decisions() as seen:
        async for _ in pair(UNSURE).cascade.astream("hi"):
            pass
    assert len(seen) == 1
