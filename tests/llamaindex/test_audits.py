"""Audits in LlamaIndex: of a cascade inside a tier, and who hears of them."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core.llms import ChatMessage

from cascade_core import Audit, collect_decisions, flush_log
from cascade_core.errors import ConfigurationError
from cascade_core.signals import Judge
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine
from llamaindex_cascade.reading import recorder
from tests.llamaindex.fakes import Say, Seen, cheap, strong
from tests.llamaindex.retrieval import QUESTION, facts
from tests.memory_log import MemoryLog

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")


@pytest.mark.parametrize("how", ["query", "aquery"])
async def test_an_engine_around_a_cascade_is_not_charged_for_its_audits(how: str) -> None:
    inner, outer = MemoryLog(), MemoryLog()
    heard_by: list[object] = []

    def says(_: Seen) -> Say:
        heard_by.append(recorder.current())
        return Say("It is 330 metres.")

    llm = CascadeLLM(tiers=[cheap(), strong(says)], log=inner, audit=Audit(1.0))
    index = facts()
    engine = CascadeQueryEngine(
        tiers=[index.as_query_engine(llm=llm), index.as_query_engine(llm=strong())],
        signals=[lambda request, draft: 1.0],
        log=outer,
        audit=Audit(1.0),
    )
    with collect_decisions() as seen:
        if how == "query":
            str(engine.query(QUESTION))
        else:
            await engine.aquery(QUESTION)
    assert await asyncio.to_thread(flush_log, 60)
    assert flush_log(0)
    assert heard_by == [None], "whoever listens to the tier around hears nothing of it"
    (record,), (event,), (own,) = outer.records, outer.events, inner.events
    assert {call["purpose"] for call in record["calls"]} == {"draft"}
    assert len(record["calls"]) == 1
    assert (event["status"], own["status"]) == ("done", "done")
    assert [call["tier"] for call in own["calls"]] == [1]
    assert {call["tier"] for call in event["calls"]} == {1}
    assert len(seen) == len(inner.records) + len(outer.records) == 2


def test_a_judge_that_is_no_llm_is_refused_where_the_cascade_is_made() -> None:
    with pytest.raises(ConfigurationError, match="judge"):
        CascadeLLM(tiers=[cheap(), strong()], log=MemoryLog(), audit=Audit(1.0, Judge("gpt-4o")))


def test_the_audit_of_a_conversation_puts_all_of_it_to_the_strongest_tier() -> None:
    log, model = MemoryLog(), strong()
    llm = CascadeLLM(tiers=[cheap(), model], log=log, audit=1.0)
    llm.chat([ChatMessage(role="system", content="Be brief."), ChatMessage(content="Where is it?")])
    flush_log()
    assert [event["status"] for event in log.events] == ["done"]
    assert [message.content for message in model.seen[-1].messages] == [
        "Be brief.",
        "Where is it?",
    ]
