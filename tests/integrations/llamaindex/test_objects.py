"""Objects that providers make in ways of their own, through real integrations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel

from cascade_core import collect_decisions
from cascade_core.signals import Agreement
from llamaindex_cascade import CascadeLLM
from tests.integrations.llamaindex.providers import (
    PROVIDERS,
    anthropic_says,
    google_says,
    ollama_says,
    openai_says,
    responses_says,
)
from tests.integrations.llamaindex.wire import Json, Wire

# Not all clients close their connections.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Weather(BaseModel):
    city: str
    degrees: int


MADE = '{"city": "Oslo", "degrees": 3}'
BROKEN = '{"city": "Oslo", "deg'
PROMPT = PromptTemplate("The weather in {city}?")


def says(name: str, text: str) -> Json:
    """A provider's answer of this text."""
    return {
        "openai": lambda: openai_says({"content": text}, "stop"),
        "responses": lambda: responses_says(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": text, "annotations": []}],
            }
        ),
        "anthropic": lambda: anthropic_says("end_turn", {"type": "text", "text": text}),
        "google": lambda: google_says({"text": text}),
        "ollama": lambda: ollama_says({"content": text}),
    }[name]()


NATIVE = ["responses", "anthropic", "google", "ollama"]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as running:
        running.refuses = dict.fromkeys(PROVIDERS, lambda _: [])
        running.replies = {name: [says(name, MADE)] for name in (*NATIVE, "openai")}
        yield running


def model(wire: Wire, name: str) -> Any:
    made = PROVIDERS[name].model(wire.url(name))
    if name == "anthropic":
        made.model = "claude-sonnet-4-5"
    return made


async def make(llm: Any, way: str) -> Any:
    if way == "predict":  # Google's starts an event loop of its own
        return await asyncio.to_thread(llm.structured_predict, Weather, PROMPT, city="Oslo")
    if way == "apredict":
        return await llm.astructured_predict(Weather, PROMPT, city="Oslo")
    if way == "stream":

        def read() -> Any:
            return list(llm.stream_structured_predict(Weather, PROMPT, city="Oslo"))[-1]

        return await asyncio.to_thread(read)
    parts = await llm.astream_structured_predict(Weather, PROMPT, city="Oslo")
    return [part async for part in parts][-1]


WAYS = ["predict", "apredict", "stream", "astream"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NATIVE)
async def test_a_cheap_tiers_object_is_accepted_like_its_tool_calls(
    wire: Wire, name: str, way: str
) -> None:
    llm = CascadeLLM([model(wire, name), model(wire, "openai")])
    with collect_decisions() as seen:
        assert await make(llm, way) == Weather(city="Oslo", degrees=3)
    (record,) = seen
    assert (record["tier"], record["reason"]) == (0, "tool_call")
    (call,) = record["calls"]
    assert (call["usage"]["input_tokens"], call["usage"]["output_tokens"]) == (9, 3)
    assert call["tokens_source"] == "provider"
    assert wire.sent["openai"] == []


def by_tool() -> Json:
    called = {"id": "toolu_01", "name": "Weather", "input": {"degrees": 3, "city": "Oslo"}}
    return anthropic_says("tool_use", {"type": "tool_use", **called})


def older(wire: Wire) -> Any:
    """A model whose provider makes it no objects: it calls a tool."""
    made = model(wire, "anthropic")
    made.model = "claude-3-5-haiku-latest"
    return made


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", [0, 1])
async def test_an_object_that_a_chat_makes_is_one_call(wire: Wire, way: str, place: int) -> None:
    if place and "stream" in way:
        pytest.skip("this server does not stream")
    wire.replies["anthropic"] = [by_tool()]
    wire.replies["openai"] = [openai_says({"content": BROKEN}, "stop")]
    tiers = [older(wire), model(wire, "openai")]
    with collect_decisions() as seen:
        made = await make(CascadeLLM(tiers[::-1] if place else tiers), way)
    assert made == Weather(city="Oslo", degrees=3)
    assert len(wire.sent["anthropic"]) == 1
    (call,) = (call for call in seen[0]["calls"] if call["tier"] == place)
    assert (call["usage"]["input_tokens"], call["usage"]["output_tokens"]) == (9, 3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NATIVE)
async def test_another_providers_object_agrees_however_it_is_made(
    wire: Wire, name: str, way: str
) -> None:
    wire.replies["anthropic"] = [by_tool()]
    wire.replies.setdefault(name, [says(name, MADE)])
    cheap = model(wire, name) if name != "anthropic" else model(wire, "openai")
    llm = CascadeLLM([cheap, model(wire, "openai")], signals=[Agreement(older(wire), eager=True)])
    with collect_decisions() as seen:
        assert await make(llm, way) == Weather(city="Oslo", degrees=3)
    assert seen[0]["judged"][0]["signals"] == {"agreement": 1.0}
    assert [call["purpose"] for call in seen[0]["calls"]] == ["draft", "agree"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["responses", "anthropic", "ollama"])
async def test_an_object_of_the_last_tier_has_its_tokens(wire: Wire, name: str, way: str) -> None:
    if name != "anthropic" and "stream" in way:
        pytest.skip("its streams are heard by their events")
    wire.replies["openai"] = [{"error": {"message": "down"}}]
    llm = CascadeLLM([model(wire, name)])
    with collect_decisions() as seen:
        assert await make(llm, way) == Weather(city="Oslo", degrees=3)
    (call,) = seen[0]["calls"]
    assert (call["usage"]["input_tokens"], call["usage"]["output_tokens"]) == (9, 3)


@pytest.mark.parametrize("way", ["predict", "apredict"])
@pytest.mark.parametrize("name", NATIVE)
async def test_an_object_that_cannot_be_read_escalates_and_is_the_tiers_own_error_at_last(
    wire: Wire, name: str, way: str
) -> None:
    wire.replies[name] = [says(name, BROKEN)]
    bare = model(wire, name)
    llm = CascadeLLM([bare, model(wire, "openai")])
    with pytest.raises(Exception) as alone:  # noqa: PT011 - whatever the integration raises
        await make(bare, way)
    with collect_decisions() as seen:
        assert await make(llm, way) == Weather(city="Oslo", degrees=3)
    assert (seen[0]["tier"], seen[0]["reason"]) == (1, "gate_parser")
    with pytest.raises(type(alone.value)) as last:
        await make(CascadeLLM([bare]), way)
    assert str(last.value) == str(alone.value)
