"""Tiers of every shape: bound, retried, with fallbacks, by name, and cascades themselves."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler

from cascade_core import collect_decisions
from cascade_core.signals import Judge, SelfConsistency, TokenMargin, Verbalized
from langchain_cascade import ChatCascade
from tests.langchain.fakes import (
    SURE,
    UNSURE,
    FakeChat,
    ProviderError,
    Runs,
    Say,
    ask,
    joined,
    pair,
    record_of,
    tokens_by_model,
    tokens_seen,
)

ANSWER = "strong answer of many words"
WAYS = ["invoke", "ainvoke", "stream", "astream"]
ways = pytest.mark.parametrize("how", WAYS)


def three() -> tuple[Any, list[FakeChat]]:
    models = [
        FakeChat(Say("a", p=0.1), model_name="a"),
        FakeChat(Say("b b", p=0.2), model_name="b"),
        FakeChat(Say("c c c"), model_name="c"),
    ]
    return ChatCascade(tiers=[ChatCascade(tiers=models[:2]), models[2]]), models


@ways
async def test_a_cascade_as_the_cheap_tier_is_judged_by_its_answer_and_paid_in_full(
    how: str,
) -> None:
    cascade, _ = three()
    handler, runs = UsageMetadataCallbackHandler(), Runs()
    with collect_decisions() as seen:
        message = await ask(how, cascade, {"callbacks": [handler, runs]})
    assert message.content == "c c c"
    record = record_of(message)
    assert [call["model"] for call in record["calls"]] == ["a", "b", "c"]
    assert [call["tier"] for call in record["calls"]] == [0, 0, 1]
    assert tokens_seen(handler) == tokens_by_model(record)
    assert seen[-1] == record
    assert len(seen) == 2  # the inner decision, and the outer
    assert not runs.open


@ways
async def test_a_cascade_as_the_strong_tier_answers_with_one_record(how: str) -> None:
    models = [FakeChat(Say(n, p=0.1), model_name=n) for n in ("a", "b", "c")]
    cascade = ChatCascade(tiers=[models[0], ChatCascade(tiers=models[1:])])
    handler = UsageMetadataCallbackHandler()
    message = await ask(how, cascade, {"callbacks": [handler]})
    assert message.content == "c"
    record = record_of(message)
    assert [call["model"] for call in record["calls"]] == ["a", "b", "c"]
    assert [call["outcome"] for call in record["calls"]] == ["rejected", "rejected", "returned"]
    assert tokens_seen(handler) == tokens_by_model(record)


@ways
async def test_a_cascade_as_a_tier_is_read_by_the_logprobs_of_its_answer(how: str) -> None:
    inner = pair(UNSURE, Say("inner strong", p=0.9)).cascade
    two = pair(inner, thresholds=[0.85])
    for _ in range(4):
        message = await ask(how, two.cascade)
        record = record_of(message)
        assert message.content == "inner strong"
        assert record["reason"] == "confident"
        assert record["confidence"] == pytest.approx(0.9)
        assert "logprobs" not in message.response_metadata
    assert "logprobs" not in inner.invoke("hi").response_metadata


def test_a_cascade_returns_logprobs_when_asked_to() -> None:
    for says in (SURE, UNSURE):
        cascade = pair(says, logprobs=True).cascade
        assert cascade.invoke("hi").response_metadata["logprobs"]["content"]
        whole = joined(list(cascade.stream("hi")))
        assert len(whole.response_metadata["logprobs"]["content"]) == len(whole.content.split())


def test_a_cascade_that_may_use_no_cache_uses_none_at_its_tiers() -> None:
    from langchain_core.caches import InMemoryCache
    from langchain_core.globals import set_llm_cache

    set_llm_cache(InMemoryCache())
    two = pair(UNSURE, cache=False)
    for _ in range(2):
        two.cascade.invoke("hi")
    assert (len(two.cheap.calls), len(two.strong.calls)) == (2, 2)


async def test_nested_cascades_show_no_draft_of_either() -> None:
    cascade, _ = three()
    assert [c.content for c in cascade.stream("hi") if c.content] == ["c ", "c ", "c"]
    events = [e async for e in cascade.astream_events("hi", version="v2")]
    shown = [e["data"]["chunk"].content for e in events if e["event"] == "on_chat_model_stream"]
    assert "".join(shown) == "c c c"


@ways
async def test_a_retried_tier_is_tried_again_before_anybody_escalates(how: str) -> None:
    cheap = FakeChat([Say(error=ProviderError()), SURE], model_name="cheap")
    retried = cheap.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    message = await ask(how, ChatCascade(tiers=[retried, FakeChat(ANSWER)]))
    assert message.content == "sure answer"
    assert record_of(message)["reason"] == "confident"
    assert all(call.logprobs for call in cheap.calls)


@ways
async def test_a_tier_with_fallbacks_uses_them_before_anybody_escalates(how: str) -> None:
    first = FakeChat(Say(error=ProviderError()), model_name="first")
    second = FakeChat(SURE, model_name="second")
    cascade = ChatCascade(tiers=[first.with_fallbacks([second]), FakeChat(ANSWER)])
    message = await ask(how, cascade)
    record = record_of(message)
    assert message.content == "sure answer"
    assert record["model"] == "second"
    assert second.calls[0].logprobs is True
    assert second.calls[0].streamed is False


@ways
async def test_bound_configuration_and_arguments_of_a_tier_are_kept(how: str) -> None:
    cheap = FakeChat(SURE, model_name="cheap")
    tier = cheap.bind(top_k=3).with_config(tags=["x"], metadata={"y": 1}).bind(stop=["E"])
    runs = Runs()
    message = await ask(how, ChatCascade(tiers=[tier, FakeChat()]), {"callbacks": [runs]})
    assert record_of(message)["reason"] == "confident"
    (seen,) = cheap.calls
    assert (seen.kwargs, seen.stop, seen.logprobs) == ({"top_k": 3}, ["E"], True)
    (run,) = runs.of("llm")
    assert "x" in run.tags
    assert run.metadata["y"] == 1


def test_the_callers_model_itself_is_never_changed() -> None:
    two = pair(UNSURE)
    before = dict(two.cheap.__dict__)
    two.cascade.invoke("hi")
    list(two.cascade.stream("hi"))
    assert {k: v for k, v in two.cheap.__dict__.items() if k != "_serialized"} == {
        k: v for k, v in before.items() if k != "_serialized"
    }
    assert two.cheap.logprobs is None
    assert two.cheap.disable_streaming is False


def test_a_model_that_was_told_to_give_no_logprobs_is_not_asked_for_them() -> None:
    cheap = FakeChat(SURE, model_name="cheap", logprobs=False)
    two = pair(cheap)
    with pytest.warns(match="no logprobs"):
        message = two.cascade.invoke("hi")
    assert record_of(message)["reason"] == "no_reading"
    assert not cheap.calls  # its draft would be thrown away unread


@ways
async def test_a_configurable_tier_stays_configurable_and_is_asked_for_logprobs(how: str) -> None:
    from langchain_core.runnables import ConfigurableField

    seen: list[Any] = []

    class Notes(FakeChat):
        def _say(self, *args: Any, **kwargs: Any) -> Say:
            seen.append((self.temperature, self.logprobs, kwargs["streamed"], args[2].get("tools")))
            return super()._say(*args, **kwargs)

    tier = Notes(SURE).configurable_fields(temperature=ConfigurableField(id="heat"))
    cascade = ChatCascade(tiers=[tier, FakeChat(ANSWER)])
    config: Any = {"configurable": {"heat": 0.4}}
    assert (await ask(how, cascade, config)).content == "sure answer"
    assert seen == [(0.4, True, False, None)]

    def look_up(city: str) -> str:
        """Look a city up."""
        return city

    await ask(how, cascade.bind_tools([look_up]), config)
    assert seen[1][0] == 0.4
    assert seen[1][3][0]["function"]["name"] == "look_up"


@ways
async def test_a_tier_with_alternatives_is_asked_for_logprobs_in_each(how: str) -> None:
    from langchain_core.runnables import ConfigurableField

    one, other = FakeChat(SURE, model_name="one"), FakeChat(SURE, model_name="other")
    tier = one.configurable_alternatives(ConfigurableField(id="which"), other=other)
    cascade = ChatCascade(tiers=[tier, FakeChat(ANSWER)])
    assert record_of(await ask(how, cascade))["model"] == "one"
    message = await ask(how, cascade, {"configurable": {"which": "other"}})
    assert record_of(message)["model"] == "other"
    assert one.calls[0].logprobs is other.calls[0].logprobs is True


@pytest.mark.usefixtures("only_new_garbage")
def test_tools_bound_once_serve_every_copy_of_a_cascade() -> None:
    def look_up(city: str) -> str:
        """Look a city up."""
        return city

    two = pair(SURE)
    binding = two.cascade.bind_tools([look_up])
    for number in range(30):  # each copy has new tiers, which may reuse the ids of old ones
        models = [FakeChat(Say(f"answer {number}")), FakeChat()]
        copy = two.cascade.model_copy(update={"tiers": models})
        message = binding.model_copy(update={"bound": copy}).invoke("hi")
        assert message.content == f"answer {number}"
        del copy, models
        gc.collect()


# --- signals that ask -----------------------------------------------------------------------------


@ways
async def test_samples_are_asked_for_at_once_and_bypass_streams(how: str) -> None:
    says = [Say("Oslo", p=None), *[Say("Oslo", p=None, beside=4)] * 4]
    two = pair(says, signals=[SelfConsistency(4, temperature=0.9)])
    message = await ask(how, two.cascade)
    record = record_of(message)
    assert record["reason"] == "confident"
    assert record["signals"]["self_consistency"] == 1.0
    assert [call["purpose"] for call in record["calls"]] == ["draft", *["sample"] * 4]
    assert [call["outcome"] for call in record["calls"]] == ["accepted", *["used"] * 4]
    assert two.cheap.journal.peak == 4
    samples = two.cheap.calls[1:]
    assert all(call.kwargs == {"temperature": 0.9} for call in samples)
    assert not any(call.streamed for call in samples)


@ways
async def test_seeded_samples_each_get_a_seed_of_their_own(how: str) -> None:
    cheap = FakeChat(Say("Oslo", p=None), model_name="cheap", seed=7)
    await ask(how, pair(cheap, signals=[SelfConsistency(3)]).cascade)
    seeds = [call.kwargs.get("seed") for call in cheap.calls[1:]]
    assert len(set(seeds)) == 3
    assert 7 not in seeds


@ways
async def test_samples_that_disagree_escalate(how: str) -> None:
    says = [Say(word, p=None) for word in ("Oslo", "Rome", "Bern", "Oslo")]
    two = pair(says, signals=[SelfConsistency(3)])
    message = await ask(how, two.cascade)
    assert message.content == ANSWER
    assert record_of(message)["confidence"] == pytest.approx(1 / 3)


@ways
@pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
async def test_some_failed_samples_are_left_out_and_all_failed_give_no_reading(how: str) -> None:
    fine, broken = Say("Oslo", p=None), Say(error=ProviderError())
    message = await ask(how, pair([fine, fine, broken, fine], signals=[SelfConsistency(3)]).cascade)
    record = record_of(message)
    assert record["confidence"] == 1.0
    assert sorted(call["outcome"] for call in record["calls"]) == [
        "accepted",
        "failed",
        "used",
        "used",
    ]
    with pytest.warns(match="got no sample"):
        message = await ask(how, pair([fine, broken], signals=[SelfConsistency(3)]).cascade)
    assert record_of(message)["reason"] == "no_reading"


def _judge(reply: Say) -> FakeChat:
    return FakeChat(reply, model_name="judge")


@ways
async def test_a_judge_decides_and_its_run_is_kept_out_of_streams(how: str) -> None:
    for reply, tier in ((Say("A"), 0), (Say("B"), 1)):
        judge = _judge(reply)
        two, runs = pair(Say("draft", p=None), signals=[Judge(judge)]), Runs()
        message = await ask(how, two.cascade, {"callbacks": [runs]})
        record = record_of(message)
        assert record["tier"] == tier
        (call,) = [c for c in record["calls"] if c["purpose"] == "judge"]
        assert call["model"] == "judge"
        (run,) = [r for r in runs.of("llm") if r.metadata["ls_model_name"] == "judge"]
        assert "nostream" in run.tags
        assert "draft" in judge.calls[0].prompt
        assert judge.calls[0].fields["disable_streaming"] is True


@ways
async def test_a_judge_has_neither_the_callers_tools_nor_stop_sequences(how: str) -> None:
    def look_up(city: str) -> str:
        """Look a city up."""
        return city

    judge = _judge(Say("A"))
    two = pair(Say("draft", p=None), signals=[Judge(judge)])
    bound = two.cascade.bind_tools([look_up]).bind(stop=["A"])
    await ask(how, bound)
    assert judge.calls[0].kwargs == {}
    assert judge.calls[0].stop is None
    assert two.cheap.calls[0].stop == ["A"]


@ways
async def test_a_judge_may_be_a_bound_model_or_a_name(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import langchain.chat_models

    judge = _judge(Say("B"))
    monkeypatch.setattr(langchain.chat_models, "init_chat_model", lambda name, **_: judge)
    for model in (judge.bind(top_k=1), judge.with_retry(), "some:judge"):
        message = await ask(how, pair(Say("x", p=None), signals=[Judge(model)]).cascade)
        assert record_of(message)["reason"] == "low_confidence"


@ways
async def test_a_judges_own_cascade_record_is_counted_call_by_call(how: str) -> None:
    inner = pair(Say("B", p=0.2), Say("B")).cascade
    message = await ask(how, pair(Say("x", p=None), signals=[Judge(inner)]).cascade)
    judged = [c for c in record_of(message)["calls"] if c["purpose"] == "judge"]
    assert [c["model"] for c in judged] == ["cheap", "strong"]


@ways
async def test_a_tier_is_asked_how_sure_it_is(how: str) -> None:
    for stated, tier in (("95", 0), ("20", 1)):
        two = pair([Say("Oslo", p=None), Say(stated, p=None)], signals=[Verbalized()])
        message = await ask(how, two.cascade)
        record = record_of(message)
        assert record["tier"] == tier
        assert record["signals"]["verbalized"] == pytest.approx(int(stated) / 100)
        asked = two.cheap.calls[1].messages
        assert [m.type for m in asked] == ["human", "ai", "human"]
        assert asked[1].content == "Oslo"
        assert record["calls"][1]["purpose"] == "verbalize"


def test_a_signal_that_needs_alternatives_asks_for_them() -> None:
    two = pair(SURE, signals=[TokenMargin()], on_no_score="accept")
    two.cascade.invoke("hi")
    assert two.cheap.calls[0].fields["top_logprobs"] == 2
    assert pair(SURE).cascade.invoke("hi")


@pytest.mark.parametrize("looped", [False, True])
def test_async_functions_serve_as_signals_and_gates_in_sync_code_too(looped: bool) -> None:
    import asyncio

    async def sure(request: Any, draft: Any) -> float:
        return 0.9

    async def fine(request: Any, draft: Any) -> bool:
        return True

    cascade = pair(SURE, signals=[sure], gates=[fine]).cascade

    async def below_a_running_loop() -> Any:
        return cascade.invoke("hi")

    message = asyncio.run(below_a_running_loop()) if looped else cascade.invoke("hi")
    assert record_of(message)["signals"] == {"sure": 0.9}


def test_a_rejected_draft_asks_no_paid_signal_that_could_not_save_it() -> None:
    judge = _judge(Say("A"))
    two = pair(UNSURE, signals=["sequence_logprob", Judge(judge)])
    two.cascade.invoke("hi")
    assert not judge.calls


def test_blocking_models_are_sampled_in_threads_that_end() -> None:
    class Blocking(FakeChat):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            time.sleep(0.02)
            return super()._generate(*args, **kwargs)

    before = set(threading.enumerate())
    two = pair(Blocking(Say("Oslo", p=None), model_name="cheap"), signals=[SelfConsistency(4)])
    with collect_decisions() as seen:
        two.cascade.invoke("hi")
    assert len(seen) == 1
    assert not set(threading.enumerate()) - before
