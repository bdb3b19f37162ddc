"""The overview says what `cascade report` and `cascade replay` say, and what to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.policy.document import Policy
from cascade_core.review.drift_found import COMPARED_AT_ONCE, compared
from cascade_core.review.missing_policy import other_policy
from cascade_core.review.open_warnings import open_warnings
from cascade_core.review.over_time import MOST_SPANS, charts_over_time, spans_of
from cascade_core.review.periods import Period
from cascade_core.review.source import Source
from cascade_core.review.workbench import Workbench
from tests.core.review.logs import everything
from tests.core.review.serving import Values, asking, bench_over, shown_text
from tests.core.traffic.making import audit, call, decision, nobody, sent_on
from tests.core.traffic.storing import store
from tests.running import Run, in_process

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "ansi": "\x1b[2Jred",
    "direction": "\u202eevil",
    "long": "x" * 1_000_000,
}


@pytest.fixture
def cascade(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `cascade` with some arguments."""
    return in_process(monkeypatch, capfd)


def told_by(cascade: Run, *arguments: str) -> dict[str, Any]:
    done = cascade(*arguments, "--json")
    assert done.status == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def enough() -> list[dict[str, Any]]:
    """Entries with more audits, so that every figure is there."""
    entries = everything()
    for number in range(60):
        name = f"audited {number}"
        picked = {"probability": 0.5, "picked": True}
        entries += [
            decision(name, 1 + number % 10, audit=picked, **{"class": f"kind {number % 3}"}),
            audit(name, float(number % 20 == 0)),
        ]
    return entries


SPANS: list[dict[str, str]] = [
    {},
    {"since": "2026-03-03"},
    {"since": "2026-03-02", "until": "2026-03-06"},
]


@pytest.mark.parametrize(
    ("by", "span"),
    zip(["class", "tag", "model", "reason", "rule", "policy"], SPANS * 2, strict=True),
)
def test_the_page_says_what_the_command_says(
    cascade: Run, tmp_path: Path, span: Mapping[str, str], by: str
) -> None:
    bench = bench_over(enough(), tmp_path)
    answer = asking(bench).get("/", params={**span, "by": by})
    options = [part for name, value in span.items() for part in (f"--{name}", value)]
    told = told_by(cascade, "report", bench.source.database, "--by", by, *options)
    page = Values(answer.text)
    assert page.first["requests"] == told["requests"]
    for name in ("cost_usd", "strong_cost_usd", "saved_usd", "failed_requests"):
        assert page.first[name] == told[name], name
    for tier, n in told["by_tier"].items():
        assert page.first[f"tier-{tier}"] == n
    audits = told["audits"]
    assert page.first["quality"] == audits["quality"]
    assert [page.first["quality-low"], page.first["quality-high"]] == audits["quality_interval"]
    assert page.first["harm"] == audits["harm"]
    assert [page.first["harm-low"], page.first["harm-high"]] == audits["interval"]
    assert page.first["saving"] == audits["saving"]["saved_usd"]
    assert page.first["cost_usd"] == told["saved"]["cost_usd"]
    for name, one in told["latency"].items():
        assert page.rows[LATENCY[name]][f"latency-{name}-p50"] == one["p50_ms"]
        assert page.rows[LATENCY[name]][f"latency-{name}-p95"] == one["p95_ms"]
    for group in told["groups"]:
        row = page.rows[group["name"]]
        assert row["requests"] == group["requests"]
        assert row["cost_usd"] == group["saved"]["cost_usd"]
        assert row["saved_usd"] == group["saved"]["saved_usd"]
        assert row.get("saved_by_estimate") == (
            group["saved_usd"] if group["saved"]["by"] == "audits" else None
        )
        if group["audits"] is not None:
            assert row.get("harm") == group["audits"]["harm"]


LATENCY = {
    "all": "all that were answered",
    "accepted": "answered without being sent on",
    "escalated": "sent on after a draft",
    "straight": "straight past tier 0",
}


def test_a_table_is_shown_as_replay_says(cascade: Run, tmp_path: Path) -> None:
    file, policy = tmp_path / "labels.csv", tmp_path / "policy.json"
    rows = ["id,class,t0_quality,t0_cost_usd,t0_signal_sequence_logprob,t1_quality,t1_cost_usd"]
    for number in range(60):
        good = int(number % 3 != 0)
        rows.append(f"r{number},kind {number % 2},{good},0.001,{0.3 + 0.6 * good},1,0.01")
    file.write_text("\n".join(rows), encoding="utf-8")
    Policy.load({"thresholds": [0.5]}).save(policy)
    told = told_by(cascade, "replay", str(file), "--policy", str(policy))
    database = store([], f"sqlite:///{tmp_path / 'rows.db'}")
    source = Source(str(file), "labels.csv", "table", database)
    page = Values(asking(Workbench(source, Policy.load(policy))).get("/").text)
    for name in ("n", "quality", "strong_quality", "cost_usd", "strong_cost_usd", "harm"):
        assert page.first[name] == told[name], name
    assert page.first["escalated"] == told["escalated"]
    assert page.rows["kind 1"]["harm"] == told["classes"]["kind 1"]["harm"]
    without = asking(Workbench(source, Policy()))
    assert "Give one with --policy" in shown_text(without.get("/").text)


def test_an_empty_log_says_how_to_fill_it(tmp_path: Path) -> None:
    bench = bench_over([], tmp_path)
    assert "holds no decision yet" in shown_text(asking(bench).get("/").text)


def test_a_period_without_decisions_says_so(tmp_path: Path) -> None:
    bench = bench_over([decision("a")], tmp_path)
    said = shown_text(asking(bench).get("/?since=2027-01-01").text)
    assert "No decision of this log is in this period" in said


def test_what_a_log_lacks_is_said_with_what_to_do(tmp_path: Path) -> None:
    bare: dict[str, Any] = {"class": None, "cost_usd": None, "strong_cost_usd": None}
    bench = bench_over([decision(f"d{n}", **bare) for n in range(30)], tmp_path)
    said = shown_text(asking(bench).get("/").text)
    assert "nothing was audited. audit=Audit(rate=0.05) does it." in said
    assert "Give the cascade prices=" in said
    assert "No request has a class." in said
    assert "No request has a tag." in shown_text(asking(bench).get("/?by=tag").text)


def test_what_it_cannot_group_by_is_refused_by_name(tmp_path: Path) -> None:
    answer = asking(bench_over([decision("a")], tmp_path)).get("/?by=colour")
    assert answer.status_code == 400
    assert "class, tag, model, reason, rule, policy, day" in answer.text


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("by", ["class", "tag", "model", "rule", "policy"])
def test_hostile_names_are_text(tmp_path: Path, name: str, by: str) -> None:
    changes: dict[str, Any] = {"tags": [name]} if by == "tag" else {by: name}
    bench = bench_over([decision(f"d{n}", **changes) for n in range(3)], tmp_path)
    html = asking(bench).get("/", params={"by": by}).text
    assert "<script>alert" not in html
    assert not {"\x1b", "\u202e"} & set(html)
    assert len(html) < 200_000


# --- warnings ------------------------------------------------------------------------------------


def warned(entries: list[dict[str, Any]], folder: Path, policy: Any = None) -> dict[str, str]:
    bench = bench_over(entries, folder, policy)
    found = open_warnings(bench.report(Period()), bench.draft.base, other_policy(bench))
    html = asking(bench).get("/").text
    for each in found:
        assert f'data-warning="{each.kind}"' in html
    return {each.kind: each.said for each in found}


PROMISE = {
    "kind": "harm",
    "limit": 0.02,
    "confidence": 0.95,
    "rows": 100,
    "seen": 0.0,
    "p_value": 0.01,
    "method": "x",
}


def test_a_sound_log_has_nothing_to_look_at(tmp_path: Path) -> None:
    entries = [decision(f"k{n}") for n in range(40)] + [sent_on(f"s{n}") for n in range(5)]
    assert warned(entries, tmp_path, {"name": "p"}) == {}


@pytest.mark.parametrize(("audits", "leads"), [(30, True), (29, False)])
def test_the_saving_that_audits_correct_leads_once_there_are_enough(
    cascade: Run, tmp_path: Path, audits: int, leads: bool
) -> None:
    picked = {"probability": 0.5, "picked": True}
    passed = {"probability": 0.5, "picked": False}
    entries: list[dict[str, Any]] = [decision(f"not picked {n}", audit=passed) for n in range(5)]
    for number in range(audits):
        made = audit(f"k{number}", strong_cost_usd=0.02)
        entries += [decision(f"k{number}", audit=picked), made]
    bench = bench_over(entries, tmp_path)
    html = asking(bench).get("/").text
    told = told_by(cascade, "report", bench.source.database)
    assert told["saved"]["by"] == ("audits" if leads else "estimate")
    saved = told["audits"]["saving"]["saved_usd"]
    assert Values(html).first["saving"] == saved != told["saved_usd"]
    assert Values(html).first["saved_usd"] == told["saved_usd"]
    cards = {what: html.index(f'data-name="{what}"') for what in ("saving", "saved_usd")}
    assert (cards["saving"] < cards["saved_usd"]) is leads
    said = " ".join(shown_text(html).split())
    assert f", {'corrected by audits' if leads else 'by estimate'}." in said
    assert ("fewer than 30 say little" in said) is not leads
    row = Values(html).rows["billing"]
    assert row["saved_usd"] == told["saved"]["saved_usd"]


def test_a_cascade_that_does_not_pay_is_warned_of(tmp_path: Path) -> None:
    entries = [decision("k")] + [sent_on(f"s{n}") for n in range(40)]
    assert "costs more than going straight" in warned(entries, tmp_path)["break_even"]


@pytest.mark.parametrize("reason", ["learning", "shadow"])
def test_what_costs_more_as_it_must_is_no_matter_for_warnings(reason: str, tmp_path: Path) -> None:
    entries = [sent_on(f"s{n}", reason=reason) for n in range(40)]
    assert "break_even" not in warned(entries, tmp_path)


def test_failures_and_missing_prices_are_warned_of(tmp_path: Path) -> None:
    failing = [{"tier": 1, "model": "large", "failures": 5, "error": "APITimeoutError"}]
    entries = [decision("k"), nobody("n"), decision("u", cost_usd=None)]
    entries.append(decision("last", 9, failing=failing))
    found = warned(entries, tmp_path)
    assert "tier 1 (large) had failed 5 times" in found["failing"]
    assert found["exhausted"] == "1 request had no answer from any tier"
    assert "unknown price" in found["unpriced"]


def test_audits_that_were_not_done_are_warned_of_by_why(tmp_path: Path) -> None:
    picked: dict[str, Any] = {"audit": {"probability": 0.5, "picked": True}}
    entries = [
        decision("a", **picked),
        decision("b", **picked),
        audit("a"),
        audit("b", status="skipped", why="budget", quality=None, harm=None),
    ]
    assert warned(entries, tmp_path)["uncovered"].endswith("not done: skipped: budget 1")


def test_a_promise_that_says_nothing_of_a_rules_answers_is_warned_of(tmp_path: Path) -> None:
    rule = {"name": "low", "match": {"tag": "x"}, "then": {"thresholds": [0.1]}}
    policy = {"name": "p", "thresholds": [0.5], "promises": [PROMISE], "rules": [rule]}
    found = warned([decision(f"d{n}") for n in range(5)], tmp_path, policy)
    assert "rule 'low' of the policy accepts other answers" in found["promise_void"]


def test_a_promise_about_another_model_is_warned_of(tmp_path: Path) -> None:
    entries = [decision(f"d{n}") for n in range(5)]
    found = warned(entries, tmp_path, tuned_policy())
    assert "tier 0 is small, and the policy was tuned with tiny" in found["promise_void"]


def test_other_thresholds_than_the_promise_was_tested_with_are_warned_of(tmp_path: Path) -> None:
    policy = {"name": "p", "thresholds": [0.7], "promises": [PROMISE]}
    entries = [decision(f"d{n}") for n in range(30)]
    found = warned(entries, tmp_path, policy)
    assert "the last 30 drafts of this policy were held against 0.5" in found["promise_void"]


def test_its_own_thresholds_are_not(tmp_path: Path) -> None:
    policy = {"name": "p", "thresholds": [0.5], "promises": [PROMISE]}
    assert "promise_void" not in warned([decision(f"d{n}") for n in range(30)], tmp_path, policy)


def test_a_name_of_a_megabyte_makes_no_long_warning(tmp_path: Path) -> None:
    entries = [decision(f"d{n}", model="x" * 1_000_000) for n in range(3)]
    assert len(warned(entries, tmp_path, tuned_policy())["promise_void"]) <= 500


def test_harm_above_what_was_promised_is_warned_of(tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = []
    for n in range(60):
        entries.append(decision(f"d{n}", audit={"probability": 1.0, "picked": True}))
        entries.append(audit(f"d{n}", float(n % 2), probability=1.0))
    policy = {"name": "p", "thresholds": [0.5], "promises": [PROMISE]}
    assert "above the 2.0 % promised" in warned(entries, tmp_path, policy)["promise_broken"]


def test_a_shift_within_the_log_is_warned_of(tmp_path: Path) -> None:
    entries = [decision(f"k{n:04}", 1 + n // 100) for n in range(600)]
    entries += [sent_on(f"s{n:04}", 8 + n // 100) for n in range(600)]
    assert "The share sent on has shifted" in warned(entries, tmp_path)["shift"]


def tuned_policy() -> dict[str, Any]:
    figures = {"n": 10, "quality": 1, "strong_quality": 1, "escalated": 0.1, "harm": 0}
    spread = {"rows": 200, "unread": 0.0, "values": [0.5, 0.95], "shares": [0.1, 1.0]}
    return {
        "name": "p",
        "thresholds": [0.5],
        "promises": [PROMISE],
        "tuned": {
            "table": "t.csv",
            "objective": "harm",
            "models": ["tiny", "large"],
            "choices": ["x"],
            "rows_fitted": 1,
            "figures": figures,
            "reference": {"rows": 200, "escalated": 0.05, "tiers": [spread], "harm": 0.0},
        },
    }


def test_drift_from_what_the_policy_was_tuned_on_is_warned_of(tmp_path: Path) -> None:
    entries = [sent_on(f"s{n:04}", 1 + n // 100) for n in range(900)]
    bench = bench_over(entries, tmp_path, tuned_policy())
    found = compared(bench.snapshot(), bench.draft.base, asked=True, patience=60)
    assert found.state == "done"
    assert found.found is not None
    assert found.found.alarms
    html = asking(bench).get("/").text
    assert 'data-warning="drift"' in html


def test_big_logs_are_compared_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cascade_core.review.drift_found.COMPARED_AT_ONCE", 2)
    assert COMPARED_AT_ONCE > 2
    bench = bench_over([decision(f"d{n}") for n in range(5)], tmp_path, tuned_policy())
    assert compared(bench.snapshot(), bench.draft.base, asked=False).state == "asked"
    assert "compare now" in shown_text(asking(bench).get("/").text)


def test_a_comparison_that_breaks_off_leaves_the_rest_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("of what people wrote")

    monkeypatch.setattr("cascade_core.review.drift_found.watch_log", broken)
    bench = bench_over([decision("d")], tmp_path, tuned_policy())
    answer = asking(bench).get("/")
    assert answer.status_code == 200
    assert "the log could not be read through (OSError)" in shown_text(answer.text)
    assert "of what people wrote" not in answer.text


def test_a_policy_that_decided_nothing_here_is_told(tmp_path: Path) -> None:
    policy = {**tuned_policy(), "name": "another"}
    bench = bench_over([decision("d")], tmp_path, policy)
    found = compared(bench.snapshot(), bench.draft.base, asked=True, patience=60)
    assert found.state == "failed"
    assert "none of its 1 decisions was made by the policy 'another'" in found.said


# --- over time -----------------------------------------------------------------------------------


def test_charts_add_up_to_the_whole(tmp_path: Path) -> None:
    bench = bench_over(enough(), tmp_path)
    report = bench.report(Period())
    charts = {each.name: each for each in charts_over_time(report)}
    cost, strong = charts["over-cost"].series
    told = report.figures.costs
    assert sum(map(float, filter(None, cost.values))) == pytest.approx(told.cost_usd)
    assert sum(map(float, filter(None, strong.values))) == pytest.approx(told.strong_usd)
    failed, nobody_ = charts["over-failures"].series
    assert sum(map(float, filter(None, failed.values))) == report.figures.failed_requests
    assert sum(map(float, filter(None, nobody_.values))) == report.figures.exhausted
    assert len(charts["over-tiers"].x) == 10


def test_quality_over_time_is_that_of_the_report_of_that_time(tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = []
    for n in range(200):
        name, day = f"d{n:03}", 1 + n // 20
        entries.append(decision(name, day, audit={"probability": 0.5, "picked": True}))
        entries.append(audit(name, float(n % 7 == 0)))
    bench = bench_over(entries, tmp_path)
    charts = {each.name: each for each in charts_over_time(bench.report(Period()))}
    quality, harm = charts["over-quality"].series
    for day, (good, lost) in enumerate(zip(quality.values, harm.values, strict=True), 1):
        only = bench.report(Period(f"{day}", "", *ends(day))).figures.audits
        assert only is not None
        assert (good, lost) == (only.quality.value, only.harm.value)


def ends(day: int) -> tuple[float, float]:
    first = 1772323200.0 + 86400 * (day - 1)  # 2026-03-01
    return first, first + 86400


def test_a_minute_has_no_charts(tmp_path: Path) -> None:
    bench = bench_over([decision("a"), decision("b")], tmp_path)
    assert spans_of(bench.report(Period()).worked.traffic.at) is None
    assert "too near to each other" in shown_text(asking(bench).get("/").text)


@pytest.mark.parametrize("last", ["2036-03-01T00:00:00+00:00", "9999-12-31T00:00:00+00:00"])
def test_a_clock_that_was_wrong_makes_longer_spans_and_not_more(tmp_path: Path, last: str) -> None:
    entries = [decision("a"), decision("b"), decision("wrong", at=last)]
    at = bench_over(entries, tmp_path).report(Period()).worked.traffic.at
    spans = spans_of(at)
    assert spans is not None
    assert 2 <= len(spans.starts) <= MOST_SPANS + 1
    assert spans.sums(np.ones(3)).sum() == 3
    assert spans.each.endswith(" days")


def test_records_without_times_have_no_charts(tmp_path: Path) -> None:
    bench = bench_over([call_only("a")], tmp_path)
    assert charts_over_time(bench.report(Period())) == []


def call_only(name: str) -> dict[str, Any]:
    return decision(name, calls=[call(0, "accepted", 0.001)])


def test_thresholds_in_use_are_told_from_the_last_tiers_own(tmp_path: Path) -> None:
    judged = [
        decision("kept"),
        sent_on("handed off", 2, threshold=0.8, handoff=True),
        sent_on("fine", 3, threshold=0.8, accepted=True, reason="confident"),
    ]
    assert bench_over(judged, tmp_path).deciding(Policy()).thresholds == (0.5,)
