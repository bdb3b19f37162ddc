"""LlamaIndex's cascades under fitted policies: alike in every way of asking, also as copies."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from llama_index_instrumentation.dispatcher import instrument_tags

from cascade_core import Policy, collect_decisions
from cascade_core.errors import ConfigurationError
from cascade_core.signals import Judge
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from tests.llamaindex.fakes import PRICES, FakeLLM, Say, called, cheap, strong
from tests.llamaindex.retrieval import facts, nodes, text_of
from tests.policies import CLASSES, EASY, HARD, ROUTE, by, fitted

SURE, UNSURE = Say("sure answer", p=0.9), Say("unsure draft text", p=0.3)
LONG = Say("a draft of so many words that it can be cut off long before its end", p=0.3)
WAYS = [f"{way}{kind}" for kind in ("chat", "complete") for way in ("", "a", "stream_", "astream_")]
ways = pytest.mark.parametrize("how", WAYS)


async def ask(how: str, llm: Any, text: str = EASY) -> dict[str, Any]:
    """Ask an LLM in one of the ways; return the record, which is also on the answer."""
    given: Any = text if how.endswith("complete") else [ChatMessage(content=text)]
    with collect_decisions() as seen:
        answer = await called(how, llm, given)
    (record,) = seen
    assert answer.additional_kwargs["cascade"] == record
    return record


Ask = Callable[[str], Any]


def llm(tiers: list[FakeLLM], **settings: Any) -> Ask:
    cascade = CascadeLLM(tiers=tiers, **settings)
    return lambda text: cascade.chat([ChatMessage(content=text)])


def synthesizer(tiers: list[FakeLLM], **settings: Any) -> Ask:
    cascade = CascadeSynthesizer(tiers=tiers, **settings)
    return lambda text: cascade.synthesize(text, nodes())


def query_engine(tiers: list[FakeLLM], **settings: Any) -> Ask:
    engines = [facts().as_query_engine(llm=tier, similarity_top_k=2) for tier in tiers]
    return CascadeQueryEngine(tiers=engines, **settings).query


CASCADES: dict[str, Callable[..., Ask]] = {
    "CascadeLLM": llm,
    "CascadeSynthesizer": synthesizer,
    "CascadeQueryEngine": query_engine,
}
every_cascade = pytest.mark.parametrize("name", list(CASCADES))


def asked(cascade: Ask, text: str = EASY) -> dict[str, Any]:
    with collect_decisions() as seen:
        cascade(text)
    (record,) = seen
    return record


@ways
async def test_a_calibrator_decides_in_every_way_of_asking(how: str) -> None:
    for say, threshold, tier in ((SURE, 0.44, 0), (SURE, 0.46, 1), (UNSURE, 0.14, 0)):
        tiers = [cheap(say), strong()]
        record = await ask(how, CascadeLLM(tiers=tiers, policy=fitted(threshold), prices=PRICES))
        assert_calibrated(record, tier, threshold, say)
        assert tiers[1].journal.count == tier


@every_cascade
def test_a_calibrator_decides_in_every_kind_of_cascade(name: str) -> None:
    for threshold, tier in ((0.44, 0), (0.46, 1)):
        tiers = [cheap(SURE), strong()]
        record = asked(CASCADES[name](tiers, policy=fitted(threshold), prices=PRICES))
        assert_calibrated(record, tier, threshold, SURE)
        assert tiers[1].journal.count == tier


def assert_calibrated(record: dict[str, Any], tier: int, threshold: float, say: Say) -> None:
    assert say.p is not None
    assert (record["tier"], record["accepted"]) == (tier, tier == 0)
    assert record["calibrated"] is True
    assert record["threshold"] == threshold
    assert record["policy"] == "tuned"
    assert record["confidence"] == pytest.approx(say.p / 2)
    assert record["signals"] == {"sequence_logprob": pytest.approx(say.p)}


@ways
async def test_a_tier_that_the_route_skips_is_neither_asked_nor_paid_for(how: str) -> None:
    tiers = [cheap(SURE), strong()]
    cascade = CascadeLLM(tiers=tiers, policy=fitted(route=ROUTE), prices=PRICES)
    assert_skipped(await ask(how, cascade, HARD), tiers)
    assert (await ask(how, cascade, EASY))["tier"] == 0


@every_cascade
def test_every_kind_of_cascade_skips_what_the_route_says(name: str) -> None:
    tiers = [cheap(SURE), strong()]
    cascade = CASCADES[name](tiers, policy=fitted(route=ROUTE), prices=PRICES)
    assert_skipped(asked(cascade, HARD), tiers)
    assert asked(cascade)["tier"] == 0


def assert_skipped(record: dict[str, Any], tiers: list[FakeLLM]) -> None:
    assert (record["tier"], record["reason"], record["accepted"]) == (1, "difficult", False)
    assert (record["confidence"], record["calibrated"]) == (None, False)
    (call,) = record["calls"]
    assert (call["tier"], call["outcome"]) == (1, "returned")
    assert record["cost_usd"] == call["cost_usd"] == record["strong_cost_usd"]
    assert tiers[0].journal.count == 0


@every_cascade
def test_a_policy_that_names_an_absent_signal_is_refused_at_construction(name: str) -> None:
    with pytest.raises(ConfigurationError, match="'judge', which this cascade does not have"):
        CASCADES[name]([cheap(), strong()], policy=fitted(calibrators=[by("judge")]))


@every_cascade
def test_a_policy_for_other_tiers_is_refused_at_construction(name: str) -> None:
    policy = fitted(calibrators=[by()] * 3, thresholds=[0.4] * 3)
    with pytest.raises(ConfigurationError, match="2 tiers need 1"):
        CASCADES[name]([cheap(), strong()], policy=policy)


@ways
async def test_a_class_has_thresholds_of_its_own(how: str) -> None:
    cascade = CascadeLLM(tiers=[cheap(UNSURE), strong()], policy=fitted(classes=CLASSES))
    with instrument_tags({"cascade_class": "billing"}):
        billing = await ask(how, cascade)
    assert (billing["tier"], billing["threshold"], billing["class"]) == (0, 0.1, "billing")
    with instrument_tags({"cascade_class": "other"}):
        other = await ask(how, cascade)
    assert (other["tier"], other["threshold"], other["class"]) == (1, 0.4, "other")
    assert (await ask(how, cascade))["threshold"] == 0.4


@every_cascade
def test_every_kind_of_cascade_knows_the_class(name: str) -> None:
    cascade = CASCADES[name]([cheap(UNSURE), strong()], policy=fitted(classes=CLASSES))
    with instrument_tags({"cascade_class": "billing"}):
        assert asked(cascade)["tier"] == 0
    assert asked(cascade)["tier"] == 1


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("max_tokens", [None, 20])
async def test_a_stream_that_is_cut_off_is_decided_as_the_whole_answer(
    threshold: float, max_tokens: int | None
) -> None:
    records = {}
    for how in WAYS:
        tiers = [cheap(LONG, max_tokens=max_tokens), strong()]
        records[how] = await ask(how, CascadeLLM(tiers=tiers, policy=fitted(threshold)))
        aborted = records[how]["calls"][0]["outcome"] == "aborted"
        assert aborted == ("stream" in how and threshold > 0.15 and max_tokens is not None)
    decided = {how: (r["tier"], r["reason"], r["threshold"]) for how, r in records.items()}
    assert len(set(decided.values())) == 1
    assert all(r["calibrated"] for r in records.values())
    for how in WAYS:  # what is known of a stream that was cut off is an upper bound
        assert records[how]["confidence"] >= records["chat"]["confidence"] - 1e-12


@pytest.mark.parametrize("name", ["CascadeSynthesizer", "CascadeQueryEngine"])
@pytest.mark.parametrize("threshold", [0.1, 0.2])
async def test_streamed_answers_from_sources_are_decided_alike(name: str, threshold: float) -> None:
    tiers = [cheap(LONG, max_tokens=20), strong()]
    settings = {"policy": fitted(threshold)}
    whole = asked(CASCADES[name](tiers, **settings))
    with collect_decisions() as seen:
        if name == "CascadeSynthesizer":
            cascade = CascadeSynthesizer(tiers=tiers, streaming=True, **settings)
            await text_of(cascade.synthesize(EASY, nodes()))
        else:
            engines = [facts().as_query_engine(llm=tier, streaming=True) for tier in tiers]
            await text_of(CascadeQueryEngine(tiers=engines, **settings).query(EASY))
    for key in ("tier", "reason", "threshold", "accepted", "calibrated"):
        assert seen[0][key] == whole[key]


def test_a_paid_signal_that_the_policy_does_not_read_is_not_asked() -> None:
    judge = FakeLLM(Say("A"), "m2")
    signals = ["sequence_logprob", Judge(judge)]
    record = asked(llm([cheap(SURE), strong()], signals=signals, policy=fitted()))
    assert set(record["signals"]) == {"sequence_logprob"}
    assert judge.journal.count == 0


# --- written down, copied and pickled ---------------------------------------------------------------


FULL = fitted(classes=CLASSES, route=ROUTE)
WORDS = {
    "score": {
        "kind": "logistic",
        "inputs": ["signal:sequence_logprob"],
        "low": [0.0],
        "high": [1.0],
        "fill": [0.5],
        "weights": [2.0],
        "missing": [0.0],
        "intercept": -1.0,
        "words": {"buckets": 64, "weights": {"3": 0.5, "40": -0.25}},
    }
}
POLICIES = {"plain": fitted(), "full": FULL, "words": fitted(calibrators=[WORDS])}
every_policy = pytest.mark.parametrize("policy", list(POLICIES))
every_source = pytest.mark.parametrize("source", ["mapping", "object", "path", "text"])


def alike() -> list[FakeLLM]:
    """Tiers of the fake's own script, which a description and a pickle bring back."""
    return [FakeLLM(model="m0"), FakeLLM(model="m1")]


def given(source: str, policy: Any, folder: Path) -> Any:
    if source == "mapping":
        return policy
    if source == "object":
        return Policy.load(policy)
    path = folder / "policy.json"
    Policy.load(policy).save(path)
    return path if source == "path" else str(path)


@every_policy
@every_source
async def test_a_policy_survives_being_written_down_copied_and_pickled(
    tmp_path: Path, source: str, policy: str
) -> None:
    first = CascadeLLM(tiers=alike(), policy=given(source, POLICIES[policy], tmp_path))
    written = first.to_dict()
    assert json.loads(json.dumps(written)) == written
    expected = await ask("chat", first)
    for made in (
        CascadeLLM.from_dict(written),
        CascadeLLM.from_json(first.to_json()),
        pickle.loads(pickle.dumps(first)),
        copy.copy(first),
        copy.deepcopy(first),
        first.model_copy(),
    ):
        assert made._engine.identity() == first._engine.identity()
        assert made.to_dict() == written
        record = await ask("chat", made)
        for key in ("confidence", "threshold", "calibrated", "policy", "tier", "reason"):
            assert record[key] == expected[key]


CHANGES: dict[str, Any] = {
    "thresholds": fitted(0.2),
    "classes": fitted(classes=CLASSES),
    "route": fitted(route=ROUTE),
    "calibrators": fitted(
        calibrators=[{**by(), "curve": {"kind": "platt", "slope": 2.0, "intercept": 0.0}}]
    ),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_policy_file_that_would_decide_otherwise_is_not_silently_followed(
    tmp_path: Path, change: str
) -> None:
    path = given("path", fitted(), tmp_path)
    first = CascadeLLM(tiers=alike(), policy=path)
    written, pickled = first.to_dict(), pickle.dumps(first)
    given("path", CHANGES[change], tmp_path)
    with pytest.raises(ConfigurationError, match="policy changed since"):
        CascadeLLM.from_dict(written)
    # A worker is judged by what the file says now, as the program that it came from is.
    follows = CascadeLLM(tiers=alike(), policy=path)
    assert pickle.loads(pickled)._engine.identity() == follows._engine.identity()


@pytest.mark.parametrize("change", list(CHANGES))
def test_policies_of_one_name_make_no_equal_descriptions(tmp_path: Path, change: str) -> None:
    """LlamaIndex's ingestion cache takes components of equal descriptions for the same."""
    path = given("path", fitted(), tmp_path)
    before = CascadeLLM(tiers=[cheap(), strong()], policy=path).to_dict()
    given("path", CHANGES[change], tmp_path)
    assert CascadeLLM(tiers=[cheap(), strong()], policy=path).to_dict() != before


def test_a_copy_with_another_policy_is_checked_and_leaves_the_first_alone() -> None:
    first = CascadeLLM(tiers=[cheap(SURE), strong()], policy=fitted(0.44))
    second = first.model_copy(update={"policy": fitted(0.46)})
    assert first.complete(EASY).additional_kwargs["cascade"]["tier"] == 0
    assert second.complete(EASY).additional_kwargs["cascade"]["tier"] == 1
    with pytest.raises(ConfigurationError, match="'judge'"):
        first.model_copy(update={"policy": fitted(calibrators=[by("judge")])})
    with pytest.raises(ConfigurationError, match="'judge'"):
        first.policy = fitted(calibrators=[by("judge")])
    assert first.complete(EASY).additional_kwargs["cascade"]["tier"] == 0
