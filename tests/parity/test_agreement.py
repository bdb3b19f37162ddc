"""Other models that are asked the same, in both frameworks: when, for how long, at whose expense."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections import Counter
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from cascade_core import Breaker, Budget, collect_decisions
from cascade_core.errors import ConfigurationError
from cascade_core.signals import Agreement, SequenceLogprob
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.balances import balances_of
from tests.langchain.fakes import FakeChat
from tests.langchain.fakes import Say as Said
from tests.llamaindex.fakes import FakeLLM, Say
from tests.parity import test_against_the_clock as clock
from tests.parity.test_against_the_clock import FRAMEWORKS, HOW, Hangs, asked, hangs, learn

__all__ = ["hangs"]

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PRICES = {f"m{k}": {"input": 10**k, "output": 2 * 10**k} for k in range(4)}
WHEN = pytest.mark.parametrize("eager", [False, True], ids=["lazy", "eager"])


def partner(framework: str, hangs: Hangs, name: str = "m2", text: str = "it is cheap") -> Any:
    if framework == "langchain":
        return clock.chatting(name, Said(text, p=None), hangs)
    return clock.model(name, Say(text, p=None), hangs)


def make(framework: str, hangs: Hangs, *partners: Any, eager: bool = False, **settings: Any) -> Any:
    settings = {"prices": PRICES, **settings}
    if partners:
        settings["signals"] = [Agreement(*partners, eager=eager)]
    return clock.make(framework, hangs, **settings)


def record_of(cascade: Any, how: str) -> dict[str, Any]:
    with collect_decisions() as seen:
        asked(cascade, how)
    (record,) = seen
    return record


def trail(record: Any) -> list[tuple[Any, str, str]]:
    return [(call["model"], call["purpose"], call["outcome"]) for call in record["calls"]]


def price_of(record: Any) -> float:
    return sum(call["cost_usd"] for call in record["calls"])


@FRAMEWORKS
@HOW
@WHEN
def test_models_are_asked_at_the_same_time(framework, how, eager, hangs):
    hangs.models = {"m2", "m3"}
    both = []

    def when_both_run() -> None:
        both.append(hangs.begun["m2"].wait(60) and hangs.begun["m3"].wait(60))
        hangs.let_go("m2", "m3")

    watching = threading.Thread(target=when_both_run)
    watching.start()
    others = [partner(framework, hangs, name) for name in ("m2", "m3")]
    record = record_of(make(framework, hangs, *others, eager=eager), how)
    watching.join()
    assert both == [True]
    assert record["judged"][0]["signals"] == {"agreement": 1.0}
    assert Counter(trail(record)) == Counter(
        [("m0", "draft", "accepted"), ("m2", "agree", "used"), ("m3", "agree", "used")]
    )
    assert record["cost_usd"] == pytest.approx(price_of(record))


@FRAMEWORKS
@HOW
@WHEN
def test_only_eager_models_are_asked_while_the_draft_is_written(framework, how, eager, hangs):
    hangs.models = {"m0"}
    early = []

    def while_the_draft_hangs() -> None:
        hangs.begun["m0"].wait(60)
        early.append(hangs.begun["m2"].wait(20 if eager else 0.2))
        hangs.let_go("m0")

    watching = threading.Thread(target=while_the_draft_hangs)
    watching.start()
    cascade = make(framework, hangs, partner(framework, hangs), eager=eager)
    record = record_of(cascade, how)
    watching.join()
    assert early == [eager]
    assert trail(record) == [("m0", "draft", "accepted"), ("m2", "agree", "used")]


@FRAMEWORKS
@HOW
@WHEN
def test_a_deadline_cuts_a_model_and_that_is_no_reading(framework, how, eager, hangs):
    hangs.models = {"m2"}
    cascade = make(framework, hangs, partner(framework, hangs), eager=eager, deadline=clock.TIME)
    learn(cascade, {1: 0.001})
    record = record_of(cascade, how)
    assert (record["tier"], record["reason"]) == (1, "no_reading")
    assert trail(record)[1][1:] == ("agree", "aborted")
    if how in ("async", "astream"):
        assert hangs.cancelled == ["m2"]


@FRAMEWORKS
@HOW
def test_an_answer_does_not_wait_for_ever_for_a_model_that_it_has_no_use_for(framework, how, hangs):
    hangs.models = {"m2"}
    signals = [SequenceLogprob(), Agreement(partner(framework, hangs), eager=True)]
    weights = {"sequence_logprob": 99, "agreement": 1}
    record = record_of(make(framework, hangs, signals=signals, combine=weights), how)
    assert (record["tier"], record["reason"]) == (0, "confident")
    assert trail(record)[1][1:] == ("agree", "aborted")
    assert record["cost_usd"] is None  # nobody knows what that call cost


@FRAMEWORKS
@WHEN
def test_who_cancels_a_request_cancels_what_it_asks(framework, eager, hangs):
    hangs.models = {"m0", "m2"} if eager else {"m2"}
    cascade = make(
        framework, hangs, partner(framework, hangs), eager=eager, budget=Budget(usd=1, per="day")
    )

    async def cancelled() -> None:
        request = asyncio.create_task(
            clock._aasked(cascade, "async", lang=framework == "langchain")
        )
        for name in hangs.models:
            await asyncio.to_thread(hangs.begun[name].wait, 60)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    with collect_decisions() as seen:
        asyncio.run(cancelled())
    assert sorted(hangs.cancelled) == sorted(hangs.models)
    (record,) = seen
    assert record["reason"] == "cancelled"
    outcomes = {call["purpose"]: call["outcome"] for call in record["calls"]}
    assert outcomes == {"draft": "aborted", "agree": "aborted"}
    (balance,) = balances_of(cascade).values()
    assert balance.held.nano_usd == 0  # nothing stays set aside
    assert balance.used.nano_usd > 0


@FRAMEWORKS
@HOW
@WHEN
def test_a_budget_is_charged_for_every_call_once(framework, how, eager, hangs):
    cascade = make(
        framework,
        hangs,
        partner(framework, hangs),
        partner(framework, hangs, "m3"),
        eager=eager,
        budget=Budget(usd=1, per="day"),
    )
    record = record_of(cascade, how)
    (balance,) = balances_of(cascade).values()
    assert balance.held.nano_usd == 0
    assert balance.used.nano_usd == round(price_of(record) * 1e9) > 0


@FRAMEWORKS
@HOW
@WHEN
def test_without_room_in_a_budget_no_model_is_asked_and_that_is_no_reading(
    framework, how, eager, hangs
):
    room = Budget(usd=0.001, per="day", when_short="cheapest")
    cascade = make(framework, hangs, partner(framework, hangs, "m3"), eager=eager, budget=room)
    record = record_of(cascade, how)
    assert not hangs.begun["m3"].is_set()
    assert all(call["purpose"] == "draft" for call in record["calls"])
    assert record["judged"][0]["reason"] == "no_reading"


@FRAMEWORKS
@WHEN
def test_a_model_that_keeps_failing_is_left_alone(framework, eager, hangs):
    if framework == "langchain":
        down = FakeChat(Said(error=ConnectionError()), model_name="m2")
        seen = lambda: len(down.calls)  # noqa: E731
    else:
        down = FakeLLM(Say(error=ConnectionError()), "m2")
        seen = lambda: down.journal.count  # noqa: E731
    cascade = make(framework, hangs, down, eager=eager, breaker=Breaker(failures=2))
    records = [record_of(cascade, "whole") for _ in range(5)]
    assert seen() == 2
    assert {record["reason"] for record in records} == {"no_reading"}


@pytest.mark.simulation
@FRAMEWORKS
@WHEN
async def test_hundreds_of_requests_at_once_keep_their_answers_apart(framework, eager):
    if framework == "langchain":

        def echo(messages: Any, _: Any) -> Said:
            return Said(str(messages[-1].content), p=None)

        models = [FakeChat(echo, model_name=f"m{k}") for k in range(3)]
        cascade = ChatCascade(
            tiers=models[:2], signals=[Agreement(models[2], eager=eager)], prices=PRICES
        )
        asks = [cascade.ainvoke(f"question {i}") for i in range(250)]
        calls = lambda model: len(model.calls)  # noqa: E731
    else:
        models = [FakeLLM(lambda seen: Say(seen.prompt, p=None), f"m{k}") for k in range(3)]
        cascade = CascadeLLM(
            tiers=models[:2], signals=[Agreement(models[2], eager=eager)], prices=PRICES
        )
        asks = [cascade.achat([ChatMessage(f"question {i}")]) for i in range(250)]
        calls = lambda model: model.journal.count  # noqa: E731
    with collect_decisions() as seen:
        await asyncio.gather(*asks)
    assert [calls(model) for model in models] == [250, 0, 250]
    assert len(seen) == 250
    for record in seen:
        assert record["reason"] == "confident"
        assert [call["purpose"] for call in record["calls"]] == ["draft", "agree"]
        assert record["cost_usd"] == pytest.approx(price_of(record))


@FRAMEWORKS
@pytest.mark.parametrize("place", [0, 1])
def test_a_tier_of_the_cascade_is_no_other_model(framework, place, hangs):
    cascade = make(framework, hangs, signals=None)
    tier = cascade.tiers[place]
    with pytest.raises(ConfigurationError, match=rf"tier {place} \(m{place}\) of this cascade"):
        type(cascade)(tiers=cascade.tiers, signals=[Agreement(tier)])._engine.warm_up()


@FRAMEWORKS
def test_what_is_no_model_is_refused_in_words(framework, hangs):
    with pytest.raises(ConfigurationError, match="Agreement"):
        make(framework, hangs, object())._engine.warm_up()


class Plain(FakeListChatModel):
    """A chat model that can be pickled."""

    model_name: str


@FRAMEWORKS
@pytest.mark.parametrize("way", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copied_cascade_knows_the_models_of_its_own_signal(framework, way):
    if framework == "langchain":
        chats = [Plain(responses=["it is cheap"], model_name=f"m{k}") for k in range(3)]
        made: Any = ChatCascade(tiers=chats[:2], signals=[Agreement(chats[2])])
    else:
        llms = [OpenAILike(model=f"m{k}", api_key="unused") for k in range(3)]
        made = CascadeLLM(tiers=llms[:2], signals=[Agreement(llms[2])])
    copied = way(made)
    (signal,) = copied._engine.plan.signals
    tier = copied._engine.partners.get(signal.partners[0])
    assert tier is not None
    assert tier.model == "m2"
    assert tier is not made._engine.partners.tiers[0]


def test_a_model_that_would_be_unpickled_in_part_is_named():
    models = [OpenAILike(model=f"m{k}", api_key="unused") for k in range(2)]
    made = CascadeLLM(tiers=models, signals=[Agreement(FakeLLM(Say("?"), "m2"))])
    with pytest.raises(pickle.PicklingError, match=r"signals\[0\] \(FakeLLM\).*script"):
        pickle.dumps(made)


class Runs(BaseCallbackHandler):
    """Keeps what is said of the runs of models."""

    def __init__(self) -> None:
        self.tags: list[list[str]] = []
        self.metadata: list[dict[str, Any]] = []
        self.tokens: list[str] = []

    def on_chat_model_start(
        self, *_: Any, tags: Any = None, metadata: Any = None, **__: Any
    ) -> None:
        self.tags.append(tags)
        self.metadata.append(metadata)

    def on_llm_new_token(self, token: str, **_: Any) -> None:
        self.tokens.append(token)


@WHEN
def test_langchains_runs_say_what_a_call_is_for_and_its_tokens_reach_no_stream(eager, hangs):
    runs = Runs()
    other = partner("langchain", hangs, text="it is something else")
    cascade = make("langchain", hangs, other, eager=eager, thresholds=[0.0])
    shown = "".join(c.text for c in cascade.stream("?", {"callbacks": [runs]}))
    agree = [place for place, tags in enumerate(runs.tags) if "cascade:agree" in tags]
    assert len(agree) == 1
    assert "nostream" in runs.tags[agree[0]]
    said = runs.metadata[agree[0]]
    assert said["cascade_purpose"] == "agree"
    assert "cascade_tier" not in said
    assert shown == "it is cheap"
    assert "else" not in "".join(runs.tokens)
