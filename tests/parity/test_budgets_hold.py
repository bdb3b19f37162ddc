"""Ways past a budget, in both frameworks: none of them leads anywhere."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from copy import copy, deepcopy
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from langchain_openai import ChatOpenAI

from cascade_core import Budget, collect_decisions
from cascade_core.effects import Reserve
from cascade_core.errors import CascadeExhausted
from cascade_core.guards.ledger import Amount
from cascade_core.guards.room import Room
from cascade_core.loop.port import AsyncPort
from langchain_cascade import ChatCascade
from langchain_cascade.tiers import core_tiers
from llamaindex_cascade import CascadeLLM
from tests.langchain.fakes import Say as Said
from tests.llamaindex.fakes import Say
from tests.parity.test_budgets import FRAMEWORKS, Chat, Model, aask, ask, balance, make, stream

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")


class DeadlineExceeded(Exception):  # noqa: N818
    """What Google's clients say."""


def tiers(framework: str, *said: dict[str, Any]) -> list[Any]:
    """Models that answer, or fail, as they are told."""
    if framework == "langchain":
        return [Chat(Said(**each), model_name=f"m{n}") for n, each in enumerate(said)]
    return [Model(Say(**each), f"m{n}") for n, each in enumerate(said)]


def cascade_of(
    framework: str, budget: Any, *said: dict[str, Any], first: Any = None, **settings: Any
) -> Any:
    cls = ChatCascade if framework == "langchain" else CascadeLLM
    prices = {"m0": {"input": 1, "output": 2}, "m1": {"input": 10, "output": 20}}
    made = tiers(framework, *said)
    if first is not None:
        made[0] = first
    return cls(tiers=made, budget=budget, prices=prices, **settings)


def renewed(cascade: Any) -> Any:
    """Change a setting that decides, and so all that is made of the settings."""
    cascade.on_exhausted = "best_draft"
    return cascade


COPIES = {
    "copy": copy,
    "deepcopy": deepcopy,
    "model_copy": lambda cascade: cascade.model_copy(),
    "changed": lambda cascade: cascade.model_copy(update={"on_exhausted": "best_draft"}),
    "set": renewed,
}


@FRAMEWORKS
@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
def test_a_copy_of_a_cascade_spends_from_the_same_budget(framework, again):
    cascade = make(framework, Budget(usd=1))
    ask(cascade, "sure")
    once = balance(cascade).used
    copied = again(cascade)
    ask(copied, "sure")
    assert balance(copied).used == Amount(2 * once.nano_usd, 2 * once.tokens)


@FRAMEWORKS
def test_one_budget_of_two_cascades_is_one_and_two_equal_ones_are_two(framework):
    budget = Budget(usd=1)
    one, two, apart = (make(framework, each) for each in (budget, budget, replace(budget)))
    for cascade in (one, two, apart):
        ask(cascade, "sure")
    assert balance(one) is balance(two)
    assert balance(one).used.nano_usd == 2 * balance(apart).used.nano_usd


@FRAMEWORKS
@pytest.mark.parametrize("how", ["sync", "async"])
async def test_what_is_started_early_never_waits_for_room_that_its_draft_alone_can_free(
    framework, how
):
    # Room for one call of the strong tier, and not for that and one of the cheap tier beside it.
    budget, early = Budget(usd=0.00098, when_short="wait"), threading.Event()

    def slow(*_: Any) -> Any:
        assert how == "async" or early.wait(60)
        return Said("so it is") if framework == "langchain" else Say("so it is")

    cheap = Chat(slow, model_name="m0") if framework == "langchain" else Model(slow, "m0")
    cascade = cascade_of(framework, budget, {}, {"text": "it is"}, hedge=True, first=cheap)
    engine = cascade._engine
    for _ in range(60):
        engine.latencies.of[0].took(0.0)  # any draft is slow
    asked: list[Any] = []
    waits = patch.object(Room, "wait", side_effect=AssertionError("it waits"))
    awaits = patch.object(Room, "await_", side_effect=AssertionError("it waits"))
    before = engine.guards.before

    def noted(call: Any, *rest: Any) -> Any:
        asked.append(call)
        reply = before(call, *rest)
        if len(asked) > 1:
            early.set()
        return reply

    with waits as waited, awaits as awaited, patch.object(engine.guards, "before", noted):
        if how == "sync":
            ask(cascade, "sure")
        else:
            await aask(cascade, "sure")
    assert len(asked) == 2  # it was tried
    assert not waited.called
    assert not awaited.called
    assert balance(cascade).held == Amount()


@FRAMEWORKS
def test_a_stream_that_breaks_counts_in_full(framework):
    broken = {"text": "so it is", "after": 2, "error": ConnectionError("gone")}
    cascade = cascade_of(
        framework, Budget(usd=1), broken, {"text": "it is"}, signals=[lambda *_: 0.1]
    )
    reserved = []
    ledger = cascade._engine.guards.ledger
    reserve = ledger.reserve

    def noted(accounts: Any, amount: Amount) -> Any:
        reserved.append(amount)
        return reserve(accounts, amount)

    with patch.object(ledger, "reserve", noted), collect_decisions() as seen:
        list(stream(cascade, "perhaps"))
    failed, returned = seen[0]["calls"]
    assert (failed["outcome"], returned["outcome"]) == ("failed", "returned")
    rest = balance(cascade).used.tokens - reserved[0].tokens
    assert rest == sum(returned["usage"].values())


@FRAMEWORKS
@pytest.mark.parametrize(
    ("error", "free"), [(ConnectionError, True), (TimeoutError, False), (DeadlineExceeded, False)]
)
def test_a_call_that_timed_out_counts_in_full_and_one_that_was_refused_not(framework, error, free):
    cascade = cascade_of(
        framework, Budget(tokens=10**6), {"error": error("no")}, {"error": error("no")}
    )
    with pytest.raises(CascadeExhausted):
        ask(cascade, "perhaps")
    assert balance(cascade).held == Amount()
    assert (balance(cascade).used == Amount()) is free


@FRAMEWORKS
def test_an_answer_without_usage_counts_in_full_where_nobody_can_count_it(framework):
    said = {"text": "so it is", "usage": False}
    cascade = cascade_of(framework, Budget(tokens=10**6), said, said, signals=[lambda *_: 0.9])
    with collect_decisions() as seen:
        ask(cascade, "7" * 400)
    (call,) = seen[0]["calls"]
    assert call["tokens_source"] == "estimate"
    assert balance(cascade).used.tokens > 440  # every byte of the prompt, and all it may write
    assert balance(cascade).used.tokens > sum(call["usage"].values())


async def test_leave_that_comes_together_with_a_cancellation_is_given_back():
    cascade = make("langchain", Budget(usd=1))
    reserve = AsyncPort._reserve

    async def swallowed(port: Any, effect: Reserve) -> Any:
        reply = await reserve(port, effect)
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return reply

    with patch.object(AsyncPort, "_reserve", swallowed):
        task = asyncio.create_task(aask(cascade, "sure"))
        with pytest.raises(asyncio.CancelledError):
            await task
    assert balance(cascade).used == Amount()


def chat(**given: Any) -> ChatOpenAI:
    return ChatOpenAI(model="gpt-4o", api_key="none", **{"max_tokens": 40, **given})


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        (chat(), 40),
        (chat(extra_body={"max_tokens": 4000}), 4000),
        (chat(model_kwargs={"max_completion_tokens": 4000}), 4000),
        (chat().bind(max_tokens=None), None),
        (chat().bind(max_completion_tokens=400), 400),
        (chat().bind(max_tokens=400).with_retry(), 400),
        (chat().with_fallbacks([chat(max_tokens=400)]), None),
    ],
)
def test_a_wrapped_model_is_held_by_no_limit_that_what_is_around_it_overrides(given, limit):
    (tier,) = core_tiers([given], {})
    assert tier.max_tokens == limit


def test_a_model_whose_fallbacks_may_answer_says_its_bound_and_one_bound_to_another_is_that():
    several, other = core_tiers([chat().with_fallbacks([chat()]), chat().bind(model="gpt-4")], {})
    assert several.composite
    assert several.abilities.max_output_tokens is None
    assert (other.model, other.abilities.max_output_tokens) == ("gpt-4", None)


def test_tools_that_are_bound_to_a_tier_count():
    tool = {"type": "function", "function": {"name": "f", "description": "d" * 5000}}
    (plain,), (tooled,) = (core_tiers([each], {}) for each in (chat(), chat().bind_tools([tool])))
    assert plain.beside == 0
    assert tooled.beside > 5000


@pytest.mark.parametrize("kwargs", [{"max_tokens": None}, {"max_tokens": -1}, {"model": "m9"}])
def test_a_call_whose_arguments_lift_its_only_limit_is_refused(kwargs):
    cascade = make("langchain", Budget(usd=1))
    with pytest.raises(CascadeExhausted, match="has no bound"):
        cascade.invoke("sure", **kwargs)
    llm = make("llamaindex", Budget(usd=1))
    with pytest.raises(CascadeExhausted, match="has no bound"):
        llm.complete("sure", **kwargs)


def test_a_key_that_has_no_text_of_its_own_is_as_none():
    cascade = make("langchain", Budget(tokens=60, key="user", when_short="refuse"))
    cascade.invoke("sure", {"metadata": {"user": object()}})
    assert balance(cascade).used.tokens > 0  # one balance, of all that have no key
