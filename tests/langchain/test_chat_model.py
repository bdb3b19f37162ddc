"""Every public way to ask a chat model, asked of a cascade."""

from __future__ import annotations

import asyncio
import copy
import warnings
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField

from cascade_core import collect_decisions, flush_log
from cascade_core.errors import ConfigurationError
from langchain_cascade import ChatCascade
from tests.langchain.fakes import (
    SURE,
    UNSURE,
    FakeChat,
    Say,
    answer_prompt,
    joined,
    pair,
    record_of,
)

ANSWER = "strong answer of many words"


def test_a_cascade_is_a_chat_model() -> None:
    assert isinstance(pair().cascade, BaseChatModel)


RECORD = {
    "id",
    "tier",
    "model",
    "accepted",
    "reason",
    "confidence",
    "threshold",
    "calibrated",
    "signals",
    "calls",
    "cost_usd",
    "class",
    "policy",
}
CALL = {
    "tier",
    "model",
    "purpose",
    "usage",
    "tokens_source",
    "cost_usd",
    "latency_ms",
    "outcome",
}


def test_the_record_is_plain_json_with_the_documented_fields_and_the_id_first() -> None:
    import json

    for says in (SURE, UNSURE):
        record = record_of(pair(says).cascade.invoke("hi"))
        assert record.keys() >= RECORD
        assert next(iter(record)) == "id"
        for call in record["calls"]:
            assert call.keys() >= CALL
        assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_an_accepted_draft_says_why() -> None:
    record = record_of(pair(SURE).cascade.invoke("hi"))
    assert (record["tier"], record["model"]) == (0, "cheap")
    assert record["accepted"] is True
    assert record["confidence"] == pytest.approx(0.99)
    assert record["threshold"] == 0.9
    assert record["calibrated"] is False
    assert record["calls"][0]["outcome"] == "accepted"
    assert record["calls"][0]["latency_ms"] >= 0


def test_an_escalated_request_says_why() -> None:
    record = record_of(pair(UNSURE).cascade.invoke("hi"))
    assert (record["tier"], record["model"]) == (1, "strong")
    assert record["accepted"] is False
    assert record["reason"] == "low_confidence"
    assert record["confidence"] == pytest.approx(0.3)
    assert [c["outcome"] for c in record["calls"]] == ["rejected", "returned"]


def test_the_id_of_a_decision_is_the_id_of_its_run() -> None:
    from uuid import uuid4

    run_id = uuid4()
    message = pair().cascade.invoke("hi", {"run_id": run_id})
    assert record_of(message)["id"] == str(run_id)


INPUTS: list[Any] = [
    "hi",
    [HumanMessage("hi")],
    [("user", "hi")],
    [{"role": "user", "content": "hi"}],
    [SystemMessage("Be kind"), HumanMessage("hi")],
    ChatPromptValue(messages=[HumanMessage("hi")]),
]


@pytest.mark.parametrize("given", INPUTS)
async def test_every_form_of_input_reaches_every_tier_as_it_is(given: Any) -> None:
    two = pair(UNSURE)
    two.cascade.invoke(given)
    await two.cascade.ainvoke(given)
    for model in (two.cheap, two.strong):
        assert [call.prompt for call in model.calls] == ["hi", "hi"]
    assert two.cheap.calls[0].messages == two.strong.calls[0].messages


def test_batch_as_completed_gives_every_answer_with_its_place() -> None:
    two = pair(answer_prompt)
    found = dict(two.cascade.batch_as_completed(["a", "b", "c"]))
    assert {place: m.content for place, m in found.items()} == {
        0: "you said: a",
        1: "you said: b",
        2: "you said: c",
    }


async def test_abatch_as_completed_gives_every_answer_with_its_place() -> None:
    two = pair(answer_prompt)
    found = {place: m.content async for place, m in two.cascade.abatch_as_completed(["a", "b"])}
    assert found == {0: "you said: a", 1: "you said: b"}


def test_batch_returns_exceptions_when_asked_to() -> None:
    two = pair(Say(error=ValueError()), Say(error=ValueError()))
    (error,) = two.cascade.batch(["hi"], return_exceptions=True)
    assert "no tier" in str(error)


def test_batch_respects_a_limit_of_concurrency() -> None:
    two = pair(Say("x", delay=0.01))
    two.cascade.batch(["hi"] * 6, {"max_concurrency": 2})
    assert two.cheap.journal.peak == 2


async def test_generate_and_agenerate_answer_a_list_of_prompts() -> None:
    two = pair(answer_prompt)
    prompts = [[HumanMessage("a")], [HumanMessage("b")]]
    for result in (two.cascade.generate(prompts), await two.cascade.agenerate(prompts)):
        texts = [generations[0].text for generations in result.generations]
        assert texts == ["you said: a", "you said: b"]
        message = result.generations[0][0].message
        assert record_of(message)["reason"] == "confident"


async def test_generate_prompt_and_agenerate_prompt_answer_prompt_values() -> None:
    two = pair(answer_prompt)
    values = [ChatPromptValue(messages=[HumanMessage("a")])]
    for result in (
        two.cascade.generate_prompt(values, stop=["zzz"]),
        await two.cascade.agenerate_prompt(values, stop=["zzz"]),
    ):
        assert result.generations[0][0].text == "you said: a"
    assert [call.stop for call in two.cheap.calls] == [["zzz"], ["zzz"]]


async def test_generate_passes_its_run_options_on() -> None:
    from tests.langchain.fakes import Runs

    for asynchronous in (False, True):
        two, runs = pair(UNSURE), Runs()
        more: Any = {
            "callbacks": [runs],
            "tags": ["t"],
            "metadata": {"m": 1},
            "run_name": "named",
        }
        if asynchronous:
            await two.cascade.agenerate([[HumanMessage("a")]], **more)
        else:
            two.cascade.generate([[HumanMessage("a")]], **more)
        (chain,) = runs.of("chain")
        assert chain.name == "named"
        for run in runs.by_id.values():
            assert "t" in run.tags
            assert run.metadata["m"] == 1


async def test_an_id_given_to_generate_is_that_of_the_first_run() -> None:
    from uuid import uuid4

    cascade, prompts = pair().cascade, [[HumanMessage("a")], [HumanMessage("b")]]
    for asynchronous in (False, True):
        run_id = uuid4()
        if asynchronous:
            result = await cascade.agenerate(prompts, run_id=run_id)
        else:
            result = cascade.generate(prompts, run_id=run_id)
        ids = [record_of(g[0].message)["id"] for g in result.generations]
        assert ids[0] == str(run_id)
        assert ids[1] != ids[0]


async def test_below_a_model_run_of_somebody_else_the_cascades_run_is_its_child() -> None:
    from langchain_core.callbacks import AsyncCallbackManager, CallbackManager

    from tests.langchain.fakes import Runs

    for asynchronous in (False, True):
        two, runs = pair(UNSURE), Runs()
        prompt = [HumanMessage("a")]
        if asynchronous:
            manager = AsyncCallbackManager(
                [runs], inheritable_handlers=[runs], inheritable_tags=["t"]
            )
            (run,) = await manager.on_chat_model_start({}, [prompt])
            result = await two.cascade._agenerate(prompt, run_manager=run)
        else:
            manager = CallbackManager([runs], inheritable_handlers=[runs], inheritable_tags=["t"])
            (run,) = manager.on_chat_model_start({}, [prompt])
            result = two.cascade._generate(prompt, run_manager=run)
        assert result.generations[0].text == ANSWER
        (chain,) = runs.of("chain")
        assert chain.parent == run.run_id
        assert all("t" in r.tags for r in runs.by_id.values() if r.parent is not None)
    assert two.cascade._generate(prompt).generations[0].text == ANSWER


async def test_stop_sequences_reach_every_tier_on_every_path() -> None:
    async def everywhere(model: Any, **kwargs: Any) -> None:
        model.invoke("hi", **kwargs)
        await model.ainvoke("hi", **kwargs)
        list(model.stream("hi", **kwargs))
        [chunk async for chunk in model.astream("hi", **kwargs)]
        model.batch(["hi"], **kwargs)
        await model.abatch(["hi"], **kwargs)
        list(model.stream_events("hi", version="v3", **kwargs))
        [e async for e in await model.astream_events("hi", version="v3", **kwargs)]
        [e async for e in model.astream_events("hi", version="v2", **kwargs)]

    paths = 9
    for asked in ("call", "bind", "field"):
        two = pair(UNSURE, **({"stop": ["END"]} if asked == "field" else {}))
        model: Any = two.cascade.bind(stop=["END"]) if asked == "bind" else two.cascade
        await everywhere(model, **({"stop": ["END"]} if asked == "call" else {}))
        for tier in (two.cheap, two.strong):
            assert [call.stop for call in tier.calls] == [["END"]] * paths
            assert not any("stop" in call.kwargs for call in tier.calls)


async def test_further_arguments_reach_every_tier_on_every_path() -> None:
    two = pair(UNSURE)
    model = two.cascade.bind(user="me")
    model.invoke("hi")
    await model.ainvoke("hi")
    list(model.stream("hi"))
    [chunk async for chunk in model.astream("hi")]
    for tier in (two.cheap, two.strong):
        assert [call.kwargs for call in tier.calls] == [{"user": "me"}] * 4


def test_a_tiers_own_stop_and_arguments_stay_where_the_caller_gives_none() -> None:
    cheap = FakeChat(UNSURE, model_name="cheap")
    cascade = ChatCascade(tiers=[cheap.bind(stop=["OWN"], top_k=3), FakeChat()])
    cascade.invoke("hi")
    list(cascade.stream("hi"))
    cascade.invoke("hi", stop=["CALL"])
    list(cascade.stream("hi", stop=["CALL"]))
    assert [call.stop for call in cheap.calls] == [["OWN"], ["OWN"], ["CALL"], ["CALL"]]
    assert all(call.kwargs == {"top_k": 3} for call in cheap.calls)


async def test_prompt_cascade_parser_is_a_chain() -> None:
    two = pair(UNSURE)
    chain = ChatPromptTemplate.from_template("say {word}") | two.cascade | StrOutputParser()
    with collect_decisions() as seen:
        assert chain.invoke({"word": "x"}) == ANSWER
        assert await chain.ainvoke({"word": "x"}) == ANSWER
        assert list(chain.stream({"word": "x"})) == [
            "strong ",
            "answer ",
            "of ",
            "many ",
            "words",
            "",
            "",
        ]
        assert "".join([t async for t in chain.astream({"word": "x"})]) == ANSWER
        assert chain.batch([{"word": "x"}] * 3) == [ANSWER] * 3
    assert [r["reason"] for r in seen] == ["low_confidence"] * 7
    assert two.cheap.calls[0].prompt == "say x"


def test_with_config_with_retry_and_with_fallbacks_wrap_a_cascade() -> None:
    two = pair([Say(error=ValueError()), SURE], [Say(error=ValueError()), SURE])
    retried = two.cascade.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    assert retried.invoke("hi").content == "sure answer"
    failing = pair(Say(error=ValueError()), Say(error=ValueError())).cascade
    backed = failing.with_fallbacks([FakeChat("backup")])
    assert backed.invoke("hi").content == "backup"
    assert two.cascade.with_config(tags=["t"]).invoke("hi").content == "sure answer"


async def test_thresholds_may_be_set_through_the_configuration() -> None:
    two = pair(Say("middling", p=0.6))
    configurable = two.cascade.configurable_fields(
        thresholds=ConfigurableField(id="thresholds"),
    )
    lax: Any = {"configurable": {"thresholds": [0.5]}}
    assert configurable.invoke("hi").content == ANSWER
    assert configurable.invoke("hi", lax).content == "middling"
    assert (await configurable.ainvoke("hi", lax)).content == "middling"
    assert joined(list(configurable.stream("hi", lax))).content == "middling"
    assert record_of(configurable.invoke("hi", lax))["threshold"] == 0.5
    assert configurable.invoke("hi").content == ANSWER
    with pytest.raises(ConfigurationError, match=r"thresholds\[0\] is 7"):
        configurable.invoke("hi", {"configurable": {"thresholds": [7]}})


def test_what_was_learned_of_a_tier_outlives_cascades_made_to_be_configured() -> None:
    two = pair(Say("words", p=None))
    configurable = two.cascade.configurable_fields(thresholds=ConfigurableField(id="thresholds"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for threshold in (0.1, 0.2, 0.3, 0.4, 0.5):
            configurable.invoke("hi", {"configurable": {"thresholds": [threshold]}})
    assert len(two.cheap.calls) == 3
    assert len(caught) == 1


def test_a_deep_copy_is_a_cascade_of_its_own() -> None:
    from langchain_core.language_models import FakeListChatModel

    models = [FakeListChatModel(responses=["a"]), FakeListChatModel(responses=["b"])]
    cascade = ChatCascade(tiers=models, signals=[lambda _r, _d: 1.0])
    for copied in (copy.deepcopy(cascade), cascade.model_copy(deep=True)):
        assert copied.invoke("hi").content == "a"
        assert copied.tiers[0] is not models[0]


def test_a_cascade_may_be_an_alternative_of_a_model_and_have_alternatives() -> None:
    two = pair(SURE)
    model = two.cascade.configurable_alternatives(
        ConfigurableField(id="llm"), default_key="cascade", plain=FakeChat("plain")
    )
    assert model.invoke("hi").content == "sure answer"
    assert model.invoke("hi", {"configurable": {"llm": "plain"}}).content == "plain"


@pytest.mark.parametrize("how", ["copy", "assignment"])
def test_changed_settings_take_effect_at_once(how: str) -> None:
    two = pair(Say("middling", p=0.6))
    cascade = two.cascade
    if how == "copy":
        changed = cascade.model_copy(update={"thresholds": [0.5]})
        assert cascade.invoke("hi").content == ANSWER
    else:
        cascade.thresholds = [0.5]
        changed = cascade
    assert changed.invoke("hi").content == "middling"
    with pytest.raises(ConfigurationError):
        cascade.model_copy(update={"thresholds": [7]})


async def test_a_rate_limiter_of_the_cascade_is_asked_once_a_request() -> None:
    asked: list[str] = []

    class Limiter(InMemoryRateLimiter):
        def acquire(self, *, blocking: bool = True) -> bool:
            asked.append("sync")
            return True

        async def aacquire(self, *, blocking: bool = True) -> bool:
            asked.append("async")
            return True

    two = pair(UNSURE, rate_limiter=Limiter(requests_per_second=1e6))
    two.cascade.invoke("hi")
    list(two.cascade.stream("hi"))
    await two.cascade.ainvoke("hi")
    [chunk async for chunk in two.cascade.astream("hi")]
    assert asked == ["sync", "sync", "async", "async"]
    asked.clear()
    limited = FakeChat(UNSURE, model_name="cheap", rate_limiter=Limiter(requests_per_second=1e6))
    three = pair(limited)
    three.cascade.invoke("hi")
    list(three.cascade.stream("hi"))
    await three.cascade.ainvoke("hi")
    [chunk async for chunk in three.cascade.astream("hi")]
    assert asked == ["sync", "sync", "async", "async"]


async def test_async_ways_block_no_event_loop_and_use_no_thread() -> None:
    import asyncio
    import threading

    two = pair(Say("slow", p=0.2, delay=0.05), Say(ANSWER, delay=0.05))
    before = set(threading.enumerate())
    await asyncio.gather(*(two.cascade.ainvoke("hi") for _ in range(20)))
    assert two.cheap.journal.peak > 1  # one at a time, if they blocked
    assert {call.thread for call in two.cheap.calls} == {threading.current_thread().name}
    assert len(set(threading.enumerate()) - before) <= 1


def test_the_profile_is_what_every_tier_can_do() -> None:
    cheap = FakeChat(profile={"max_input_tokens": 1000, "tool_calling": True, "image_inputs": True})
    strong = FakeChat(
        profile={"max_input_tokens": 9000, "tool_calling": True, "image_inputs": False}
    )
    assert pair(cheap, strong).cascade.profile == {
        "max_input_tokens": 1000,
        "tool_calling": True,
        "image_inputs": False,
    }
    assert pair(cheap, FakeChat()).cascade.profile == cheap.profile
    assert pair(FakeChat(), FakeChat()).cascade.profile is None
    partly = FakeChat(profile={"max_input_tokens": 5, "tool_calling": False})
    assert pair(cheap, partly).cascade.profile == {"max_input_tokens": 5, "tool_calling": False}
    own = pair(cheap, strong, profile={"max_input_tokens": 5}).cascade
    assert own.profile == {"max_input_tokens": 5}


def test_agents_find_no_tiers_name_on_a_cascade() -> None:
    cascade = pair().cascade
    assert not hasattr(cascade, "model_name")
    assert not hasattr(cascade, "model")


def test_tokens_are_counted_as_the_first_tier_counts_them() -> None:
    class Counts(FakeChat):
        def get_token_ids(self, text: str) -> list[int]:
            return [0] * len(text)

    cascade = pair(Counts()).cascade
    assert cascade.get_num_tokens("four") == 4
    assert cascade.get_token_ids("four") == [0] * 4
    assert cascade.get_num_tokens_from_messages([HumanMessage("four")]) > 4


def test_one_tier_alone_is_a_cascade_too() -> None:
    cascade = ChatCascade(tiers=[FakeChat("only", model_name="only")])
    record = record_of(cascade.invoke("hi"))
    assert record["reason"] == "only_tier"
    assert record["tier"] == 0
    assert joined(list(cascade.stream("hi"))).content == "only"


def test_three_tiers_are_climbed_one_by_one() -> None:
    models = [
        FakeChat(Say("a", p=0.1), model_name="a"),
        FakeChat(Say("b", p=0.75), model_name="b"),
        FakeChat(Say("c"), model_name="c"),
    ]
    assert ChatCascade(tiers=models, thresholds=[0.8, 0.7]).invoke("hi").content == "b"
    assert ChatCascade(tiers=models, thresholds=[0.8, 0.8]).invoke("hi").content == "c"
    assert ChatCascade(tiers=models, thresholds=[0.05, 0.8]).invoke("hi").content == "a"
    record = record_of(ChatCascade(tiers=models).invoke("hi"))
    assert [call["tier"] for call in record["calls"]] == [0, 1, 2]


REFUSALS = {
    "a refusal in words": (Say("I'm sorry, but I can't help with that."), "gate_refusal"),
    "a recorded refusal of OpenAI": (
        Say("", payload={"content": None, "refusal": [{"token": "I", "logprob": -0.01}]}),
        "gate_refusal",
    ),
    "a refusal field": (Say("", refusal="No."), "gate_refusal"),
    "a content filter": (Say("half", finish="content_filter"), "gate_refusal"),
    "a cut at the token limit": (Say("half of", finish="length"), "gate_truncated"),
    "nothing": (Say(""), "gate_empty"),
    "white space": (Say("  \n "), "gate_empty"),
}


@pytest.mark.parametrize("case", list(REFUSALS))
@pytest.mark.parametrize("streamed", [False, True])
def test_what_no_confidence_can_save_escalates(case: str, streamed: bool) -> None:
    says, reason = REFUSALS[case]
    cascade = pair(says).cascade
    message = joined(list(cascade.stream("hi"))) if streamed else cascade.invoke("hi")
    assert record_of(message)["reason"] == reason
    assert message.content == ANSWER


def test_a_failed_gate_on_the_last_tier_is_noted_and_the_answer_returned() -> None:
    message = pair(UNSURE, "I cannot help with that.").cascade.invoke("hi")
    assert message.content == "I cannot help with that."
    assert record_of(message)["calls"][1]["note"] == "gate_refusal"


def test_a_class_comes_from_the_callers_metadata() -> None:
    message = pair().cascade.invoke("hi", {"metadata": {"cascade_class": "billing"}})
    assert record_of(message)["class"] == "billing"


async def answered(cascade: ChatCascade, how: str) -> Any:
    if how == "invoke":
        return cascade.invoke("hi")
    if how == "ainvoke":
        return await cascade.ainvoke("hi")
    if how == "stream":
        return joined(list(cascade.stream("hi")))
    return joined([chunk async for chunk in cascade.astream("hi")])


@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
async def test_shadow_mode_serves_the_strong_tier_and_records_what_would_have_been(
    how: str,
) -> None:
    for says, reason, accepted in ((SURE, "confident", True), (UNSURE, "low_confidence", False)):
        two = pair(says, mode="shadow")
        with collect_decisions() as seen:
            message = await answered(two.cascade, how)
        record = record_of(message)
        assert message.content == ANSWER
        assert (record["reason"], record["tier"]) == ("shadow", 1)
        await asyncio.to_thread(flush_log)
        (whole,) = seen
        assert whole["id"] == record["id"]
        assert whole["shadow"]["accepted"] is accepted
        assert whole["shadow"]["reason"] == reason
        assert {call["outcome"] for call in whole["calls"]} == {"returned", "rejected"}
        assert len(two.cheap.calls) == len(two.strong.calls) == 1


def test_answers_keep_content_that_is_a_list_of_blocks() -> None:
    class Blocks(FakeChat):
        def _result(self, *args: Any, **kwargs: Any) -> Any:
            result = super()._result(*args, **kwargs)
            message = result.generations[0].message
            message.content = [{"type": "text", "text": message.content}]
            return result

    message = pair(Blocks(SURE)).cascade.invoke("hi")
    assert isinstance(message, AIMessage)
    assert message.content == [{"type": "text", "text": "sure answer"}]
    assert record_of(message)["reason"] == "confident"
