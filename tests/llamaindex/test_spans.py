"""LlamaIndex's own instrumentation carries decisions: on spans as tags, and as an event."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.dispatcher import instrument_tags
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import ChatMessage

from cascade_core import Audit, CascadeExhausted, collect_decisions, flush_log
from cascade_core.loop.run_metadata import CALL, DECISION
from cascade_core.signals import Judge, SelfConsistency
from llamaindex_cascade import (
    CascadeDecisionEvent,
    CascadeLLM,
    CascadeQueryEngine,
    CascadeSynthesizer,
)
from tests.llamaindex.fakes import (
    PRICES,
    SURE,
    UNSURE,
    FakeLLM,
    ProviderError,
    Say,
    called,
    cheap,
    strong,
)
from tests.llamaindex.retrieval import QUESTION, facts, nodes, text_of
from tests.memory_log import MemoryLog

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

ASKED = [ChatMessage("hi")]
PROMPT = PromptTemplate("say {what}")


class Heard(BaseEventHandler):
    events: list[Any] = []  # noqa: RUF012 - pydantic copies it

    def handle(self, event: Any, **_: Any) -> None:
        self.events.append(event)


class Watching:
    """Everything that LlamaIndex told."""

    def __init__(self) -> None:
        self.spans = SimpleSpanHandler()
        self.heard = Heard()

    @property
    def decisions(self) -> list[CascadeDecisionEvent]:
        return [event for event in self.heard.events if isinstance(event, CascadeDecisionEvent)]

    def of(self, cascade: str) -> Any:
        """The span of a cascade's method; inside it other methods of its may have theirs."""
        found = [*self.spans.completed_spans, *self.spans.dropped_spans]
        (span,) = [
            each
            for each in found
            if each.id_.startswith(cascade) and "cascade_outcome" in each.tags
        ]
        return span

    def calls(self, *models: str) -> list[dict[str, Any]]:
        found = [each for each in self.spans.completed_spans if each.id_.startswith(models)]
        found.sort(key=lambda each: each.start_time)
        return [dict(each.tags) for each in found]


@pytest.fixture
def watching() -> Iterator[Watching]:
    root, made = get_dispatcher(), Watching()
    before = root.event_handlers, root.span_handlers
    root.event_handlers = [*root.event_handlers, made.heard]
    root.span_handlers = [*root.span_handlers, made.spans]
    yield made
    root.event_handlers, root.span_handlers = before


async def of_llm(cascade: CascadeLLM, how: str) -> None:
    if how.endswith("chat"):
        await called(how, cascade, ASKED)
    elif how == "complete":
        await called(how, cascade, "hi")
    else:
        await called(how, cascade, PROMPT, what="hi")


LLM_WAYS = [
    "chat",
    "achat",
    "stream_chat",
    "astream_chat",
    "complete",
    "predict",
    "apredict",
    "stream",
    "astream",
]


def check(watching: Watching, cascade: str, record: dict[str, Any], outcome: str) -> None:
    (event,) = watching.decisions
    assert event.record == record
    span = watching.of(cascade)
    assert event.span_id == span.id_
    said = {key: value for key, value in span.tags.items() if key in DECISION}
    assert said["cascade_decision_id"] == record["id"]
    assert said["cascade_outcome"] == outcome
    for name in DECISION:
        key = name.removeprefix("cascade_")
        if record.get(key) is not None:
            assert said[name] == record[key]


@pytest.mark.parametrize("how", LLM_WAYS)
@pytest.mark.parametrize("script", [SURE, UNSURE], ids=["accepted", "escalated"])
async def test_the_span_and_the_event_of_an_llm_say_what_was_decided(
    watching: Watching, how: str, script: Say
) -> None:
    llm = CascadeLLM(tiers=[cheap(script), strong()], prices=PRICES)
    with collect_decisions() as seen:
        await of_llm(llm, how)
    check(watching, "CascadeLLM", seen[0], "accepted" if script is SURE else "escalated")
    made = watching.calls("FakeLLM")
    assert [each["cascade_tier"] for each in made] == ([0] if script is SURE else [0, 1])
    for each in made:
        assert each["cascade_decision_id"] == seen[0]["id"]
        assert {key for key in each if key.startswith("cascade_")} == set(CALL)


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("streaming", [False, True])
async def test_so_do_those_of_a_synthesizer(watching: Watching, how: str, streaming: bool) -> None:
    made = CascadeSynthesizer(tiers=[cheap(UNSURE), strong()], streaming=streaming, prices=PRICES)
    with collect_decisions() as seen:
        if how == "sync":
            response = made.synthesize(QUESTION, nodes())
        else:
            response = await made.asynthesize(QUESTION, nodes())
        await text_of(response)
    check(watching, "CascadeSynthesizer", seen[0], "escalated")


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("streaming", [False, True])
async def test_so_do_those_of_a_query_engine(watching: Watching, how: str, streaming: bool) -> None:
    index = facts()
    tiers = [
        index.as_query_engine(llm=llm, streaming=streaming) for llm in (cheap(UNSURE), strong())
    ]
    made = CascadeQueryEngine(tiers=tiers, prices=PRICES)
    with collect_decisions() as seen:
        response = made.query(QUESTION) if how == "sync" else await made.aquery(QUESTION)
        await text_of(response)
    check(watching, "CascadeQueryEngine", seen[0], "escalated")


def test_judges_samples_and_audits_are_told_apart(watching: Watching) -> None:
    judge = Judge(FakeLLM(Say("A"), "judge"))
    signals = [judge, SelfConsistency(2)]
    log = MemoryLog()
    two = CascadeLLM(tiers=[cheap(Say("7", p=None)), strong()], signals=signals, combine="mean")
    two.chat(ASKED)
    audited = CascadeLLM(tiers=[cheap(Say("7")), strong(Say("7"))], audit=Audit(1.0), log=log)
    audited.chat(ASKED)
    flush_log()
    made = [
        (each["cascade_purpose"], each.get("cascade_tier")) for each in watching.calls("FakeLLM")
    ]
    assert sorted(made, key=str) == [
        ("audit", 1),
        ("draft", 0),
        ("draft", 0),
        ("judge", None),
        ("sample", 0),
        ("sample", 0),
    ]


def test_a_request_that_nobody_answers_says_so_on_its_span(watching: Watching) -> None:
    broken = Say(error=ProviderError("down"))
    with pytest.raises(CascadeExhausted):
        CascadeLLM(tiers=[cheap(broken), strong(broken)]).chat(ASKED)
    tags = watching.of("CascadeLLM").tags
    assert tags["cascade_outcome"] == tags["cascade_reason"] == "exhausted"
    assert "cascade_tier" not in tags


async def test_a_cancelled_request_says_so_on_its_span(watching: Watching) -> None:
    asked = asyncio.Event()

    class Slow(FakeLLM):
        async def achat(self, *args: Any, **kwargs: Any) -> Any:
            asked.set()
            await asyncio.Event().wait()

    llm = CascadeLLM(tiers=[cheap(UNSURE), Slow(Say("late"), "m1")], prices=PRICES)
    task = asyncio.create_task(llm.achat(ASKED))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    tags = watching.of("CascadeLLM").tags
    assert tags["cascade_outcome"] == "cancelled"
    assert tags["cascade_cost_usd"] > 0


def test_the_callers_own_tags_are_kept_and_stay_the_callers(watching: Watching) -> None:
    mine = {"tenant": "acme", "cascade_class": "geo"}
    with instrument_tags(mine), collect_decisions() as seen:
        CascadeLLM(tiers=[cheap(), strong()]).chat(ASKED)
    assert mine == {"tenant": "acme", "cascade_class": "geo"}
    assert watching.of("CascadeLLM").tags["tenant"] == "acme"
    assert watching.calls("FakeLLM")[0]["tenant"] == "acme"
    assert watching.decisions[0].tags == mine
    assert seen[0]["class"] == "geo"


def test_a_handler_that_fails_costs_no_answer(watching: Watching) -> None:
    class Failing(BaseEventHandler):
        def handle(self, event: Any, **_: Any) -> None:
            raise ValueError

    root = get_dispatcher()
    root.event_handlers = [Failing(), *root.event_handlers]
    answer = CascadeLLM(tiers=[cheap(), strong()]).complete("hi")
    assert answer.text == "sure answer"
    assert len(watching.decisions) == 1
