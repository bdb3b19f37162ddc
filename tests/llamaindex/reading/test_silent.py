"""Objects of integrations that tell nobody of the call which made them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel, PrivateAttr, TypeAdapter

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted
from llamaindex_cascade import CascadeLLM
from llamaindex_cascade.reading.recorder import recording
from llamaindex_cascade.reading.silent import heard
from tests.llamaindex.fakes import PRICES, FakeLLM, strong


class City(BaseModel):
    name: str


OSLO = City(name="Oslo")
PROMPT = PromptTemplate("A city?")
USED = {"usage": {"input_tokens": 10, "output_tokens": 2}}


class Silent(FakeLLM):
    """Makes objects without a word to anybody, of what it is given or by raising it."""

    _made: Any = PrivateAttr()

    def __init__(self, made: Any, model: str = "m0") -> None:
        super().__init__(model=model, tools=False)
        self._made = made

    def structured_predict(self, *_: Any, **__: Any) -> Any:
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


def invalid() -> Exception:
    with pytest.raises(ValueError, match="name") as raised:
        TypeAdapter(City).validate_json('{"size": 3}')
    return raised.value


def test_an_object_of_a_call_that_nobody_heard_of_is_judged_and_counted() -> None:
    llm = CascadeLLM(tiers=[Silent(OSLO), strong()], prices=PRICES)
    with collect_decisions() as seen:
        assert llm.structured_predict(City, PROMPT) == OSLO
    (call,) = seen[0]["calls"]
    assert (seen[0]["tier"], seen[0]["reason"]) == (0, "tool_call")
    assert call["tokens_source"] == "estimate"
    assert call["usage"]["output_tokens"] > 0
    assert call["cost_usd"] > 0


def test_an_object_without_a_reading_can_be_sent_on_as_tool_calls_can() -> None:
    last = Silent(City(name="Rome"), "m1")
    llm = CascadeLLM(tiers=[Silent(OSLO), last], on_tool_call="escalate")
    with collect_decisions() as seen:
        assert llm.structured_predict(City, PROMPT).name == "Rome"
    assert (seen[0]["tier"], seen[0]["reason"]) == (1, "no_reading")


def test_an_answer_that_does_not_fit_is_an_answer_and_any_other_error_a_failure() -> None:
    llm = CascadeLLM(tiers=[Silent(invalid()), Silent(OSLO, "m1")])
    with collect_decisions() as seen:
        assert llm.structured_predict(City, PROMPT) == OSLO
    assert seen[0]["calls"][0]["outcome"] == "rejected"
    with pytest.raises(ValueError, match="name") as raised:
        CascadeLLM(tiers=[Silent(invalid())]).structured_predict(City, PROMPT)
    assert not isinstance(raised.value, CascadeExhausted)
    with pytest.raises(CascadeExhausted):
        CascadeLLM(tiers=[Silent(OSError("down"))]).structured_predict(City, PROMPT)


class Client:
    """A client as providers make them."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.messages = SimpleNamespace(create=self._create, acreate=self._create)
        self.beta = SimpleNamespace(messages=SimpleNamespace(parse=self._parse))
        self.other = self

    def _create(self, **_: Any) -> Any:
        return iter([SimpleNamespace(text="O"), SimpleNamespace(text="Oslo", **USED)])

    async def _parse(self, **kwargs: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.stream() if kwargs else self.answer

    async def stream(self) -> AsyncIterator[Any]:
        yield SimpleNamespace(text="O")
        yield SimpleNamespace(text="Oslo", **USED)


class Anthropic(FakeLLM):
    _client: Any = PrivateAttr()


@pytest.fixture
def llm() -> Iterator[Anthropic]:
    made = Anthropic()
    made._client = Client(SimpleNamespace(text="Oslo", **USED))
    yield made
    assert type(made._client) is Client, "the caller's model stays as it is"


async def test_a_clients_responses_and_streams_are_heard(llm: Anthropic) -> None:
    with recording() as recorder:
        client = heard(llm, recorder, lambda: "A city?")._client  # type: ignore[attr-defined]
        assert isinstance(client, Client)
        assert client.other is llm._client, "only what makes calls is listened to"
        assert (await client.beta.messages.parse()).text == "Oslo"
        assert [part.text for part in client.messages.create()] == ["O", "Oslo"]
        stream = await client.beta.messages.parse(stream=True)
        assert [part.text async for part in stream] == ["O", "Oslo"]
    assert [draft.text for draft in recorder.drafts] == ["Oslo"] * 3
    for call in recorder.calls():
        assert call.usage is not None
        assert (call.usage.input_tokens, call.usage.output_tokens) == (10, 2)
        assert (call.model, call.outcome) == ("m0", "returned")


class ByChat(Anthropic):
    """Has its objects made by a chat where its provider makes it none; LlamaIndex tells of that."""

    @llm_chat_callback()
    def chat(self, *_: Any, **__: Any) -> ChatResponse:
        return said(list(self._client.messages.create())[-1])

    @llm_chat_callback()
    def stream_chat(self, *_: Any, **__: Any) -> Iterator[ChatResponse]:
        return (said(part) for part in self._client.messages.create())


def said(part: Any) -> ChatResponse:
    message = ChatMessage(role="assistant", content=part.text)
    return ChatResponse(message=message, delta=part.text, raw=part)


def test_a_call_that_a_chat_makes_is_counted_once_and_one_beside_it_as_well() -> None:
    made = ByChat()
    made.callback_manager = CallbackManager()
    made.callback_manager.handlers = []  # else the settings' own, of which a counter reads `raw`
    made._client = Client(None)
    with recording() as recorder:
        listening: Any = heard(made, recorder, lambda: "A city?")
        listening.chat([ChatMessage("A city?")])
        assert len(recorder.calls()) == 1
        assert [part.delta for part in listening.stream_chat([ChatMessage("A city?")])] == [
            "O", "Oslo",
        ]  # fmt: skip
        assert len(recorder.calls()) == 2
        assert list(listening._client.messages.create())
        assert len(recorder.calls()) == 3
    for call in recorder.calls():
        assert call.usage is not None
        assert (call.usage.input_tokens, call.usage.output_tokens) == (10, 2)


@pytest.mark.parametrize(("error", "outcome"), [(OSError(), "failed"), (invalid(), "returned")])
async def test_a_clients_errors_are_heard(llm: Anthropic, error: Exception, outcome: str) -> None:
    llm._client.answer = error
    with recording() as recorder:
        client = heard(llm, recorder, lambda: "A city?")._client  # type: ignore[attr-defined]
        with pytest.raises(type(error)):
            await client.beta.messages.parse()
    (call,) = recorder.calls()
    assert call.outcome == outcome


def test_nobody_listens_where_nobody_records(llm: Anthropic) -> None:
    assert heard(llm, None, str) is llm
    other = FakeLLM()
    with recording() as recorder:
        assert heard(other, recorder, str) is other
