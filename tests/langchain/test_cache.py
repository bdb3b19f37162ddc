"""Answer caches: the tiers' own, and one of the cascade's where it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.messages import HumanMessage

from cascade_core import collect_decisions
from cascade_core.errors import ConfigurationError
from cascade_core.signals import SelfConsistency
from tests.langchain.fakes import SURE, UNSURE, FakeChat, Say, pair, record_of


async def _ask(how: str, cascade: Any, prompt: Any = "hi", **kwargs: Any) -> Any:
    if how == "invoke":
        return cascade.invoke(prompt, **kwargs)
    return await cascade.ainvoke(prompt, **kwargs)


ways = pytest.mark.parametrize("how", ["invoke", "ainvoke"])


@ways
@pytest.mark.parametrize("says", [SURE, UNSURE])
async def test_a_cascades_own_cache_serves_the_whole_answer_for_free(how: str, says: Say) -> None:
    two = pair(says, cache=InMemoryCache())
    first = await _ask(how, two.cascade)
    with collect_decisions() as seen:
        second = await _ask(how, two.cascade)
    assert second.content == first.content
    record = record_of(second)
    assert seen == [record]
    assert record["reason"] == "cached"
    assert record["calls"] == []
    assert record["cost_usd"] == 0
    assert record["tier"] == record_of(first)["tier"]
    assert record["id"] != record_of(first)["id"]
    assert second.usage_metadata["total_cost"] == 0
    assert len(two.cheap.calls) == 1


@ways
async def test_another_prompt_stop_or_argument_is_another_answer(how: str) -> None:
    two = pair(SURE, cache=InMemoryCache())
    await _ask(how, two.cascade)
    await _ask(how, two.cascade, "other")
    await _ask(how, two.cascade, stop=["x"])
    await _ask(how, two.cascade, top_k=3)
    assert len(two.cheap.calls) == 4
    await _ask(how, two.cascade, stop=["x"])
    assert len(two.cheap.calls) == 4


@ways
async def test_the_ids_of_messages_do_not_make_another_prompt(how: str) -> None:
    two = pair(SURE, cache=InMemoryCache())
    for name in ("run-1", "run-2", None):
        await _ask(how, two.cascade, [HumanMessage("hi", id=name)])
    assert len(two.cheap.calls) == 1
    await _ask(how, two.cascade, [HumanMessage("ho", id="run-1")])
    assert len(two.cheap.calls) == 2


def look_up(city: str) -> str:
    """Look a city up."""
    return city


def book(city: str) -> str:
    """Book a city."""
    return city


def test_other_tools_are_another_answer() -> None:
    two = pair(SURE, cache=InMemoryCache())
    two.cascade.bind_tools([look_up]).invoke("hi")
    two.cascade.bind_tools([book]).invoke("hi")
    two.cascade.bind_tools([look_up], tool_choice="auto").invoke("hi")
    assert len(two.cheap.calls) == 3
    two.cascade.bind_tools([look_up]).invoke("hi")
    assert len(two.cheap.calls) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"thresholds": [0.2]},
        {"signals": ["token_margin"], "on_no_score": "accept"},
        {"tiers": [FakeChat(UNSURE, model_name="cheaper"), FakeChat("other", model_name="strong")]},
        {"stop": ["x"]},
        {"temperature": 0.5},
        {"on_tool_call": "escalate"},
        {"mode": "shadow"},
        {"on_no_score": "accept"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("how", ["copy", "assignment"])
def test_cascades_that_differ_do_not_answer_for_each_other(
    change: dict[str, Any], how: str
) -> None:
    """`model_copy` keeps LangChain's cached description of a model, which is part of its key."""
    store = InMemoryCache()
    two = pair(UNSURE, cache=store)
    assert two.cascade._get_llm_string() == two.cascade._get_llm_string()
    two.cascade.invoke("hi")
    if how == "copy":
        other = two.cascade.model_copy(update=change)
    else:
        other = two.cascade.model_copy()
        for name, value in change.items():
            setattr(other, name, value)
    assert other._get_llm_string() != two.cascade._get_llm_string()
    assert record_of(other.invoke("hi"))["reason"] != "cached"
    assert record_of(two.cascade.invoke("hi"))["reason"] == "cached"


@ways
async def test_the_global_cache_serves_the_tiers_and_the_cascade_still_judges(how: str) -> None:
    set_llm_cache(InMemoryCache())
    two = pair(
        UNSURE, prices={"cheap": {"input": 1, "output": 1}, "strong": {"input": 1, "output": 1}}
    )
    await _ask(how, two.cascade)
    record = record_of(await _ask(how, two.cascade))
    assert (len(two.cheap.calls), len(two.strong.calls)) == (1, 1)
    assert record["reason"] == "low_confidence"
    assert record["cost_usd"] == 0
    assert len(record["calls"]) == 2


@ways
async def test_two_cascades_of_other_thresholds_share_only_what_the_tiers_said(how: str) -> None:
    set_llm_cache(InMemoryCache())
    cheap = FakeChat(Say("middling", p=0.6), model_name="cheap")
    strict = pair(cheap)
    lax = pair(cheap, thresholds=[0.5])
    assert (await _ask(how, strict.cascade)).content == "strong answer of many words"
    assert (await _ask(how, lax.cascade)).content == "middling"
    assert len(cheap.calls) == 1


def test_a_draft_with_logprobs_is_not_served_from_an_answer_without() -> None:
    set_llm_cache(InMemoryCache())
    two = pair(SURE)
    assert two.cheap.invoke("hi").content == "sure answer"  # cached without logprobs
    assert record_of(two.cascade.invoke("hi"))["reason"] == "confident"
    assert len(two.cheap.calls) == 2


@ways
async def test_samples_are_never_served_from_a_cache(how: str) -> None:
    set_llm_cache(InMemoryCache())
    two = pair(Say("same", p=None), signals=[SelfConsistency(3)])
    await _ask(how, two.cascade)
    await _ask(how, two.cascade)
    assert len(two.cheap.calls) == 1 + 3 + 3


def test_a_hit_costs_nothing_for_langchains_handlers_too() -> None:
    two = pair(SURE, cache=InMemoryCache())
    two.cascade.invoke("hi")
    handler = UsageMetadataCallbackHandler()
    two.cascade.invoke("hi", {"callbacks": [handler]})
    assert handler.usage_metadata == {}


def test_cache_true_means_the_global_cache_and_false_none() -> None:
    two = pair(SURE, cache=True)
    with pytest.raises(ConfigurationError, match="no global cache is set"):
        two.cascade.invoke("hi")
    set_llm_cache(InMemoryCache())
    two.cascade.invoke("hi")
    assert record_of(two.cascade.invoke("hi"))["reason"] == "cached"
    off = pair(SURE, cache=False)
    off.cascade.invoke("hi")
    assert record_of(off.cascade.invoke("hi"))["reason"] != "cached"


def test_a_kept_answer_is_not_changed_by_what_a_caller_does_to_it() -> None:
    two = pair(SURE, cache=InMemoryCache())
    first = two.cascade.invoke("hi")
    first.response_metadata["cascade"]["tier"] = 99
    first.content = "scribbled over"
    second = two.cascade.invoke("hi")
    assert second.content == "sure answer"
    assert record_of(second)["tier"] == 0


@ways
async def test_further_words_of_refusing_are_part_of_the_key(how: str) -> None:
    store = InMemoryCache()
    for words in (["sure"], ["sure"], ["never"]):
        two = pair(SURE, cache=store, refusals=words)
        record = record_of(await _ask(how, two.cascade))
        if words == ["never"]:
            assert (record["reason"], record["tier"]) == ("confident", 0)
    again = pair(SURE, cache=store, refusals=["sure"])
    assert record_of(await _ask(how, again.cascade))["reason"] == "cached"
