"""`cascade collect`: a labelled table from chat models, and what a kill, a cap or a typo does."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from math import isnan
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from rich.console import Console
from typer.testing import CliRunner

from cascade_core import Runs
from cascade_core.calibration import tune
from cascade_core.collect import show
from cascade_core.collect.estimate import Estimate
from cascade_core.collect.show import print_summary
from cascade_core.collect.summary import Collected
from cascade_core.errors import CascadeWarning, ConfigurationError
from cascade_core.signals import Agreement, Claims, Judge, SelfConsistency
from langchain_cascade import ChatCascade, acollect, collect
from langchain_cascade.commands.collect import collect as command
from tests.conftest import ROOT
from tests.langchain.fakes import FakeChat, ProviderError, Say, echo
from tests.running import Run, in_process

PRICES = {
    "cheap": {"input": 1, "output": 2},
    "strong": {"input": 10, "output": 20},
    "judge": {"input": 100, "output": 0},
}
ASKED = [
    {
        "request": f"question {i}",
        "reference": f"re: question {i}",
        "class": "odd" if i % 2 else "even",
    }
    for i in range(6)
]

app = typer.Typer()
app.command()(command)
runner = CliRunner()


def models(cheap: Any = None, strong: Any = None) -> list[FakeChat]:
    return [
        FakeChat(echo(p=0.8) if cheap is None else cheap, model_name="cheap"),
        FakeChat(echo() if strong is None else strong, model_name="strong"),
    ]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def gather(
    folder: Path, tiers: list[Any] | None = None, requests: Any = None, **options: Any
) -> tuple[Collected, list[dict[str, str]]]:
    out = folder / "labels.csv"
    found = collect(
        ASKED if requests is None else requests,
        models() if tiers is None else tiers,
        out,
        **{"prices": PRICES, **options},
    )
    return found, rows_of(out) if out.exists() else []


def shown(found: Collected, width: int = 80) -> str:
    console = Console(width=width, file=StringIO())
    print_summary(found, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, printed.splitlines())) <= width
    return " ".join(printed.split())


def numbers(rows: list[dict[str, str]], column: str) -> list[float | None]:
    return [float(row[column]) if row[column] else None for row in rows]


# --- the table ------------------------------------------------------------------------------------


def test_the_last_tier_is_read_too_where_that_is_wanted_and_tuning_can_hand_off(tmp_path) -> None:
    asked = [{"request": f"question {i}", "reference": f"re: question {i}"} for i in range(40)]

    def strong(messages: Any, _: int) -> Say:
        text = messages[-1].content
        return Say("something else", p=0.3) if "7" in text else Say(f"re: {text}", p=0.9)

    def cheap(messages: Any, _: int) -> Say:
        return Say("re: question 3", p=0.9 if messages[-1].content == "question 3" else 0.2)

    tiers = models(cheap, strong)
    asked += [{"request": "question 3", "reference": "re: question 3"}] * 5
    found, rows = gather(tmp_path, tiers, asked, last_signals=True)
    assert {round(x or 0, 3) for x in numbers(rows, "t1_signal_sequence_logprob")} == {0.3, 0.9}
    assert found.tiers[1].readings == {"sequence_logprob": 45}
    made = tune(tmp_path / "labels.csv", max_escalated=1, answered=0.9, method="signal", force=True)
    assert made.handoff(2) is not None


def test_signals_that_ask_a_model_are_not_read_of_the_last_tier(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="last_signals: every signal asks a model"):
        gather(tmp_path, signals=[SelfConsistency(n=2)], last_signals=True)


def test_every_tier_answers_every_request_and_the_table_says_how_well(tmp_path: Path) -> None:
    found, rows = gather(tmp_path, models(cheap=lambda m, k: Say("re: question 3", p=0.8)))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [row["request"] for row in rows] == [a["request"] for a in ASKED]
    assert [row["class"] for row in rows] == ["even", "odd"] * 3
    assert "group" not in rows[0]
    assert {row["t0_model"] for row in rows} == {"cheap"}
    assert {row["t1_model"] for row in rows} == {"strong"}
    assert numbers(rows, "t0_quality") == [0, 0, 0, 1, 0, 0]
    assert numbers(rows, "t1_quality") == [1] * 6
    # 2 words in, 3 out, USD per million
    assert numbers(rows, "t0_cost_usd") == [pytest.approx((2 + 2 * 3) / 1e6)] * 6
    assert numbers(rows, "t1_cost_usd") == [pytest.approx((20 + 20 * 3) / 1e6)] * 6
    assert numbers(rows, "t0_signal_sequence_logprob") == [pytest.approx(0.8)] * 6
    assert "t1_signal_sequence_logprob" not in rows[0]
    assert found.as_plain() == {
        "n": 6,
        "total": 6,
        "complete": True,
        "cost_usd": pytest.approx(6 * 88 / 1e6),
        "failed": 0,
        "ungraded": 0,
        "problems": {},
        "usable": 6,
        "doubt": None,
        "out": str(tmp_path / "labels.csv"),
        "quality": "normalised",
        "tiers": [
            {
                "model": "cheap", "failed": 0, "errors": {}, "ungraded": 0,
                "quality": pytest.approx(1 / 6), "cost_usd": pytest.approx(8e-6),
                "readings": {"sequence_logprob": 6},
            },
            {
                "model": "strong", "failed": 0, "errors": {}, "ungraded": 0,
                "quality": 1.0, "cost_usd": pytest.approx(80e-6), "readings": {},
            },
        ],
    }  # fmt: skip
    assert not list(tmp_path.glob("*.partial*"))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_table_reads_back_as_what_tuning_takes(tmp_path: Path, suffix: str) -> None:
    table = pytest.importorskip("cascade_core.labels")
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    asked = [{**a, "group": f"g{i // 2}", "weight": 1 + i} for i, a in enumerate(ASKED)]
    out = tmp_path / f"labels{suffix}"
    # One draft is a refusal: no readings. One call fails: no quality and no cost.
    cheap = [
        Say("I cannot help with that."), Say(error=ProviderError()), Say("re: question 2", p=0.8)
    ]  # fmt: skip
    collect(
        asked,
        models(cheap=cheap),
        out,
        prices=PRICES,
        signals=["sequence_logprob", SelfConsistency(n=2)],
        concurrency=1,
    )
    read = table.read_table(out)
    first, last = read.tiers
    assert len(read) == 6
    assert read.class_names == ("even", "odd")
    assert list(read.weights) == [1, 2, 3, 4, 5, 6]
    assert len(set(read.groups)) == 3
    assert list(last.quality) == [1] * 6
    assert list(first.quality[[0, 2, 3]]) == [0, 1, 0]
    assert isnan(first.quality[1])
    assert isnan(first.cost[1])
    logprob, agree = first.signals["sequence_logprob"], first.signals["self_consistency"]
    assert all(isnan(value) for value in (*logprob[:2], *agree[:2]))
    assert list(agree[2:]) == [1] * 4
    assert list(first.paid["self_consistency"][2:]) == [pytest.approx(2 * 8e-6)] * 4


def test_without_texts_the_table_and_the_journal_hold_none(tmp_path: Path) -> None:
    _, rows = gather(tmp_path, texts=False)
    assert not any("question" in str(row.values()) for row in rows)
    assert {"request", "t0_response"}.isdisjoint(rows[0])
    assert numbers(rows, "t0_quality") == [1] * 6


def test_a_whole_conversation_is_sent_as_it_is(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    tiers = models()
    _, rows = gather(tmp_path, tiers, [{"messages": messages}])
    assert [m.content for m in tiers[0].calls[0].messages] == ["Be brief.", "Hello"]
    assert rows[0]["request"] == "Hello"


def test_another_models_answer_is_read_and_priced_apart(tmp_path: Path) -> None:
    other = FakeChat(echo(), model_name="judge")
    found, rows = gather(tmp_path, signals=[Agreement(other)])
    assert len(other.calls) == 6
    assert [call.prompt for call in other.calls] == [row["request"] for row in rows]
    paid = numbers(rows, "t0_paid_agreement_usd")
    assert all(usd is not None and usd > 0 for usd in paid)
    assert set(numbers(rows, "t0_signal_agreement")) <= {0.0, 1.0}
    assert float(found.spent) == pytest.approx(6 * 88e-6 + sum(filter(None, paid)))


def test_messages_that_langchain_cannot_read_are_named_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    tiers = models()
    wrong = [{"messages": [{"role": "user", "content": "a"}, {"role": "robot", "content": "b"}]}]
    with pytest.raises(ConfigurationError, match=r"column messages: \[1\]: its role 'robot'"):
        gather(tmp_path, tiers, wrong)
    wrong = [{"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}]
    with pytest.raises(ConfigurationError, match="line 1, column messages: LangChain cannot read"):
        gather(tmp_path, tiers, wrong)
    assert not tiers[0].calls


def test_paid_signals_are_priced_apart_from_the_answer(tmp_path: Path) -> None:
    judge = FakeChat(Say("A", p=0.9), model_name="judge")
    found, rows = gather(tmp_path, signals=[SelfConsistency(n=3), Judge(judge)])
    assert numbers(rows, "t0_cost_usd") == [pytest.approx(8e-6)] * 6
    assert numbers(rows, "t0_paid_self_consistency_usd") == [pytest.approx(24e-6)] * 6
    paid = numbers(rows, "t0_paid_judge_usd")
    assert all(usd is not None and usd > 0 for usd in paid)
    assert numbers(rows, "t0_signal_judge") == [pytest.approx(0.9)] * 6
    everything = 6 * (8e-6 + 24e-6 + 80e-6) + sum(filter(None, paid))
    assert float(found.spent) == pytest.approx(everything)


def test_statements_are_judged_and_paid_for_apart_from_the_answer(tmp_path: Path) -> None:
    judge = FakeChat(Say("1: A"), model_name="judge")
    found, rows = gather(tmp_path, signals=[Claims(judge)])
    assert numbers(rows, "t0_signal_claims") == [pytest.approx(0.99)] * 6
    paid = numbers(rows, "t0_paid_claims_usd")
    assert all(usd is not None and usd > 0 for usd in paid)
    assert numbers(rows, "t0_cost_usd") == [pytest.approx(8e-6)] * 6
    assert float(found.spent) == pytest.approx(6 * (8e-6 + 80e-6) + sum(filter(None, paid)))


def test_drafts_whose_code_does_not_pass_are_marked_and_not_read(tmp_path: Path) -> None:
    _, rows = gather(tmp_path, gates=[Runs(lambda code, _: "3" in code, required=True)])
    assert [row["t0_gate"] for row in rows].count("gate_runs") == 5
    assert numbers(rows, "t0_signal_sequence_logprob").count(None) == 5


def test_a_judge_grades_and_its_price_is_spent_but_no_tiers(tmp_path: Path) -> None:
    judge = FakeChat(Say("B", p=0.75), model_name="judge")
    found, rows = gather(tmp_path, quality="judge", judge=judge)
    assert numbers(rows, "t0_quality") == [pytest.approx(0.25)] * 6
    assert numbers(rows, "t1_quality") == [pytest.approx(0.25)] * 6
    assert len(judge.calls) == 12
    assert "re: question 0" in str(judge.calls[0].messages)
    assert numbers(rows, "t0_cost_usd") == [pytest.approx(8e-6)] * 6
    assert float(found.spent) > 6 * 88e-6


def test_answers_are_never_taken_from_a_cache(tmp_path: Path) -> None:
    set_llm_cache(InMemoryCache())
    same = [{"request": "one and the same", "id": i} for i in range(3)]
    tiers = models()
    _, rows = gather(tmp_path, tiers, same, concurrency=1)
    assert len(tiers[0].calls) == len(tiers[1].calls) == 3
    assert 0 not in numbers(rows, "t0_cost_usd")


def test_runnables_are_tiers_too(tmp_path: Path) -> None:
    cheap, strong = models()
    cheap.logprobs = True
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{input}")])
    chain = (lambda text: {"input": text}) | prompt | cheap
    _, rows = gather(tmp_path, [chain, strong])
    assert numbers(rows, "t0_quality") == [1] * 6
    assert {row["t0_model"] for row in rows} == {"cheap"}
    assert None not in numbers(rows, "t0_cost_usd")
    assert numbers(rows, "t0_signal_sequence_logprob") == [pytest.approx(0.8)] * 6


def test_a_cascade_may_be_a_tier(tmp_path: Path) -> None:
    cheap, strong = models()
    inner = ChatCascade(tiers=[cheap, strong], thresholds=0.5, prices=PRICES)
    found, rows = gather(tmp_path, [cheap, inner], max_cost=1)
    assert found.n == 6
    assert numbers(rows, "t1_quality") == [1] * 6
    assert None not in numbers(rows, "t1_cost_usd")


# --- failures -------------------------------------------------------------------------------------


def test_a_failed_call_leaves_its_cells_empty_and_is_counted(tmp_path: Path) -> None:
    def sometimes(messages: Any, kwargs: Any) -> Say:
        text = str(messages[-1].content)
        return Say(error=ProviderError(status_code=503)) if text[-1] in "24" else Say(f"re: {text}")

    found, rows = gather(tmp_path, models(cheap=sometimes))
    assert numbers(rows, "t0_quality") == [1, 1, None, 1, None, 1]
    assert numbers(rows, "t0_cost_usd")[2] is None
    assert numbers(rows, "t1_quality") == [1] * 6
    assert rows[2]["t0_response"] == ""
    assert rows[2]["t0_model"] == "cheap"
    assert found.failed == 2
    assert found.tiers[0].errors == {"ProviderError (HTTP 503)": 2}
    assert found.stopped is None


def test_requests_that_a_tier_failed_on_are_asked_again_by_the_same_run(tmp_path: Path) -> None:
    down = {"4", "2"}
    asked: list[str] = []

    def sometimes(messages: Any, kwargs: Any) -> Say:
        text = str(messages[-1].content)
        asked.append(text)
        return Say(error=ProviderError(status_code=503)) if text[-1] in down else Say(f"re: {text}")

    first, _ = gather(tmp_path, models(cheap=sometimes))
    assert (first.usable, first.failed) == (4, 2)
    assert list(tmp_path.glob("*.partial*")) == [first.journal]
    asked.clear()
    down.remove("2")
    second, rows = gather(tmp_path, models(cheap=sometimes))
    assert asked == ["question 2", "question 4"]
    assert (second.usable, second.failed, second.stopped) == (5, 1, None)
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert numbers(rows, "t0_quality") == [1, 1, 1, 1, None, 1]
    # What the strong model has answered already is not paid for again.
    assert second.spent == pytest.approx(Decimal(5 * 8 + 6 * 80) / 10**6)
    down.clear()
    third, _ = gather(tmp_path, models(cheap=sometimes))
    assert (third.usable, third.failed) == (6, 0)
    assert third.spent == pytest.approx(Decimal(6 * 8 + 6 * 80) / 10**6)
    assert not third.journal.exists()


def test_a_tier_that_always_fails_does_not_end_the_run(tmp_path: Path) -> None:
    many = [{"request": f"question {i}"} for i in range(15)]
    broken = models(strong=Say(error=ProviderError(status_code=500)))
    with pytest.warns(CascadeWarning, match="tier 1 failed on each of the first 10"):
        found, rows = gather(tmp_path, broken, many)
    assert len(rows) == 15
    assert found.failed == 15
    assert set(numbers(rows, "t0_quality")) == {None}, "nothing to agree with"
    assert found.tiers[0].ungraded == 15


def test_a_misspelt_tier_is_found_with_one_request_and_its_new_name_asks_nobody_else_again(
    tmp_path: Path,
) -> None:
    cheap, _ = tiers = models(strong=Say(error=ProviderError(status_code=404)))
    with pytest.raises(ConfigurationError, match=r"tier 1 \(strong\) failed on the first request"):
        gather(tmp_path, tiers)
    assert len(cheap.calls) == 1
    right = FakeChat(echo(), model_name="stronger")
    found, rows = gather(tmp_path, [cheap, right])
    assert len(cheap.calls) == 6, "one answer is kept"
    assert (found.usable, len(right.calls)) == (6, 6)
    assert {row["t1_model"] for row in rows} == {"stronger"}
    assert numbers(rows, "t0_signal_sequence_logprob")[0] == pytest.approx(0.8, abs=0.01)


def test_answers_of_tiers_that_did_not_change_are_reused_when_another_does(tmp_path: Path) -> None:
    def sometimes(messages: Any, kwargs: Any) -> Say:
        text = str(messages[-1].content)
        return Say(error=ProviderError(status_code=503)) if text[-1] == "5" else Say(f"re: {text}")

    first = models(cheap=sometimes)
    gather(tmp_path, first)
    other = FakeChat(echo(p=0.7), model_name="other")
    found, rows = gather(tmp_path, [other, first[1]])
    assert len(first[1].calls) == 6
    assert len(other.calls) == 6
    assert {row["t0_model"] for row in rows} == {"other"}
    assert None not in numbers(rows, "t1_cost_usd")
    assert found.usable == 6
    assert found.spent == pytest.approx(Decimal(5 * 8 + 6 * 80) / 10**6), "as far as it is known"


@pytest.mark.parametrize("depth", [600, 100_000])
def test_arguments_nested_too_deep_are_a_failed_row_and_the_others_go_on(
    tmp_path: Path, depth: int
) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]

    def script(messages: Any, kwargs: Any) -> Say:
        text = str(messages[-1].content)
        call = {"name": "f", "args": {"x": deep}, "id": "1"}
        return Say("", tool_calls=[call]) if text[-1] == "3" else Say(f"re: {text}", p=0.8)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tiers = models(cheap=script)
        found, rows = gather(tmp_path, tiers)
        gather(tmp_path, tiers) if found.failed else None
    assert len(tiers[1].calls) == 6, "what the strong model answered is kept"
    assert [float(row["t1_quality"] or 0) for row in rows if row["id"] != "4"] == [1.0] * 5
    assert found.usable >= 5


def test_without_references_prose_that_never_agrees_is_doubted_and_worth_nothing(
    tmp_path: Path,
) -> None:
    plain = [{"request": one["request"]} for one in ASKED]
    tiers = models(cheap=lambda m, k: Say("A sentence of its own.", p=0.9))
    with pytest.warns(CascadeWarning, match="tier 0 agrees with the last tier in 0.0 % of 6 rows"):
        found, _ = gather(tmp_path, tiers, plain)
    assert found.worthless
    assert found.journal.exists(), "the answers are kept, to be graded in another way"


class Grading:
    """A grader that does what it is told of some requests, and remembers what it was shown."""

    def __init__(self) -> None:
        self.does: dict[str, Any] = {}
        self.shown: list[tuple[str, str, str | None]] = []

    def __call__(self, request: str, answer: str, reference: str | None) -> Any:
        self.shown.append((request, answer, reference))
        does = self.does.get(request, 0.75)
        if isinstance(does, Exception):
            raise does
        return does


PROBLEMS = {
    "raises": (KeyError("secret prompt"), r"Grading raised KeyError \(test_collect.py, line \d+\)"),
    "too high": (2.0, "Grading returned 2 instead of a number in [0, 1]"),
    "no number": ("yes", "Grading returned str instead of a number in [0, 1]"),
}


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("texts", [True, False])
def test_answers_that_a_function_failed_on_are_graded_by_the_next_run_and_not_asked_for(
    tmp_path: Path, kind: str, *, texts: bool
) -> None:
    grading, tiers, options = Grading(), models(), {"texts": texts, "concurrency": 1}
    does, problem = PROBLEMS[kind]
    grading.does = {"question 1": does, "question 4": does}
    with pytest.warns(CascadeWarning, match="the answers are kept"):
        first, rows = gather(tmp_path, tiers, quality=grading, **options)
    assert numbers(rows, "t1_quality") == [0.75, None, 0.75, 0.75, None, 0.75]
    assert (first.usable, first.ungraded, first.failed) == (4, 2, 0)
    ((said, count),) = first.problems.items()
    assert count == 2
    assert re.search(problem if kind == "raises" else re.escape(problem), said)
    assert "secret" not in said
    assert first.as_plain()["problems"] == {said: 2}
    shown, grading.shown, grading.does = grading.shown, [], {}
    second, rows = gather(tmp_path, tiers, quality=grading, **options)
    assert [len(tier.calls) for tier in tiers] == [6, 6], "nobody was asked again"
    assert grading.shown == [one for one in shown if one[0] in {"question 1", "question 4"}]
    assert numbers(rows, "t0_quality") == numbers(rows, "t1_quality") == [0.75] * 6
    assert ("t0_response" in rows[0]) is texts
    assert (second.usable, second.ungraded, second.regraded) == (6, 0, 2)
    assert second.spent == first.spent
    assert second.tiers[0].readings == {"sequence_logprob": 6}
    assert not second.journal.exists()


def test_a_function_that_never_returns_anything_loses_no_answers_either(tmp_path: Path) -> None:
    grading, tiers = Grading(), models()
    grading.does = {f"question {i}": None for i in range(6)}
    first, _ = gather(tmp_path, tiers, quality=grading)
    assert (first.usable, first.ungraded, first.problems) == (0, 6, {})
    assert (
        shown(first).count(
            "6 rows could not be graded: tests.langchain.commands.test_collect:Grading returned None."
        )
        == 1
    )
    grading.does = {"question 2": None}
    second, _ = gather(tmp_path, tiers, quality=grading)
    assert len(tiers[0].calls) == 6
    assert (second.usable, second.ungraded) == (5, 1)
    assert not second.journal.exists(), "None of some answers is the function's last word"


def test_kept_answers_may_be_graded_in_another_way(tmp_path: Path) -> None:
    grading, tiers = Grading(), models()
    grading.does = {"question 0": KeyError()}
    with pytest.warns(CascadeWarning, match="raised KeyError"):
        gather(tmp_path, tiers, quality=grading)
    found, rows = gather(tmp_path, tiers, quality="exact")
    assert (found.regraded, found.quality, len(tiers[0].calls)) == (6, "exact", 6)
    assert numbers(rows, "t0_quality") == [1] * 6, "rows of two ways to grade are worth nothing"


def test_rows_that_the_cap_leaves_no_room_to_judge_have_no_quality_of_another_kind(
    tmp_path: Path,
) -> None:
    tiers, judge = models(), FakeChat(Say("A", p=0.75), model_name="judge")
    (tmp_path / "other").mkdir()
    priced, _ = gather(tmp_path / "other", quality="judge", judge=judge)
    gather(tmp_path, tiers, max_cost=3.5 * 88e-6)
    cap = float(priced.spent) / 6 * 2.5
    found, rows = gather(tmp_path, tiers, quality="judge", judge=judge, max_cost=cap)
    qualities = numbers(rows, "t1_quality")
    assert qualities == [pytest.approx(0.75)] * found.regraded + [None] * (3 - found.regraded)
    assert found.stopped == "cap"
    assert found.regraded == 2, "one at a time, until it is known what a verdict costs"
    assert found.left == 6 - found.regraded
    assert f"leaves no room for the {found.left} requests left" in shown(found)
    whole, rows = gather(tmp_path, tiers, quality="judge", judge=judge)
    assert numbers(rows, "t1_quality") == [pytest.approx(0.75)] * 6
    assert whole.left == 0
    assert [len(tier.calls) for tier in tiers] == [6, 6]


def test_graded_answers_that_are_not_kept_cannot_be_graded_in_another_way(tmp_path: Path) -> None:
    grading, tiers = Grading(), models()
    grading.does = {"question 0": KeyError()}
    with pytest.warns(CascadeWarning, match="raised KeyError"):
        gather(tmp_path, tiers, quality=grading, texts=False)
    with pytest.raises(ConfigurationError, match="another quality, and holds no answers"):
        gather(tmp_path, tiers, quality="exact", texts=False)
    assert len(tiers[0].calls) == 6


def test_answers_that_a_judge_failed_on_are_judged_again_and_paid_for_but_not_asked_for(
    tmp_path: Path,
) -> None:
    tiers, down = models(), FakeChat(Say(error=ProviderError(status_code=429)), model_name="judge")
    with pytest.warns(CascadeWarning, match="did not answer"):
        first, _ = gather(tmp_path, tiers, quality="judge", judge=down)
    assert first.problems == {"the judge did not answer (ProviderError (HTTP 429))": 6}
    judge = FakeChat(Say("A", p=0.75), model_name="judge")
    second, rows = gather(tmp_path, tiers, quality="judge", judge=judge)
    assert [len(tier.calls) for tier in tiers] == [6, 6]
    assert numbers(rows, "t1_quality") == [pytest.approx(0.75)] * 6
    assert "re: question 0" in str(judge.calls[0].messages)
    assert second.spent > first.spent
    assert not second.journal.exists()


def test_a_judge_that_failed_on_some_is_asked_about_those_alone(tmp_path: Path) -> None:
    verdicts = [Say("A", p=0.75)] * 11 + [Say(error=ProviderError(status_code=429))]
    judge = FakeChat(verdicts, model_name="judge")
    with pytest.warns(CascadeWarning, match="did not answer"):
        first, _ = gather(tmp_path, models(), quality="judge", judge=judge, concurrency=1)
    assert sum(first.problems.values()) == 1
    again = FakeChat(Say("A", p=0.5), model_name="judge")
    second, rows = gather(tmp_path, models(), quality="judge", judge=again, concurrency=1)
    assert len(again.calls) == 1, "the verdicts that are there stay"
    told = numbers(rows, "t0_quality") + numbers(rows, "t1_quality")
    assert sorted(told) == [pytest.approx(0.5), *[pytest.approx(0.75)] * 11]
    assert second.ungraded == 0


def test_a_mended_function_grades_every_answer_again(tmp_path: Path) -> None:
    def wrong(request: str, answer: str, reference: str | None) -> Any:
        return "yes" if request.endswith("3") else 0.25

    def mended(request: str, answer: str, reference: str | None) -> Any:
        return 0.5

    mended.__qualname__ = wrong.__qualname__
    tiers = models()
    with pytest.warns(CascadeWarning, match="the answers are kept"):
        first, _ = gather(tmp_path, tiers, quality=wrong)
    assert first.ungraded == 1
    second, rows = gather(tmp_path, tiers, quality=mended)
    assert numbers(rows, "t0_quality") == [0.5] * 6, "no row keeps what another function said"
    assert (second.regraded, len(tiers[0].calls)) == (6, 6)


def test_a_last_tier_that_is_never_right_is_doubted_once_and_graded_in_another_way(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    def reasons(messages: Any, kwargs: Any) -> Say:
        return Say(f"[first the working] re: {messages[-1].content}")

    tiers = models(strong=reasons)
    first, _ = gather(tmp_path, tiers)
    (warning,) = recwarn.list
    assert "tier 1, the last, has quality 0 throughout by quality 'normalised'" in str(
        warning.message
    )
    assert "try --quality contains, numeric, judge, or a function of yours" in str(warning.message)
    assert str(first.journal) in str(warning.message)
    assert "Give the same command with another --quality" in shown(first)
    assert first.as_plain()["doubt"] is not None
    second, rows = gather(tmp_path, tiers, quality="contains")
    assert numbers(rows, "t1_quality") == [1] * 6
    assert [len(tier.calls) for tier in tiers] == [6, 6]
    assert second.doubt is None
    assert not second.journal.exists()
    assert len(recwarn.list) == 1


def test_doubt_keeps_no_texts_that_are_to_be_left_out(tmp_path: Path) -> None:
    tiers = models(strong=Say("[working] re: question"))
    with pytest.warns(CascadeWarning, match="has quality 0 throughout") as given:
        found, _ = gather(tmp_path, tiers, texts=False)
    assert "keeps the answers" not in str(given[0].message)
    assert not found.journal.exists()


def two(request: str, answer: str) -> float:
    return 1.0


def keyed(request: str, answer: str, reference: str, *, key: str) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("grade", "named"),
    [(two, "two takes (request, answer),"), (keyed, "(request, answer, reference, key),")],
)
def test_a_function_that_cannot_be_called_is_refused_before_anything_is_asked(
    tmp_path: Path, grade: Any, named: str
) -> None:
    tiers = models()
    with pytest.raises(ConfigurationError, match=re.escape(named)):
        gather(tmp_path, tiers, quality=grade)
    assert not tiers[0].calls
    assert not list(tmp_path.iterdir())


def test_what_no_cascade_could_judge_ends_the_run_and_keeps_what_is_paid_for(
    tmp_path: Path,
) -> None:
    answers: dict[str, Any] = {"question 4": object()}

    def lookup(text: str) -> Any:
        return answers.get(text, f"re: {text}")

    strong = models()[1]
    with pytest.raises(ConfigurationError, match="a tier returned object"):
        gather(tmp_path, [RunnableLambda(lookup), strong], concurrency=1)
    answers = dict.fromkeys([f"question {i}" for i in range(6)], "mended")
    _, rows = gather(tmp_path, [RunnableLambda(lookup), strong], concurrency=1)
    assert [row["t0_response"] for row in rows] == [f"re: question {i}" for i in range(4)] + [
        "mended"
    ] * 2


def test_texts_that_no_file_can_hold_are_escaped(tmp_path: Path) -> None:
    half = "half a smile: \ud83d, a whole one: \U0001f642\nand a line"
    _, rows = gather(tmp_path, models(cheap=lambda m, k: Say(half)), [{"request": half}])
    assert rows[0]["t0_response"].strip() == half.replace("\ud83d", "\\ud83d")
    assert rows[0]["request"] == half.replace("\ud83d", "\\ud83d")


# --- money ----------------------------------------------------------------------------------------


def test_the_cap_stops_before_it_is_passed_and_the_run_goes_on_with_a_higher_one(
    tmp_path: Path,
) -> None:
    tiers = models()
    found, rows = gather(tmp_path, tiers, max_cost=3.5 * 88e-6)
    assert found.stopped == "cap"
    assert len(rows) == found.n == 3
    assert float(found.spent) == pytest.approx(3 * 88e-6)
    assert found.as_plain()["complete"] is False
    assert found.journal.exists()
    again, _ = gather(tmp_path, tiers, max_cost=3.5 * 88e-6)
    assert (again.n, len(tiers[1].calls)) == (3, 3), "what is spent stays spent"
    whole, rows = gather(tmp_path, tiers, max_cost=1)
    assert whole.stopped is None
    assert len(rows) == 6
    assert float(whole.spent) == pytest.approx(6 * 88e-6)
    assert len(tiers[1].calls) == 6
    assert not whole.journal.exists()


@pytest.mark.parametrize("unpriced", ["tier", "signal", "another model", "judge"])
def test_a_cap_is_refused_where_a_model_has_no_price(tmp_path: Path, unpriced: str) -> None:
    house = FakeChat(model_name="house-model")
    tiers, options = models(), {}
    if unpriced == "tier":
        tiers[0] = house
    elif unpriced == "signal":
        options = {"signals": [Judge(house)]}
    elif unpriced == "another model":
        options = {"signals": [Agreement(house)]}
    else:
        options = {"quality": "judge", "judge": house}
    with pytest.raises(ConfigurationError, match=r"house-model\)? has none") as raised:
        gather(tmp_path, tiers, max_cost=1, **options)
    assert str(raised.value).count("house-model") == 1
    assert not house.calls
    assert not list(tmp_path.iterdir())


def test_a_price_that_turns_out_missing_ends_a_run_with_a_cap(tmp_path: Path) -> None:
    chain = (lambda text: text) | FakeChat(model_name="house-model")
    found, _ = gather(tmp_path, [chain, models()[1]], max_cost=1)
    assert found.stopped == "unpriced"
    assert found.n == 1
    assert found.as_plain()["cost_usd"] is None


def test_without_a_cap_an_unpriced_model_has_empty_costs(tmp_path: Path) -> None:
    found, rows = gather(tmp_path, [FakeChat(echo(), model_name="house"), models()[1]])
    assert set(numbers(rows, "t0_cost_usd")) == {None}
    assert found.as_plain()["cost_usd"] is None
    assert found.unpriced == 6


@pytest.mark.parametrize(
    ("names", "spent"),
    [
        (("house", "home"), "6 of 6 requests; all calls are unpriced, so no cost is known."),
        (("house", "strong"), "6 requests; some calls for each are unpriced, so no cost is known."),
        (("cheap", "strong"), "Spent $0.000528 on 6 of 6 requests."),
    ],
)
def test_what_was_spent_is_said_only_as_far_as_it_is_known(
    tmp_path: Path, names: tuple[str, str], spent: str
) -> None:
    found, _ = gather(tmp_path, [FakeChat(echo(), model_name=name) for name in names])
    assert spent in shown(found)
    assert ("$" in shown(found)) == ("cheap" in names)
    part = replace(found, unpriced=2, spent=Decimal("0.25"))
    assert "Spent $0.250000 or more on 6 of 6 requests, 2 requests with unpriced calls" in shown(
        part
    )


def test_what_is_shown_of_many_requests_fits_a_terminal(tmp_path: Path) -> None:
    found, _ = gather(tmp_path)
    many = replace(
        found.tiers[0],
        model="some-provider/small-2025-01-31",
        readings={"sequence_logprob": 20_000, "self_consistency": 20_000},
        cost_usd=None,
    )
    console = Console(width=80, file=StringIO())
    print_summary(replace(found, tiers=(many, found.tiers[1])), console)
    printed = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split()[:2] for line in printed[1:3]] == [["tier", "0"], ["tier", "1"]]
    assert printed[1].split()[2] == "some-provider/small-2025-01-31"
    assert "Tier 0 was read by sequence_logprob on 20000, self_consistency on 20000." in printed


# --- what cannot work -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"tiers": []}, "at least two tiers"),
        ({"tiers": [FakeChat()]}, "at least two tiers"),
        ({"tiers": [FakeChat(), 5]}, r"tiers\[1\]"),
        ({"quality": "exactly"}, "'exactly' is not known"),
        ({"signals": ["nonsense"]}, "unknown signal 'nonsense'"),
        ({"concurrency": 0}, "concurrency 0"),
        ({"max_cost": 0}, "max_cost 0"),
        ({"max_cost": float("nan")}, "max_cost nan"),
        ({"requests": []}, "holds no requests"),
        ({"out": "labels.txt"}, ".csv, .jsonl, .parquet"),
        ({"out": "absent/labels.csv"}, "does not exist"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked_or_written(
    tmp_path: Path, options: dict[str, Any], named: str
) -> None:
    given = {"requests": ASKED, "tiers": models(), "out": "labels.csv", **options}
    given["out"] = tmp_path / given["out"]
    with pytest.raises(ConfigurationError, match=named):
        collect(**given, prices=PRICES)
    assert not list(tmp_path.iterdir())


def test_a_table_that_is_there_is_not_paid_for_again(tmp_path: Path) -> None:
    tiers = models()
    gather(tmp_path, tiers)
    with pytest.raises(ConfigurationError, match="is there already"):
        gather(tmp_path, tiers)
    assert len(tiers[0].calls) == 6


def test_inside_a_running_loop_the_async_function_is_pointed_to(tmp_path: Path) -> None:
    async def inside() -> None:
        collect(ASKED, models(), tmp_path / "labels.csv")

    with pytest.raises(ConfigurationError, match="await acollect"):
        asyncio.run(inside())


async def test_the_async_function_runs_so_many_requests_at_a_time(tmp_path: Path) -> None:
    tiers = models(cheap=echo(delay=0.02))
    asked = [{"request": f"question {i}"} for i in range(12)]
    await acollect(asked, tiers, tmp_path / "labels.csv", prices=PRICES, concurrency=5)
    assert tiers[0].journal.peak == 5


def test_models_without_async_code_run_side_by_side_too(tmp_path: Path) -> None:
    class Blocking(FakeChat):
        _agenerate = FakeChat.__mro__[1]._agenerate

    answer, probed = echo(), list[None]()
    together = Barrier(15)  # the first request is sent alone, to see that the tiers answer

    def wait_for_all(messages: Any, kwargs: Any) -> Say:
        if probed:
            together.wait(60)
        probed.append(None)
        return answer(messages, kwargs)

    asked = [{"request": f"question {i}"} for i in range(16)]
    cheap = Blocking(wait_for_all, model_name="cheap")
    found, _ = gather(tmp_path, [cheap, models()[1]], asked, concurrency=16)
    assert (found.n, found.failed) == (16, 0)
    assert not together.broken


# --- the command ----------------------------------------------------------------------------------

FACTORY = '''
"""Tiers that write down every call they get, and answer so many of them."""
import os
from tests.langchain.fakes import FakeChat, Say

def said(name):
    def script(messages, kwargs):
        text = str(messages[-1].content)
        with open("calls.log", "a") as log:
            log.write(f"{name} {text}\\n")
        with open("calls.log") as log:
            hangs = len(log.readlines()) > int(os.environ.get("ANSWERS", "1000"))
        return Say(f"re: {text}", p=0.8, delay=3600 if hangs else 0)
    return script

def make_tiers():
    return [FakeChat(said(name), model_name=name) for name in ("cheap", "strong")]

def half(request, answer, reference):
    return 0.5

def moody(request, answer, reference):
    if not os.environ.get("MENDED"):
        raise ValueError("secret")
    return 0.5

def shortness(request, draft):
    return 1 / (1 + len(draft.text))

def nothing():
    return None

def broken():
    raise KeyError("secret")
'''
ENTRY = """
import sys
import signal
from importlib.metadata import EntryPoint
from cascade_core import cli
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background run inherits none
cli.entry_points = lambda group: [EntryPoint("collect", "langchain_cascade.commands.collect:collect", group)]
cli.main()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_tiers.py").write_text(FACTORY)
    (tmp_path / "prices.json").write_text(json.dumps(PRICES))
    with (tmp_path / "requests.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["request", "reference", "class"])
        writer.writeheader()
        writer.writerows(
            {"request": f"question {i}", "reference": f"re: question {i}", "class": "a"}
            for i in range(30)
        )
    return tmp_path


def start(folder: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "shared"), *sys.path])
    given = ["requests.csv", "--out", "labels.csv", "--prices", "prices.json", *arguments]
    return subprocess.Popen(
        [sys.executable, "-c", ENTRY, "collect", *given],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.fixture
def here(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run the command in this process, which has imported what it needs."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    run = in_process(monkeypatch, capfd)
    given = ["requests.csv", "--out", "labels.csv", "--prices", "prices.json"]
    yield lambda *arguments, **options: run("collect", *given, *arguments, **options)
    sys.modules.pop("my_tiers", None)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def kept_in(journal: Path) -> int:
    """How many requests a journal that nobody uses holds."""
    with closing(sqlite3.connect(journal)) as kept:
        (count,) = kept.execute("SELECT count(*) FROM requests").fetchone()
    return int(count)


def wait_for(path: Path, n: int) -> None:
    deadline = time.monotonic() + 300
    while len(lines(path)) < n:
        assert time.monotonic() < deadline, f"{path.name} has {len(lines(path))} lines"
        time.sleep(0.005)


FACTORY_OPTION = ("--factory", "my_tiers:make_tiers")


@pytest.mark.processes
def test_a_killed_run_goes_on_and_pays_twice_only_for_what_was_in_flight(
    folder: Path, here: Run
) -> None:
    journal = folder / "labels.csv.partial.db"
    options = (*FACTORY_OPTION, "--concurrency", "3", "--json")
    process = start(folder, *options, ANSWERS="24")
    wait_for(folder / "calls.log", 25)  # two a request, three at a time
    os.kill(process.pid, signal.SIGKILL)
    finish(process)
    assert 9 <= kept_in(journal) < 30
    assert not (folder / "labels.csv").exists()
    ran = here(*options)
    assert ran.status == 0
    said = json.loads(ran.out)
    assert (said["n"], said["failed"], said["complete"]) == (30, 0, True)
    assert said["cost_usd"] == pytest.approx(30 * 88e-6)
    rows = rows_of(folder / "labels.csv")
    assert [row["id"] for row in rows] == [str(line) for line in range(2, 32)]
    assert all(row["t0_response"] == f"re: {row['request']}" for row in rows)
    assert not journal.exists()
    calls = Counter(lines(folder / "calls.log"))
    assert len(calls) == 60
    twice = {call.partition(" ")[2] for call, n in calls.items() if n > 1}
    assert max(calls.values()) <= 2
    assert len(twice) <= 3, "more than was in flight was paid for twice"


@pytest.mark.processes
def test_ctrl_c_says_how_to_go_on(folder: Path, here: Run) -> None:
    journal = folder / "labels.csv.partial.db"
    process = start(folder, *FACTORY_OPTION, ANSWERS="30")
    wait_for(folder / "calls.log", 31)  # two a request, eight at a time
    process.send_signal(signal.SIGINT)
    status, out, err = finish(process)
    assert status == 1
    assert out == ""
    assert "Traceback" not in err
    assert "labels.csv.partial.db keeps what is paid for" in err
    assert "same command to go on" in err
    assert kept_in(journal) > 4
    ran = here(*FACTORY_OPTION)
    assert ran.status == 0
    assert "30 of 30 requests" in ran.out
    assert len(rows_of(folder / "labels.csv")) == 30


def test_what_a_run_will_cost_is_said_first_and_nobody_is_asked_where_nobody_can_answer(
    here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO())
    ran = here(*FACTORY_OPTION)
    assert ran.status == 0
    assert re.search(r"requests to 2 tiers: about \$0\.\d+, if answers have 300 tokens", ran.err)
    assert "Begin?" not in ran.err


def test_at_a_terminal_it_is_asked_whether_to_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(show, "sys", SimpleNamespace(stdin=terminal, stderr=terminal))
    answers: list[bool] = [True, False]
    monkeypatch.setattr(show.typer, "confirm", lambda *_, **__: answers.pop(0))
    cost = Estimate(5, 2, Decimal("0.42"))
    show.begin(cost, ask=True, quiet=False)
    with pytest.raises(typer.Exit):
        show.begin(cost, ask=True, quiet=False)
    show.begin(cost, ask=False, quiet=False)
    assert answers == []
    assert "5 requests to 2 tiers: about $0.4200" in capsys.readouterr().err
    unknown = str(Estimate(1, 2, None, ("tier 0 (x)", "tier 1 (y)")))
    assert unknown == (
        "1 request to 2 tiers: the cost is not known, for there is no price of tier 0 (x) or "
        "tier 1 (y); --prices takes a table of yours"
    )


def test_a_run_begun_with_other_settings_is_not_gone_on_with(folder: Path, here: Run) -> None:
    capped = (*FACTORY_OPTION, "--max-cost", "0.0005")
    ran = here(*capped)
    assert ran.status == 0
    assert "leaves no room" in ran.out
    assert "Raise --max-cost" in ran.out
    before = (folder / "labels.csv.partial.db").read_bytes()
    ran = here(*capped, "--no-text")
    assert ran.status == 2
    assert "other settings (texts)" in ran.err
    changed = (folder / "requests.csv").read_text().replace("question 7", "question 77")
    (folder / "requests.csv").write_text(changed)
    ran = here(*capped)
    assert ran.status == 2
    assert "other settings (requests)" in ran.err
    assert (folder / "labels.csv.partial.db").read_bytes() == before


def test_signals_and_quality_may_be_functions_of_ones_own_and_are_resumed(
    folder: Path, here: Run
) -> None:
    options = (*FACTORY_OPTION, "--quality", "my_tiers:half", "--json")
    options += ("--signals", "self_consistency, my_tiers:shortness")
    ran = here(*options, "--max-cost", "0.002")
    assert ran.status == 0
    assert json.loads(ran.out)["complete"] is False
    ran = here(*options)
    assert ran.status == 0, ran.err
    rows = rows_of(folder / "labels.csv")
    assert len(rows) == 30
    assert numbers(rows, "t1_quality") == [0.5] * 30
    assert None not in numbers(rows, "t0_signal_shortness")
    assert None not in numbers(rows, "t0_signal_self_consistency")


def test_a_person_is_told_how_to_have_paid_answers_graded(
    folder: Path, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (*FACTORY_OPTION, "--quality", "my_tiers:moody")
    first = here(*options, warns=CascadeWarning)
    said = " ".join(first.out.split())
    assert first.status == 1
    assert (
        "30 rows could not be graded: my_tiers:moody raised ValueError (my_tiers.py, line" in said
    )
    assert "labels.csv.partial.db keeps the answers. Mend my_tiers:moody, or" in said
    assert "give the same command: they are graded again, and no model is asked." in said
    assert "keeps the answers" in first.err
    assert "secret" not in first.out + first.err
    asked = lines(folder / "calls.log")
    monkeypatch.setenv("MENDED", "yes")
    second = here(*options)
    assert second.status == 0
    assert "Answers to 30 requests were graded again: no model was asked." in second.out
    assert lines(folder / "calls.log") == asked
    assert numbers(rows_of(folder / "labels.csv"), "t1_quality") == [0.5] * 30
    assert not list(folder.glob("*.partial*"))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "either as --tier"),
        ((*FACTORY_OPTION, "--tier", "openai:a"), "either as --tier"),
        (("--factory", "my_tiers"), "is not module:name"),
        (("--factory", "absent_module:make"), "there is no module absent_module"),
        (("--factory", "my_tiers:absent"), "my_tiers has no absent"),
        (("--factory", "my_tiers:nothing"), "returned NoneType"),
        (("--factory", "my_tiers:broken"), "raised KeyError"),
        (("--tier", "nonsense", "--tier", "openai:a"), "tiers[0]='nonsense'"),
        ((*FACTORY_OPTION, "--quality", "judge"), "--judge"),
        ((*FACTORY_OPTION, "--max-cost", "-1"), "max_cost -1"),
        ((*FACTORY_OPTION, "--signals", "judge"), "--signals judge needs --judge MODEL"),
        ((*FACTORY_OPTION, "--signals", "agreement"), "--signals agreement needs --agree-with"),
        ((*FACTORY_OPTION, "--signals", "claims"), "module:name for one made in Python"),
        ((*FACTORY_OPTION, "--agree-with", "openai:x"), "--agree-with is for --signals agreement"),
        ((*FACTORY_OPTION, "--concurrency", "0"), "--concurrency"),
        ((*FACTORY_OPTION, "--out", "labels.txt"), "labels.txt"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(
    folder: Path, here: Run, arguments: tuple[str, ...], named: str
) -> None:
    ran = here(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert named in ran.err
    assert "secret" not in ran.err
    assert not list(folder.glob("labels*"))


def test_a_bad_file_of_requests_is_one_line_and_nothing_is_asked(folder: Path, here: Run) -> None:
    with (folder / "requests.csv").open("a") as file:
        file.write(",no question,a\n")
    ran = here(*FACTORY_OPTION)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert "requests.csv, line 32, column request: is empty" in ran.err
    assert not (folder / "calls.log").exists()


def test_help_shows_an_example() -> None:
    shown = runner.invoke(app, ["--help"], env={"COLUMNS": "120", "TERM": "dumb"}).output
    assert "Example: cascade collect requests.csv" in shown


def test_people_are_shown_what_was_collected(here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "120", "FORCE_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    ran = here(*FACTORY_OPTION)
    assert ran.status == 0
    for text in ("cheap", "strong", "1.000", "30 of 30", "labels.csv: 30 rows", "normalised"):
        assert text in ran.out
    assert "30/30" in ran.err, "a progress bar"
    assert "$0.002640" in ran.err, "the cost so far"
