"""LlamaIndex's own OpenAI clients against real servers: logprobs, aborts, costs, failures."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from cascade_core import CascadeExhausted, collect_decisions
from cascade_core.signals import SequenceLogprob, TokenMargin
from llamaindex_cascade import CascadeLLM
from tests.http.asking import KEY, PRICES, nothing_left_behind, ticket, until
from tests.http.stub import Say, Stub, refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAYS = ["chat", "achat", "stream", "astream"]
every_way = pytest.mark.parametrize("how", WAYS)
streamed = pytest.mark.parametrize("how", ["stream", "astream"])

HOPELESS = ticket(378).text
"""The cheap answer has 16 tokens, the first of which is not sure."""


def client(server: Any, model: str, **settings: Any) -> OpenAILike:
    """Return a real client that never asks twice by itself."""
    given: dict[str, Any] = {
        "api_key": KEY,
        "temperature": 0,
        "max_retries": 0,
        "is_chat_model": True,
        "is_function_calling_model": True,
    }
    return OpenAILike(model=model, api_base=server.base_url, **{**given, **settings})


def cascade(server: Any, **settings: Any) -> CascadeLLM:
    tiers = [client(server, "cheap"), client(server, "strong")]
    return CascadeLLM(tiers=tiers, prices=PRICES, **settings)


async def ask(llm: Any, how: str, text: str = "When is my invoice due?") -> list[ChatResponse]:
    """Ask and return every response; of a whole answer, the one."""
    messages = [ChatMessage(content=text)]
    if how == "chat":
        return [await asyncio.to_thread(llm.chat, messages)]
    if how == "achat":
        return [await llm.achat(messages)]
    if how == "stream":
        return await asyncio.to_thread(lambda: list(llm.stream_chat(messages)))
    return [part async for part in await llm.astream_chat(messages)]


def record_of(parts: list[ChatResponse]) -> dict[str, Any]:
    record: dict[str, Any] = parts[-1].additional_kwargs["cascade"]
    return record


@every_way
async def test_a_sure_draft_is_accepted_by_the_logprobs_in_the_raw_answer(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", Say("on the first of May", p=0.95))
    parts = await ask(cascade(stub), how)
    record = record_of(parts)
    assert (record["tier"], record["reason"]) == (0, "confident")
    assert record["confidence"] == pytest.approx(0.95)
    assert parts[-1].message.content == "on the first of May"
    assert stub.asked("cheap")[0]["logprobs"] is True
    assert not stub.asked("strong")


@every_way
async def test_an_unsure_draft_escalates_and_both_calls_are_paid(stub: Stub, how: str) -> None:
    stub.script("cheap", Say("on the first of May", p=0.5))
    stub.script("strong", "on the second of May")
    parts = await ask(cascade(stub, streaming_policy="buffer"), how)
    record = record_of(parts)
    assert parts[-1].message.content == "on the second of May"
    assert [c["outcome"] for c in record["calls"]] == ["rejected", "returned"]
    assert {c["tokens_source"] for c in record["calls"]} == {"provider"}
    asked, written = 6, 5  # a token for every four characters
    assert record["cost_usd"] == pytest.approx((11 * asked + 22 * written) / 1e6)
    shown = "".join(part.delta or "" for part in parts)
    assert shown in ("", "on the second of May")


@every_way
async def test_the_written_token_counts_and_not_the_likeliest(stub: Stub, how: str) -> None:
    top = [{"token": "Monday", "logprob": -0.2, "bytes": None}]
    top += [{"token": "Friday", "logprob": -2.0, "bytes": None}]
    entry = {"token": "Friday", "logprob": -2.0, "bytes": None, "top_logprobs": top}
    stub.script("cheap", Say("Friday", logprobs={"content": [entry], "refusal": None}))
    tiers = [client(stub, "cheap", logprobs=True, top_logprobs=2), client(stub, "strong")]
    llm = CascadeLLM(tiers=tiers, thresholds=0.1)
    record = record_of(await ask(llm, how))
    assert record["confidence"] == pytest.approx(math.exp(-2.0))


@every_way
async def test_alternatives_are_asked_for_where_a_signal_reads_them(stub: Stub, how: str) -> None:
    stub.script("cheap", Say("Friday", p=0.9))
    stub.script("strong", "Monday")
    await ask(cascade(stub, signals=[TokenMargin()]), how)
    assert stub.asked("cheap")[0]["top_logprobs"] == 2


@every_way
async def test_a_provider_that_refuses_logprobs_is_asked_once_without(stub: Stub, how: str) -> None:
    def reply(body: dict[str, Any]) -> Any:
        return refused(400, "logprobs are not supported") if body.get("logprobs") else Say("hello")

    stub.script("cheap", reply)
    stub.script("strong", "hello there")
    llm = cascade(stub)
    with pytest.warns(UserWarning, match="this provider returns no logprobs"):
        record, again = [record_of(await ask(llm, how)) for _ in range(2)]
    assert [c["outcome"] for c in record["calls"]] == ["failed", "rejected", "returned"]
    assert [c["outcome"] for c in again["calls"]] == ["returned"]
    assert len(stub.asked("cheap")) == 2


@every_way
@pytest.mark.parametrize("status", [401, 429, 500])
async def test_a_failing_tier_escalates(stub: Stub, how: str, status: int) -> None:
    stub.script("cheap", refused(status, f"bad key {KEY}"))
    stub.script("strong", "hello there")
    record = record_of(await ask(cascade(stub), how))
    assert (record["tier"], record["reason"]) == (1, "failed")


@every_way
async def test_no_key_and_no_text_is_in_the_error_when_every_tier_fails(
    stub: Stub, how: str
) -> None:
    stub.script("cheap", refused(500, f"bad key {KEY}"))
    stub.script("strong", refused(401, f"bad key {KEY}"))
    with collect_decisions() as seen, pytest.raises(CascadeExhausted) as raised:
        await ask(cascade(stub), how)
    assert KEY not in str(raised.value)
    assert "invoice" not in str(raised.value)
    assert "HTTP 401" in str(raised.value)
    assert [record["reason"] for record in seen] == ["exhausted"]


@streamed
async def test_a_draft_that_breaks_off_is_paid_for_and_escalates(stub: Stub, how: str) -> None:
    stub.script("cheap", Say("one two three four", cut="drop", after=2))
    stub.script("strong", "hello there")
    parts = await ask(cascade(stub), how)
    record = record_of(parts)
    assert (record["tier"], record["reason"]) == (1, "failed")
    assert record["calls"][0]["usage"]["output_tokens"] == 2
    assert "".join(part.delta or "" for part in parts) == "hello there"


class Counted:
    """What a server did during a block."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._before = asdict(server.counters)

    def __getattr__(self, name: str) -> int:
        count: int = getattr(self._server.counters, name) - self._before[name]
        return count

    async def quiet(self) -> None:
        """Wait until the server works on nothing any more."""
        await until(lambda: self._server.counters.in_flight == 0)


@streamed
async def test_a_draft_that_cannot_pass_any_more_is_cut_off_on_the_server(
    desk: Any, slow_desk: Any, how: str
) -> None:
    await Counted(desk).quiet()
    counted, strongs = Counted(slow_desk), Counted(desk)
    tiers = [client(slow_desk, "desk-small", max_tokens=16), client(desk, "desk-large")]
    llm = CascadeLLM(tiers=tiers, signals=[SequenceLogprob("min")])
    async with nothing_left_behind():
        parts = await ask(llm, how, HOPELESS)
        await counted.quiet()
        await strongs.quiet()
    assert (counted.requests, counted.disconnected, counted.finished) == (1, 1, 0)
    assert (strongs.requests, strongs.disconnected, strongs.finished) == (1, 0, 1)
    record = record_of(parts)
    assert [c["outcome"] for c in record["calls"]] == ["aborted", "returned"]
    assert record["calls"][0]["tokens_saved"] > 0


@pytest.mark.parametrize("leave", ["stop reading", "cancel"])
async def test_a_caller_who_leaves_closes_the_connection(slow_desk: Any, leave: str) -> None:
    counted = Counted(slow_desk)
    llm = CascadeLLM(tiers=[client(slow_desk, "desk-large")])

    async def read() -> None:
        parts = await llm.astream_chat([ChatMessage(content=HOPELESS)])
        try:
            async for _ in parts:
                if leave == "stop reading":
                    return
        finally:
            await parts.aclose()

    async with nothing_left_behind():
        task = asyncio.create_task(read())
        if leave == "cancel":
            await until(lambda: counted.tokens_generated > 0)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await counted.quiet()
    assert (counted.requests, counted.disconnected) == (1, 1)


async def test_a_timeout_of_the_caller_does_not_escalate(stub: Stub) -> None:
    stub.script("cheap", Say("late", delay=60))
    stub.script("strong", "hello there")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(cascade(stub), "achat"), 0.2)
    assert not stub.asked("strong")


def weather(city: str) -> str:
    """Return the weather."""
    return f"sunny in {city}"


TOOL = FunctionTool.from_defaults(weather)


@pytest.mark.parametrize(
    ("arguments", "tier"), [({"city": "Oslo"}, 0), ("{broken", 1), ({"town": "Oslo"}, 1)]
)
@every_way
async def test_tool_calls_are_checked_as_the_provider_sent_them(
    stub: Stub, how: str, arguments: Any, tier: int
) -> None:
    stub.script("cheap", Say(tool_calls=[("weather", arguments)]))
    stub.script("strong", Say(tool_calls=[("weather", {"city": "Bergen"})]))
    llm = cascade(stub)
    calls: dict[str, Callable[[], Any]] = {
        "chat": lambda: asyncio.to_thread(llm.chat_with_tools, [TOOL], "weather?"),
        "achat": lambda: llm.achat_with_tools([TOOL], "weather?"),
        "stream": lambda: asyncio.to_thread(
            lambda: list(llm.stream_chat_with_tools([TOOL], "weather?"))[-1]
        ),
        "astream": lambda: _last(llm.astream_chat_with_tools([TOOL], "weather?")),
    }
    response = await calls[how]()
    assert response.additional_kwargs["cascade"]["tier"] == tier
    selected = llm.get_tool_calls_from_response(response)
    assert selected[0].tool_kwargs == {"city": "Oslo" if tier == 0 else "Bergen"}


async def _last(coming: Any) -> Any:
    return [part async for part in await coming][-1]


class Invoice(BaseModel):
    """An invoice."""

    total: int


@pytest.mark.parametrize(("total", "tier"), [(7, 0), ("much", 1)])
async def test_objects_are_paid_for_and_checked(stub: Stub, total: Any, tier: int) -> None:
    from llama_index.core import PromptTemplate

    stub.script("cheap", Say(tool_calls=[("Invoice", {"total": total})]))
    stub.script("strong", Say(tool_calls=[("Invoice", {"total": 7})]))
    llm = cascade(stub)
    with collect_decisions() as seen:
        made = await llm.astructured_predict(Invoice, PromptTemplate("Read {text}"), text="7 USD")
    assert made == Invoice(total=7)
    assert seen[0]["tier"] == tier
    assert len(seen[0]["calls"]) == tier + 1
    assert seen[0]["cost_usd"] > 0


@every_way
@pytest.mark.parametrize("asked", [{"logprobs": True}, {"logprobs": False}])
async def test_a_callers_own_option_does_not_collide_with_the_cascades(
    stub: Stub, how: str, asked: dict[str, Any]
) -> None:
    stub.script("cheap", Say("on the first of May", p=0.95))
    stub.script("strong", "on the second of May")
    llm, messages = cascade(stub), [ChatMessage(content="When?")]
    calls: dict[str, Callable[[], Any]] = {
        "chat": lambda: asyncio.to_thread(llm.chat, messages, **asked),
        "achat": lambda: llm.achat(messages, **asked),
        "stream": lambda: asyncio.to_thread(lambda: list(llm.stream_chat(messages, **asked))[-1]),
        "astream": lambda: _last(llm.astream_chat(messages, **asked)),
    }
    response = await calls[how]()
    assert response.additional_kwargs["cascade"]["reason"] == "confident"


async def test_a_failed_call_says_what_was_raised_and_nothing_else(stub: Stub) -> None:
    stub.script("cheap", refused(404, f"no such model, said {KEY}"))
    stub.script("strong", "hello there")
    record = record_of(await ask(cascade(stub), "achat"))
    assert record["calls"][0]["error"] == "NotFoundError (HTTP 404)"
