"""A conversation that one provider began goes on at another, and back, through real integrations."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.tools import FunctionTool

from cascade_core import collect_decisions
from llamaindex_cascade import CascadeLLM
from tests.integrations.llamaindex.providers import PROVIDERS, TOOL, secrets_of
from tests.integrations.llamaindex.wire import DOWN, Wire

# Not all clients close their connections.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PAIRS = [(first, second) for first in PROVIDERS for second in PROVIDERS if first != second]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as running:
        running.refuses = {name: provider.refuses for name, provider in PROVIDERS.items()}
        yield running


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


WEATHER = FunctionTool.from_defaults(weather, name=TOOL)


def stepped(llm: CascadeLLM, history: list[ChatMessage], response: ChatResponse) -> None:
    """Add an answer and the results of its calls to a history, as LlamaIndex's agents do."""
    # Stores keep messages as JSON.
    dumped = response.message.model_dump(mode="json")
    history.append(ChatMessage.model_validate(dumped))
    for call in llm.get_tool_calls_from_response(response, error_on_no_tool_call=False):
        result = {"tool_call_id": call.tool_id}
        text = weather(**call.tool_kwargs)
        history.append(ChatMessage(role="tool", content=text, additional_kwargs=result))


def ask(llm: CascadeLLM, history: list[ChatMessage]) -> ChatResponse:
    return llm.chat_with_tools([WEATHER], chat_history=history)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_conversation_moves_on_and_back(wire: Wire, first: str, second: str) -> None:
    author, reader = PROVIDERS[first], PROVIDERS[second]
    wire.replies[first] = [author.called, DOWN, author.answered]
    wire.replies[second] = [reader.called]
    tiers = [author.model(wire.url(first)), reader.model(wire.url(second))]
    llm = CascadeLLM(tiers, on_no_score="accept", hold=None)  # each step is decided for itself
    history = [ChatMessage(role="user", content="weather in Oslo?")]

    response = ask(llm, history)
    assert response.additional_kwargs["cascade"]["tier"] == 0
    stepped(llm, history, response)
    wire.sent[first].clear()
    wire.replies[first] = [DOWN]

    response = ask(llm, history)
    assert response.additional_kwargs["cascade"]["tier"] == 1
    sent = json.dumps(wire.sent[second])
    assert "sunny in Oslo" in sent
    assert [secret for secret in secrets_of(first) if secret in sent] == []
    stepped(llm, history, response)

    wire.replies[first] = [author.answered]
    response = ask(llm, history)
    assert response.message.content == "It is sunny."
    assert response.additional_kwargs["cascade"]["tier"] == 0
    sent = json.dumps(wire.sent[first][-1])
    assert author.own in sent, "what it wrote comes back to it"
    assert [secret for secret in secrets_of(second) if secret in sent] == []


NAMES = list(PROVIDERS)
RING = [*zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True)]


@pytest.mark.parametrize(("first", "second"), [*RING, *((b, a) for a, b in RING)])
async def test_an_agent_goes_on_at_another_provider(wire: Wire, first: str, second: str) -> None:
    author, reader = PROVIDERS[first], PROVIDERS[second]
    wire.replies[first] = [author.called, DOWN]
    wire.replies[second] = [reader.called, reader.answered]
    tiers = [author.model(wire.url(first)), reader.model(wire.url(second))]
    llm = CascadeLLM(tiers, on_no_score="accept")
    agent = FunctionAgent(tools=[WEATHER], llm=llm, streaming=False)
    with collect_decisions() as seen:
        answer = await agent.run("weather in Oslo?")
    assert answer.response.content == "It is sunny."
    assert [record["tier"] for record in seen] == [0, 1, 1]
    assert len(answer.tool_calls) == 2
