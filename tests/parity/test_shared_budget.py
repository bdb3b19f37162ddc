"""A budget on a server, met by each framework in all its ways of asking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from llama_index.core.llms import ChatMessage

from cascade_core import Budget, BudgetExceeded, RedisStore, collect_decisions
from cascade_core.errors import CascadeExhausted, StoreDownError
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.core.guards.redis_server import PROGRAM, RedisServer, needs_redis
from tests.core.guards.test_redis_ledger import until
from tests.langchain.fakes import FakeChat
from tests.langchain.fakes import Say as Said
from tests.langchain.test_copies import COPIES
from tests.langchain.test_copies import TIERS as COPIED
from tests.llamaindex.fakes import FakeLLM, Say

pytestmark = [
    needs_redis,
    pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning"),
]

PRICES = {"m0": {"input": 1, "output": 2}, "m1": {"input": 10, "output": 20}}
WAYS = ["whole", "awaited", "stream", "awaited stream"]
FRAMEWORKS = ["langchain", "llamaindex"]


class Limited(FakeChat):
    max_tokens: int | None = 100


class LimitedLLM(FakeLLM):
    max_tokens: int | None = 100


@pytest.fixture
def server() -> Iterator[RedisServer]:
    assert PROGRAM is not None
    server = RedisServer()
    try:
        yield server
    finally:
        server.end()


class Asker:
    """A cascade of one of the frameworks that escalates, and a way to ask it."""

    def __init__(self, framework: str, budget: Budget, store: object) -> None:
        self.framework = framework
        settings = {"prices": PRICES, "budget": budget, "store": store}
        if framework == "langchain":
            models = [Limited([Said(f"{k}", p=p)] * 9, model_name=f"m{k}") for k, p in TIERS]
            self.cascade = ChatCascade(tiers=models, **settings)
        else:
            llms = [LimitedLLM(lambda _, k=k, p=p: Say(f"{k}", p=p), f"m{k}") for k, p in TIERS]
            self.cascade = CascadeLLM(tiers=llms, **settings)

    async def ask(self, way: str) -> None:
        asked = "hi" if self.framework == "langchain" else [ChatMessage(content="hi")]
        names = {
            "langchain": ("invoke", "ainvoke", "stream", "astream"),
            "llamaindex": ("chat", "achat", "stream_chat", "astream_chat"),
        }[self.framework]
        call = getattr(self.cascade, names[WAYS.index(way)])
        if way == "whole":
            call(asked)
        elif way == "awaited":
            await call(asked)
        elif way == "stream":
            list(call(asked))
        else:
            chunks = call(asked) if self.framework == "langchain" else await call(asked)
            async for _ in chunks:
                pass


TIERS = [(0, 0.1), (1, 0.99)]


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_what_cascades_spend_is_counted_together_and_no_further_than_the_limit(
    server: RedisServer, framework: str
) -> None:
    budget = Budget(usd=1, when_short="refuse")
    prefix = uuid4().hex
    store = RedisStore(server.url(prefix=prefix, lease=20, timeout=60))
    with collect_decisions() as seen:
        for way in WAYS:
            await Asker(framework, budget, store).ask(way)
    assert len(seen) == len(WAYS)
    client = server.client()
    keys = client.keys(f"{{{prefix}}}:a:*")
    spent = sum(int(client.hget(key, "n")) for key in keys)
    costs = sum(call["cost_usd"] for record in seen for call in record["calls"])
    assert len(seen[0]["calls"]) == 2
    assert spent == round(costs * 1e9)
    assert client.keys(f"{{{prefix}}}:l:*") == []

    tight = Budget(usd=spent / 1e9, when_short="refuse", name=budget.label)
    for way in WAYS:
        with pytest.raises(BudgetExceeded):
            await Asker(framework, tight, store).ask(way)
    assert sum(int(client.hget(key, "n")) for key in keys) == spent


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_no_tier_is_asked_while_the_server_is_away(
    server: RedisServer, framework: str
) -> None:
    asker = Asker(framework, Budget(usd=1), RedisStore(server.url(lease=1.5, timeout=60)))
    await asker.ask("whole")
    server.kill()
    for way in WAYS:
        with pytest.raises(CascadeExhausted) as caught:
            await asker.ask(way)
        assert isinstance(caught.value, StoreDownError)
        assert caught.value.trail == ()


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_a_tier_that_fails_in_one_framework_is_left_alone_in_both(
    server: RedisServer, framework: str
) -> None:
    store = RedisStore(server.url(lease=1.5, timeout=60))
    askers = {name: Asker(name, Budget(usd=1), store) for name in FRAMEWORKS}
    breakers = {
        name: asker.cascade._engine.guards.breakers._of_tiers for name, asker in askers.items()
    }
    other = breakers[next(name for name in FRAMEWORKS if name != framework)]
    for _ in range(3):
        permit = breakers[framework][0].enter(last=True)
        breakers[framework][0].failed(permit, ConnectionError("no route"))
    await askers[framework].ask("whole")  # with a first request the server is read
    until(lambda: other[0].is_open)
    assert not other[1].is_open
    with collect_decisions() as seen:
        for asker in askers.values():
            await asker.ask("awaited")
    assert [[call["tier"] for call in record["calls"]] for record in seen] == [[1], [1]]


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
def test_a_copy_of_a_cascade_shares_with_it(server: RedisServer, again: Any) -> None:
    cascade = ChatCascade(
        COPIED, budget=Budget(tokens=10**6), store=server.url(lease=1.5, timeout=60)
    )
    copied = again(cascade)
    assert copied._engine.guards.ledger is cascade._engine.guards.ledger
    assert str(server.socket) not in repr(copied)
