"""Synthesizers and query engines hand off what their last tier is not sure of, alike."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_core import collect_decisions
from llamaindex_cascade import CascadeQueryEngine, CascadeSynthesizer
from tests.llamaindex.fakes import SURE, UNSURE, Say, cheap, strong
from tests.llamaindex.retrieval import QUESTION, facts, nodes, text_of

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

DOUBTFUL = Say("strong draft", p=0.3)
SETTINGS: dict[str, Any] = {"thresholds": [0.9, 0.8]}


def queue(request: Any, draft: Any) -> str:
    return "of a person"


def engine(llm: Any) -> Any:
    return facts(None).as_query_engine(llm=llm, similarity_top_k=2)


async def synthesized(how: str, handler: Any) -> Any:
    tiers = [cheap(UNSURE), strong(DOUBTFUL)]
    cascade = CascadeSynthesizer(tiers, on_handoff=handler, **SETTINGS)
    if how == "sync":
        return cascade.synthesize(QUESTION, nodes())
    return await cascade.asynthesize(QUESTION, nodes())


async def queried(how: str, handler: Any) -> Any:
    tiers = [engine(cheap(UNSURE)), engine(strong(DOUBTFUL))]
    cascade = CascadeQueryEngine(tiers, on_handoff=handler, **SETTINGS)
    return cascade.query(QUESTION) if how == "sync" else await cascade.aquery(QUESTION)


HANDLERS: dict[str, Any] = {
    "nobody": (lambda _: None, DOUBTFUL.text),
    "function": (lambda _: queue, "of a person"),
    "model": (lambda ask: cheap(SURE) if ask is synthesized else engine(cheap(SURE)), SURE.text),
}


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("ask", [synthesized, queried])
@pytest.mark.parametrize("kind", HANDLERS)
async def test_a_doubtful_response_of_the_last_tier_is_handed_off(
    ask: Any, how: str, kind: str
) -> None:
    make, said = HANDLERS[kind]
    with collect_decisions() as seen:
        response = await ask(how, make(ask))
    assert await text_of(response) == said
    (record,) = seen
    assert (record["handoff"], record["tier"], record["accepted"]) == (True, 1, False)
    assert ("handed_to" in record) is (kind != "nobody")
    assert response.metadata["cascade"]["handoff"] is True
    assert len(response.source_nodes) > 0
