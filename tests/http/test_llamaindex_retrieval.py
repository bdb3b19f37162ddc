"""LlamaIndex's own OpenAI clients inside synthesizers and query engines, against real servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.llms.openai_like import OpenAILike

from llamaindex_cascade import CascadeQueryEngine, CascadeSynthesizer
from tests.http.asking import KEY, PRICES, nothing_left_behind, ticket
from tests.http.stub import Say, Stub, refused
from tests.http.test_llamaindex import Counted
from tests.llamaindex.retrieval import QUESTION, facts, nodes, text_of

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning"),
]

HOPELESS = ticket(378).text


def client(server: Any, model: str, **settings: Any) -> OpenAILike:
    """Return a real client that never asks twice by itself."""
    return OpenAILike(
        model=model,
        api_base=server.base_url,
        api_key=KEY,
        temperature=0,
        max_retries=0,
        is_chat_model=True,
        **settings,
    )


@pytest.mark.parametrize("p", [0.95, 0.3])
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_synthesizer_asks_its_llms_for_logprobs(
    stub: Stub, p: float, streaming: bool
) -> None:
    stub.script("cheap", Say("a fact", p=p))
    stub.script("strong", Say("a better fact"))
    tiers = [client(stub, "cheap"), client(stub, "strong")]
    cascade = CascadeSynthesizer(tiers=tiers, prices=PRICES, streaming=streaming)
    response: Any = await cascade.asynthesize(QUESTION, nodes())
    assert await text_of(response) == ("a fact" if p > 0.9 else "a better fact")
    record = response.metadata["cascade"]
    assert record["signals"]["sequence_logprob"] == pytest.approx(p)
    assert record["calls"][0]["cost_usd"] > 0
    assert stub.asked("cheap")[0]["logprobs"] is True
    assert all("logprobs" not in asked for asked in stub.asked("strong"))


async def test_a_synthesizer_whose_llm_refuses_logprobs_asks_once_without(stub: Stub) -> None:
    def cheap(body: Any) -> Any:
        if body.get("logprobs"):
            return refused(400, "logprobs are not supported with this model")
        return Say("a fact")

    stub.script("cheap", cheap)
    stub.script("strong", Say("a better fact"))
    tiers = [client(stub, "cheap"), client(stub, "strong")]
    cascade = CascadeSynthesizer(
        tiers=tiers, prices=PRICES, signals=[lambda _r, _d: 1.0, "sequence_logprob"]
    )
    for _ in range(2):
        response: Any = await cascade.asynthesize(QUESTION, nodes())
        assert str(response) == "a fact"
    assert [asked.get("logprobs", False) for asked in stub.asked("cheap")] == [True, False, False]


@pytest.mark.parametrize("kind", ["synthesizer", "engine"])
async def test_a_caller_who_leaves_closes_the_connection(slow_desk: Any, kind: str) -> None:
    counted = Counted(slow_desk)
    index, llm = facts(), client(slow_desk, "desk-large")
    if kind == "engine":
        tier = index.as_query_engine(llm=llm, streaming=True)
        engine: Any = CascadeQueryEngine(tiers=[tier])
    else:
        cascade = CascadeSynthesizer(tiers=[llm], streaming=True)
        engine = index.as_query_engine(llm=llm, response_synthesizer=cascade)

    async with nothing_left_behind():
        response = await engine.aquery(HOPELESS)
        await anext(response.response_gen)
        await response.response_gen.aclose()
        await counted.quiet()
    assert (counted.requests, counted.disconnected) == (1, 1)


@pytest.mark.parametrize("kind", ["synthesizer", "engine"])
async def test_a_caller_who_leaves_closes_the_connection_of_a_blocking_client(
    slow_desk: Any, kind: str
) -> None:
    counted = Counted(slow_desk)
    index, llm = facts(), client(slow_desk, "desk-large")
    if kind == "engine":
        tier = index.as_query_engine(llm=llm, streaming=True)
        engine: Any = CascadeQueryEngine(tiers=[tier])
    else:
        cascade = CascadeSynthesizer(tiers=[llm], streaming=True)
        engine = index.as_query_engine(llm=llm, response_synthesizer=cascade)

    def read() -> None:
        response = engine.query(HOPELESS)
        next(response.response_gen)
        response.response_gen.close()

    await asyncio.to_thread(read)
    await counted.quiet()
    assert (counted.requests, counted.disconnected) == (1, 1)
