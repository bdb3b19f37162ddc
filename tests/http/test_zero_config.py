"""Two real clients and nothing else: decisions, usage and money over real HTTP."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import httpx
import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from cascade_core import collect_decisions
from cascade_core.setup.thresholds import DEFAULT_THRESHOLD
from cascade_demo.desk import grade, tickets
from langchain_cascade import ChatCascade
from tests.http.asking import PRICES, ask, client, every_way, record_of, ticket

pytestmark = pytest.mark.asyncio(loop_scope="session")  # clients pool connections by loop

SURE, UNSURE = ticket(0), ticket(1)  # mean token probabilities of 0.996 and 0.748


def cascade(server: Any, **settings: Any) -> ChatCascade:
    tiers = [client(server, "desk-small"), client(server, "desk-large")]
    return ChatCascade(tiers=tiers, prices=PRICES, **settings)


@cache
def served(server: Any, model: str, prompt: str, **options: Any) -> dict[str, Any]:
    """Ask the server without any client of ours; once, as it always says the same."""
    messages = [{"role": "user", "content": prompt}]
    body = {"model": model, "messages": messages, "temperature": 0, **options}
    answer: dict[str, Any] = httpx.post(
        f"{server.base_url}/chat/completions", json=body, timeout=60
    ).json()
    return answer


def usage_of(answer: dict[str, Any]) -> dict[str, int]:
    usage = answer["usage"]
    return {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}


def price(model: str, usage: dict[str, int]) -> Decimal:
    per_million = {kind: Decimal(str(usd)) for kind, usd in PRICES[model].items()}
    paid = (
        usage["input_tokens"] * per_million["input"]
        + usage["output_tokens"] * per_million["output"]
    )
    return paid / 1_000_000


@every_way
async def test_a_sure_cheap_answer_is_returned_as_the_server_gave_it(desk: Any, how: str) -> None:
    before = desk.counters.requests
    message = await ask(cascade(desk), how, SURE.text)
    assert desk.counters.requests == before + 1
    expected = served(desk, "desk-small", SURE.text)
    usage = usage_of(expected)
    assert message.text == expected["choices"][0]["message"]["content"]
    assert message.response_metadata["model_name"] == "desk-small"
    assert {k: message.usage_metadata[k] for k in usage} == usage
    record = record_of(message)
    assert record["reason"] == "confident"
    assert (record["tier"], record["model"], record["accepted"]) == (0, "desk-small", True)
    (call,) = record["calls"]
    assert (call["usage"], call["tokens_source"]) == (usage, "provider")
    assert (call["purpose"], call["outcome"]) == ("draft", "accepted")
    assert call["cost_usd"] == record["cost_usd"] == float(price("desk-small", usage))


@every_way
async def test_an_unsure_cheap_answer_escalates_and_both_calls_are_paid_for(
    desk: Any, how: str
) -> None:
    message = await ask(cascade(desk), how, UNSURE.text)
    cheap = usage_of(served(desk, "desk-small", UNSURE.text))
    strong = usage_of(expected := served(desk, "desk-large", UNSURE.text))
    assert message.text == expected["choices"][0]["message"]["content"]
    assert {k: message.usage_metadata[k] for k in strong} == strong
    record = record_of(message)
    assert (record["tier"], record["model"], record["accepted"]) == (1, "desk-large", False)
    assert record["reason"] == "low_confidence"
    assert [c["usage"] for c in record["calls"]] == [cheap, strong]
    assert [c["tokens_source"] for c in record["calls"]] == ["provider", "provider"]
    assert [c["outcome"] for c in record["calls"]] == ["rejected", "returned"]
    paid = price("desk-small", cheap) + price("desk-large", strong)
    assert record["cost_usd"] == float(paid)
    assert record["strong_cost_usd"] == float(price("desk-large", strong))


@every_way
async def test_the_confidence_is_the_mean_probability_of_the_servers_own_logprobs(
    desk: Any, how: str
) -> None:
    answer = served(desk, "desk-small", UNSURE.text, logprobs=True)
    logprobs = [entry["logprob"] for entry in answer["choices"][0]["logprobs"]["content"]]
    record = record_of(await ask(cascade(desk), how, UNSURE.text))
    geometric_mean = 2.718281828459045 ** (sum(logprobs) / len(logprobs))
    assert record["confidence"] == pytest.approx(geometric_mean)
    assert record["signals"] == {"sequence_logprob": record["confidence"]}
    assert record["threshold"] == DEFAULT_THRESHOLD
    assert record["calibrated"] is False


@every_way
async def test_logprobs_the_caller_did_not_ask_for_are_not_on_the_answer(
    desk: Any, how: str
) -> None:
    message = await ask(cascade(desk), how, SURE.text)
    assert "logprobs" not in message.response_metadata


async def test_a_cascade_in_a_chain_answers_as_its_tiers_would(desk: Any) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{ticket}")])
    chain = prompt | cascade(desk) | StrOutputParser()
    some = tickets("test", 12)
    with collect_decisions() as seen:
        answers = chain.batch([{"ticket": t.text} for t in some])
    assert {record["tier"] for record in seen} == {0, 1}
    by_id = {record["id"]: record for record in seen}
    assert len(by_id) == 12
    for asked, answer in zip(some, answers, strict=True):
        small, large = (
            served(desk, model, asked.text)["choices"][0]["message"]["content"]
            for model in ("desk-small", "desk-large")
        )
        assert answer in {small, large}
        assert answer == small or grade(answer, asked) == grade(large, asked)
    assert await chain.abatch([{"ticket": t.text} for t in some]) == answers
    one = {"ticket": UNSURE.text}
    assert "".join(chain.stream(one)) == chain.invoke(one)
    assert "".join([piece async for piece in chain.astream(one)]) == chain.invoke(one)


@every_way
async def test_langchains_own_usage_handler_counts_what_the_record_counts(
    desk: Any, how: str
) -> None:
    handler = UsageMetadataCallbackHandler()
    llm = cascade(desk).with_config(callbacks=[handler])
    record = record_of(await ask(llm, how, UNSURE.text))
    counted = {
        model: {k: usage[k] for k in ("input_tokens", "output_tokens")}
        for model, usage in handler.usage_metadata.items()
    }
    assert counted == {call["model"]: call["usage"] for call in record["calls"]}


async def test_a_stream_that_reports_no_usage_is_counted_and_says_so(desk: Any) -> None:
    tiers = [client(desk, name, stream_usage=False) for name in ("desk-small", "desk-large")]
    (call,) = record_of(await ask(ChatCascade(tiers=tiers), "astream", SURE.text))["calls"]
    usage = usage_of(served(desk, "desk-small", SURE.text))
    assert call["tokens_source"] == "estimate"
    assert call["usage"]["output_tokens"] == usage["output_tokens"]  # one logprob a token
    assert call["cost_usd"] is None  # no price is not a price of 0


@pytest.mark.simulation
async def test_a_batch_of_many_mixes_nothing_up(desk: Any) -> None:
    some = tickets("test", 40)
    llm = cascade(desk)
    answers = await llm.abatch([t.text for t in some], {"max_concurrency": 16})
    for asked, answer in zip(some, answers, strict=True):
        record = record_of(answer)
        expected = served(desk, record["model"], asked.text)
        assert answer.text == expected["choices"][0]["message"]["content"]
        assert record["calls"][-1]["usage"] == usage_of(expected)
    assert {record_of(a)["tier"] for a in answers} == {0, 1}
