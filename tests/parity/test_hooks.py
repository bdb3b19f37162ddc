"""A hook of the engine sees every request, whichever framework asks and however it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.runnables import RunnableLambda
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate

from cascade_core.errors import CascadeExhausted
from cascade_core.loop.session import Hook, Session
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes as llamaindex
from tests.llamaindex.retrieval import QUESTION, facts, nodes, text_of
from tests.parity.langchain_way import find_order
from tests.parity.llamaindex_way import TOOLS
from tests.parity.scenarios import Ticket

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PROMPT = "Where is my order?"


@dataclass
class Watch(Hook):
    """Notes every moment, and what was known at it."""

    moments: list[str] = field(default_factory=list)
    ended_with: list[Any] = field(default_factory=list)

    def before(self, session: Session) -> None:
        assert not session.calls
        self.moments.append("before")

    def decided(self, session: Session) -> None:
        assert session.verdict is not None
        assert session.record is not None
        assert session.record["id"] == session.id
        self.moments.append("decided")

    def ended(self, session: Session) -> None:
        self.moments.append("ended")
        self.ended_with.append(session.error or session.record)


def watched(cascade: Any) -> Watch:
    watch = Watch()
    cascade._engine.hooks.append(watch)
    return watch


# --- every way of calling -------------------------------------------------------------------------


async def every(stream: Any) -> list[Any]:
    return [part async for part in stream]


async def settled(call: Callable[[Any], Any], cascade: Any) -> None:
    answer = call(cascade)
    if hasattr(answer, "__await__"):
        await answer


async def every_of(coming: Any) -> list[Any]:
    return await every(await coming)


def chat_cascade(**settings: Any) -> ChatCascade:
    return langchain.pair(langchain.UNSURE, **settings).cascade


def of_chains() -> RunnableCascade:
    chains = [RunnableLambda(lambda _: "cheap"), RunnableLambda(lambda _: "strong")]
    return RunnableCascade(tiers=chains, signals=[lambda _request, _draft: 0.1])


def structured(cascade: ChatCascade) -> Any:
    return cascade.with_structured_output({"title": "Any", "type": "object", "properties": {}})


LANGCHAIN: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda c: c.invoke(PROMPT),
    "ainvoke": lambda c: c.ainvoke(PROMPT),
    "stream": lambda c: list(c.stream(PROMPT)),
    "astream": lambda c: every(c.astream(PROMPT)),
    "batch": lambda c: c.batch([PROMPT]),
    "abatch": lambda c: c.abatch([PROMPT]),
}
CHAT: dict[str, Callable[[Any], Any]] = {
    **LANGCHAIN,
    "generate": lambda c: c.generate([[("user", PROMPT)]]),
    "agenerate": lambda c: c.agenerate([[("user", PROMPT)]]),
    "stream_events": lambda c: every(c.astream_events(PROMPT, version="v2")),
    "bind_tools": lambda c: c.bind_tools([find_order]).invoke(PROMPT),
    "structured invoke": lambda c: structured(c).invoke(PROMPT),
    "structured ainvoke": lambda c: structured(c).ainvoke(PROMPT),
    "structured stream": lambda c: list(structured(c).stream(PROMPT)),
    "structured astream": lambda c: every(structured(c).astream(PROMPT)),
}
MESSAGES = [ChatMessage(content=PROMPT)]
TEMPLATE = PromptTemplate(PROMPT)
LLAMAINDEX: dict[str, Callable[[Any], Any]] = {
    "chat": lambda c: c.chat(MESSAGES),
    "achat": lambda c: c.achat(MESSAGES),
    "stream_chat": lambda c: list(c.stream_chat(MESSAGES)),
    "astream_chat": lambda c: every_of(c.astream_chat(MESSAGES)),
    "complete": lambda c: c.complete(PROMPT),
    "acomplete": lambda c: c.acomplete(PROMPT),
    "stream_complete": lambda c: list(c.stream_complete(PROMPT)),
    "astream_complete": lambda c: every_of(c.astream_complete(PROMPT)),
    "predict": lambda c: c.predict(TEMPLATE),
    "apredict": lambda c: c.apredict(TEMPLATE),
    "stream": lambda c: list(c.stream(TEMPLATE)),
    "astream": lambda c: every_of(c.astream(TEMPLATE)),
    "structured_predict": lambda c: c.structured_predict(Ticket, TEMPLATE),
    "astructured_predict": lambda c: c.astructured_predict(Ticket, TEMPLATE),
    "stream_structured_predict": lambda c: list(c.stream_structured_predict(Ticket, TEMPLATE)),
    "astream_structured_predict": lambda c: every_of(
        c.astream_structured_predict(Ticket, TEMPLATE)
    ),
    "chat_with_tools": lambda c: c.chat_with_tools(TOOLS, PROMPT),
    "achat_with_tools": lambda c: c.achat_with_tools(TOOLS, PROMPT),
    "stream_chat_with_tools": lambda c: list(c.stream_chat_with_tools(TOOLS, PROMPT)),
    "astream_chat_with_tools": lambda c: every_of(c.astream_chat_with_tools(TOOLS, PROMPT)),
}
ENGINE: dict[str, Callable[[Any], Any]] = {
    "query": lambda c: text_of(c.query(QUESTION)),
    "aquery": lambda c: c.aquery(QUESTION),
}
SYNTHESIZER: dict[str, Callable[[Any], Any]] = {
    "synthesize": lambda c: text_of(c.synthesize(QUESTION, nodes())),
    "asynthesize": lambda c: c.asynthesize(QUESTION, nodes()),
}


def agent(middleware: CascadeMiddleware) -> Any:
    return create_agent(langchain.FakeChat(), [], middleware=[middleware])


AGENT: dict[str, Callable[[Any], Any]] = {
    "agent invoke": lambda m: agent(m).invoke({"messages": [("user", PROMPT)]}),
    "agent ainvoke": lambda m: agent(m).ainvoke({"messages": [("user", PROMPT)]}),
    "agent stream": lambda m: list(agent(m).stream({"messages": [("user", PROMPT)]})),
}


def llm() -> CascadeLLM:
    return CascadeLLM(tiers=[llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong()])


def engine() -> CascadeQueryEngine:
    index = facts()
    tiers = [
        index.as_query_engine(llm=model, similarity_top_k=2)
        for model in (llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong())
    ]
    return CascadeQueryEngine(tiers=tiers)


def streaming_engine() -> CascadeQueryEngine:
    index = facts()
    tiers = [
        index.as_query_engine(llm=model, similarity_top_k=2, streaming=True)
        for model in (llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong())
    ]
    return CascadeQueryEngine(tiers=tiers)


def synthesizer(**settings: Any) -> CascadeSynthesizer:
    tiers = [llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong()]
    return CascadeSynthesizer(tiers=tiers, **settings)


def middleware() -> CascadeMiddleware:
    cheap = langchain.FakeChat(langchain.UNSURE, model_name="cheap")
    return CascadeMiddleware(tiers=[cheap, langchain.FakeChat("strong", model_name="strong")])


CALLS = [
    pytest.param(make, call, id=f"{make.__name__}-{name.replace(' ', '-')}")
    for make, calls in (
        (chat_cascade, CHAT),
        (of_chains, LANGCHAIN),
        (middleware, AGENT),
        (llm, LLAMAINDEX),
        (engine, ENGINE),
        (streaming_engine, {"query": ENGINE["query"]}),
        (synthesizer, SYNTHESIZER),
        (lambda: synthesizer(streaming=True), {"synthesize": SYNTHESIZER["synthesize"]}),
    )
    for name, call in calls.items()
]


@pytest.mark.parametrize(("make", "call"), CALLS)
async def test_a_hook_sees_every_way_of_calling(make: Any, call: Any) -> None:
    cascade = make()
    watch = watched(cascade)
    try:
        await settled(call, cascade)
    except (ValueError, TypeError):  # the fake's words are no object: decided all the same
        assert "structured" in str(call.__code__.co_names)
    assert watch.moments == ["before", "decided", "ended"]
    assert watch.ended_with[0]["tier"] == 1


# --- what did not end in an answer of a tier ------------------------------------------------------

DOWN = {
    "langchain": lambda: (
        langchain.pair(langchain.ProviderError(), langchain.ProviderError()).cascade
    ),
    "llamaindex": lambda: CascadeLLM(
        tiers=[
            llamaindex.cheap(llamaindex.Say(error=llamaindex.ProviderError())),
            llamaindex.strong(llamaindex.Say(error=llamaindex.ProviderError())),
        ]
    ),
}


@pytest.mark.parametrize(
    ("framework", "call"),
    [("langchain", LANGCHAIN[way]) for way in ("invoke", "ainvoke", "stream", "astream")]
    + [("llamaindex", LLAMAINDEX[way]) for way in ("chat", "achat", "stream_chat", "astream_chat")],
)
async def test_a_request_that_no_tier_answered_has_ended_too(framework: str, call: Any) -> None:
    cascade = DOWN[framework]()
    watch = watched(cascade)
    with pytest.raises(CascadeExhausted):
        await settled(call, cascade)
    assert watch.moments == ["before", "ended"]
    assert isinstance(watch.ended_with[0], CascadeExhausted)


def test_a_stream_that_its_caller_leaves_has_ended() -> None:
    strong = langchain.Say("many words that come one by one")
    cascade = langchain.pair(langchain.UNSURE, strong).cascade
    watch = watched(cascade)
    chunks = cascade.stream(PROMPT)
    next(chunks)
    chunks.close()
    assert watch.moments == ["before", "ended"]
    assert isinstance(watch.ended_with[0], GeneratorExit)


def test_a_llamaindex_stream_that_its_caller_leaves_has_ended() -> None:
    strong = llamaindex.strong(llamaindex.Say("many words that come one by one"))
    cascade = CascadeLLM(tiers=[llamaindex.cheap(llamaindex.UNSURE), strong])
    watch = watched(cascade)
    chunks = cascade.stream_chat(MESSAGES)
    next(chunks)
    chunks.close()
    assert watch.moments == ["before", "ended"]
    assert isinstance(watch.ended_with[0], GeneratorExit)


async def test_an_answer_of_the_cascades_own_cache_has_ended() -> None:
    cascade = langchain.pair(cache=InMemoryCache()).cascade
    cascade.invoke(PROMPT)
    watch = watched(cascade)
    cascade.invoke(PROMPT)
    await cascade.ainvoke(PROMPT)
    assert watch.moments == ["ended", "ended"]
    assert [record["reason"] for record in watch.ended_with] == ["cached", "cached"]
