"""Audits in both frameworks: one table, one event, however a cascade is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from cascade_core import Audit, collect_decisions, flush_log
from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.signals import Judge
from tests.memory_log import MemoryLog
from tests.parity import langchain_way, llamaindex_way
from tests.parity.scenarios import (
    BAD_TICKET,
    DOWN,
    LONG,
    ORDER,
    PROMPT,
    STRONG_ORDER,
    STRONG_TICKET,
    SURE,
    TICKET,
    UNSURE,
    Answer,
    Make,
    Model,
    Scenario,
    three,
    two,
)
from tests.parity.test_hooks import CALLS, settled
from tests.parity.test_parity import FRAMEWORKS, every_way

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")


def half_as_good(request: Request, draft: Draft, strong: Draft) -> float:
    assert request.question == PROMPT
    return 1.0 if draft is strong else 0.5


async def half_as_good_later(request: Request, draft: Draft, strong: Draft) -> tuple[float, float]:
    return half_as_good(request, draft, strong), 0.9


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        name: What is audited, as a test's id.
        models: See `Scenario`.
        calls: Those of the audit, `"tier purpose outcome"`.
        qualities: By tier.
        status: What became of it.
        why: The event's.
        harm: Quality lost.
        kind: See `Scenario`.
        asked: See `Scenario`.
        settings: See `Scenario`.
        compare: Makes what compares, given what makes a framework's model.
        streamed: The audit's calls where the request was streamed, if they are others.
    """

    name: str
    models: Sequence[Model]
    calls: Sequence[str]
    qualities: Mapping[int, float | None]
    status: str = "done"
    why: str | None = None
    harm: float | None = 0.0
    kind: Any = "chat"
    asked: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    compare: Callable[[Make], Any] = lambda make: "auto"
    streamed: Sequence[str] | None = None


STRONGEST = ["1 audit used"]
SAME, OTHER = Model(Answer(SURE.text, p=0.98)), Model(Answer("No, on Tuesday.", p=0.98))
AGREES = {0: 1.0, 1: 1.0}
HARMS = {0: 0.0, 1: 1.0}


def judged_by(letter: str) -> Callable[[Make], Any]:
    return lambda make: Judge(make(Model(Answer(letter))))


def always(**then: Any) -> dict[str, Any]:
    """Return a policy with one rule, which is about every request here."""
    rule = {"name": "all", "match": {"input_tokens": {"under": 1000}}, "then": then}
    return {"version": 1, "rules": [rule]}


TABLE = [
    Row("the strongest says the same", two(SURE, SAME), STRONGEST, AGREES),
    Row("the strongest says more", two(SURE), STRONGEST, HARMS, why="undecided", harm=1.0),
    Row("numbers differ", two(Answer("4"), Model(Answer("5"))), STRONGEST, HARMS, harm=1.0),
    Row("both answers are there", two(UNSURE, Model(Answer(UNSURE.text))), [], AGREES),
    Row(
        "a draft was cut off",
        two(LONG, Model(Answer(LONG.text))),
        [],
        AGREES,
        asked={"max_tokens": 30},
        streamed=["0 audit used"],
    ),
    Row("the cheap tier was down", two(DOWN), [], {1: 1.0}),
    Row(
        "the strongest is down",
        two(SURE, Model(DOWN)),
        ["1 audit failed"],
        {0: None},
        status="failed",
        why="ProviderError (HTTP 503)",
        harm=None,
    ),
    Row(
        "accepted in the middle",
        [*three(Answer("5", p=0.3), Answer("4"))[:2], Model(Answer("4"))],
        ["2 audit used"],
        {0: 0.0, 1: 1.0, 2: 1.0},
    ),
    Row(
        "shadow mode",
        two(Answer("4"), Model(Answer("5"))),
        [],
        HARMS,
        settings={"mode": "shadow"},
    ),
    Row(
        "a tool call is compared and not carried out",
        two(ORDER, STRONG_ORDER),
        STRONGEST,
        HARMS,
        harm=1.0,
        kind="tools",
    ),
    Row(
        "an object that a tool makes",
        two(TICKET, STRONG_TICKET),
        STRONGEST,
        HARMS,
        harm=1.0,
        kind="object_by_tool",
    ),
    Row(
        "a rule bypasses the cheap tier",
        two(SURE, SAME),
        ["0 audit used"],
        AGREES,
        settings={"policy": always(bypass=True)},
    ),
    Row(
        "a rule pins the request",
        two(UNSURE),
        [],
        {},
        status="skipped",
        why="pinned",
        harm=None,
        settings={"policy": always(pin=0)},
    ),
    Row(
        "a rule never escalates",
        two(UNSURE, Model(Answer("4"))),
        STRONGEST,
        HARMS,
        why="undecided",
        harm=1.0,
        settings={"policy": always(escalate=False)},
    ),
    Row(
        "a judge grades both",
        two(SURE),
        [*STRONGEST, "0 judge used", "1 judge used"],
        {0: pytest.approx(0.99), 1: pytest.approx(0.99)},
        compare=judged_by("A"),
    ),
    Row(
        "a judge that cannot decide",
        two(SURE),
        [*STRONGEST, "0 judge used"],
        {0: None, 1: None},
        status="failed",
        why="no_reading",
        harm=None,
        compare=judged_by("Perhaps."),
    ),
    Row(
        "a function",
        two(SURE),
        STRONGEST,
        {0: 0.5, 1: 1.0},
        harm=0.5,
        compare=lambda make: half_as_good,
    ),
    Row(
        "an async function of both",
        two(SURE),
        STRONGEST,
        {0: 0.5, 1: 0.9},
        harm=pytest.approx(0.4),
        compare=lambda make: half_as_good_later,
    ),
    Row(
        "a draft that failed its gate",
        two(BAD_TICKET, STRONG_TICKET),
        [],
        HARMS,
        kind="object_by_tool",
    ),
]

every_row = pytest.mark.parametrize("row", TABLE, ids=[row.name.replace(" ", "-") for row in TABLE])


async def audited(row: Row, framework: Any, way: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ask in one of the ways; return the record and the audit's event."""
    log = MemoryLog()
    scenario = Scenario(row.name, row.models, (), "", kind=row.kind, asked=row.asked)
    make = (
        (lambda model: langchain_way.make_model(model, "m3", scenario))
        if framework is langchain_way
        else (lambda model: llamaindex_way.make_model(model, "m3"))
    )
    audit = Audit(1.0, row.compare(make))
    settings = {**row.settings, "log": log, "audit": audit}
    await framework.run(
        Scenario(row.name, row.models, (), "", kind=row.kind, asked=row.asked, settings=settings),
        way,
    )
    (record,), (event,) = log.records, log.events
    return record, event


@every_row
@every_way
async def test_every_way_of_asking_gives_the_audit_of_the_table(
    row: Row, framework: Any, way: str
) -> None:
    record, event = await audited(row, framework, way)
    assert record["audit"] == {"probability": 1.0, "picked": True}
    assert (event["status"], event["why"], event["harm"]) == (row.status, row.why, row.harm)
    calls = [f"{c['tier']} {c['purpose']} {c['outcome']}" for c in event["calls"]]
    streamed = row.streamed if "stream" in way and row.streamed else row.calls
    assert calls == list(streamed)
    if row.qualities.keys() == {tier["tier"] for tier in event["tiers"]}:
        assert {tier["tier"]: tier["quality"] for tier in event["tiers"]} == row.qualities
    assert event["decision"] == record["id"]
    assert sum(call["purpose"] == "audit" for call in record["calls"]) == 0
    assert event["cost_usd"] == pytest.approx(sum(c["cost_usd"] or 0 for c in event["calls"]))


@every_row
async def test_all_ways_agree_to_the_cent(row: Row) -> None:
    events = {way: (await audited(row, framework, way))[1] for framework, way in FRAMEWORKS}
    for ways in (
        [way for way in events if "stream" not in way],
        [way for way in events if "stream" in way],
    ):
        first = lasting(events[ways[0]])
        for way in ways[1:]:
            assert lasting(events[way]) == first, f"{way} differs from {ways[0]}"


def lasting(event: Mapping[str, Any]) -> dict[str, Any]:
    calls = [{k: v for k, v in call.items() if k != "latency_ms"} for call in event["calls"]]
    same = {k: v for k, v in event.items() if k not in {"id", "decision", "at"}}
    same["compare"] = event["compare"].partition(":")[0]
    return {**same, "calls": calls}


# --- every kind of cascade ------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "call"), CALLS)
async def test_every_kind_of_cascade_is_audited_behind_its_answer(make: Any, call: Any) -> None:
    cascade, log = make(), MemoryLog()
    engine = cascade._engine
    engine.log, engine.audit = log, Audit(1.0)
    with collect_decisions() as seen:
        try:
            await settled(call, cascade)
        except (ValueError, TypeError):  # the fake's words are no object: decided all the same
            assert "structured" in str(call.__code__.co_names)
    assert await asyncio.to_thread(flush_log, 60)
    (record,), (event,) = log.records, log.events
    assert (event["status"], event["decision"]) == ("done", record["id"])
    assert {tier["tier"] for tier in event["tiers"]} >= {1}
    assert len(seen) == 1


@pytest.mark.parametrize(("make", "call"), CALLS)
async def test_what_stayed_with_the_cheap_tier_is_put_to_the_strongest(
    make: Any, call: Any
) -> None:
    cascade, log = make(), MemoryLog()
    engine = cascade._engine
    engine.log, engine.audit = log, Audit(1.0)
    # Whatever its confidence: the fakes' drafts are unsure ones.
    object.__setattr__(engine.plan, "thresholds", (0.0,))
    try:
        await settled(call, cascade)
    except (ValueError, TypeError):
        assert "structured" in str(call.__code__.co_names)
    assert await asyncio.to_thread(flush_log, 60)
    (record,), (event,) = log.records, log.events
    if record["tier"] == 1:  # objects that the cheap tier could not make
        assert record["reason"].startswith(("gate_", "no_reading", "failed"))
        return
    assert (event["status"], [tier["tier"] for tier in event["tiers"]]) == ("done", [0, 1])
    assert event["tiers"][1]["drawn"]
    assert event["calls"]
    assert {call["purpose"] for call in event["calls"]} == {"audit"}
    assert len(record["calls"]) == len([c for c in record["calls"] if c["tier"] == 0])
    assert record["model"] == event["tiers"][0]["model"]


@every_way
async def test_a_rule_sets_the_rate_of_the_requests_it_is_about(framework: Any, way: str) -> None:
    log = MemoryLog()
    settings = {
        "log": log,
        "audit": Audit(1e-12),
        "policy": always(audit=1.0),
    }
    await framework.run(Scenario("", two(SURE, SAME), (), "", settings=settings), way)
    assert log.records[0]["audit"] == {"probability": 1.0, "picked": True}
    assert log.records[0]["rule"] == "all"
    assert [event["probability"] for event in log.events] == [1.0]
