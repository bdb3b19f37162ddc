"""Decisions are filtered, sorted, paged through and opened, and take feedback, with Chromium."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cascade_core.log.reading import read_events
from cascade_core.review.decisions import decision_path
from tests.browser.conftest import Look, Review
from tests.core.traffic.making import audit, call, decision, said, sent_on
from tests.core.traffic.storing import store

WIDTHS = [(1280, False), (1280, True), (400, False), (400, True)]
HOSTILE = {
    "script": "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "ansi": "\x1b[2J\x1b]0;title\x07",
    "direction": "\u202egnp.exe \u2066",
    "half": "a\ud83d b\x00",
    "long": "word " * 200_000,
    "unbroken": "x" * 100_000,
}


def audited_with_harm(file: Path) -> str:
    with sqlite3.connect(file) as database:
        query = "select decision from audits where harm > 0 and responses is not null limit 1"
        (found,) = database.execute(query).fetchone()
        return str(found)


@pytest.mark.parametrize(("width", "dark"), WIDTHS)
def test_the_table_can_be_read_by_everybody(watched: Review, width: int, dark: bool) -> None:
    watched.open("/decisions?cost_from=0", width=width, dark=dark)
    watched.check_access()
    watched.check_width()


@pytest.mark.parametrize(("width", "dark"), WIDTHS)
def test_a_decision_can_be_read_by_everybody(
    review: Review, desk_copy: Path, width: int, dark: bool
) -> None:
    review.open(f"/decisions/{audited_with_harm(desk_copy)}", width=width, dark=dark)
    review.page.get_by_text("As JSON").click()
    expect(review.page.locator("ins").first).to_be_visible()
    review.check_access()
    review.check_width()


def test_decisions_are_filtered_sorted_and_paged_through(watched: Review) -> None:
    page = watched.open("/decisions")
    expect(page.locator("#counts")).to_contain_text("240 decisions, 1 to 50 here")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#counts")).to_contain_text("51 to 100 here")
    page.get_by_label("Answered by").select_option("1")
    page.get_by_role("button", name="Show", exact=True).last.click()
    expect(page.locator("#counts")).to_contain_text("of 240 decisions, 1 to")
    assert "tier=1" in page.url
    tiers = page.locator(".opens td:nth-child(4) .badge").all_text_contents()
    assert set(tiers) == {"tier 1"}
    page.get_by_label("Sort by").get_by_role("link", name="Cost").click()
    assert "sort=cost" in page.url
    assert "tier=1" in page.url
    costs = page.locator('.opens td[data-label="Cost"]').all_text_contents()
    dear = [float(cost.removeprefix("$")) for cost in costs]
    assert dear == sorted(dear, reverse=True)
    page.get_by_label("Text, asked or answered").fill("RETURN")
    page.get_by_role("button", name="Show", exact=True).last.click()
    expect(page.locator("#counts")).to_contain_text("found among")
    rows = page.locator(".opens tr").all_text_contents()
    assert rows
    assert all("return" in row.lower() for row in rows)


def test_a_range_of_confidences_is_asked_for_at_once(watched: Review) -> None:
    page = watched.open("/decisions")
    page.get_by_label("Confidence from").fill("0.9")
    page.get_by_label("Confidence to").fill("0.97")
    page.get_by_label("Confidence to").press("Enter")
    expect(page.locator("#counts")).to_contain_text("of 240 decisions")
    shown = page.locator('.opens td[data-label="Confidence"]').all_inner_texts()
    assert shown
    assert all(0.9 <= float(each.split()[0]) <= 0.97 for each in shown)
    expect(page.get_by_label("Cost from")).to_be_hidden()


def test_a_row_opens_its_decision_and_leads_back(watched: Review) -> None:
    page = watched.open("/decisions?tier=1&sort=cost")
    page.locator(".opens tr").nth(2).locator("td").nth(1).click(force=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("Decision")
    expect(page.locator("#path")).to_contain_text("Draft of tier 0, desk-small")
    expect(page.locator("#calls")).to_contain_text("desk-large")
    page.get_by_role("link", name="Back to the table").click()
    assert page.url.endswith("/decisions?tier=1&sort=cost&order=down")


def test_the_table_is_taken_away(watched: Review) -> None:
    page = watched.open("/decisions?tier=1")
    with page.expect_download() as begun:
        page.get_by_role("link", name="JSON lines").click()
    lines = Path(begun.value.path()).read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["tier"] for line in lines} == {1}


def test_feedback_is_given_and_shown_at_once(review: Review, desk_copy: Path) -> None:
    page = review.open("/decisions?label=no&audit=harmful")
    page.locator(".opens a").first.click()
    page.get_by_label("in between:").check()
    page.get_by_label("How good, from 0 to 1").fill("0.25")
    page.get_by_label("What the answer should have been").fill("On day 4.\nAs agreed.")
    page.get_by_label("Note").fill("<b>It</b> forgot the change.")
    page.get_by_role("textbox", name="By", exact=True).fill("anna")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#feedback .entry")).to_contain_text("0.250 anna")
    expect(page.locator("#feedback .entry")).to_contain_text("<b>It</b> forgot the change.")
    expect(page.get_by_role("textbox", name="By", exact=True)).to_have_value("anna")
    *_, event = read_events(f"sqlite:///{desk_copy}", "feedback")
    assert (event["quality"], event["corrected"]) == (0.25, "On day 4.\nAs agreed.")
    review.check_access()
    page.get_by_role("link", name="Back to the table").click()
    assert "label=no" in page.url
    expect(page.locator("#counts")).to_contain_text("of 240")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_others_wrote_runs_nothing_and_breaks_nothing(
    look_at: Look, tmp_path: Path, text: str
) -> None:
    short = text[:300]
    record = sent_on(
        "a",
        request=[{"role": "user", "text": text}],
        response=text,
        tags=[short],
        rule=short,
        calls=[{**call(0, "failed", None), "model": short, "error": short}],
        judged=[{"tier": 0, "model": short, "reason": short, "confidence": 0.5, "threshold": 0.9,
                 "signals": {short: 0.5}}],
        **{"class": short},
    )  # fmt: skip
    tiers = [{"tier": 0, "response": f"{text} and more"}]
    given = {**said("a", 0.0, by=short, corrected=text), "note": text}
    log = store(
        [record, audit("a", compare=short, tiers=tiers), given], f"sqlite:///{tmp_path}/a.db"
    )
    review = look_at(log)
    for path in ("/decisions", "/decisions/a", "/queue"):
        review.open(path, width=400)
        review.check_width()
        assert review.page.title().count("·") == 1
    review.open("/decisions/a")
    review.check_access()


@pytest.mark.parametrize("key", ["a/b", "..", ".", "//x/../y", "50%25", "a?b#c&d=e", "%2F", "é 😀"])
def test_any_text_is_an_id(look_at: Look, tmp_path: Path, key: str) -> None:
    log = store([decision(key, request="mine", response="Yes, mine."), decision("b")], f"sqlite:///{tmp_path}/a.db")  # fmt: skip
    review = look_at(log)
    review.open("/decisions?text=mine")
    review.page.locator(".opens a").click()
    expect(review.page.locator("#answered")).to_contain_text("Yes, mine.")
    review.page.get_by_role("radio", name="good").check()
    review.page.get_by_role("button", name="Keep").click()
    expect(review.page.locator("#feedback .entry")).to_contain_text("1.000")
    (event,) = read_events(log, "feedback")
    assert event["decision"] == key
    assert decision_path(key)


def test_pictures(review: Review, desk_copy: Path) -> None:
    review.open("/decisions")
    review.picture("decisions", whole=False)
    review.open(f"/decisions/{audited_with_harm(desk_copy)}")
    review.picture("decision")
