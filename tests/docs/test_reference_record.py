"""The page about the record has every field that cascades write, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import pytest

from cascade_core import Audit, collect_decisions, flush_log
from cascade_core.abilities import Missing
from cascade_core.call import Outcome, Purpose, Reason, StrongCostBasis
from cascade_core.ruling import Ruling
from cascade_core.setup.plan import Plan
from cascade_core.signals import Claims
from cascade_core.tier import FAILURES_IN_A_ROW
from cascade_core.usage import TokensSource
from langchain_cascade import ChatCascade, RunnableCascade
from tests.core.loop.test_committing import policy_of, rule
from tests.docs.reference import Row, named, page, tables
from tests.langchain.fakes import FakeChat, ProviderError, Say
from tests.parity import langchain_way, llamaindex_way
from tests.parity.scenarios import SCENARIOS

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

TABLES = tables("record.md")
ALWAYS = [row for row in TABLES["Fields"] if "what it holds" in row]
SOMETIMES = [row for row in TABLES["Fields"] if "when it is there" in row]
OF_JUDGED = [row for row in TABLES["A judged draft"] if "what it holds" in row]
OF_SOME_JUDGED = [row for row in TABLES["A judged draft"] if "when it is there" in row]
OF_CALLS = [row for row in TABLES["A call"] if "what it holds" in row]
OF_SOME_CALLS = [row for row in TABLES["A call"] if "when it is there" in row]
WAYS: list[tuple[Any, str]] = [
    (framework, way)
    for framework in (langchain_way, llamaindex_way)
    for way in framework.WAYS
    if not way.startswith("a")
]
TYPES: dict[str, Any] = {
    "text": lambda value: isinstance(value, str),
    "whole number": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
}


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    """What real cascades of both frameworks write in every scenario there is."""

    async def run() -> list[dict[str, Any]]:
        outcomes = [
            await framework.run(scenario, way) for scenario in SCENARIOS for framework, way in WAYS
        ]
        return [json.loads(json.dumps(outcome.record)) for outcome in outcomes]

    return asyncio.run(run()) + others()


def others() -> list[dict[str, Any]]:
    """What the scenarios have not: no price, a class, a tier that fails again and again."""
    broken = FakeChat([Say(error=ProviderError(status_code=503))] * FAILURES_IN_A_ROW)
    with collect_decisions() as seen:
        llm = ChatCascade(tiers=[broken, FakeChat([Say("Monday")] * FAILURES_IN_A_ROW)])
        for _ in range(FAILURES_IN_A_ROW):
            llm.invoke("When?", config={"metadata": {"cascade_class": "dates"}})
        assert "failing" in seen[-1]
        chains = [lambda _: "Monday", lambda _: "Tuesday"]
        RunnableCascade(chains, signals=[lambda *_: 0.0]).invoke(1)
        talk = ChatCascade(
            tiers=[FakeChat([Say("Monday", p=0.1)]), FakeChat(Say("Monday"))],
            hold="conversation",
            deadline=60,
        )
        for _ in range(2):
            talk.invoke("When?", config={"configurable": {"thread_id": "t2"}})
        ChatCascade(
            tiers=[FakeChat(Say("Monday", p=0.1)), FakeChat(Say("Monday", p=0.1))],
            thresholds=[0.9, 0.8],
            on_handoff=FakeChat(Say("Monday")),
        ).invoke("When?")
        ChatCascade(
            tiers=[FakeChat(Say("Monday", p=0.9)), FakeChat(Say("Monday"))],
            policy={"version": 1, "calibrators": [WITH_BENEFIT], "thresholds": [0.5]},
        ).invoke("When?")
        ChatCascade(
            tiers=[FakeChat(Say("It ships on Monday.", p=0.99)), FakeChat(Say("Monday"))],
            policy=policy_of(rule(2)),
            thresholds=0.9,
        ).invoke("When?")
        ChatCascade(
            tiers=[FakeChat(Say("It is Monday. It is in May.")), FakeChat(Say("Monday"))],
            signals=[Claims(FakeChat(Say("1: A\n2: B")))],
        ).invoke("When?")
        logged = ChatCascade(
            tiers=[FakeChat([Say("Monday", p=0.99)]), FakeChat([Say("Monday")])],
            log=Forgetful(),
            audit=Audit(rate=1.0, compare=lambda *_: 1.0),
            policy={"version": 1},
        )
        plan = logged._engine.plan
        logged._engine._live.plan = replace(plan, policy_version=3)  # as of a database
        with patch.object(Plan, "ruling", lambda *_: Ruling(rule="first")):
            logged.invoke("When?", config={"configurable": {"thread_id": "t1"}, "tags": ["dates"]})
        flush_log()
    return json.loads(json.dumps(seen))


READS = {"kind": "signal", "signal": "sequence_logprob"}
WITH_BENEFIT = {"score": READS, "benefit": {"weight": 0.65, "keep": {"score": READS}}}


class Forgetful:
    """A log that keeps nothing."""

    def write(self, record: dict[str, Any]) -> None:
        """Take a record."""

    def write_event(self, event: dict[str, Any]) -> None:
        """Take an event."""


def kinds(row: Row) -> list[str]:
    return [kind for part in row["type"].split(" or ") for kind in part.split(", ")]


def check(given: Iterable[dict[str, Any]], always: list[Row], sometimes: list[Row]) -> None:
    """Hold objects against the tables of their fields, and the tables against them."""
    types = {named([row], "field")[0]: kinds(row) for row in (*always, *sometimes)}
    seen: dict[str, set[str]] = {name: set() for name in types}
    for each in given:
        assert list(each)[: len(always)] == named(always, "field")
        assert each.keys() <= types.keys()
        for name, value in each.items():
            (kind,) = [kind for kind in types[name] if TYPES[kind](value)][:1]
            seen[name].add(kind)
    assert seen == {name: set(kinds) for name, kinds in types.items()}


def test_records_have_the_documented_fields(records: list[dict[str, Any]]) -> None:
    only_logged = {"request", "response"}
    rows = [row for row in SOMETIMES if named([row], "field")[0] not in only_logged]
    check(records, ALWAYS, rows)


def test_calls_have_the_documented_fields(records: list[dict[str, Any]]) -> None:
    calls = [call for record in records for call in record["calls"]]
    assert any(calls)
    check(calls, OF_CALLS, OF_SOME_CALLS)
    sentence = next(row for row in OF_CALLS if row["field"] == "`usage`")["what it holds"]
    counts = {name for call in calls for name in call["usage"] or ()}
    assert all(f"`{name}`" in sentence for name in counts)


def test_judged_drafts_have_the_documented_fields(records: list[dict[str, Any]]) -> None:
    check([each for record in records for each in record["judged"]], OF_JUDGED, OF_SOME_JUDGED)


def test_what_is_within_a_field_is_documented(records: list[dict[str, Any]]) -> None:
    for row in SOMETIMES:
        name = named([row], "field")[0]
        found = [
            each
            for record in records
            if isinstance(record.get(name), (list, dict))
            for each in record[name]
        ]
        if name == "audit":
            assert found == ["probability", "picked"]
            assert all(f"`{key}`" in row["when it is there"] for key in found)
        if name in ("unable", "failing"):
            assert found
            assert all(f"`{key}`" in row["when it is there"] for each in found for key in each)


def test_shadow_has_the_documented_fields(records: list[dict[str, Any]]) -> None:
    shadows = [record["shadow"] for record in records if "shadow" in record]
    assert shadows
    for shadow in shadows:
        assert list(shadow) == named(TABLES["Shadow"], "field")[:4]


def test_the_log_holds_what_is_documented(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    llm = ChatCascade(
        tiers=[FakeChat([Say("Monday", p=0.99)]), FakeChat([Say("Monday")])],
        log=path,
        log_content=True,
    )
    llm.invoke("When?")
    flush_log()
    record = json.loads(path.read_text(encoding="utf-8"))
    assert list(record) == [*named(ALWAYS, "field"), "request", "response"]
    assert record["request"] == [{"role": "user", "text": "When?"}]


@pytest.mark.parametrize(
    ("heading", "column", "words"),
    [
        ("Reasons", "reason", get_args(Reason)),
        ("Purposes", "purpose", get_args(Purpose)),
        ("The strong model's cost", "basis", get_args(StrongCostBasis)),
        ("Token counts", "tokens_source", get_args(TokensSource)),
    ],
)
def test_closed_lists_are_documented_whole(
    heading: str, column: str, words: tuple[str, ...]
) -> None:
    assert named(TABLES[heading], column) == list(words)


def test_outcomes_and_what_may_be_missing_are_documented_whole() -> None:
    assert sorted(named(TABLES["Outcomes"], "outcome")) == sorted(get_args(Outcome))
    text = page("record.md").read_text(encoding="utf-8")
    sentence = text.partition("`missing` lists")[2].partition("\n\n")[0]
    assert all(f"`{word}`" in sentence for word in get_args(Missing))
