"""Audits in LangChain: what is seen of them, and by whom."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import ConfigurableField
from langchain_core.tools import tool

from cascade_core import Audit, collect_decisions, flush_log
from cascade_core.signals import Agreement
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from tests.langchain.fakes import FakeChat, Say
from tests.memory_log import MemoryLog

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PRICES = {"cheap": {"input": 1, "output": 1}, "strong": {"input": 10, "output": 10}}


class Hears(BaseCallbackHandler):
    """Hears which models are called, with which tags."""

    def __init__(self) -> None:
        self.tags: list[list[str]] = []
        self.tokens: list[str] = []

    def on_chat_model_start(self, *_: Any, tags: list[str] | None = None, **__: Any) -> None:
        self.tags.append(tags or [])

    def on_llm_new_token(self, token: str, **_: Any) -> None:
        self.tokens.append(token)


def pair(log: MemoryLog, says: Any = "4", strong: Any = "5", **settings: Any) -> ChatCascade:
    tiers = [
        FakeChat(Say(says) if isinstance(says, str) else says, model_name="cheap"),
        FakeChat(Say(strong) if isinstance(strong, str) else strong, model_name="strong"),
    ]
    settings = {"audit": Audit(1.0), **settings}
    return ChatCascade(tiers=tiers, prices=PRICES, log=log, **settings)


def test_the_calls_of_an_audit_show_in_callbacks_and_stream_nothing() -> None:
    log, hears = MemoryLog(), Hears()
    chunks = list(pair(log).stream("2 + 2?", config={"callbacks": [hears]}))
    flush_log()
    assert "".join(str(chunk.content) for chunk in chunks) == "4"
    assert [tags[:2] for tags in hears.tags] == [
        ["cascade:tier:0", "cascade:draft"],
        ["cascade:tier:1", "cascade:audit"],
    ]
    assert "nostream" in hears.tags[1]
    assert "5" not in hears.tokens
    assert log.events[0]["harm"] == 1.0


def test_a_chain_around_a_cascade_is_not_charged_for_its_audits() -> None:
    inner, outer = MemoryLog(), MemoryLog()
    cheap = pair(inner)
    strong = FakeChat(Say("6"), model_name="strong")

    def wait(message: Any) -> Any:
        flush_log()  # the inner audit is made while the outer tier is still at work
        return message

    chain = RunnableCascade(
        tiers=[cheap | wait, strong],
        signals=[lambda request, draft: 1.0],
        prices=PRICES,
        log=outer,
        audit=Audit(1.0),
    )
    with collect_decisions() as seen:
        chain.invoke("2 + 2?")
    flush_log()
    (record,), (event,) = outer.records, outer.events
    assert [call["model"] for call in record["calls"]] == ["cheap"]
    assert [call["model"] for call in event["calls"]] == ["strong"]
    assert len(inner.events) == 1
    assert inner.events[0]["calls"][0]["model"] == "strong"
    assert len(seen) == 2, "one decision a cascade"


def test_a_chain_that_is_audited_counts_every_call_in_it() -> None:
    log = MemoryLog()
    strong = FakeChat(Say("5"), model_name="strong")
    twice = strong | (lambda message: f"{message.content}?") | strong
    chain = RunnableCascade(
        tiers=[FakeChat(Say("4"), model_name="cheap"), twice],
        prices=PRICES,
        log=log,
        audit=1.0,
        signals=[lambda request, draft: 1.0],
    )
    chain.invoke("2 + 2?")
    flush_log()
    (event,) = log.events
    assert [(call["model"], call["purpose"]) for call in event["calls"]] == [
        ("strong", "audit"),
        ("strong", "audit"),
    ]
    assert event["strong_cost_usd"] == event["cost_usd"] > 0


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_an_agents_step_is_compared_and_no_tool_is_called_for_it(how: str) -> None:
    carried_out: list[int] = []

    @tool
    def refund(order: int) -> str:
        """Pay an order back."""
        carried_out.append(order)
        return "done"

    def calls(order: int) -> Any:
        def script(messages: Any, _: Any) -> Say:
            if messages[-1].type == "tool":
                return Say("Paid back.")
            call = {"name": "refund", "args": {"order": order}, "id": "call_1"}
            return Say("", p=None, tool_calls=[call], finish="tool_calls")

        return script

    log = MemoryLog()
    tiers = [FakeChat(calls(7), model_name="cheap"), FakeChat(calls(8), model_name="strong")]
    middleware = CascadeMiddleware(tiers=tiers, prices=PRICES, log=log, audit=Audit(1.0))
    agent = create_agent(tiers[1], [refund], middleware=[middleware])
    given: Any = {"messages": [("user", "Pay order 7 back.")]}
    state = agent.invoke(given) if how == "invoke" else await agent.ainvoke(given)
    if how == "ainvoke":
        await asyncio.to_thread(flush_log)
    flush_log()
    assert carried_out == [7]
    assert state["messages"][-1].content == "Paid back."
    assert [event["harm"] for event in log.events] == [1.0, 0.0]
    assert {call["purpose"] for event in log.events for call in event["calls"]} == {"audit"}


def test_a_cascade_that_is_made_anew_for_a_call_shares_what_a_day_has_cost() -> None:
    log = MemoryLog()
    cascade = pair(log, audit=Audit(1.0, max_usd_per_day=0.00005))
    configurable = cascade.configurable_fields(thresholds=ConfigurableField(id="thresholds"))
    for threshold in (0.5, 0.6):
        configurable.invoke("2 + 2?", config={"configurable": {"thresholds": threshold}})
        flush_log()
    assert [event["why"] for event in log.events] == [None, "budget"]


def test_a_partner_read_again_at_the_next_tier_has_its_price_there_too() -> None:
    log = MemoryLog()
    tiers = [FakeChat(Say(str(k)), model_name=name) for k, name in enumerate(("a", "b", "c"))]
    partner = FakeChat(Say("other"), model_name="p")
    prices = {name: {"input": k, "output": k} for k, name in enumerate("abcp", 1)}
    cascade = ChatCascade(
        tiers=tiers, signals=[Agreement(partner)], prices=prices, log=log, audit=Audit(1.0)
    )
    record = cascade.invoke("2 + 2?").response_metadata["cascade"]
    flush_log()
    (asked,) = (call for call in record["calls"] if call["purpose"] == "agree")
    paid = [each["paid"] for each in log.events[0]["tiers"]]
    assert asked["cost_usd"] > 0
    # Who decides to pass over tier 0 pays at tier 1: to export 0 would make that policy free.
    assert paid == [{"agreement": asked["cost_usd"]}, {"agreement": asked["cost_usd"]}, {}]
