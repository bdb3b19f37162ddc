"""Drafts that are accepted by their first tokens, in both frameworks and every way of asking."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from llama_index.core.llms import ChatMessage

from cascade_core import collect_decisions
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.core.loop.test_committing import policy_of, rule
from tests.parity import langchain_way, llamaindex_way
from tests.parity.scenarios import STRONG, Answer, Model, Scenario

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

COMMITS = {"policy": policy_of(rule(2)), "thresholds": 0.9}
DRAFT = "It ships on Monday morning."


def row(answer: Answer, **settings: Any) -> Scenario:
    return Scenario(
        "a draft that may be committed to",
        [Model(answer), STRONG],
        trail=[],
        reason="",
        settings={**COMMITS, **settings},
    )


WAYS = [(f, way) for f in (langchain_way, llamaindex_way) for way in f.WAYS]
every_way = pytest.mark.parametrize(
    ("framework", "way"), WAYS, ids=[f"{f.__name__.rpartition('.')[2]}-{w}" for f, w in WAYS]
)


@every_way
async def test_a_sure_draft_is_accepted_by_its_first_tokens(framework: Any, way: str) -> None:
    outcome = await framework.run(row(Answer(DRAFT)), way)
    assert outcome.trail == ["0 draft accepted"]
    assert outcome.shown == (DRAFT, [])
    assert outcome.record["committed"] == {"tokens": 2, "live": "stream" in way}
    assert outcome.record["confidence"] == pytest.approx(0.99, abs=1e-3)
    assert outcome.record["signals"]["sequence_logprob"] == pytest.approx(0.99)
    assert (outcome.record["reason"], outcome.record["accepted"]) == ("confident", True)


@every_way
async def test_an_unsure_one_is_sent_on_and_never_seen(framework: Any, way: str) -> None:
    outcome = await framework.run(row(Answer(DRAFT, p=0.5)), way)
    assert outcome.record["tier"] == 1
    assert outcome.shown == (STRONG.draft.text, [])
    assert "committed" not in outcome.record


@every_way
async def test_what_is_cut_at_its_limit_when_it_is_out_is_said(framework: Any, way: str) -> None:
    outcome = await framework.run(row(Answer(DRAFT, finish="length")), way)
    if "stream" in way:
        assert outcome.trail == ["0 draft accepted:gate_truncated"]
        assert outcome.shown == (DRAFT, [])
        assert outcome.record["committed"] == {
            "tokens": 2,
            "live": True,
            "error": "gate_truncated",
        }
    else:
        assert outcome.record["tier"] == 1
        assert "committed" not in outcome.record


@every_way
async def test_it_is_off_unless_it_is_asked_for(framework: Any, way: str) -> None:
    outcome = await framework.run(row(Answer(DRAFT), streaming_policy="abort"), way)
    assert outcome.trail == ["0 draft accepted"]
    assert "committed" not in outcome.record


async def pieces(framework: Any, way: str, models: list[Any], **settings: Any) -> Any:
    """Read a stream; return the texts that came, and what was raised."""
    given, came = {**COMMITS, **settings}, list[str]()
    try:
        if framework is langchain_way:
            llm: Any = ChatCascade(tiers=models, **given)
            if way == "stream":
                came.extend(chunk.text for chunk in llm.stream("When?"))
            else:
                async for chunk in llm.astream("When?"):
                    came += [chunk.text]
        else:
            llm = CascadeLLM(tiers=models, **given)
            asked = [ChatMessage(content="When?")]
            if way == "stream_chat":
                came.extend(part.delta or "" for part in llm.stream_chat(asked))
            else:
                async for part in await llm.astream_chat(asked):
                    came += [part.delta or ""]
    except Exception as error:  # noqa: BLE001 - what is raised is looked at
        return came, error
    return came, None


def models_of(framework: Any, answer: Answer) -> list[Any]:
    if framework is langchain_way:
        return [
            framework.make_model(model, f"m{k}", row(answer))
            for k, model in enumerate((Model(answer), STRONG))
        ]
    return [framework.make_model(model, f"m{k}") for k, model in enumerate((Model(answer), STRONG))]


STREAMS = [(f, way) for f, way in WAYS if "stream" in way]
every_stream = pytest.mark.parametrize(
    ("framework", "way"), STREAMS, ids=[f"{f.__name__.rpartition('.')[2]}-{w}" for f, w in STREAMS]
)


@every_stream
async def test_a_stream_that_breaks_when_it_is_out_raises_as_the_model_does(
    framework: Any, way: str
) -> None:
    broken = Answer(DRAFT, error="outage", after=4)
    with collect_decisions() as seen:
        came, error = await pieces(framework, way, models_of(framework, broken))
    assert "".join(came).startswith("It ships on")
    assert STRONG.draft.text not in "".join(came)
    assert type(error.__cause__).__name__ == "ProviderError"
    (record,) = seen
    assert record["reason"] == "exhausted"
    assert record["committed"] == {"tokens": 2, "live": True, "error": "failed"}
    assert [(call["tier"], call["outcome"]) for call in record["calls"]] == [(0, "failed")]


@every_stream
async def test_one_that_breaks_before_is_sent_on(framework: Any, way: str) -> None:
    broken = Answer(DRAFT, error="outage", after=1)
    came, error = await pieces(framework, way, models_of(framework, broken))
    assert error is None
    assert "".join(came) == STRONG.draft.text


@every_stream
async def test_a_stream_that_is_left_when_it_is_out_says_how_far_it_was(
    framework: Any, way: str
) -> None:
    models = models_of(framework, Answer(DRAFT))
    with collect_decisions() as seen:
        if framework is langchain_way:
            llm: Any = ChatCascade(tiers=models, **COMMITS)
            items = llm.stream("When?") if way == "stream" else llm.astream("When?")
        else:
            llm = CascadeLLM(tiers=models, **COMMITS)
            asked = [ChatMessage(content="When?")]
            items = (
                llm.stream_chat(asked) if way == "stream_chat" else await llm.astream_chat(asked)
            )
        if way.startswith("a"):
            await anext(items)
            await items.aclose()
        else:
            next(items)
            items.close()
    await asyncio.sleep(0)
    (record,) = seen
    assert record["reason"] == "cancelled"
    assert record["committed"] == {"tokens": 2, "live": True}
    assert [(call["tier"], call["outcome"]) for call in record["calls"]] == [(0, "aborted")]


class Heard(BaseCallbackHandler):
    """Hears tokens of the cascade's models."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def on_llm_new_token(self, token: str, **_: Any) -> None:
        self.tokens.append(token)


async def test_langchains_events_tell_of_the_draft_as_it_comes_and_of_no_other_model() -> None:
    llm = ChatCascade(tiers=models_of(langchain_way, Answer(DRAFT)), **COMMITS)
    told = [
        event["data"]["chunk"].text
        async for event in llm.astream_events("When?", version="v2")
        if event["event"] == "on_chat_model_stream"
    ]
    assert "".join(told).count("Monday") >= 1
    assert "third" not in "".join(told)


def test_a_handler_hears_the_tokens_before_the_stream_is_over() -> None:
    heard = Heard()
    llm = ChatCascade(tiers=models_of(langchain_way, Answer(DRAFT)), **COMMITS)
    items = llm.stream("When?", {"callbacks": [heard]})
    next(items)
    assert heard.tokens
    assert "".join(heard.tokens) != DRAFT
    items.close()
