"""OpenTelemetry is told the same of every request, whichever framework asks and however."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from decimal import Decimal
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from opentelemetry import context, trace

from cascade_core import Audit, CascadeExhausted, flush_log
from cascade_core.telemetry import names
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes as llamaindex
from tests.parity.test_hooks import CALLS, CHAT, LANGCHAIN, LLAMAINDEX, settled
from tests.telemetry_seen import TelemetrySeen, parent_of

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PROMPT = "Where is my order?"
PRICES = {
    "cheap": {"input": 0.7, "output": 1.3},
    "strong": {"input": 3.1, "output": 9.7},
    "m0": {"input": 0.7, "output": 1.3},
    "m1": {"input": 3.1, "output": 9.7},
}
MODELS = {"langchain": ["cheap", "strong"], "llamaindex": ["m0", "m1"]}


def cascades(cheap: str, strong: str, **settings: Any) -> dict[str, Any]:
    """One cascade of each framework: `sure`, `unsure` or `down`, each tier."""
    made = {}
    for name, fakes, say in (
        ("langchain", langchain, langchain.Say),
        ("llamaindex", llamaindex, llamaindex.Say),
    ):
        kinds = {
            "sure": say("sure answer"),
            "unsure": say("unsure draft text", p=0.3),
            "down": say(error=fakes.ProviderError()),
        }
        if name == "langchain":
            made[name] = langchain.pair(kinds[cheap], kinds[strong], **settings).cascade
        else:
            tiers = [llamaindex.cheap(kinds[cheap]), llamaindex.strong(kinds[strong])]
            made[name] = CascadeLLM(tiers=tiers, **settings)
    return made


WAYS = {
    "langchain": [LANGCHAIN[way] for way in ("invoke", "ainvoke", "stream", "astream")],
    "llamaindex": [LLAMAINDEX[way] for way in ("chat", "achat", "stream_chat", "astream_chat")],
}


@pytest.mark.parametrize("framework", list(WAYS))
@pytest.mark.parametrize("way", range(4), ids=["sync", "async", "stream", "astream"])
async def test_a_decision_has_a_span_with_one_below_it_for_each_call(
    framework: str, way: int
) -> None:
    seen = TelemetrySeen()
    cascade = cascades("unsure", "sure", telemetry=seen.setting)[framework]
    with seen.tracers.get_tracer("caller").start_as_current_span("mine") as mine:
        await settled(WAYS[framework][way], cascade)
    (decision,) = seen.spans("cascade ")
    calls = seen.spans("chat ")
    assert parent_of(decision) == mine.get_span_context().span_id
    assert [parent_of(call) for call in calls] == [decision.context.span_id] * 2
    said = decision.attributes or {}
    assert said[names.OUTCOME] == "escalated"
    assert (said[names.TIER], said[names.REASON]) == (1, "low_confidence")
    assert said[names.FRAMEWORK] == framework
    assert isclose(said[names.DRAFT_CONFIDENCE], 0.3)
    assert [(c.attributes or {})[names.TIER] for c in calls] == [0, 1]
    assert [(c.attributes or {})[names.REQUEST_MODEL] for c in calls] == MODELS[framework]
    assert all(c.kind is trace.SpanKind.CLIENT for c in calls)
    first, second = calls
    assert decision.start_time <= first.start_time < first.end_time <= second.start_time
    events = {event.name: event.attributes for event in first.events}
    assert events[names.JUDGED_EVENT][names.REASON] == "low_confidence"
    assert events[names.READING_EVENT][names.EVALUATION_NAME] == "sequence_logprob"
    assert not second.events
    assert PROMPT not in "".join(span.to_json() for span in seen.spans())


@pytest.mark.parametrize("framework", list(WAYS))
@pytest.mark.parametrize("way", range(4), ids=["sync", "async", "stream", "astream"])
async def test_an_answer_that_was_handed_off_says_so_on_its_span_and_is_counted(
    framework: str, way: int
) -> None:
    def queue(request: Any, draft: Any) -> str:
        return "of a person"

    for handler in (None, queue):
        seen = TelemetrySeen()
        settings = {"thresholds": [0.8, 0.6], "on_handoff": handler, "telemetry": seen.setting}
        await settled(WAYS[framework][way], cascades("unsure", "unsure", **settings)[framework])
        (decision,) = seen.spans("cascade ")
        said = decision.attributes or {}
        assert said[names.HANDOFF] is True
        to = None if handler is None else "queue"
        assert said.get(names.HANDED_TO) == to
        counted = seen.total(names.HANDOFFS, names.REASON, names.HANDED_TO, names.FRAMEWORK)
        assert counted == {("low_confidence", to, framework): 1}
    plain = TelemetrySeen()
    await settled(
        WAYS[framework][way], cascades("sure", "sure", telemetry=plain.setting)[framework]
    )
    assert names.HANDOFF not in (plain.spans("cascade ")[0].attributes or {})
    assert not plain.points(names.HANDOFFS)


@pytest.mark.parametrize(("make", "call"), CALLS)
async def test_every_way_of_calling_is_told(
    make: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = TelemetrySeen()
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", seen.tracers)
    try:
        await settled(call, make())
    except (ValueError, TypeError):  # the fake's words are no object: decided all the same
        assert "structured" in str(call.__code__.co_names)
    (decision,) = seen.spans("cascade ")
    assert (decision.attributes or {})[names.TIER] == 1


@pytest.mark.parametrize("framework", list(WAYS))
@pytest.mark.parametrize("way", range(4), ids=["sync", "async", "stream", "astream"])
async def test_a_request_that_no_tier_answered_is_an_error(framework: str, way: int) -> None:
    seen = TelemetrySeen()
    cascade = cascades("down", "down", telemetry=seen.setting)[framework]
    with pytest.raises(CascadeExhausted):
        await settled(WAYS[framework][way], cascade)
    (decision,) = seen.spans("cascade ")
    assert decision.status.status_code is trace.StatusCode.ERROR
    assert (decision.attributes or {})[names.ERROR_TYPE] == "CascadeExhausted"
    calls = seen.spans("chat ")
    assert len(calls) >= 2
    for call in calls:
        assert call.status.status_code is trace.StatusCode.ERROR
        assert (call.attributes or {})[names.ERROR_TYPE] == "ProviderError"
    assert "secret prompt text" not in "".join(span.to_json() for span in seen.spans())


def test_a_stream_that_is_left_ends_its_span() -> None:
    seen = TelemetrySeen()
    strong = langchain.Say("many words that come one by one")
    chunks = langchain.pair(langchain.UNSURE, strong, telemetry=seen.setting).cascade.stream(PROMPT)
    next(chunks)
    before = context.get_current()
    chunks.close()
    assert context.get_current() == before
    (decision,) = seen.spans("cascade ")
    assert (decision.attributes or {})[names.OUTCOME] == "cancelled"


@pytest.mark.simulation
@pytest.mark.parametrize("framework", list(WAYS))
async def test_hundreds_of_requests_at_a_time_have_the_right_parents(framework: str) -> None:
    seen = TelemetrySeen()
    cascade = cascades("unsure", "sure", telemetry=seen.setting)[framework]
    tracer, ask = seen.tracers.get_tracer("caller"), WAYS[framework][1]

    async def one(number: int) -> None:
        with tracer.start_as_current_span(f"mine {number}"):
            await settled(ask, cascade)

    await asyncio.gather(*(one(number) for number in range(250)))
    mine = {span.context.span_id for span in seen.spans("mine ")}
    decisions = seen.spans("cascade ")
    assert {parent_of(span) for span in decisions} == mine
    below = Counter(parent_of(call) for call in seen.spans("chat "))
    assert below == {span.context.span_id: 2 for span in decisions}


@pytest.mark.parametrize("framework", list(WAYS))
def test_texts_are_told_only_where_that_is_asked_for(framework: str) -> None:
    seen = TelemetrySeen(content=True)
    settings = {"telemetry": seen.setting, "redact": lambda text: text.replace("order", "…")}
    cascade = cascades("sure", "sure", **settings)[framework]
    WAYS[framework][0](cascade)
    (decision,) = seen.spans("cascade ")
    said = decision.attributes or {}
    (asked,) = json.loads(said[names.INPUT_MESSAGES])
    assert asked == {"role": "user", "parts": [{"type": "text", "content": "Where is my …?"}]}
    (answer,) = json.loads(said[names.OUTPUT_MESSAGES])
    assert answer["parts"] == [{"type": "text", "content": "sure answer"}]


def test_a_cascade_within_another_is_below_it_and_its_calls_are_counted_once() -> None:
    seen = TelemetrySeen()
    inner = langchain.pair(langchain.UNSURE, "middle", telemetry=seen.setting, name="inner")
    outer = ChatCascade(
        tiers=[inner.cascade, langchain.FakeChat("strong", model_name="strong")],
        signals=[lambda _request, _draft: 0.1],
        telemetry=seen.setting,
        name="outer",
    )
    outer.invoke(PROMPT)
    around, within = seen.spans("cascade outer")[0], seen.spans("cascade inner")[0]
    assert parent_of(within) == around.context.span_id
    assert [parent_of(call) for call in seen.spans("chat ")] == [around.context.span_id] * 3
    assert seen.total(names.REQUESTS) == 2
    assert seen.total(names.CALLS) == 3


# --- totals ---------------------------------------------------------------------------------------


async def test_totals_are_those_of_the_log(tmp_path: Path) -> None:
    seen, path = TelemetrySeen(), tmp_path / "decisions.jsonl"
    settings = {
        "telemetry": seen.setting,
        "log": path,
        "prices": PRICES,
        "audit": Audit(0.5, compare=lambda *_: 0.75),
    }
    exhausted = 0
    for kinds in (("sure", "sure"), ("unsure", "sure"), ("down", "sure"), ("down", "down")):
        made = cascades(*kinds, **settings)
        for _ in range(12):
            for framework, ways in WAYS.items():
                for ask in ways:
                    try:
                        await settled(ask, made[framework])
                    except CascadeExhausted:
                        exhausted += 1
    assert await asyncio.to_thread(flush_log)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    records = [line for line in lines if "event" not in line]
    audits = [line for line in lines if line.get("event") == "audit"]
    assert len(records) == 4 * 12 * 8
    assert exhausted == 12 * 8
    assert len(audits) > 20
    assert seen.total(names.REQUESTS, names.REASON) == dict(Counter(r["reason"] for r in records))
    assert seen.total(names.REQUESTS, names.TIER) == dict(Counter(r["tier"] for r in records))
    assert seen.total(names.AUDITS, names.AUDIT_STATUS) == dict(
        Counter(a["status"] for a in audits)
    )
    harm = sum(audit["harm"] for audit in audits if audit["harm"] is not None)
    assert isclose(seen.total(names.HARM), harm, abs_tol=1e-9)
    for part, told in (("request", records), ("audit", audits)):
        calls = [call for each in told for call in each["calls"]]
        where = {"cascade_part": part}
        outcomes = Counter((c["tier"], c["purpose"], c["outcome"]) for c in calls)
        by = names.TIER, names.PURPOSE, names.CALL_OUTCOME
        assert seen.total(names.CALLS, *by, **where) == dict(outcomes)
        for kind in ("input", "output"):
            used = sum(c["usage"][f"{kind}_tokens"] for c in calls if c["usage"])
            said = seen.total(names.TOKEN_USAGE, names.TOKEN_TYPE, **where)
            assert said.get(kind, 0) == used
        cost = sum((Decimal(str(c["cost_usd"])) for c in calls if c["cost_usd"]), Decimal(0))
        assert cost > 0 or part == "audit"
        # Metrics are floats: a sum of so many is exact to about 1e-12 of it.
        assert isclose(seen.total(names.COST_USD, **where), cost, rel_tol=1e-11)
    assert seen.total(names.UNPRICED) == 0
    known = [each for each in records if None not in (each["cost_usd"], each["strong_cost_usd"])]
    assert 0 < len(known) < len(records)  # nobody answered the others
    for metric, key in ((names.COMPARED_COST, "cost_usd"), (names.STRONG_COST, "strong_cost_usd")):
        assert isclose(seen.total(metric), sum(each[key] for each in known), rel_tol=1e-11)
    for audit in seen.spans("cascade audit"):
        (link,) = audit.links
        assert link.context.span_id in {s.context.span_id for s in seen.spans("cascade ")}


async def test_an_answer_from_the_cascades_own_cache_costs_nothing() -> None:
    from langchain_core.caches import InMemoryCache

    seen = TelemetrySeen()
    pair = langchain.pair(telemetry=seen.setting, cache=InMemoryCache(), prices=PRICES)
    await settled(CHAT["invoke"], pair.cascade)
    await settled(CHAT["invoke"], pair.cascade)
    assert seen.total(names.REQUESTS, names.OUTCOME) == {"accepted": 1, "cached": 1}
    assert seen.total(names.CALLS) == 1


def test_an_unknown_price_is_counted_and_is_no_cost() -> None:
    seen = TelemetrySeen()
    langchain.pair(langchain.SURE, telemetry=seen.setting).cascade.invoke(PROMPT)
    assert seen.total(names.UNPRICED) == 1
    assert seen.points(names.COST_USD) == []


def test_a_provider_that_is_set_later_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = TelemetrySeen()
    cascade = CascadeLLM(tiers=[llamaindex.cheap(llamaindex.SURE), llamaindex.strong()])
    cascade.chat([ChatMessage(content=PROMPT)])
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", seen.tracers)
    cascade.chat([ChatMessage(content=PROMPT)])
    assert len(seen.spans("cascade ")) == 1
