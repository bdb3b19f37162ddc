"""Every call paid for is counted once, by us and by LangChain's own handlers."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langgraph.graph import START, MessagesState, StateGraph

from cascade_core import collect_decisions
from cascade_core.setup.worth import ENOUGH_REQUESTS
from cascade_core.signals import Judge, SelfConsistency, SequenceLogprob
from tests.langchain.fakes import (
    SURE,
    UNSURE,
    FakeChat,
    Pair,
    Say,
    joined,
    pair,
    record_of,
    tokens_by_model,
    tokens_seen,
)

LONG = Say("these draft words go on and on and never stop", p=0.2)


def _min() -> Any:
    return SequenceLogprob(reduce="min")


CASES = {
    "accepted": lambda: pair(SURE),
    "escalated": lambda: pair(UNSURE),
    "aborted": lambda: pair(LONG, signals=[_min()]),
    "no usage": lambda: pair(Say("draft words", p=0.3, usage=False), Say("good", usage=False)),
    "judged": lambda: pair(
        Say("draft", p=None), signals=[Judge(FakeChat("B", model_name="judge"))]
    ),
    "sampled": lambda: pair(Say("draft", p=None), signals=[SelfConsistency(3)]),
    "failed gate": lambda: pair(Say("I cannot help with that.")),
}


@pytest.fixture(params=list(CASES))
def two(request: pytest.FixtureRequest) -> Pair:
    return CASES[request.param]()


async def _run(how: str, cascade: Any, config: dict[str, Any]) -> Any:
    """Ask in one of LangChain's ways and return the record of the decision."""
    with collect_decisions() as seen:
        if how == "invoke":
            cascade.invoke("one two three", config)
        elif how == "ainvoke":
            await cascade.ainvoke("one two three", config)
        elif how == "stream":
            list(cascade.stream("one two three", config))
        elif how == "astream":
            [chunk async for chunk in cascade.astream("one two three", config)]
        elif how == "batch":
            cascade.batch(["one two three"], config)
        elif how == "abatch":
            await cascade.abatch(["one two three"], config)
        elif how == "v2":
            [event async for event in cascade.astream_events("one two three", config, version="v2")]
        elif how == "v3":
            list(cascade.stream_events("one two three", config, version="v3"))
        elif how == "v3 async":
            stream = await cascade.astream_events("one two three", config, version="v3")
            [event async for event in stream]
    (record,) = seen
    return record


WAYS = ["invoke", "ainvoke", "stream", "astream", "batch", "abatch", "v2", "v3", "v3 async"]


@pytest.mark.parametrize("how", WAYS)
async def test_langchains_usage_totals_are_the_sum_of_the_records_calls(
    two: Pair, how: str
) -> None:
    handler = UsageMetadataCallbackHandler()
    record = await _run(how, two.cascade, {"callbacks": [handler]})
    if all(call["tokens_source"] == "provider" for call in record["calls"]):
        assert tokens_seen(handler) == tokens_by_model(record)
    else:  # what no provider reported, LangChain cannot count; it never counts more
        for model, counted in tokens_seen(handler).items():
            assert counted == tokens_by_model(record)[model]
    called = [*two.cheap.calls, *two.strong.calls]
    judges = [call for call in record["calls"] if call["purpose"] == "judge"]
    assert len(record["calls"]) == len(called) + len(judges)


@pytest.mark.parametrize("how", ["stream", "astream", "v3", "v3 async"])
async def test_an_aborted_draft_is_paid_for_as_far_as_it_got(how: str) -> None:
    two = pair(LONG, signals=[_min()])
    handler = UsageMetadataCallbackHandler()
    record = await _run(how, two.cascade, {"callbacks": [handler]})
    draft, answer = record["calls"]
    assert draft["outcome"] == "aborted"
    assert draft["tokens_source"] != "provider"
    assert draft["usage"]["output_tokens"] == 1
    assert answer["outcome"] == "returned"
    assert tokens_seen(handler) == tokens_by_model(record)
    assert two.cheap.journal.closed == 1


@pytest.mark.parametrize("streamed", [False, True])
def test_the_answer_carries_the_usage_of_the_accepted_tier_and_not_the_sum(streamed: bool) -> None:
    two = pair(UNSURE)
    if streamed:
        message = joined(list(two.cascade.stream("one two three")))
    else:
        message = two.cascade.invoke("one two three")
    assert message.usage_metadata["output_tokens"] == 5
    assert message.usage_metadata["input_tokens"] == 3
    assert message.response_metadata["model_name"] == "strong"
    assert [call["model"] for call in record_of(message)["calls"]] == ["cheap", "strong"]


def test_a_provider_without_usage_is_counted_here_and_says_so() -> None:
    two = pair(Say("some words here", p=0.99, usage=False))
    record = record_of(two.cascade.invoke("one two three"))
    (call,) = record["calls"]
    assert call["tokens_source"] == "estimate"
    assert call["usage"]["output_tokens"] == 3  # a token a logprob
    assert call["usage"]["input_tokens"] > 0


def test_costs_come_from_the_price_table_and_unknown_prices_are_null() -> None:
    prices = {"cheap": {"input": 1, "output": 2}, "strong": {"input": 100, "output": 200}}
    two = pair(UNSURE, prices=prices)
    record = record_of(two.cascade.invoke("one two three"))
    cheap, strong = (call["cost_usd"] for call in record["calls"])
    assert cheap == pytest.approx((3 * 1 + 3 * 2) / 1e6)
    assert strong == pytest.approx((3 * 100 + 5 * 200) / 1e6)
    assert record["cost_usd"] == pytest.approx(cheap + strong)
    del prices["strong"]
    record = record_of(pair(UNSURE, prices=prices).cascade.invoke("one two three"))
    assert record["calls"][1]["cost_usd"] is None
    assert record["cost_usd"] is None


def test_a_failed_call_is_in_the_record_and_costs_nothing_known() -> None:
    two = pair(Say(error=ValueError("boom")))
    record = record_of(two.cascade.invoke("hi"))
    assert [call["outcome"] for call in record["calls"]] == ["failed", "returned"]
    assert record["calls"][0]["usage"] is None
    assert record["reason"] == "failed"


@pytest.mark.parametrize("how", ["stream", "astream"])
async def test_a_broken_stream_is_paid_for_as_far_as_it_got(how: str) -> None:
    two = pair(Say("a b c d e", p=0.99, error=ValueError("cut"), after=3))
    handler = UsageMetadataCallbackHandler()
    record = await _run(how, two.cascade, {"callbacks": [handler]})
    assert record["calls"][0]["outcome"] == "failed"
    assert record["calls"][0]["usage"]["output_tokens"] == 3


# --- LangGraph ------------------------------------------------------------------------------------


def _graph(cascade: Any, how: str) -> Any:
    def invokes(state: MessagesState) -> dict[str, Any]:
        return {"messages": [cascade.invoke(state["messages"])]}

    def streams(state: MessagesState) -> dict[str, Any]:
        return {"messages": [joined(list(cascade.stream(state["messages"])))]}

    async def ainvokes(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await cascade.ainvoke(state["messages"])]}

    async def astreams(state: MessagesState) -> dict[str, Any]:
        return {"messages": [joined([c async for c in cascade.astream(state["messages"])])]}

    node = {"invoke": invokes, "stream": streams, "ainvoke": ainvokes, "astream": astreams}[how]
    graph = StateGraph(MessagesState)
    graph.add_node("answer", node)
    graph.add_edge(START, "answer")
    return graph.compile()


GRAPH_CASES = {
    "accepted": lambda: pair(Say("the accepted words", p=0.99)),
    "escalated": lambda: pair(UNSURE),
    "aborted": lambda: pair(LONG, signals=[_min()]),
    "failed": lambda: pair(Say("half a draft", p=0.99, error=ValueError("cut"), after=2)),
    "judged": CASES["judged"],
}


@pytest.mark.parametrize("case", list(GRAPH_CASES))
@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
async def test_langgraph_shows_the_answer_once_and_no_draft(how: str, case: str) -> None:
    two = GRAPH_CASES[case]()
    handler = UsageMetadataCallbackHandler()
    graph = _graph(two.cascade, how)
    config = {"callbacks": [handler]}
    inputs = {"messages": [("user", "one two three")]}
    with collect_decisions() as seen:
        if how in {"invoke", "stream"}:
            shown = list(graph.stream(inputs, config, stream_mode="messages"))
        else:
            shown = [item async for item in graph.astream(inputs, config, stream_mode="messages")]
    (record,) = seen
    texts = [message.content for message, _meta in shown]
    expected = "the accepted words" if case == "accepted" else "strong answer of many words"
    assert "".join(texts) == expected
    assert len({message.id for message, _meta in shown}) == 1
    if case != "failed":
        assert tokens_seen(handler) == tokens_by_model(record)


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
@pytest.mark.parametrize("case", ["accepted", "escalated", "aborted"])
@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_langgraphs_typed_events_show_the_answer_once_and_no_draft(how: str, case: str) -> None:
    two = GRAPH_CASES[case]()
    handler = UsageMetadataCallbackHandler()
    inputs = {"messages": [("user", "one two three")]}
    events = _graph(two.cascade, how).stream_events(inputs, {"callbacks": [handler]}, version="v3")
    with collect_decisions() as seen:
        shown = [e["params"]["data"][0] for e in events if e["method"] == "messages"]
    texts = [
        item["delta"]["text"] if item["event"] == "content-block-delta" else ""
        for item in shown
        if isinstance(item, dict)
    ] + [item.content for item in shown if not isinstance(item, dict)]
    expected = "the accepted words" if case == "accepted" else "strong answer of many words"
    assert "".join(texts) == expected
    assert tokens_seen(handler) == tokens_by_model(seen[0])


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_a_draft_asked_for_below_a_typed_event_stream_is_read_whole() -> None:
    """The v3 bridge keeps only the last chunk's logprobs; drafts must not go through it."""

    def first_word_unsure(messages: Any, kwargs: Any) -> Say:
        words = ["Maybe", "it", "is", "so"]
        content = [{"token": w, "logprob": -3.0 if w == "Maybe" else -0.01} for w in words]
        return Say("Maybe it is so", payload={"content": content})

    two = pair(first_word_unsure, signals=[SequenceLogprob(reduce="min")])
    graph = _graph(two.cascade, "invoke")
    with collect_decisions() as seen:
        list(graph.stream_events({"messages": [("user", "hi")]}, version="v3"))
    assert seen[0]["reason"] == "low_confidence"
    assert two.cheap.calls[0].streamed is False


@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_a_cascade_that_costs_more_than_it_saves_is_warned_of_once(way: str) -> None:
    prices = {"cheap": {"input": 9, "output": 9}, "strong": {"input": 10, "output": 10}}
    two = pair(UNSURE, prices=prices)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(ENOUGH_REQUESTS + 20):
            if way == "whole":
                two.cascade.invoke("one two three")
            else:
                list(two.cascade.stream("one two three"))
    said = [str(one.message) for one in caught if "costs more than always" in str(one.message)]
    assert len(said) == 1
