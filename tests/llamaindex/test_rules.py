"""Rules in LlamaIndex's engines and refining loops."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.instrumentation.dispatcher import instrument_tags
from llama_index.core.response_synthesizers import get_response_synthesizer

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from tests.llamaindex.fakes import PRICES, UNSURE, ProviderError, Say, cheap, strong
from tests.llamaindex.retrieval import QUESTION, facts, nodes, text_of

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

ways = pytest.mark.parametrize("how", ["sync", "async"])
streamed_or_not = pytest.mark.parametrize("streaming", [False, True])
POLICY: dict[str, Any] = {
    "rules": [{"name": "r", "match": {"metadata": {"tenant": "acme"}}, "then": {"pin": 0}}]
}
ACME = {"tenant": "acme"}


@ways
@streamed_or_not
async def test_a_query_engine_is_pinned(how: str, streaming: bool) -> None:
    llms, index = [cheap(UNSURE), strong(Say("strong answer"))], facts()
    tiers = [index.as_query_engine(llm=llm, streaming=streaming) for llm in llms]
    engine = CascadeQueryEngine(tiers=tiers, prices=PRICES, policy=POLICY)
    with collect_decisions() as seen, instrument_tags(ACME):
        response = await engine.aquery(QUESTION) if how == "async" else engine.query(QUESTION)
        assert await text_of(response) != "strong answer"
    assert [(r["reason"], r["rule"], r["tier"]) for r in seen] == [("pinned", "r", 0)]
    assert llms[1].journal.count == 0


@ways
@streamed_or_not
async def test_a_synthesizer_is_pinned(how: str, streaming: bool) -> None:
    llms = [cheap(UNSURE), strong(Say("strong answer"))]
    tiers = [get_response_synthesizer(llm=llm, streaming=streaming) for llm in llms]
    made = CascadeSynthesizer(tiers=tiers, prices=PRICES, policy=POLICY)
    with collect_decisions() as seen, instrument_tags(ACME):
        if how == "async":
            response = await made.asynthesize(QUESTION, nodes())
        else:
            response = made.synthesize(QUESTION, nodes())
        assert await text_of(response) != "strong answer"
    assert [(r["reason"], r["tier"]) for r in seen] == [("pinned", 0)]
    assert llms[1].journal.count == 0


def test_every_step_of_a_refining_loop_is_pinned() -> None:
    llms = [cheap(UNSURE), strong(Say("strong answer"))]
    llm = CascadeLLM(tiers=llms, prices=PRICES, policy=POLICY)
    made = get_response_synthesizer(llm=llm, response_mode="refine")  # type: ignore[arg-type]
    with collect_decisions() as seen, instrument_tags(ACME):
        made.synthesize(QUESTION, nodes())
    assert len(seen) > 1
    assert {(r["reason"], r["tier"]) for r in seen} == {("pinned", 0)}
    assert llms[1].journal.count == 0


def test_a_pinned_engine_that_fails_is_the_end_of_it() -> None:
    llms = [cheap(Say(error=ProviderError("no service"))), strong(Say("strong answer"))]
    index = facts()
    engine = CascadeQueryEngine(
        tiers=[index.as_query_engine(llm=llm) for llm in llms], prices=PRICES, policy=POLICY
    )
    with instrument_tags(ACME), pytest.raises(CascadeExhausted):
        engine.query(QUESTION)
    assert llms[1].journal.count == 0
