"""What a call costs, by real clients of both frameworks: whose price counts, and for how many tokens.

Requests are of 6 tokens and answers of 5, a token for every four characters.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_openai import AzureChatOpenAI

from cascade_core.signals import Judge
from langchain_cascade import ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM
from tests.http import asking, test_llamaindex
from tests.http.asking import KEY
from tests.http.stub import Raw, Say, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXT = "When is my invoice due?"
SAID = "on the first of May."
WAYS = [
    *(("langchain", how) for how in ("invoke", "ainvoke", "stream", "astream")),
    *(("llamaindex", how) for how in ("chat", "achat", "stream", "astream")),
]
every_way = pytest.mark.parametrize(("framework", "how"), WAYS)

OWN = {"input": 100, "output": 1000}
COST = Decimal(6 * 100 + 5 * 1000) / 1_000_000
LISTED = (Decimal("0.15") * 6 + Decimal("0.6") * 5) / 1_000_000  # of gpt-4o-mini


async def record_of(server: Stub, framework: str, how: str, model: str, **settings: Any) -> Any:
    """Ask a cascade of one tier, and return its record."""
    if framework == "langchain":
        chat = ChatCascade(tiers=[asking.client(server, model)], **settings)
        return asking.record_of(await asking.ask(chat, how, TEXT))
    llm = CascadeLLM(tiers=[test_llamaindex.client(server, model)], **settings)
    return test_llamaindex.record_of(await test_llamaindex.ask(llm, how, TEXT))


def usd(amount: float | Decimal) -> Any:
    return pytest.approx(float(amount), rel=1e-9)


@every_way
@pytest.mark.parametrize(
    ("called", "answers", "prices", "cost"),
    [
        ("prod-chat", "gpt-4o-mini-2024-07-18", {"prod-chat": OWN}, COST),
        ("prod-chat", "gpt-4o-mini-2024-07-18", {"gpt-4o-mini": OWN}, COST),
        ("prod-chat", "gpt-4o-mini-2024-07-18", {}, LISTED),
        ("gpt-4o-mini", "served-by-someone", {}, LISTED),
        ("gpt-4o-mini", "served-by-someone", {"gpt-4o-mini": OWN}, COST),
        ("newest-latest", "newest-2407", {"newest": OWN}, COST),
        ("mine", "ft:gpt-4o-mini-2024-07-18:org::id", {"mine": OWN}, COST),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "some-other", {}, 2 * LISTED),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-3-haiku-20240307-v1:0",
            "claude",
            {"claude-3-haiku": OWN},
            COST,
        ),
        ("unknown", "unknown-too", {}, None),
    ],
)
async def test_a_call_is_priced_by_its_own_name_or_the_one_it_was_set_up_with(
    stub: Stub, framework: str, how: str, called: str, answers: str, prices: Any, cost: Any
) -> None:
    stub.script(called, Say(SAID, model=answers))
    record = await record_of(stub, framework, how, called, prices=prices)
    (call,) = record["calls"]
    assert call["model"] == answers
    assert call["cost_usd"] == (None if cost is None else usd(cost))


@pytest.mark.parametrize(
    "prices", [{"prod-chat": OWN}, {"gpt-4o-mini": OWN}, {"azure_openai:gpt-4o-mini": OWN}]
)
async def test_an_azure_deployment_is_priced_by_its_name_or_its_models(
    stub: Stub, prices: Any
) -> None:
    model = AzureChatOpenAI(
        azure_endpoint=stub.base_url,
        azure_deployment="prod-chat",
        model="gpt-4o-mini",
        api_version="2024-10-21",
        api_key=KEY,
    )
    cascade = ChatCascade(tiers=[model], prices=prices)
    names = cascade._engine.plan.tiers[0].price_names("something")
    assert names == ("azure/something", "azure/gpt-4o-mini", "azure/prod-chat")
    assert cascade._engine.plan.prices.rate(names).input == Decimal("100e-6")


@every_way
async def test_a_judge_is_priced_by_the_name_it_was_set_up_with(
    stub: Stub, framework: str, how: str
) -> None:
    stub.script("cheap", SAID)
    stub.script("strong", SAID)
    stub.script("our-judge", Say("A", model="unheard-of"))
    of = asking.client if framework == "langchain" else test_llamaindex.client
    tiers, judge = [of(stub, "cheap"), of(stub, "strong")], Judge(of(stub, "our-judge"))
    settings: dict[str, Any] = {"signals": [judge], "prices": {"our-judge": OWN}}
    if framework == "langchain":
        cascade = ChatCascade(tiers=tiers, **settings)
        record = asking.record_of(await asking.ask(cascade, how, TEXT))
    else:
        llm = CascadeLLM(tiers=tiers, **settings)
        record = test_llamaindex.record_of(await test_llamaindex.ask(llm, how, TEXT))
    (call,) = [call for call in record["calls"] if call["purpose"] == "judge"]
    assert call["cost_usd"] > 0


NO_USAGE = [
    {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    {"prompt_tokens": 6, "completion_tokens": 0, "total_tokens": 6},
    {"prompt_tokens": -6, "completion_tokens": -5, "total_tokens": -11},
    {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
]


@every_way
@pytest.mark.parametrize("usage", NO_USAGE)
async def test_an_answer_with_a_report_of_nothing_is_counted_here(
    stub: Stub, framework: str, how: str, usage: Any
) -> None:
    stub.script("cheap", Say(SAID, usage=usage))
    record = await record_of(stub, framework, how, "cheap", prices={"cheap": OWN})
    (call,) = record["calls"]
    assert call["tokens_source"] == "estimate"
    assert call["cost_usd"] == usd(COST)


@every_way
@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (  # reasoning beside the answer
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            32 * 100 + 103 * 1000,
        ),
        (  # and in it
            {
                "prompt_tokens": 32,
                "completion_tokens": 103,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            32 * 100 + 103 * 1000,
        ),
        (  # cached tokens are in the prompt
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 41,
                "prompt_tokens_details": {"cached_tokens": 30},
            },
            2 * 100 + 30 * 10 + 9 * 1000,
        ),
    ],
)
async def test_every_token_is_billed_once(
    stub: Stub, framework: str, how: str, usage: Any, cost: int
) -> None:
    stub.script("cheap", Say(SAID, usage=usage))
    prices = {"cheap": {**OWN, "cached_input": 10}}
    record = await record_of(stub, framework, how, "cheap", prices=prices)
    assert record["cost_usd"] == usd(cost / 1e6)


@pytest.mark.parametrize(
    ("framework", "how"), [way for way in WAYS if way[1] in ("stream", "astream")]
)
async def test_a_total_on_every_chunk_counts_once(stub: Stub, framework: str, how: str) -> None:
    stub.script("cheap", Say(SAID, totals=True))
    record = await record_of(stub, framework, how, "cheap", prices={"cheap": OWN})
    (call,) = record["calls"]
    assert call["tokens_source"] == "provider"
    assert call["cost_usd"] == usd(COST)


def _surely(_request: Any, _draft: Any) -> float:
    return 1.0


@asking.whole
async def test_a_total_on_every_chunk_counts_once_where_langchain_puts_them_together(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", Say(SAID, totals=True))
    for tier in (client := asking.client(stub, "cheap", streaming=True), client.with_retry()):
        for tiers in ([tier], [tier, asking.client(stub, "strong")]):  # alone, and as a draft
            cascade = ChatCascade(tiers=tiers, signals=[_surely], prices={"cheap": OWN})
            record = asking.record_of(await asking.ask(cascade, how, TEXT))
            assert (record["tier"], record["cost_usd"]) == (0, usd(COST))


@pytest.mark.parametrize("how", ["stream", "astream"])
async def test_a_total_on_every_chunk_counts_once_inside_a_chain(stub: Stub, how: str) -> None:
    stub.script("cheap", Say(SAID, totals=True))
    chain = asking.client(stub, "cheap").with_retry()
    cascade = RunnableCascade(tiers=[chain], prices={"cheap": OWN})
    record = asking.record_of(await asking.ask(cascade, how, TEXT))
    assert record["cost_usd"] == usd(COST)


REPORT = {
    "input_tokens": 6,
    "cache_read_input_tokens": 20,
    "cache_creation_input_tokens": 10,
    "output_tokens": 5,
}
TOKENS = 6 * 100 + 20 * 10 + 10 * 125 + 5 * 1000


def anthropic(stream: bool) -> Raw:
    """Return what Anthropic sends, whole or streamed."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-unlisted",
        "stop_sequence": None,
    }
    if not stream:
        content = [{"type": "text", "text": SAID}]
        whole = {**message, "content": content, "stop_reason": "end_turn", "usage": REPORT}
        return Raw(json.dumps(whole))
    start = {**message, "content": [], "stop_reason": None, "usage": {**REPORT, "output_tokens": 1}}
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    text = {"type": "text_delta", "text": SAID}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": text},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": REPORT},
        {"type": "message_stop"},
    ]
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
    return Raw("".join(lines), media_type="text/event-stream")


@asking.every_way
async def test_at_anthropic_the_cache_is_beside_the_prompt_and_counts_once(
    stub: Stub, how: str
) -> None:
    stub.script("claude-alias", lambda body: anthropic(bool(body.get("stream"))))
    url = stub.base_url.removesuffix("/v1")
    model = ChatAnthropic(model="claude-alias", base_url=url, api_key=KEY, max_retries=0)
    prices = {"claude-alias": {**OWN, "cached_input": 10, "cache_write": 125}}
    cascade = ChatCascade(tiers=[model], prices=prices)
    record = asking.record_of(await asking.ask(cascade, how, TEXT))
    assert record["model"] == "claude-unlisted"
    assert record["cost_usd"] == usd(TOKENS / 1e6)
