"""Budgets in both frameworks: exact with many at once, whatever becomes of the requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from langchain_core.prompts import ChatPromptTemplate
from llama_index.core.llms import ChatMessage
from llama_index_instrumentation.dispatcher import instrument_tags

from cascade_core import Audit, Budget, Tier, collect_decisions, flush_log
from cascade_core.errors import BudgetExceeded, CascadeExhausted, UnboundedCallError
from cascade_core.guards import bounds
from cascade_core.guards.ledger import Amount
from langchain_cascade import ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine
from tests.balances import balances_of
from tests.langchain.fakes import FakeChat
from tests.langchain.fakes import Say as Said
from tests.llamaindex.fakes import FakeLLM, Say
from tests.llamaindex.retrieval import facts
from tests.memory_log import MemoryLog

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PRICES = {"m0": {"input": 1, "output": 2}, "m1": {"input": 10, "output": 20}}
FRAMEWORKS = pytest.mark.parametrize("framework", ["langchain", "llamaindex"])


class Chat(FakeChat):
    """A chat model that says how much it may write, and lets others run in the middle of a call."""

    max_tokens: int | None = 40

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Chat:
        return self

    async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
        for _ in range(3):
            await asyncio.sleep(0)
        return self._generate(*args[:2], **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for chunk in self._stream(*args[:2], **kwargs):
            await asyncio.sleep(0)
            yield chunk


class Model(FakeLLM):
    """The same of LlamaIndex."""

    max_tokens: int | None = 40

    async def achat(self, *args: Any, **kwargs: Any) -> Any:
        for _ in range(3):
            await asyncio.sleep(0)
        return self.chat(*args, **kwargs)

    async def astream_chat(self, *args: Any, **kwargs: Any) -> Any:
        async def gen() -> AsyncIterator[Any]:
            for chunk in self.stream_chat(*args, **kwargs):
                await asyncio.sleep(0)
                yield chunk

        return gen()


def make(framework: str, budget: Any, **settings: Any) -> Any:
    """A cascade whose cheap tier is sure of half of what it is asked."""
    settings = {"prices": PRICES, "budget": budget, **settings}
    if framework == "langchain":

        def cheap(messages: Any, _: Any) -> Said:
            return Said("so it is", p=0.99 if "sure" in str(messages[-1].content) else 0.1)

        tiers: list[Any] = [Chat(cheap, model_name="m0"), Chat(Said("it is"), model_name="m1")]
        return ChatCascade(tiers=tiers, **settings)
    tiers = [
        Model(lambda seen: Say("so it is", p=0.99 if "sure" in seen.prompt else 0.1), "m0"),
        Model(Say("it is"), "m1"),
    ]
    return CascadeLLM(tiers=tiers, **settings)


def ask(cascade: Any, text: str) -> Any:
    return cascade.invoke(text) if isinstance(cascade, ChatCascade) else cascade.complete(text)


async def aask(cascade: Any, text: str) -> Any:
    if isinstance(cascade, ChatCascade):
        return await cascade.ainvoke(text)
    return await cascade.achat([ChatMessage(text)])


def stream(cascade: Any, text: str) -> Any:
    if isinstance(cascade, ChatCascade):
        return cascade.stream(text)
    return cascade.stream_complete(text)


async def astream(cascade: Any, text: str) -> Any:
    if isinstance(cascade, ChatCascade):
        return cascade.astream(text)
    return await cascade.astream_chat([ChatMessage(text)])


def balance(cascade: Any) -> Any:
    """Return the one balance that there is."""
    (one,) = balances_of(cascade).values()
    return one


def cost(records: Any) -> Decimal:
    """Return what is known of what records' calls cost."""
    calls = [call for record in records for call in record["calls"]]
    return sum((Decimal(str(call["cost_usd"] or 0)) for call in calls), Decimal(0))


def text_of(place: int) -> str:
    return f"{place}: {'sure' if place % 2 else 'perhaps'}"


@pytest.mark.simulation
@FRAMEWORKS
def test_64_threads_overspend_nothing_and_every_cent_is_in_the_records(framework):
    cascade = make(framework, Budget(usd=0.01, when_short="refuse"))
    gate, refused = threading.Barrier(64), []

    def several(thread: int) -> None:
        gate.wait()
        for place in range(8):
            try:
                ask(cascade, text_of(thread + place))
            except BudgetExceeded as error:
                refused.append(error)

    with collect_decisions() as seen, ThreadPoolExecutor(64) as pool:
        contexts = [copy_context() for _ in range(64)]
        list(pool.map(lambda n: contexts[n].run(several, n), range(64)))
    assert len(seen) == 64 * 8
    assert refused
    spent = balance(cascade)
    assert spent.held == Amount()
    assert spent.used.usd <= Decimal("0.01")
    assert spent.used.usd == cost(seen)


@FRAMEWORKS
@pytest.mark.parametrize("streamed", [False, True])
async def test_requests_that_are_cancelled_anywhere_give_back_what_they_had_not_begun(
    framework, streamed
):
    cascade, random = make(framework, Budget(usd=100)), Random(7)

    async def one(place: int) -> None:
        if not streamed:
            await aask(cascade, text_of(place))
            return
        async for _ in await astream(cascade, text_of(place)):
            pass

    await aask(cascade, "sure")  # whatever is read once is read
    begun = balance(cascade).used.usd
    with collect_decisions() as seen:
        tasks = []
        for place in range(60):
            tasks.append(asyncio.create_task(one(place)))
            for _ in range(random.randrange(8)):
                await asyncio.sleep(0)
            if random.random() < 0.7:
                tasks[-1].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    cancelled = [error for error in ended if isinstance(error, asyncio.CancelledError)]
    assert cancelled
    assert len(cancelled) < len(tasks)
    assert not [error for error in ended if error is not None and error not in cancelled]
    left = [record for record in seen if record["reason"] == "cancelled"]
    assert len(left) <= len(cancelled)  # some had not begun
    assert any(call["outcome"] == "aborted" for record in left for call in record["calls"])
    spent = balance(cascade)
    assert spent.held == Amount()
    assert spent.used.usd >= begun + cost(seen)


@FRAMEWORKS
@pytest.mark.parametrize("shown", [0, 1, 2])
def test_a_stream_that_is_left_is_paid_for_and_recorded_once(framework, shown):
    cascade = make(framework, Budget(usd=100))
    with collect_decisions() as seen:
        chunks = stream(cascade, "perhaps")
        for _ in range(shown):
            next(chunks)
        chunks.close()
    del chunks
    assert flush_log(60)
    if not shown and not seen:  # nothing was asked
        assert all(one.used == Amount() for one in balances_of(cascade).values())
        return
    (record,) = seen
    assert (record["reason"], record["tier"]) == ("cancelled", None)
    assert [(call["tier"], call["outcome"]) for call in record["calls"]][-1] == (1, "aborted")
    spent = balance(cascade)
    assert spent.held == Amount()
    assert spent.used.usd >= cost(seen) > 0


@FRAMEWORKS
def test_the_errors_say_which_budget_and_when_it_frees(framework):
    cascade = make(framework, Budget(usd=1e-6, when_short="refuse", name="tiny"))
    with pytest.raises(BudgetExceeded, match=r"budget 'tiny' .* day; it frees at .* UTC") as caught:
        ask(cascade, "perhaps")
    assert isinstance(caught.value, CascadeExhausted)
    assert (caught.value.budget, caught.value.window) == ("tiny", "day")
    assert caught.value.frees_at is not None
    unpriced = make(framework, Budget(usd=1), prices={"m0": {"input": 1, "output": 2}})
    with pytest.raises(UnboundedCallError, match=r"tier 1 .* no price.*give prices="):
        ask(unpriced, "perhaps")


@FRAMEWORKS
def test_what_a_short_budget_kept_is_marked_and_only_that(framework):
    with collect_decisions() as seen:
        cascade = make(framework, Budget(usd=0.0005, name="small"))
        ask(cascade, "perhaps")
        ask(cascade, "sure")
    assert [record.get("promise") for record in seen] == ["void", None]
    assert [record.get("budget") for record in seen] == ["small", None]
    assert [record["reason"] for record in seen] == ["budget", "confident"]


@FRAMEWORKS
async def test_requests_wait_until_there_is_room(framework):
    # Room for one call of the strong tier at a time, and for all of them one after the other.
    budget = Budget(usd=0.012, when_short="wait")
    cascade = make(framework, budget)
    with collect_decisions() as seen:
        await asyncio.gather(*(aask(cascade, "perhaps") for _ in range(20)))
    assert [record["tier"] for record in seen] == [1] * 20
    assert balance(cascade).held == Amount()


@FRAMEWORKS
def test_threads_wait_until_there_is_room(framework):
    cascade = make(framework, Budget(usd=0.012, when_short="wait"))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(cascade, "perhaps"), range(32)))
    assert len(answers) == 32
    assert balance(cascade).held == Amount()


@FRAMEWORKS
def test_each_owner_has_a_budget_of_its_own_and_all_share_another(framework):
    def tenant(request: Any) -> Any:
        return request.metadata.get("tenant")

    budgets = [
        Budget(tokens=100, key=tenant, when_short="refuse", name="tenants"),
        Budget(tokens=10**6, name="all"),
    ]
    cascade = make(framework, budgets)

    def by(name: str) -> None:
        if framework == "langchain":
            cascade.invoke("sure", {"metadata": {"tenant": name}})
            return
        with instrument_tags({"tenant": name}):
            cascade.complete("sure")

    by("acme")
    by("other")
    keys = {f"{name}/{owner}" for name, _, owner in balances_of(cascade)}
    assert keys == {"tenants/acme", "tenants/other", "all/"}

    def often() -> None:
        for _ in range(20):
            by("acme")

    with pytest.raises(BudgetExceeded, match="tenants"):
        often()
    by("other")


@FRAMEWORKS
def test_an_audit_that_no_budget_has_room_for_is_forgone(framework):
    log = MemoryLog()
    # Room for the cheap tier, and not for the strong one that an audit asks.
    budget = Budget(usd=0.0005, name="small")
    cascade = make(framework, budget, log=log, audit=Audit(rate=1.0))
    ask(cascade, "sure")
    assert flush_log(60)
    (event,) = log.events
    assert (event["status"], event["why"]) == ("skipped", "budget")
    assert balance(cascade).held == Amount()


def chains(*bounds: dict[str, Any], budget: Budget) -> RunnableCascade:
    """Two chains, each of a prompt and a model that is paid for."""
    prompt = ChatPromptTemplate.from_template("{question}")
    models = Chat(Said("so it is", p=0.99), model_name="m0"), Chat(Said("it is"), model_name="m1")
    made = [Tier(prompt | model, **bound) for model, bound in zip(models, bounds, strict=True)]
    return RunnableCascade(tiers=made, signals=[lambda *_: 0.0], prices=PRICES, budget=budget)


@FRAMEWORKS
def test_what_an_argument_adds_to_the_prompt_is_set_aside_too(framework):
    cascade = make(framework, budget=Budget(tokens=3_000, per="day", when_short="refuse"))
    ask = cascade.invoke if isinstance(cascade, ChatCascade) else cascade.complete
    ask("hi", system="x" * 100)
    with pytest.raises(BudgetExceeded):
        ask("hi", system="x" * 3_000)


def test_a_chain_is_refused_unless_it_says_its_bound():
    said = {"max_call_usd": 0.01, "max_call_tokens": 500}
    with pytest.raises(UnboundedCallError, match=r"several models.*max_call_usd="):
        chains({}, {}, budget=Budget(usd=1)).invoke({"question": "hi"})
    cascade = chains(said, said, budget=Budget(usd=1))
    with collect_decisions() as seen:
        assert cascade.invoke({"question": "hi"}).content == "it is"
    spent = balance(cascade)
    assert spent.held == Amount()
    assert spent.used.usd == cost(seen) > 0
    half = chains({"max_call_usd": 0.01}, {"max_call_usd": 0.01}, budget=Budget(tokens=10**6))
    with pytest.raises(UnboundedCallError, match="max_call_tokens="):
        half.invoke({"question": "hi"})


def test_a_query_engine_is_refused_unless_it_says_its_bound():
    engines = [
        facts().as_query_engine(llm=Model(Say("so it is", p=0.2), "m0")),
        facts().as_query_engine(llm=Model(Say("yes"), "m1")),
    ]
    with pytest.raises(UnboundedCallError, match="max_call_usd="):
        CascadeQueryEngine(tiers=engines, prices=PRICES, budget=Budget(usd=1)).query("hi")
    bounded = [Tier(engine, max_call_usd=0.01, max_call_tokens=2_000) for engine in engines]
    cascade = CascadeQueryEngine(tiers=bounded, prices=PRICES, budget=Budget(usd=1))
    with collect_decisions() as seen:
        assert str(cascade.query("hi")) == "yes"
    spent = balance(cascade)
    assert spent.held == Amount()
    assert spent.used.usd == cost(seen) > 0


def test_a_cascade_in_a_cascade_says_its_bound_too():
    inner = make("langchain", None)
    last = Chat(Said("it is"), model_name="m1")
    outer = ChatCascade(tiers=[inner, last], prices=PRICES, budget=Budget(usd=1))
    with collect_decisions() as seen:
        outer.invoke("perhaps")
    assert [call["tier"] for call in seen[-1]["calls"]] == [1]
    bounded = Tier(inner, max_call_usd=0.01, max_call_tokens=2_000)
    outer = ChatCascade(tiers=[bounded, last], prices=PRICES, budget=Budget(usd=1))
    with collect_decisions() as seen:
        outer.invoke("sure")
    assert seen[-1]["calls"][0]["tier"] == 0
    assert balance(outer).held == Amount()
    assert balance(outer).used.usd == cost(seen[-1:])


def test_what_cannot_be_read_is_refused_and_never_called():
    cascade = make("langchain", Budget(usd=1))
    with (
        patch.object(bounds, "_prompt", side_effect=KeyError("text of a prompt")),
        pytest.raises(UnboundedCallError, match=r"cannot be read \(KeyError\)") as caught,
    ):
        ask(cascade, "sure")
    assert "text of a prompt" not in str(caught.value)
    assert caught.value.trail == ()
