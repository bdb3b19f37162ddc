"""What is around a request and set up after its cascade: engines, cascades in them, late providers."""

from __future__ import annotations

import subprocess
import sys
from math import isclose
from typing import Any

import pytest

from cascade_core import collect_decisions
from cascade_core.telemetry import names
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine
from tests.conftest import ROOT
from tests.llamaindex import fakes
from tests.llamaindex.library import query, query_engine
from tests.llamaindex.retrieval import facts
from tests.telemetry_seen import TelemetrySeen, parent_of

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

HOWS = ["sync", "async", "stream", "astream"]
PRICES = {"m0": {"input": 0.7, "output": 1.3}, "m1": {"input": 3.1, "output": 9.7}}


def cascade(seen: TelemetrySeen, **settings: Any) -> CascadeLLM:
    unsure = fakes.Say("unsure draft text", p=0.3)
    tiers = [fakes.cheap(unsure), fakes.strong()]
    return CascadeLLM(tiers=tiers, telemetry=seen.setting, prices=PRICES, name="llm", **settings)


@pytest.mark.parametrize("how", HOWS)
async def test_a_cascade_in_an_engine_is_below_the_callers_span(how: str) -> None:
    seen = TelemetrySeen()
    engine = query_engine(facts(), cascade(seen), "compact", how)
    with seen.tracers.get_tracer("caller").start_as_current_span("mine") as mine:
        await query(engine, how)
    (decision,) = seen.spans("cascade ")
    assert parent_of(decision) == mine.get_span_context().span_id
    assert [parent_of(call) for call in seen.spans("chat ")] == [decision.context.span_id] * 2


@pytest.mark.parametrize("how", HOWS)
async def test_a_cascade_in_a_tier_of_engines_is_below_it_and_paid_for_once(how: str) -> None:
    seen, index = TelemetrySeen(), facts()
    engine = CascadeQueryEngine(
        tiers=[query_engine(index, llm, "compact", how) for llm in (cascade(seen), fakes.strong())],
        signals=[lambda _request, _draft: 0.1],
        telemetry=seen.setting,
        prices=PRICES,
        name="engine",
    )
    with collect_decisions() as decided:
        await query(engine, how)
    (record,) = [each for each in decided if each["cascade"] == "engine"]
    (around,), (within,) = seen.spans("cascade engine"), seen.spans("cascade llm")
    assert parent_of(within) == around.context.span_id
    calls = seen.spans("chat ")
    assert [parent_of(call) for call in calls] == [around.context.span_id] * 3
    assert seen.total(names.REQUESTS, names.CASCADE) == {"engine": 1, "llm": 1}
    assert seen.total(names.CALLS) == len(record["calls"]) == 3
    assert isclose(seen.total(names.COST_USD), record["cost_usd"])


@pytest.mark.processes
def test_providers_that_a_program_sets_after_its_cascades_are_told() -> None:
    program = """
import warnings
from llama_index.core.llms import ChatMessage
from opentelemetry import metrics, trace
from cascade_core.telemetry import names
from llamaindex_cascade import CascadeLLM
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes
from tests.telemetry_seen import TelemetrySeen

warnings.simplefilter("ignore")
chat = langchain.pair(name="chat").cascade
llm = CascadeLLM(tiers=[fakes.cheap(fakes.SURE), fakes.strong()], name="llm")

def ask():
    chat.invoke("Where is my order?")
    llm.chat([ChatMessage(content="Where is my order?")])

ask()
seen = TelemetrySeen()
trace.set_tracer_provider(seen.tracers)
ask()
assert sorted(s.name for s in seen.spans("cascade ")) == ["cascade chat", "cascade llm"]
metrics.set_meter_provider(seen.meters)
ask()
assert len(seen.spans("cascade ")) == 4
assert seen.total(names.REQUESTS, names.CASCADE) == {"chat": 1, "llm": 1}
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")
