"""Models that give no logprobs: asked once without, remembered, or not asked at all."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from pydantic import BaseModel

from cascade_core.errors import CascadeWarning
from cascade_core.signals import SelfConsistency
from langchain_cascade import ChatCascade
from tests.http.asking import ask, client, every_way, record_of, whole
from tests.http.stub import Reply, Say, Stub, refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_LOGPROBS = refused(400, "Unsupported parameter: 'logprobs' is not supported with this model.")


def reasoning(body: dict[str, Any]) -> Reply:
    """Answer as OpenAI's reasoning models do: they refuse to give logprobs."""
    if "logprobs" in body or "top_logprobs" in body:
        return NO_LOGPROBS
    if "tools" in body:
        return Say(tool_calls=[("City", {"name": "Paris"})])
    return Say('{"name": "Paris"}' if "response_format" in body else "thought about it")


def pair(stub: Stub, **settings: Any) -> ChatCascade:
    return ChatCascade(
        tiers=[client(stub, "cheap"), client(stub, "strong")], thresholds=[0.8], **settings
    )


@every_way
async def test_a_model_that_refuses_logprobs_is_asked_once_without_and_that_is_remembered(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", reasoning)
    stub.script("strong", "all good")
    llm = pair(stub, signals=["sequence_logprob", SelfConsistency(1)])
    first = record_of(await ask(llm, how, "hi"))
    second = record_of(await ask(llm, how, "hi"))
    asked = ["logprobs" in body for body in stub.asked("cheap")]
    assert asked == [True, False, False, False, False]  # refused, draft, sample; draft, sample
    assert [call["outcome"] for call in first["calls"]] == ["failed", "accepted", "used"]
    assert [call["outcome"] for call in second["calls"]] == ["accepted", "used"]
    assert first["calls"][0]["usage"] is None


@every_way
async def test_once_known_to_give_none_a_tier_without_other_signals_is_not_called(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", reasoning)
    stub.script("strong", "all good")
    llm = pair(stub)
    with pytest.warns(CascadeWarning, match="returns no logprobs; add Agreement"):
        record = record_of(await ask(llm, how, "hi"))
    assert [call["outcome"] for call in record["calls"]] == ["failed", "rejected", "returned"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", CascadeWarning)  # it was said once
        record = record_of(await ask(llm, how, "hi"))
    assert [call["outcome"] for call in record["calls"]] == ["returned"]
    assert record["reason"] == "no_reading"
    assert len(stub.asked("cheap")) == 2


@every_way
async def test_any_other_bad_request_is_not_repeated(stub: Stub, how: str) -> None:
    stub.script("cheap", refused(400, "'temperature' is not supported with this model"))
    stub.script("strong", "all good")
    llm = pair(stub)
    for _ in range(2):
        assert record_of(await ask(llm, how, "hi"))["reason"] == "failed"
    assert ["logprobs" in body for body in stub.asked("cheap")] == [True, True]


class City(BaseModel):
    """A city."""

    name: str


@whole
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
async def test_structured_output_is_asked_for_once_without_logprobs_too(
    stub: Stub, how: str, method: str
) -> None:
    stub.script("cheap", reasoning)
    stub.script("strong", reasoning)
    llm = pair(stub, signals=["sequence_logprob", lambda request, draft: 0.9])
    structured = llm.with_structured_output(City, method=method, include_raw=True)
    outcomes = []
    for _ in range(2):
        output = await ask(structured, how, "Capital of France?")
        assert output["parsed"] == City(name="Paris")
        outcomes.append([call["outcome"] for call in record_of(output["raw"])["calls"]])
    assert outcomes == [["failed", "accepted"], ["accepted"]]
    assert ["logprobs" in body for body in stub.asked("cheap")] == [True, False, False]


@whole
async def test_what_was_learned_holds_for_structured_output_and_tools_as_well(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", reasoning)
    stub.script("strong", reasoning)
    llm = pair(stub, signals=["sequence_logprob", lambda request, draft: 0.9])
    made_before = llm.with_structured_output(City, method="json_schema")
    await ask(llm, how, "hi")
    await ask(llm.bind_tools([City]), how, "hi")
    await ask(llm.with_structured_output(City, method="json_schema"), how, "hi")
    await ask(made_before, how, "hi")
    assert ["logprobs" in body for body in stub.asked("cheap")] == [True, *[False] * 4]


@every_way
async def test_a_client_of_the_responses_api_is_known_to_lose_logprobs_and_not_called(
    stub: Stub, how: str
) -> None:
    stub.script("strong", "all good")
    cheap = client(stub, "cheap", use_responses_api=True)
    llm = ChatCascade(tiers=[cheap, client(stub, "strong")])
    with pytest.warns(CascadeWarning, match=r"tier 0 \(cheap\) gives no confidence reading"):
        message = await ask(llm, how, "hi")
    assert message.text == "all good"
    assert record_of(message)["reason"] == "no_reading"
    assert stub.asked("cheap") == []


@every_way
async def test_a_server_that_leaves_logprobs_out_is_learned_after_three_answers(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", Say("fine", p=None))
    stub.script("strong", "all good")
    llm = pair(stub)
    with pytest.warns(CascadeWarning, match="returns no logprobs"):
        reasons = [record_of(await ask(llm, how, "hi"))["reason"] for _ in range(5)]
    assert set(reasons) == {"no_reading"}
    assert len(stub.asked("cheap")) == 3
