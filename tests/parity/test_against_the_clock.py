"""Deadlines and early starts in both frameworks, in every way of asking.

No model here is slow by so many seconds: it hangs until a test lets it go, so that nothing hangs
on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import pytest
from llama_index.core.instrumentation.dispatcher import instrument_tags
from llama_index.core.llms import ChatMessage

from cascade_core import Budget, collect_decisions, flush_log
from cascade_core.errors import ConfigurationError
from cascade_core.guards.ledger import Amount
from cascade_core.loop.racing_async import _Task
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.balances import balances_of
from tests.langchain.fakes import FakeChat
from tests.langchain.fakes import Say as Said
from tests.llamaindex.fakes import FakeLLM, Say
from tests.standing import time_waits

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PRICES = {"m0": {"input": 1, "output": 2}, "m1": {"input": 10, "output": 20}}
FRAMEWORKS = pytest.mark.parametrize("framework", ["langchain", "llamaindex"])
HOW = pytest.mark.parametrize("how", ["whole", "stream", "async", "astream"])
SOON = 0.05
TIME = 0.1


class Hangs:
    """Which models hang until they are let go, and what became of those that did."""

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.begun = {name: threading.Event() for name in ("m0", "m1", "m2", "m3")}
        self.cancelled: list[str] = []
        self.closed: list[str] = []
        self._gone = {name: threading.Event() for name in self.begun}

    def let_go(self, *models: str) -> None:
        for model in models:
            self._gone[model].set()

    def wait(self, model: str) -> None:
        self.begun[model].set()
        if model in self.models:
            self._gone[model].wait(60)

    async def await_(self, model: str) -> None:
        self.begun[model].set()
        try:
            while model in self.models and not self._gone[model].is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            self.cancelled.append(model)
            raise

    @contextmanager
    def closing(self, model: str) -> Iterator[None]:
        try:
            yield
        except GeneratorExit:
            self.closed.append(model)
            raise


class Chat(FakeChat):
    """A chat model that hangs before its answer, or after the first chunk of it."""

    max_tokens: int | None = 40
    hangs: Any = None

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        self.hangs.wait(self.model_name)
        return super()._generate(*args, **kwargs)

    async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
        await self.hangs.await_(self.model_name)
        return super()._generate(*args[:2], **kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Any:
        with self.hangs.closing(self.model_name):
            for place, chunk in enumerate(super()._stream(*args, **kwargs)):
                if place == 1:
                    self.hangs.wait(self.model_name)
                yield chunk

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for place, chunk in enumerate(super()._stream(*args[:2], **kwargs)):
            if place == 1:
                await self.hangs.await_(self.model_name)
            yield chunk


class Model(FakeLLM):
    """The same of LlamaIndex."""

    max_tokens: int | None = 40
    hangs: Any = None

    def chat(self, *args: Any, **kwargs: Any) -> Any:
        self.hangs.wait(self.model)
        return super().chat(*args, **kwargs)

    async def achat(self, *args: Any, **kwargs: Any) -> Any:
        await self.hangs.await_(self.model)
        return super().chat(*args, **kwargs)

    def stream_chat(self, *args: Any, **kwargs: Any) -> Any:
        def gen() -> Iterator[Any]:
            with self.hangs.closing(self.model):
                for place, chunk in enumerate(super(Model, self).stream_chat(*args, **kwargs)):
                    if place == 1:
                        self.hangs.wait(self.model)
                    yield chunk

        return gen()

    async def astream_chat(self, *args: Any, **kwargs: Any) -> Any:
        async def gen() -> AsyncIterator[Any]:
            for place, chunk in enumerate(super(Model, self).stream_chat(*args, **kwargs)):
                if place == 1:
                    await self.hangs.await_(self.model)
                yield chunk

        return gen()


@pytest.fixture
def hangs() -> Iterator[Hangs]:
    made = Hangs()
    yield made
    made.let_go("m0", "m1", "m2", "m3")


@pytest.fixture
def _late(hangs: Hangs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have time stand still until all that hangs is asked, however slow the machine is."""
    time_waits(monkeypatch, lambda: all(hangs.begun[each].is_set() for each in hangs.models))


def make(framework: str, hangs: Hangs, p: float = 0.99, **settings: Any) -> Any:
    settings = {"prices": PRICES, "thresholds": [0.8], **settings}
    if framework == "langchain":
        return ChatCascade(
            tiers=[
                chatting("m0", Said("it is cheap", p=p), hangs),
                chatting("m1", Said("it is strong", p=0.9), hangs),
            ],
            **settings,
        )
    tiers = [model("m0", Say("it is cheap", p=p), hangs)]
    return CascadeLLM(tiers=[*tiers, model("m1", Say("it is strong", p=0.9), hangs)], **settings)


def chatting(name: str, says: Said, hangs: Hangs) -> Any:
    return Chat(says, model_name=name, hangs=hangs)


def model(name: str, says: Say, hangs: Hangs) -> Any:
    made = Model(says, name)
    object.__setattr__(made, "hangs", hangs)
    return made


def asked(cascade: Any, how: str) -> str:
    """Ask in one way; return the text."""
    lang = isinstance(cascade, ChatCascade)
    if how == "whole":
        if lang:
            return cascade.invoke("?").text
        return cascade.chat([ChatMessage("?")]).message.content
    if how == "stream":
        if lang:
            return "".join(chunk.text for chunk in cascade.stream("?"))
        return list(cascade.stream_chat([ChatMessage("?")]))[-1].message.content
    return asyncio.run(_aasked(cascade, how, lang=lang))


async def _aasked(cascade: Any, how: str, *, lang: bool) -> str:
    if how == "async":
        if lang:
            return (await cascade.ainvoke("?")).text
        return (await cascade.achat([ChatMessage("?")])).message.content
    if lang:
        return "".join([chunk.text async for chunk in cascade.astream("?")])
    chunks = [chunk async for chunk in await cascade.astream_chat([ChatMessage("?")])]
    return chunks[-1].message.content


def learn(cascade: Any, seconds: dict[int, float], answers: int = 30) -> None:
    """Make a cascade know how long its tiers take."""
    cascade._engine.warm_up()
    for tier, took in seconds.items():
        for _ in range(answers):
            cascade._engine.latencies.of[tier].took(took)


@pytest.mark.usefixtures("_late")
@FRAMEWORKS
@HOW
def test_a_draft_that_takes_too_long_is_cut_and_the_last_tier_answers(framework, how, hangs):
    hangs.models = {"m0"}
    cascade = make(framework, hangs, deadline=TIME)
    learn(cascade, {1: 0.001})
    with collect_decisions() as seen:
        assert asked(cascade, how) == "it is strong"
    (record,) = seen
    assert (record["tier"], record["reason"]) == (1, "deadline")
    assert [(call["tier"], call["outcome"]) for call in record["calls"]] == [
        (0, "aborted"),
        (1, "returned"),
    ]
    assert "promise" not in record
    if how in ("async", "astream"):
        assert hangs.cancelled == ["m0"]


@FRAMEWORKS
@HOW
def test_a_draft_for_which_there_is_no_time_is_not_asked_for(framework, how, hangs):
    cascade = make(framework, hangs, deadline=60.0)
    learn(cascade, {0: 40.0, 1: 40.0})
    with collect_decisions() as seen:
        assert asked(cascade, how) == "it is strong"
    (record,) = seen
    assert record["reason"] == "deadline"
    assert [call["tier"] for call in record["calls"]] == [1]


def told(metadata: dict[str, Any], cascade: Any) -> Any:
    """Ask with something of one's own in the metadata; return the record."""
    with collect_decisions() as seen:
        if isinstance(cascade, ChatCascade):
            cascade.invoke("?", {"metadata": metadata})
        else:
            with instrument_tags(metadata):
                cascade.chat([ChatMessage("?")])
        assert flush_log()  # shadow mode goes on behind the request
    return seen[0]


@FRAMEWORKS
def test_a_request_can_have_a_deadline_of_its_own_and_its_record_says_it(framework, hangs):
    cascade = make(framework, hangs)
    learn(cascade, {0: 40.0, 1: 40.0})
    record = told({"cascade_deadline": 60}, cascade)
    assert (record["reason"], record["deadline"]) == ("deadline", {"seconds": 60.0, "met": True})
    assert "deadline" not in told({}, cascade)
    cascade = make(framework, hangs, deadline=60.0)
    assert told({}, cascade)["deadline"]["seconds"] == 60.0
    assert "deadline" not in told({"cascade_deadline": None}, cascade)
    shadowed = make(framework, hangs, deadline=60.0, mode="shadow")
    assert "deadline" not in told({}, shadowed)


@FRAMEWORKS
@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), "3", True])
def test_a_deadline_that_is_none_says_where_it_stands(framework, wrong, hangs):
    with pytest.raises(ConfigurationError, match=r"deadline=.*seconds above 0"):
        make(framework, hangs, deadline=wrong)._engine.warm_up()
    with pytest.raises(ConfigurationError, match=r"metadata\['cascade_deadline'\]=.*above 0"):
        told({"cascade_deadline": wrong}, make(framework, hangs))


@FRAMEWORKS
@HOW
def test_a_draft_in_time_is_judged_as_ever(framework, how, hangs):
    cascade = make(framework, hangs, deadline=600.0)
    with collect_decisions() as seen:
        assert asked(cascade, how) == "it is cheap"
    (record,) = seen
    assert (record["reason"], record["accepted"]) == ("confident", True)
    cascade = make(framework, hangs, p=0.3, deadline=600.0)
    with collect_decisions() as seen:
        assert asked(cascade, how) == "it is strong"
    assert seen[0]["reason"] == "low_confidence"


@pytest.mark.usefixtures("_late")
@FRAMEWORKS
@HOW
def test_the_best_draft_is_returned_at_the_deadline(framework, how, hangs):
    hangs.models = {"m1"}
    cascade = make(framework, hangs, p=0.3, deadline=TIME, on_exhausted="best_draft")
    learn(cascade, {1: 0.001})
    if how in ("stream", "astream"):  # a chunk that was shown cannot be taken back
        hangs.let_go("m1")
        assert asked(cascade, how) == "it is strong"
        return
    with collect_decisions() as seen:
        assert asked(cascade, how) == "it is cheap"
    (record,) = seen
    assert (record["tier"], record["reason"], record["promise"]) == (0, "best_draft", "void")
    assert record["calls"][-1]["outcome"] == "aborted"


@pytest.mark.usefixtures("_late")
@FRAMEWORKS
@HOW
def test_a_model_that_takes_too_long_over_what_is_handed_off_leaves_the_answer(
    framework, how, hangs
):
    hangs.models = {"m2"}
    human = (
        chatting("m2", Said("of m2"), hangs)
        if framework == "langchain"
        else model("m2", Say("of m2"), hangs)
    )
    settings = {"thresholds": [0.8, 0.95], "on_handoff": human}
    cascade = make(framework, hangs, p=0.3, deadline=TIME, **settings)
    learn(cascade, {1: 0.001})
    with collect_decisions() as seen:
        assert asked(cascade, how) == "it is strong"
    (record,) = seen
    assert (record["tier"], record["handoff"], "handed_to" in record) == (1, True, False)
    cut = record["calls"][-1]
    assert (cut["purpose"], cut["outcome"], cut["model"]) == ("handoff", "aborted", "m2")


@FRAMEWORKS
@HOW
def test_the_last_tier_is_never_cut_where_nothing_could_take_its_place(framework, how, hangs):
    hangs.models = {"m1"}
    cascade = make(framework, hangs, p=0.3, deadline=SOON)
    threading.Timer(4 * SOON, hangs.let_go, ("m1",)).start()
    assert asked(cascade, how) == "it is strong"


@FRAMEWORKS
@HOW
def test_a_slow_draft_is_overtaken_by_the_last_tier_that_was_asked_early(framework, how, hangs):
    hangs.models = {"m0"}
    cascade = make(framework, hangs, hedge=True)
    learn(cascade, {0: SOON / 10})
    with collect_decisions() as seen:
        assert asked(cascade, how) == "it is strong"
    (record,) = seen
    assert (record["tier"], record["reason"]) == (1, "overtaken")
    assert [(call["tier"], call["outcome"]) for call in record["calls"]] == [
        (0, "aborted"),
        (1, "returned"),
    ]


@FRAMEWORKS
@pytest.mark.parametrize("how", ["whole", "async"])
def test_a_good_draft_ends_what_was_asked_early_and_both_are_paid_for(framework, how, hangs):
    hangs.models = {"m0", "m1"}
    cascade = make(framework, hangs, hedge=True, budget=Budget(usd=5))
    learn(cascade, {0: SOON / 10})

    def release() -> None:
        hangs.begun["m1"].wait(60)
        hangs.let_go("m0")

    helper = threading.Thread(target=release)
    helper.start()
    with collect_decisions() as seen:
        assert asked(cascade, how) == "it is cheap"
    helper.join()
    (record,) = seen
    assert (record["tier"], record["reason"]) == (0, "confident")
    assert [(call["tier"], call["outcome"]) for call in record["calls"]] == [
        (0, "accepted"),
        (1, "aborted"),
    ]
    assert record["cost_usd"] is None  # nobody knows what the call that was ended cost
    (balance,) = balances_of(cascade).values()
    assert balance.held == Amount()
    assert balance.used.nano_usd > 40 * 20 * 1000  # in full: all that the ended call might write
    if how == "async":
        assert hangs.cancelled == ["m1"]


@FRAMEWORKS
@HOW
def test_what_is_asked_early_beside_a_draft_that_is_never_streamed_is(framework, how, hangs):
    hangs.models = {"m0"}
    cascade = make(framework, hangs, hedge=True)
    cascade._engine.warm_up()
    object.__setattr__(cascade._engine.plan.tiers[0], "streams", False)
    learn(cascade, {0: SOON / 10})
    assert asked(cascade, how) == "it is strong"


async def test_a_stream_is_closed_where_whoever_ends_its_call_is_cancelled_meanwhile():
    closed, waits = [], asyncio.Event()

    class Opened:
        def under(self) -> list[Any]:
            return []

        async def close(self) -> None:
            closed.append(True)

    async def stubborn() -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            waits.set()
            await asyncio.sleep(0)
            raise

    call = _Task(copy_context(), Opened()).start(stubborn())  # type: ignore[arg-type]
    await asyncio.sleep(0)
    leaving = asyncio.create_task(call.leave())
    await waits.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert closed == [True]
