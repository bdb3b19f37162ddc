"""LangChain's cascades under fitted policies: alike in every way of asking."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache

from cascade_core import Policy, collect_decisions
from cascade_core.errors import ConfigurationError
from cascade_core.signals import Judge
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from tests.langchain.fakes import FakeChat, Pair, Say, pair, record_of
from tests.policies import CLASSES, EASY, HARD, ROUTE, by, fitted

SURE, UNSURE = Say("sure answer", p=0.9), Say("unsure draft text", p=0.3)
LONG = Say("a draft of so many words that it can be cut off long before its end", p=0.3)
PRICES = {"cheap": {"input": 1, "output": 2}, "strong": {"input": 10, "output": 20}}
WAYS = ["invoke", "ainvoke", "stream", "astream"]
ways = pytest.mark.parametrize("how", WAYS)


async def ask(how: str, chain: Any, given: Any = EASY, **config: Any) -> dict[str, Any]:
    """Ask in one of the ways; return the record."""
    with collect_decisions() as seen:
        if how == "invoke":
            chain.invoke(given, config)
        elif how == "ainvoke":
            await chain.ainvoke(given, config)
        elif how == "stream":
            list(chain.stream(given, config))
        else:
            _ = [chunk async for chunk in chain.astream(given, config)]
    (record,) = seen
    return record


def models(cheap: Say, **fields: Any) -> list[FakeChat]:
    return [
        FakeChat(cheap, model_name="cheap", **fields),
        FakeChat("strong answer of many words", model_name="strong", **fields),
    ]


class Agent:
    """An agent whose model turns are cascaded, asked like a chain."""

    def __init__(self, tiers: Any, **settings: Any) -> None:
        unused = FakeChat(Say(error=AssertionError("the agent's own model was asked")))
        middleware = CascadeMiddleware(tiers, **settings)
        self.agent = create_agent(unused, [], middleware=[middleware])

    def invoke(self, text: str, config: Any) -> Any:
        return self.agent.invoke({"messages": [("user", text)]}, config)

    async def ainvoke(self, text: str, config: Any) -> Any:
        return await self.agent.ainvoke({"messages": [("user", text)]}, config)

    def stream(self, text: str, config: Any) -> Any:
        return self.agent.stream({"messages": [("user", text)]}, config)

    def astream(self, text: str, config: Any) -> Any:
        return self.agent.astream({"messages": [("user", text)]}, config)


CASCADES: dict[str, Callable[..., Any]] = {
    "ChatCascade": lambda tiers, **settings: ChatCascade(tiers=tiers, **settings),
    "RunnableCascade": lambda tiers, **settings: RunnableCascade(tiers=tiers, **settings),
    "CascadeMiddleware": Agent,
}
every_cascade = pytest.mark.parametrize("name", list(CASCADES))


@every_cascade
@ways
async def test_a_calibrator_decides_in_every_way_of_asking(name: str, how: str) -> None:
    for say, threshold, tier in ((SURE, 0.44, 0), (SURE, 0.46, 1), (UNSURE, 0.14, 0)):
        # A runnable's model asks for logprobs itself.
        fields = {"logprobs": True} if name == "RunnableCascade" else {}
        tiers = models(say, **fields)
        cascade = CASCADES[name](tiers, policy=fitted(threshold), prices=PRICES)
        record = await ask(how, cascade)
        assert record["tier"] == tier
        assert record["accepted"] is (tier == 0)
        assert record["calibrated"] is True
        assert record["threshold"] == threshold
        assert record["policy"] == "tuned"
        assert record["confidence"] == pytest.approx(say.p / 2)
        assert record["signals"] == {"sequence_logprob": pytest.approx(say.p)}
        assert len(tiers[1].calls) == tier


@every_cascade
@ways
async def test_a_tier_that_the_route_skips_is_neither_asked_nor_paid_for(
    name: str, how: str
) -> None:
    fields = {"logprobs": True} if name == "RunnableCascade" else {}
    tiers = models(SURE, **fields)
    cascade = CASCADES[name](tiers, policy=fitted(route=ROUTE), prices=PRICES)
    record = await ask(how, cascade, HARD)
    assert (record["tier"], record["reason"], record["accepted"]) == (1, "difficult", False)
    assert (record["confidence"], record["calibrated"]) == (None, False)
    (call,) = record["calls"]
    assert (call["tier"], call["outcome"]) == (1, "returned")
    assert record["cost_usd"] == call["cost_usd"] == record["strong_cost_usd"]
    assert tiers[0].calls == []
    assert (await ask(how, cascade, EASY))["tier"] == 0


@every_cascade
def test_a_policy_that_names_an_absent_signal_is_refused_at_construction(name: str) -> None:
    policy = fitted(calibrators=[by("judge")])
    with pytest.raises(ConfigurationError, match="'judge', which this cascade does not have"):
        CASCADES[name](models(SURE), policy=policy)


@every_cascade
def test_a_policy_for_other_tiers_is_refused_at_construction(name: str) -> None:
    policy = fitted(calibrators=[by()] * 3, thresholds=[0.4] * 3)
    with pytest.raises(ConfigurationError, match="2 tiers need 1"):
        CASCADES[name](models(SURE), policy=policy)


@every_cascade
@ways
async def test_a_class_has_thresholds_of_its_own(name: str, how: str) -> None:
    fields = {"logprobs": True} if name == "RunnableCascade" else {}
    cascade = CASCADES[name](models(UNSURE, **fields), policy=fitted(classes=CLASSES))
    billing = await ask(how, cascade, metadata={"cascade_class": "billing"})
    assert (billing["tier"], billing["threshold"], billing["class"]) == (0, 0.1, "billing")
    other = await ask(how, cascade, metadata={"cascade_class": "other"})
    assert (other["tier"], other["threshold"], other["class"]) == (1, 0.4, "other")
    assert (await ask(how, cascade))["threshold"] == 0.4


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("max_tokens", [None, 20])
async def test_a_stream_that_is_cut_off_is_decided_as_the_whole_answer(
    threshold: float, max_tokens: int | None
) -> None:
    records = {}
    for how in WAYS:
        tiers = models(LONG, max_tokens=max_tokens)
        cascade = ChatCascade(tiers=tiers, policy=fitted(threshold), prices=PRICES)
        records[how] = await ask(how, cascade)
        aborted = records[how]["calls"][0]["outcome"] == "aborted"
        assert aborted == ("stream" in how and threshold > 0.15 and max_tokens is not None)
    decided = {how: (r["tier"], r["reason"], r["threshold"]) for how, r in records.items()}
    assert len(set(decided.values())) == 1
    assert all(r["calibrated"] for r in records.values())
    for how in ("stream", "astream"):  # what is known of a stream cut off is an upper bound
        assert records[how]["confidence"] >= records["invoke"]["confidence"] - 1e-12


def test_a_paid_signal_that_the_policy_does_not_read_is_not_asked() -> None:
    judge = FakeChat("A", model_name="judge")
    two = pair(SURE, signals=["sequence_logprob", Judge(judge)], policy=fitted())
    assert set(record_of(two.cascade.invoke(EASY))["signals"]) == {"sequence_logprob"}
    assert judge.calls == []


# --- where a policy comes from, and what a cache knows of it ----------------------------------------


def sources(folder: Path) -> list[Any]:
    path = folder / "policy.json"
    Policy.load(fitted()).save(path)
    return [fitted(), Policy.load(fitted()), path, str(path)]


def test_a_policy_may_be_a_mapping_an_object_or_a_path(tmp_path: Path) -> None:
    described = []
    for policy in sources(tmp_path):
        two = pair(SURE, policy=policy)
        assert record_of(two.cascade.invoke(EASY))["confidence"] == pytest.approx(0.45)
        copy = two.cascade.model_copy()
        assert record_of(copy.invoke(EASY))["policy"] == "tuned"
        described.append(two.cascade._identifying_params["policy_fingerprint"])
    assert len(set(described)) == 1


def test_a_policy_can_be_exchanged_while_serving() -> None:
    two = pair(SURE, policy=fitted(0.44))
    two.cascade.policy = fitted(0.46)
    assert record_of(two.cascade.invoke(EASY))["tier"] == 1
    with pytest.raises(ConfigurationError, match="'judge'"):
        two.cascade.policy = fitted(calibrators=[by("judge")])


OTHERS: dict[str, Any] = {
    "thresholds": fitted(0.2),
    "classes": fitted(classes=CLASSES),
    "route": fitted(route=ROUTE),
    "calibrators": fitted(
        calibrators=[{**by(), "curve": {"kind": "platt", "slope": 2.0, "intercept": 0.0}}]
    ),
}


@pytest.mark.parametrize("difference", list(OTHERS))
@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_policies_of_one_name_do_not_answer_for_each_other(how: str, difference: str) -> None:
    store = InMemoryCache()

    def cascade(policy: Any) -> Pair:
        return pair(SURE, policy=policy, cache=store)

    assert (await ask(how, cascade(fitted()).cascade))["reason"] == "confident"
    assert (await ask(how, cascade(fitted()).cascade))["reason"] == "cached"
    other = OTHERS[difference]
    assert (await ask(how, cascade(other).cascade))["reason"] != "cached"
    assert (await ask(how, cascade(other).cascade))["reason"] == "cached"


def test_what_only_says_where_a_policy_came_from_makes_no_other_answer() -> None:
    store = InMemoryCache()
    promise = {
        "kind": "harm",
        "limit": 0.02,
        "confidence": 0.95,
        "rows": 500,
        "seen": 0.01,
        "p_value": 0.04,
        "method": "binomial",
    }
    pair(SURE, policy=fitted(), cache=store).cascade.invoke(EASY)
    promised = pair(SURE, policy=fitted(promises=[promise]), cache=store).cascade
    assert record_of(promised.invoke(EASY))["reason"] == "cached"


def test_the_global_cache_serves_tiers_and_each_policy_still_judges() -> None:
    set_llm_cache(InMemoryCache())
    tiers = models(SURE)
    low = ChatCascade(tiers=tiers, policy=fitted(0.44))
    high = ChatCascade(tiers=tiers, policy=fitted(0.46))
    assert record_of(low.invoke(EASY))["tier"] == 0
    assert record_of(high.invoke(EASY))["tier"] == 1
    assert len(tiers[0].calls) == 1


def test_a_description_holds_no_more_of_a_policy_than_its_fingerprint() -> None:
    described = pair(SURE, policy=fitted()).cascade._identifying_params
    assert "isotonic" not in json.dumps(described, default=str)
