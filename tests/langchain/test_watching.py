"""What those who watch models are shown: the answer as one model's, once; never a rejected draft."""

from __future__ import annotations

from operator import add
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from langgraph.graph import StateGraph
from typing_extensions import TypedDict

from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from tests.langchain.fakes import SURE, UNSURE, FakeChat, Say

STRONG = Say("strong answer of many words")
SAYS = {"accepted": (SURE, STRONG, SURE.text), "escalated": (UNSURE, STRONG, STRONG.text)}
outcomes = pytest.mark.parametrize(("cheap", "strong", "answer"), SAYS.values(), ids=SAYS)
modes = pytest.mark.parametrize("mode", ["sync", "async"])


def surely(request: object, draft: Any) -> float:
    return 0.0 if "unsure" in draft.text else 1.0


class Word(TypedDict):
    """A word."""

    word: str


def chat(cheap: Say, strong: Say) -> Runnable[Any, Any]:
    return ChatCascade([FakeChat(cheap), FakeChat(strong)], signals=[surely])


def whole_tiers(cheap: Say, strong: Say) -> Runnable[Any, Any]:
    """Tiers that cannot be streamed by us."""
    return ChatCascade([FakeChat(cheap).with_retry(), FakeChat(strong)], signals=[surely])


def nested(cheap: Say, strong: Say) -> Runnable[Any, Any]:
    """A cascade as the cheap tier, whose own cheap draft is never good enough."""
    inner = ChatCascade([FakeChat(UNSURE), FakeChat(cheap)], signals=[surely])
    return ChatCascade([inner, FakeChat(strong)], signals=[surely])


def chains(cheap: Say, strong: Say) -> Runnable[Any, Any]:
    return RunnableCascade([FakeChat(cheap), FakeChat(strong)], signals=[surely])


def no_streaming(cheap: Say, strong: Say) -> Runnable[Any, Any]:
    tiers = [FakeChat(cheap), FakeChat(strong)]
    return ChatCascade(tiers, signals=[surely], disable_streaming=True)


CASCADES = [chat, whole_tiers, nested, chains, no_streaming]
cascades = pytest.mark.parametrize("make", CASCADES)


class State(TypedDict):
    texts: Annotated[list[str], add]


def graph_of(llm: Runnable[Any, Any], mode: str, how: str = "invoke") -> Any:
    """A graph whose node keeps nothing but the answer's text."""

    def node(state: State) -> dict[str, Any]:
        if how == "stream":
            return {"texts": ["".join(chunk.text for chunk in llm.stream("hi"))]}
        return {"texts": [llm.invoke("hi").text]}

    async def anode(state: State) -> dict[str, Any]:
        if how == "stream":
            return {"texts": ["".join([chunk.text async for chunk in llm.astream("hi")])]}
        return {"texts": [(await llm.ainvoke("hi")).text]}

    graph = StateGraph(State)
    graph.add_node("ask", anode if mode == "async" else node)
    graph.set_entry_point("ask")
    return graph.compile()


async def shown(graph: Any, mode: str, given: Any = None) -> str:
    """Return the text of everything in the message stream."""
    given = given or {"texts": []}
    if mode == "sync":
        parts = list(graph.stream(given, stream_mode="messages"))
    else:
        parts = [part async for part in graph.astream(given, stream_mode="messages")]
    return "".join(message.text for message, _ in parts if isinstance(message, AIMessage))


async def told(graph: Any, given: Any = None) -> dict[str, str]:
    """Return the text of `on_chat_model_stream` by run, with the runs that ended."""
    tokens: dict[str, str] = {}
    ended: set[str] = set()
    async for event in graph.astream_events(given or {"texts": []}, version="v2"):
        if event["event"] == "on_chat_model_stream":
            assert event["run_id"] not in ended
            text = event["data"]["chunk"].text
            tokens[event["run_id"]] = tokens.get(event["run_id"], "") + text
        elif event["event"] == "on_chat_model_end":
            ended.add(event["run_id"])
    assert tokens.keys() <= ended
    return tokens


@cascades
@outcomes
@modes
@pytest.mark.parametrize("how", ["invoke", "stream"])
async def test_a_node_that_keeps_only_text_shows_the_answer_once(
    make: Any, cheap: Say, strong: Say, answer: str, mode: str, how: str
) -> None:
    assert await shown(graph_of(make(cheap, strong), mode, how), mode) == answer


@cascades
@outcomes
@pytest.mark.parametrize("how", ["invoke", "stream"])
async def test_events_show_the_tokens_of_the_answer_within_its_run(
    make: Any, cheap: Say, strong: Say, answer: str, how: str
) -> None:
    if make is no_streaming and answer == STRONG.text:
        answer = ""  # a model that must not stream has no tokens
    assert "".join((await told(graph_of(make(cheap, strong), "async", how))).values()) == answer


def agent_of(kind: str, cheap: Say, strong: Say) -> Any:
    tiers = [FakeChat(cheap), FakeChat(strong)]
    if kind == "model":
        return create_agent(ChatCascade(tiers, signals=[surely]), [])
    return create_agent(FakeChat(), [], middleware=[CascadeMiddleware(tiers, signals=[surely])])


ASKED = {"messages": [("user", "hi")]}
kinds = pytest.mark.parametrize("kind", ["model", "middleware"])


@kinds
@outcomes
@modes
async def test_an_agent_shows_the_answer_once(
    kind: str, cheap: Say, strong: Say, answer: str, mode: str
) -> None:
    assert await shown(agent_of(kind, cheap, strong), mode, ASKED) == answer


@kinds
@outcomes
async def test_an_agents_events_show_the_tokens_of_the_answer(
    kind: str, cheap: Say, strong: Say, answer: str
) -> None:
    tokens = await told(agent_of(kind, cheap, strong), ASKED)
    assert list(tokens.values()) == [answer]


@kinds
@outcomes
async def test_an_agents_typed_events_hold_the_answer_once(
    kind: str, cheap: Say, strong: Say, answer: str
) -> None:
    run = await agent_of(kind, cheap, strong).astream_events(ASKED, version="v3")
    texts = [await message.text async for message in run.messages]
    assert texts == [answer]


@outcomes
@modes
async def test_objects_made_in_a_node_are_shown_as_the_model_made_them(
    cheap: Say, strong: Say, answer: str, mode: str
) -> None:
    made = chat(cheap, strong).with_structured_output(Word)  # type: ignore[attr-defined]

    class Made(TypedDict):
        texts: list[str]

    graph = StateGraph(Made)
    graph.add_node("ask", lambda _: {"texts": [str(made.invoke("hi"))]})
    graph.set_entry_point("ask")
    seen = await shown(graph.compile(), mode)
    assert UNSURE.text not in seen


async def test_what_its_owner_hides_stays_hidden() -> None:
    llm = chat(SURE, STRONG).with_config(tags=["nostream"])
    assert await shown(graph_of(llm, "async"), "async") == ""


async def test_a_request_that_no_tier_answers_shows_nothing() -> None:
    broken = Say(error=RuntimeError("down"))
    with pytest.raises(RuntimeError):
        await shown(graph_of(chat(UNSURE, broken), "async"), "async")
