"""Models that are down, say nothing, or are limited; and what those around them are told."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LLMMetadata
from llama_index.core.ingestion.pipeline import get_transformation_hash
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.prompts import PromptTemplate
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.core.schema import TextNode, TransformComponent
from llama_index.core.tools import FunctionTool
from pydantic import Field

from cascade_core.errors import ConfigurationError
from llamaindex_cascade import CascadeDecisionEvent, CascadeLLM
from tests.llamaindex.fakes import SURE, UNSURE, FakeLLM, Say, cheap, strong

HI = [ChatMessage(role="user", content="hi")]
PROMPT = PromptTemplate("hi")


def asked(llm: CascadeLLM) -> dict[str, Callable[[], Any]]:
    """All ways to ask for text."""

    async def stream(method: str, *args: Any) -> list[Any]:
        return [part async for part in await getattr(llm, method)(*args)]

    return {
        "chat": lambda: llm.chat(HI),
        "achat": lambda: asyncio.run(llm.achat(HI)),
        "stream_chat": lambda: list(llm.stream_chat(HI)),
        "astream_chat": lambda: asyncio.run(stream("astream_chat", HI)),
        "complete": lambda: llm.complete("hi"),
        "predict": lambda: llm.predict(PROMPT),
        "apredict": lambda: asyncio.run(llm.apredict(PROMPT)),
        "stream": lambda: list(llm.stream(PROMPT)),
        "astream": lambda: asyncio.run(stream("astream", PROMPT)),
        "chat_with_tools": lambda: llm.chat_with_tools([], "hi"),
        "achat_with_tools": lambda: asyncio.run(llm.achat_with_tools([], "hi")),
        "stream_chat_with_tools": lambda: list(llm.stream_chat_with_tools([], "hi")),
        "astream_chat_with_tools": lambda: asyncio.run(stream("astream_chat_with_tools", [], "hi")),
    }


WAYS = list(asked(CascadeLLM(tiers=[cheap(), strong()])))


# --- down -----------------------------------------------------------------------------------------


class Down(FakeLLM):
    """Asks its server about itself, as Ollama does."""

    up: bool = False
    error: Any = ConnectionError("refused")

    @property
    def metadata(self) -> LLMMetadata:
        if not self.up:
            raise self.error
        return super().metadata

    def _say(self, *args: Any) -> Say:
        said = super()._say(*args)
        return said if self.up else Say(error=self.error)


@pytest.mark.parametrize("way", WAYS)
def test_a_tier_that_is_down_when_the_cascade_is_made_is_like_one_that_fails(way: str) -> None:
    llm = CascadeLLM(tiers=[Down(), strong()])
    answer = asked(llm)[way]()
    if "_" in way and isinstance(answer, list):
        answer = answer[-1]
    assert "strong answer" in ("".join(answer) if isinstance(answer, list) else str(answer))


def test_a_tier_says_what_it_is_as_soon_as_it_is_up() -> None:
    first = Down(tools=False, chat_model=False)
    llm = CascadeLLM(tiers=[first, strong(tools=False)])
    assert llm.metadata.context_window == 8192
    assert llm.metadata.is_function_calling_model, "it may be, as far as anybody knows"
    first.up = True
    assert llm.metadata.context_window == 4096
    assert not llm.metadata.is_function_calling_model
    assert llm.predict(PROMPT) == SURE.text
    assert first.seen[-1].method == "complete", "what it was taken for is not kept"


def test_where_all_tiers_are_down_the_last_ones_error_says_so() -> None:
    llm = CascadeLLM(tiers=[Down(), Down(model="m1")])
    with pytest.raises(ConnectionError, match="refused"):
        _ = llm.metadata


def test_a_tier_that_is_set_up_wrongly_is_refused_all_the_same() -> None:
    with pytest.raises(ConfigurationError, match=r"tiers\[0\]: Down.metadata cannot be read"):
        CascadeLLM(tiers=[Down(error=ValueError("Unknown model")), strong()])


# --- without an answer ----------------------------------------------------------------------------


class Mute(FakeLLM):
    def _chunks(self, say: Say, prompt: str) -> list[ChatResponse]:
        del say, prompt
        return []


@pytest.mark.parametrize("way", [way for way in WAYS if "stream" in way])
def test_an_empty_stream_of_the_last_tier_is_an_empty_stream(way: str) -> None:
    llm = CascadeLLM(tiers=[cheap(UNSURE), Mute(model="m1")])
    assert asked(llm)[way]() == []


class Thinker(FakeLLM):
    def _chunks(self, say: Say, prompt: str) -> list[ChatResponse]:
        chunks = super()._chunks(say, prompt)
        for chunk in chunks:
            chunk.additional_kwargs["thinking_delta"] = "hm"
        return chunks


@pytest.mark.parametrize("accepted", [True, False])
def test_the_last_response_of_a_stream_brings_no_thought_once_more(accepted: bool) -> None:
    tiers = [Thinker(SURE), strong()] if accepted else [cheap(UNSURE), Thinker(model="m1")]
    *chunks, last = CascadeLLM(tiers=tiers).stream_chat(HI)
    assert {chunk.additional_kwargs["thinking_delta"] for chunk in chunks} == {"hm"}
    assert last.additional_kwargs.keys() == {"cascade"}
    assert last.delta == ""


@pytest.mark.parametrize("way", [way for way in WAYS if "tools" in way])
def test_no_tools_are_no_reason_to_pass_over_a_completion_model(way: str) -> None:
    first = cheap(tools=False)
    llm = CascadeLLM(tiers=[first, strong(tools=False)])
    answer = asked(llm)[way]()
    answer = answer if isinstance(answer, ChatResponse) else answer[-1]
    assert answer.additional_kwargs["cascade"]["tier"] == 0
    given = llm.chat_with_tools([], "hi", chat_history=HI, tool_required=True, seed=1)
    assert given.message.content == SURE.text
    assert [message.content for message in first.seen[-1].messages] == ["hi", "hi"]
    assert first.seen[-1].kwargs == {"seed": 1}


def test_some_tools_are() -> None:
    tool = FunctionTool.from_defaults(lambda: "x", name="x")
    llm = CascadeLLM(tiers=[cheap(tools=False), strong()])
    record = llm.chat_with_tools([tool], "hi").additional_kwargs["cascade"]
    assert record["tier"] == 1


# --- limited --------------------------------------------------------------------------------------


class Limiter(TokenBucketRateLimiter):
    asked: int = 0

    def acquire(self, num_tokens: int = 0) -> None:
        del num_tokens
        self.asked += 1

    async def async_acquire(self, num_tokens: int = 0) -> None:
        del num_tokens
        self.asked += 1


@pytest.mark.parametrize("way", WAYS)
def test_a_rate_limiter_is_asked_once_a_request(way: str) -> None:
    limiter = Limiter(requests_per_minute=600)
    asked(CascadeLLM(tiers=[cheap(UNSURE), strong()], rate_limiter=limiter))[way]()
    assert limiter.asked == 1


# --- told -----------------------------------------------------------------------------------------


class Listener(BaseEventHandler):
    events: list[Any] = Field(default_factory=list)

    def handle(self, event: Any, **_: Any) -> None:
        self.events.append(event)


@pytest.fixture
def told() -> Iterator[tuple[Listener, SimpleSpanHandler]]:
    root, listener, spans = get_dispatcher(), Listener(), SimpleSpanHandler()
    kept = list(root.event_handlers), list(root.span_handlers)
    root.add_event_handler(listener)
    root.add_span_handler(spans)
    yield listener, spans
    root.event_handlers, root.span_handlers = kept


@pytest.mark.parametrize("way", WAYS)
def test_a_decision_belongs_to_the_span_that_asked_for_it(
    way: str, told: tuple[Listener, SimpleSpanHandler]
) -> None:
    listener, _ = told
    asked(CascadeLLM(tiers=[cheap(), strong()]))[way]()
    (event,) = [event for event in listener.events if isinstance(event, CascadeDecisionEvent)]
    assert (event.span_id or "").startswith(f"CascadeLLM.{way}-")


# --- kept -----------------------------------------------------------------------------------------


class Extractor(TransformComponent):
    llm: CascadeLLM

    def __call__(self, nodes: Any, **_: Any) -> Any:
        return nodes


class WithClient(FakeLLM):
    pool: Any = Field(default_factory=object, exclude=True)
    seed: int = 0


def test_what_a_tier_leaves_out_of_itself_is_not_in_the_ingestion_caches_key() -> None:
    def key(**fields: Any) -> str:
        llm = CascadeLLM(tiers=[WithClient(**fields), strong()])
        return get_transformation_hash([TextNode(text="x", id_="1")], Extractor(llm=llm))

    assert key() == key(pool=object())
    assert key() != key(seed=1)
    assert key() != key(output_parser=None, messages_to_prompt=lambda _: "other")


@pytest.mark.parametrize("copied", [deepcopy, lambda event: pickle.loads(pickle.dumps(event))])
def test_an_event_can_be_copied_and_pickled(copied: Callable[[Any], Any]) -> None:
    event = CascadeDecisionEvent(record={"id": "1", "calls": [{"tier": 0}]})
    assert copied(event) == event


class ForAgents(FakeLLM):
    """Has only those ways to be offered tools that an agent takes."""

    chat_with_tools = stream_chat_with_tools = property()  # type: ignore[assignment]


def test_a_model_that_only_agents_can_offer_tools_is_offered_some() -> None:
    tool = FunctionTool.from_defaults(lambda: "x", name="x")
    llm = CascadeLLM(tiers=[ForAgents(SURE), strong()])
    for tools in ([], [tool]):
        answer = asyncio.run(llm.achat_with_tools(tools, "hi"))
        assert answer.additional_kwargs["cascade"]["tier"] == 0
