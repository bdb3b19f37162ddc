"""A provider that fails in any way HTTP allows costs an escalation, never a wrong answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cascade_core import CascadeError
from cascade_core.errors import CascadeExhausted
from langchain_cascade import ChatCascade
from tests.http.asking import (
    PRICES,
    WAYS,
    ask,
    client,
    every_way,
    nothing_left_behind,
    record_of,
    streamed,
)
from tests.http.stub import Raw, Say, Stub, refused

pytestmark = pytest.mark.asyncio(loop_scope="session")


def pair(stub: Any, *, cheap: dict[str, Any] | None = None, **settings: Any) -> ChatCascade:
    tiers = [client(stub, "cheap", **(cheap or {})), client(stub, "strong")]
    return ChatCascade(tiers=tiers, prices=PRICES, **settings)


def outcomes(record: dict[str, Any]) -> list[tuple[int, str]]:
    return [(call["tier"], call["outcome"]) for call in record["calls"]]


NO_NUMBER = {"token": "fine", "logprob": None, "bytes": None, "top_logprobs": []}
NAN = {"content": [{**NO_NUMBER, "logprob": float("nan")}], "refusal": None}
POSITIVE = {"content": [{**NO_NUMBER, "logprob": 3.5}], "refusal": None}
NULL = {"content": [NO_NUMBER], "refusal": None}

FAILURES: dict[str, Any] = {
    "server error": refused(500, "it broke"),
    "bad gateway in HTML": Raw("<html>bad gateway</html>", 502, "text/html"),
    "rate limit": refused(429, "slow down", **{"retry-after": "0"}),
    "bad key": refused(401, "who are you?"),
    "not found": refused(404, "no such model"),
    "context too long": refused(400, "maximum context length exceeded"),
    "connection dropped": Raw(drop=True),
    "half a JSON": Raw('{"id": "chatcmpl-1", "choices": [{"index": 0, "mess'),
    "not JSON": Raw("I am a teapot", media_type="text/plain"),
    "a JSON of something else": Raw('{"error_code": 17}'),
    "nothing": Raw(""),
}


@every_way
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failing_cheap_tier_costs_an_escalation(stub: Stub, how: str, failure: str) -> None:
    stub.script("cheap", FAILURES[failure])
    stub.script("strong", "all good")
    message = await ask(pair(stub), how, "hi")
    record = record_of(message)
    assert message.text == "all good"
    assert (record["tier"], record["reason"]) == (1, "failed")
    assert outcomes(record) == [(0, "failed"), (1, "returned")]
    assert record["calls"][0]["usage"] is None
    assert record["calls"][0]["cost_usd"] is None


@pytest.mark.parametrize("how", WAYS)
async def test_when_every_tier_fails_one_error_names_every_cause(stub: Stub, how: str) -> None:
    stub.script("cheap", refused(500, "first secret"))
    stub.script("strong", refused(429, "second secret"))
    with pytest.raises(CascadeExhausted) as caught:
        await ask(pair(stub), how, "hi")
    error = caught.value
    assert isinstance(error, CascadeError)
    assert [label for label, _ in error.causes] == ["tier 0 (cheap)", "tier 1 (strong)"]
    assert [cause.status_code for _, cause in error.causes] == [500, 429]
    assert "HTTP 500" in str(error)
    assert "HTTP 429" in str(error)
    assert "secret" not in str(error)


@every_way
async def test_a_cheap_tier_that_is_too_slow_is_given_up(stub: Stub, how: str) -> None:
    stub.script("cheap", Say("late", delay=60))
    stub.script("strong", "in time")
    async with nothing_left_behind():
        message = await ask(pair(stub, cheap={"timeout": 0.1}), how, "hi")
    record = record_of(message)
    assert message.text == "in time"
    assert outcomes(record) == [(0, "failed"), (1, "returned")]
    assert record["calls"][0]["latency_ms"] >= 75


async def test_a_client_that_retries_by_itself_is_one_call_of_the_cascade(stub: Stub) -> None:
    stub.script("cheap", refused(429, "slow down", **{"retry-after-ms": "1"}), "all good")
    record = record_of(await pair(stub, cheap={"max_retries": 2}).ainvoke("hi"))
    assert len(stub.asked("cheap")) == 2
    assert outcomes(record) == [(0, "accepted")]


# --- streams that break ---------------------------------------------------------------------------

LONG = "one two three four five six"


@streamed
@pytest.mark.parametrize("cut", ["end", "drop"])
@pytest.mark.parametrize("after", [1, 4])
async def test_a_draft_that_breaks_off_is_not_taken_for_an_answer(
    stub: Stub, how: str, cut: str, after: int
) -> None:
    stub.script("cheap", Say(LONG, cut=cut, after=after))
    stub.script("strong", "all good")
    async with nothing_left_behind():
        message = await ask(pair(stub), how, "hi")
    record = record_of(message)
    assert message.text == "all good"
    assert record["tier"] == 1
    assert record["reason"] == ("failed" if cut == "drop" else "gate_truncated")
    draft = record["calls"][0]
    assert draft["outcome"] == ("failed" if cut == "drop" else "rejected")
    assert draft["usage"]["output_tokens"] == after  # what had come was paid for
    assert draft["tokens_source"] == "estimate"
    assert draft["cost_usd"] > 0


@streamed
async def test_a_draft_stream_that_ends_before_its_first_token_has_failed(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", Say(LONG, cut="end", after=0))
    stub.script("strong", "all good")
    message = await ask(pair(stub), how, "hi")
    assert message.text == "all good"
    assert outcomes(record_of(message)) == [(0, "failed"), (1, "returned")]


@streamed
async def test_a_last_tier_that_breaks_off_raises_after_what_it_had_shown(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", Say("unsure", p=0.2))
    stub.script("strong", Say(LONG, cut="drop", after=3))
    shown: list[str] = []
    llm = pair(stub, on_exhausted="best_draft")  # which nobody can be shown any more

    async def read() -> None:
        if how == "stream":
            shown.extend(chunk.text for chunk in llm.stream("hi"))
        else:
            async for chunk in llm.astream("hi"):
                shown.append(chunk.text)  # noqa: PERF401 - kept up to where it raises

    with pytest.raises(CascadeExhausted) as caught:
        await read()
    assert "".join(shown) == "one two three "
    assert [call.outcome for call in caught.value.trail] == ["rejected", "failed"]
    assert caught.value.trail[1].usage.output_tokens > 0


@streamed
async def test_a_last_tier_that_breaks_before_its_first_token_may_be_replaced(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", Say("unsure draft", p=0.2))
    stub.script("strong", refused(500, "it broke"))
    message = await ask(pair(stub, on_exhausted="best_draft"), how, "hi")
    assert message.text == "unsure draft"
    assert record_of(message)["reason"] == "best_draft"


@streamed
async def test_garbage_in_a_stream_is_a_failure(stub: Stub, how: str) -> None:
    stub.script(
        "cheap", Raw("data: {not json}\n\ndata: [DONE]\n\n", media_type="text/event-stream")
    )
    stub.script("strong", "all good")
    record = record_of(await ask(pair(stub), how, "hi"))
    assert outcomes(record) == [(0, "failed"), (1, "returned")]


@streamed
async def test_an_error_event_in_a_stream_is_a_failure(stub: Stub, how: str) -> None:
    event = json.dumps({"error": {"message": "overloaded", "type": "server_error"}})
    stub.script("cheap", Raw(f"data: {event}\n\n", media_type="text/event-stream"))
    stub.script("strong", "all good")
    record = record_of(await ask(pair(stub), how, "hi"))
    assert outcomes(record) == [(0, "failed"), (1, "returned")]


# --- answers that are odd ------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize("payload", [NAN, NULL, POSITIVE], ids=["NaN", "null", "above 0"])
async def test_a_logprob_that_is_none_never_helps_an_answer(
    stub: Stub, how: str, payload: dict[str, Any]
) -> None:
    stub.script("cheap", Say("fine", logprobs=payload))
    stub.script("strong", "all good")
    record = record_of(await ask(pair(stub), how, "hi"))
    assert record["tier"] == 1
    assert record["reason"] in {"low_confidence", "failed"}
    assert not record["confidence"]
    json.dumps(record, allow_nan=False)


@every_way
@pytest.mark.parametrize("payload", [{"content": []}, {"content": None}, {}])
async def test_logprobs_without_a_token_are_no_reading(
    stub: Stub, how: str, payload: dict[str, Any]
) -> None:
    stub.script("cheap", Say("fine", logprobs=payload))
    stub.script("strong", "all good")
    with pytest.warns(UserWarning, match="returns no logprobs"):
        record = record_of(await ask(pair(stub), how, "hi"))
    assert (record["tier"], record["reason"], record["confidence"]) == (1, "no_reading", None)


@every_way
async def test_a_refusal_escalates_although_its_tokens_are_likely(stub: Stub, how: str) -> None:
    stub.script("cheap", Say(refusal="I can't help with that."))
    stub.script("strong", "all good")
    message = await ask(pair(stub), how, "hi")
    record = record_of(message)
    assert message.text == "all good"
    assert (record["tier"], record["reason"]) == (1, "gate_refusal")


@every_way
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Say("half an", finish="length"), "gate_truncated"),
        (Say("", finish="stop"), "gate_empty"),
        (Say("fine", finish="content_filter"), "gate_refusal"),
        (Say("I'm sorry, but I can't assist with that."), "gate_refusal"),
    ],
    ids=["truncated", "empty", "filtered", "declined"],
)
async def test_an_answer_that_fails_a_gate_escalates(
    stub: Stub, how: str, said: Say, reason: str
) -> None:
    stub.script("cheap", said)
    stub.script("strong", "all good")
    record = record_of(await ask(pair(stub), how, "hi"))
    assert (record["tier"], record["reason"]) == (1, reason)


async def test_another_http_server_sees_the_same_two_requests(httpserver: HTTPServer) -> None:
    """With a server that is none of ours, so that both ends cannot be wrong alike."""

    def answer(request: Request) -> Response:
        model = request.get_json()["model"]
        if model == "cheap":
            return Response("overloaded", 503)
        message = {"role": "assistant", "content": "all good"}
        body = {
            "id": "x", "object": "chat.completion", "created": 0, "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        }  # fmt: skip
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(answer)

    class Server:
        base_url = httpserver.url_for("/v1")

    record = record_of(await ask(pair(Server), "invoke", "hi"))
    assert outcomes(record) == [(0, "failed"), (1, "returned")]
    assert record["calls"][1]["usage"] == {"input_tokens": 3, "output_tokens": 2}
    sent = [request.get_json() for request, _ in httpserver.log]
    assert [body["model"] for body in sent] == ["cheap", "strong"]
    assert [body.get("logprobs") for body in sent] == [True, None]
