"""Which figure of what was saved leads: one rule for all that says something of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cascade_core.evaluation.audited import FEW_AUDITS
from tests.core.traffic.making import audit, decision, sent_on, straight, write_lines
from tests.running import Run

PICKED = {"audit": {"probability": 0.5, "picked": True}}
PASSED = {"audit": {"probability": 0.5, "picked": False}}
BILLING, LEGAL = {"class": "billing"}, {"class": "legal"}


def log(audits: int, strong: float) -> list[dict[str, Any]]:
    """Twice as many kept answers as audits, each by estimate 0.01 of the last tier's, and more."""
    entries = [sent_on(f"s{n}", **PASSED, **BILLING) for n in range(5)]
    for number in range(audits):
        entries += [
            decision(f"k{number}", **PICKED, **BILLING),
            decision(f"p{number}", **PASSED, **BILLING),
            audit(f"k{number}", strong_cost_usd=strong),
        ]
    return entries


def told(cascade: Run, entries: list[dict[str, Any]], *options: str) -> dict[str, Any]:
    done = cascade("report", str(write_lines(entries)), "--json", *options)
    assert (done.status, done.err) == (0, "")
    found: dict[str, Any] = json.loads(done.out)
    return found


def printed(cascade: Run, entries: list[dict[str, Any]], *options: str) -> str:
    return " ".join(cascade("report", str(write_lines(entries)), *options).out.split())


def test_audits_lead_from_enough_of_them_on(cascade: Run) -> None:
    for audits, by in ((FEW_AUDITS, "audits"), (FEW_AUDITS - 1, "estimate")):
        found = told(cascade, log(audits, 0.02))
        saving, saved = found["audits"]["saving"], found["saved"]
        assert (saved["by"], saved["audits"]) == (by, audits)
        leads = saving if by == "audits" else found
        assert saved["saved_usd"] == pytest.approx(leads["saved_usd"])
        assert saved["strong_cost_usd"] == leads["strong_cost_usd"]
        ends = [saving["low"], saving["high"]] if by == "audits" else [None, None]
        assert saved["interval"] == ends
        assert found["saved_usd"] != pytest.approx(saving["saved_usd"]), "the two differ here"


def test_the_terminal_calls_it_what_it_is_and_has_the_other_second(cascade: Run) -> None:
    said = printed(cascade, log(FEW_AUDITS, 0.02))
    assert "saved, corrected by audits." in said
    assert "Break-even, corrected by audits: " in said
    assert said.index(" saved, corrected by audits $") < said.index(" saved, by estimate ")
    few = printed(cascade, log(FEW_AUDITS - 1, 0.02))
    assert "by estimate." in few
    assert "Break-even, by estimate: " in few
    assert "29 audits would correct it to $" in few
    assert " saved, corrected by audits " not in few


def test_what_a_kept_answer_saves_is_corrected_and_with_it_when_the_cascade_pays(
    cascade: Run,
) -> None:
    found = told(cascade, log(FEW_AUDITS, 0.03))
    before, after = found["break_even"], found["saved"]["break_even"]
    assert before["gain_usd"] == pytest.approx(0.01 - 0.001)
    assert after["gain_usd"] == pytest.approx(0.03 - 0.001)
    for name in ("kept", "escalated", "loss_usd", "audit_usd", "now"):
        assert after[name] == before[name]
    assert before["share"] is None or after["share"] < before["share"]


def test_what_costs_more_than_it_saves_is_judged_by_the_figure_that_leads(cascade: Run) -> None:
    few, enough = (log(n, 0.0005) for n in (FEW_AUDITS - 1, FEW_AUDITS))
    for entries in (few, enough):  # cheap audits, so that estimates say that it pays
        for each in entries:
            if each.get("event") == "audit":
                each["cost_usd"] = 0.0
    by_estimate, corrected = told(cascade, few), told(cascade, enough)
    assert (by_estimate["saved"]["dear"], corrected["saved"]["dear"]) == (False, True)
    assert not corrected["costs"]["dear"], "the estimate is as it was"
    assert "costs more than going straight" in printed(cascade, enough)
    assert "costs more than going straight" not in printed(cascade, few)


def test_each_group_has_its_own_audits(cascade: Run) -> None:
    entries = [*log(FEW_AUDITS, 0.02), *(decision(f"l{n}", **PASSED, **LEGAL) for n in range(25))]
    groups = {each["name"]: each for each in told(cascade, entries, "--by", "class")["groups"]}
    assert {name: each["saved"]["by"] for name, each in groups.items()} == {
        "billing": "audits",
        "legal": "estimate",
    }
    said = printed(cascade, entries, "--by", "class")
    assert f"≈ {100 * groups['legal']['saved']['share']:.1f} %" in said
    assert f" {100 * groups['billing']['saved']['share']:.1f} % " in said
    assert "≈: by estimate" in said


def test_what_was_paid_each_time_is_called_no_estimate(cascade: Run) -> None:
    entries = [straight(f"b{n}") for n in range(25)]
    assert told(cascade, entries)["saved"]["by"] == "paid"
    assert "estimate" not in printed(cascade, entries)
