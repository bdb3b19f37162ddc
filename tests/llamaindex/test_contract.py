"""What LlamaIndex, its integrations' conventions and concurrent callers expect of an LLM."""

from __future__ import annotations

import asyncio
import importlib
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Settings
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.utils import resolve_llm
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, PrivateAttr

from cascade_core import collect_decisions
from llamaindex_cascade import CascadeDecisionEvent, CascadeLLM
from tests.llamaindex.fakes import PRICES, SURE, UNSURE, FakeLLM, Say, Seen, cheap, strong

ROOT = Path(__file__).resolve().parents[2]
HELLO = [ChatMessage(content="hello")]
TEMPLATE = PromptTemplate("say {x}")


class Answer(BaseModel):
    answer: str


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


TOOL = FunctionTool.from_defaults(add)
CALLS = Say(tool_calls=[("add", {"a": 1, "b": 2})])
MAKES = Say(tool_calls=[("Answer", {"answer": "yes"})])


def test_it_is_a_base_llm_by_its_method_resolution_order() -> None:
    names = [base.__name__ for base in CascadeLLM.__mro__]
    assert BaseLLM.__name__ in names
    assert issubclass(CascadeLLM, FunctionCallingLLM)
    assert CascadeLLM.class_name() == "CascadeLLM"


def test_what_llamahub_is_told_exists() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["llamahub"]
    module = importlib.import_module(told["import_path"])
    assert set(told["class_authors"]) <= set(module.__all__)
    for name in told["class_authors"]:
        assert isinstance(getattr(module, name), type)
    assert told["contains_example"] is False


def test_the_metadata_is_what_all_can_take_and_some_can_do() -> None:
    both = CascadeLLM(tiers=[cheap(), strong()]).metadata
    assert (both.context_window, both.num_output) == (4096, 256)
    assert both.model_name == "cascade(m0->m1)"
    assert both.is_chat_model
    assert both.is_function_calling_model
    neither = CascadeLLM(tiers=[cheap(chat_model=False, tools=False)] * 2).metadata
    assert not neither.is_chat_model
    assert not neither.is_function_calling_model
    mixed = CascadeLLM(tiers=[cheap(chat_model=False, tools=False), strong()]).metadata
    assert mixed.is_chat_model
    assert mixed.is_function_calling_model


def test_settings_and_resolve_llm_take_it() -> None:
    cascade = CascadeLLM(tiers=[cheap(), strong()])
    manager = CallbackManager([])
    assert resolve_llm(cascade, callback_manager=manager) is cascade
    assert cascade.callback_manager is manager
    before = Settings._llm
    try:
        Settings.llm = cascade
        assert Settings.llm is cascade
        assert Settings.llm.complete("hi").text == "sure answer"
    finally:
        Settings._llm = before


def test_a_callback_manager_set_at_any_time_is_pushed_to_the_tiers() -> None:
    cascade = CascadeLLM(tiers=[cheap(UNSURE), strong()])
    cascade.complete("one two")  # nobody set any: the tiers keep theirs
    counter = TokenCountingHandler(tokenizer=str.split)
    cascade.callback_manager = CallbackManager([counter])
    cascade.complete("one two")
    assert counter.total_llm_token_count == (2 + 3) + (2 + 2)
    for tier in cascade.tiers:
        assert tier.callback_manager is cascade.callback_manager


def test_without_a_manager_of_its_own_the_tiers_keep_theirs() -> None:
    own = CallbackManager([TokenCountingHandler(tokenizer=str.split)])
    tier = cheap(callback_manager=own)
    CascadeLLM(tiers=[tier, strong()]).complete("hi")
    assert tier.callback_manager is own
    assert own.handlers[0].total_llm_token_count > 0


# --- spans ----------------------------------------------------------------------------------------


class Events(BaseEventHandler):
    _seen: list[Any] = PrivateAttr(default_factory=list)

    def handle(self, event: Any, **_: Any) -> None:
        if isinstance(event, CascadeDecisionEvent):
            self._seen.append(event)


@pytest.fixture
def observed() -> Iterator[tuple[SimpleSpanHandler, Events]]:
    dispatcher = get_dispatcher()
    events, spans = Events(), SimpleSpanHandler()
    dispatcher.add_event_handler(events)
    dispatcher.add_span_handler(spans)
    yield spans, events
    dispatcher.event_handlers.remove(events)
    dispatcher.span_handlers.remove(spans)


async def drained(stream: Any) -> list[Any]:
    return [item async for item in await stream]


WAYS: dict[str, tuple[Say, Callable[[CascadeLLM], Any]]] = {
    "chat": (SURE, lambda c: c.chat(HELLO)),
    "achat": (SURE, lambda c: c.achat(HELLO)),
    "stream_chat": (SURE, lambda c: list(c.stream_chat(HELLO))),
    "astream_chat": (SURE, lambda c: drained(c.astream_chat(HELLO))),
    "complete": (SURE, lambda c: c.complete("hello")),
    "acomplete": (SURE, lambda c: c.acomplete("hello")),
    "stream_complete": (SURE, lambda c: list(c.stream_complete("hello"))),
    "astream_complete": (SURE, lambda c: drained(c.astream_complete("hello"))),
    "predict": (SURE, lambda c: c.predict(TEMPLATE, x=1)),
    "apredict": (SURE, lambda c: c.apredict(TEMPLATE, x=1)),
    "stream": (SURE, lambda c: list(c.stream(TEMPLATE, x=1))),
    "astream": (SURE, lambda c: drained(c.astream(TEMPLATE, x=1))),
    "structured_predict": (MAKES, lambda c: c.structured_predict(Answer, TEMPLATE, x=1)),
    "astructured_predict": (MAKES, lambda c: c.astructured_predict(Answer, TEMPLATE, x=1)),
    "stream_structured_predict": (
        MAKES,
        lambda c: list(c.stream_structured_predict(Answer, TEMPLATE, x=1)),
    ),
    "astream_structured_predict": (
        MAKES,
        lambda c: drained(c.astream_structured_predict(Answer, TEMPLATE, x=1)),
    ),
    "chat_with_tools": (CALLS, lambda c: c.chat_with_tools([TOOL], "hello")),
    "achat_with_tools": (CALLS, lambda c: c.achat_with_tools([TOOL], "hello")),
    "stream_chat_with_tools": (
        CALLS,
        lambda c: list(c.stream_chat_with_tools([TOOL], "hello")),
    ),
    "astream_chat_with_tools": (
        CALLS,
        lambda c: drained(c.astream_chat_with_tools([TOOL], "hello")),
    ),
    "predict_and_call": (CALLS, lambda c: c.predict_and_call([TOOL], "hello")),
    "apredict_and_call": (CALLS, lambda c: c.apredict_and_call([TOOL], "hello")),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
async def test_every_way_to_ask_makes_one_span_and_one_decision(
    way: str, observed: tuple[SimpleSpanHandler, Events]
) -> None:
    spans, events = observed
    say, ask = WAYS[way]
    result = ask(CascadeLLM(tiers=[cheap(say), strong(say)]))
    if hasattr(result, "__await__"):
        await result
    own = [span.id_.split("-")[0] for span in spans.completed_spans if "Cascade" in span.id_]
    inside = {"predict_and_call": ["chat_with_tools"], "apredict_and_call": ["achat_with_tools"]}
    assert sorted(own) == sorted(f"CascadeLLM.{name}" for name in [way, *inside.get(way, [])])
    assert not spans.open_spans
    assert not spans.dropped_spans
    assert len(events._seen) == 1


def test_every_public_way_to_ask_is_among_these() -> None:
    asked = {"chat", "complete", "predict", "stream", "call", "tools"}
    public = {
        name
        for name in dir(FunctionCallingLLM)
        if not name.startswith("_") and asked & set(name.split("_")) and "convert" not in name
    }
    public |= {"achat", "acomplete", "apredict", "astream", "astream_chat", "astream_complete"}
    assert (
        public - set(WAYS)
        == {
            "get_tool_calls_from_response",
            "messages_to_prompt",
            "completion_to_prompt",
        }
        & public
    )


# --- cancellation ---------------------------------------------------------------------------------


class Slow(FakeLLM):
    """Takes its time before every token."""

    _cancelled: bool = PrivateAttr(default=False)

    async def _wait(self) -> None:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            self._cancelled = True
            raise

    async def achat(self, messages: Any, **kwargs: Any) -> Any:
        self._say("achat", messages, kwargs)
        await self._wait()

    async def astream_chat(self, messages: Any, **kwargs: Any) -> Any:
        say = self._say("astream_chat", messages, kwargs)

        async def gen() -> Any:
            for chunk in self._chunks(say, ""):
                yield chunk
                await self._wait()

        return gen()


@pytest.mark.parametrize("way", ["achat", "astream_chat", "apredict", "astream"])
async def test_a_wait_that_runs_out_in_mid_draft_does_not_escalate(way: str) -> None:
    slow, last = Slow(Say("a b c d e", p=0.95), "m0"), strong()
    cascade = CascadeLLM(tiers=[slow, last])
    with collect_decisions() as seen, pytest.raises(TimeoutError):
        await asyncio.wait_for(WAYS[way][1](cascade), 0.02)
    assert slow._cancelled
    assert slow.journal.count == 1
    assert last.journal.count == 0
    assert [record["reason"] for record in seen] == ["cancelled"]
    assert (await CascadeLLM(tiers=[cheap(), last]).achat(HELLO)).message.content == "sure answer"


# --- concurrency ----------------------------------------------------------------------------------


def _number(seen: Seen) -> int:
    return int(seen.prompt.split()[0])


def _cheap(seen: Seen) -> Say:
    number = _number(seen)
    return Say(f"cheap {number} " + "w " * (number % 5), p=0.99 if number % 2 else 0.2)


def _strong(seen: Seen) -> Say:
    number = _number(seen)
    return Say(f"strong {number} " + "w " * (number % 7))


class Yielding(FakeLLM):
    """Lets others run in the middle of every call."""

    async def achat(self, messages: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0.0005 * (len(messages[-1].content) % 3))
        return await super().achat(messages, **kwargs)

    async def astream_chat(self, messages: Any, **kwargs: Any) -> Any:
        stream = await super().astream_chat(messages, **kwargs)

        async def gen() -> Any:
            async for chunk in stream:
                await asyncio.sleep(0)
                yield chunk

        return gen()


def _messages(number: int) -> list[ChatMessage]:
    return [ChatMessage(content=f"{number} " + "x " * (number % 11))]


def _check(number: int, response: Any, seen: list[dict[str, Any]]) -> str:
    record = response.additional_kwargs["cascade"]
    who = "cheap" if number % 2 else "strong"
    assert response.message.content.split()[:2] == [who, str(number)]
    assert [each["id"] for each in seen] == [record["id"]]
    assert record["reason"] == ("confident" if number % 2 else "low_confidence")
    read, models = 1 + number % 11, ["m0"] if number % 2 else ["m0", "m1"]
    assert [call["model"] for call in record["calls"]] == models
    whole = [call for call in record["calls"] if call["outcome"] != "aborted"]
    words = {"m0": 2 + number % 5, "m1": 2 + number % 7}
    for call in whole:
        assert call["usage"]["input_tokens"] == read
        assert call["usage"]["output_tokens"] == words[call["model"]]
    return record["id"]


@pytest.fixture
def two() -> CascadeLLM:
    tiers = [Yielding(_cheap, "m0"), Yielding(_strong, "m1")]
    return CascadeLLM(tiers=tiers, prices=PRICES, streaming_policy="buffer")


@pytest.mark.simulation
@pytest.mark.parametrize("how", ["achat", "astream_chat"])
async def test_hundreds_of_concurrent_requests_mix_nothing_up(
    two: CascadeLLM, how: str, observed: tuple[SimpleSpanHandler, Events]
) -> None:
    async def one(number: int) -> str:
        with collect_decisions() as seen:
            if how == "achat":
                response: Any = await two.achat(_messages(number))
            else:
                chunks = [chunk async for chunk in await two.astream_chat(_messages(number))]
                assert "".join(c.delta or "" for c in chunks) == chunks[-1].message.content
                response = chunks[-1]
        return _check(number, response, seen)

    ids = await asyncio.gather(*(one(number) for number in range(300)))
    assert len(set(ids)) == 300
    assert {event.record["id"] for event in observed[1]._seen} == set(ids)
    assert len(observed[1]._seen) == 300
    assert [tier.journal.count for tier in two.tiers] == [300, 150]


@pytest.mark.simulation
def test_eight_threads_of_a_hundred_requests_mix_nothing_up(
    two: CascadeLLM, observed: tuple[SimpleSpanHandler, Events]
) -> None:
    def one(number: int) -> str:
        with collect_decisions() as seen:
            if number % 3:
                response: Any = two.chat(_messages(number))
            else:
                response = list(two.stream_chat(_messages(number)))[-1]
        return _check(number, response, seen)

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(one, range(800)))
    assert len(set(ids)) == 800
    assert {event.record["id"] for event in observed[1]._seen} == set(ids)
    assert two.tiers[0].journal.count == 800


def test_settings_may_be_assigned_while_others_ask(two: CascadeLLM) -> None:
    def one(number: int) -> str:
        if number % 20 == 0:
            two.thresholds = [0.5 + number / 1000]
        return str(two.chat(_messages(number)).message.content)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(400)))
    assert [int(answer.split()[1]) for answer in answers] == list(range(400))
    assert two._engine.plan.thresholds == tuple(two.thresholds)
