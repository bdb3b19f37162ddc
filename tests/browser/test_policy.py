"""The page `Policy` in a browser: changed, seen, saved, put in use and taken back."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cascade_core import collect_decisions
from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from cascade_demo.prices import price_table
from langchain_cascade import ChatCascade
from tests.browser.conftest import Look, Review

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[31m"
PATIENCE = 120.0
"""Seconds in which a running cascade has to take another policy; two are promised."""


def versions(review: Review) -> PolicyStore:
    assert review.database is not None
    return PolicyStore(f"sqlite:///{review.database}")


def change(review: Review) -> None:
    """Move the threshold and add a bypass."""
    page = review.open("/policy")
    page.get_by_label("Threshold, 0 to 1").fill("0.95")
    page.get_by_role("button", name="Change the threshold").click()
    expect(page.locator("#status")).to_have_text("The draft was changed. Nothing is saved yet.")
    page.get_by_label("Requests of a").select_option("tag")
    page.get_by_label("Called").fill("vip")
    page.get_by_role("button", name="Add the bypass").click()
    expect(page.locator("#changes tbody tr")).to_have_count(2)


def test_a_policy_is_changed_saved_activated_and_taken_back(review: Review) -> None:
    change(review)
    page, kept = review.page, versions(review)
    expect(page.locator("#changes li").first).to_have_text("thresholds: [0.9] -> [0.95]")
    page.get_by_text("As JSON, line by line").first.click()
    expect(page.locator("#changes ins").first).to_contain_text("0.95")
    expect(page.locator("#compared tbody tr")).to_have_count(4)
    expect(page.locator("#reached tbody tr")).to_have_count(1)
    review.check_access()
    page.get_by_label("Note").fill("stricter, vips stay strong")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.locator("#status")).to_have_text("Saved as version 2. It is not in use yet.")
    assert kept.active_number() == 1
    page.locator("#save").get_by_role("button", name="Activate version 2").click()
    expect(page.locator("#status")).to_contain_text("Version 2 is in use.")
    expect(page.locator("#version-list tr.current")).to_contain_text("stricter, vips stay strong")
    assert kept.active().policy.thresholds == (0.95,)
    review.check_access()
    page.get_by_role("button", name="Take back: return to version 1").click()
    expect(page.locator("#status")).to_have_text("Taken back: version 1 is in use again.")
    assert kept.active_number() == 1


@pytest.fixture
def llm(desk_copy: Path) -> ChatCascade:
    """A cascade that answers while its policy is changed."""
    return ChatCascade.from_models(
        "demo:desk-small",
        "demo:desk-large",
        policy=f"sqlite:///{desk_copy}",
        prices=price_table(),
    )


def test_a_running_cascade_takes_what_is_activated(review: Review, llm: ChatCascade) -> None:
    def rule_once(version: int) -> str | None:
        until = time.monotonic() + PATIENCE
        while True:
            with collect_decisions() as seen:
                llm.invoke("Where is order 1327?", {"tags": ["vip"]})
            (record,) = seen
            if record["policy_version"] == version or time.monotonic() > until:
                assert record["policy_version"] == version
                rule: str | None = record["rule"]
                return rule
            time.sleep(0.1)

    assert rule_once(1) is None
    change(review)
    review.page.get_by_role("button", name="Save as a new version").click()
    review.page.locator("#save").get_by_role("button", name="Activate version 2").click()
    assert rule_once(2) == "tag vip goes straight to the last tier"
    review.page.get_by_role("button", name="Take back").click()
    assert rule_once(1) is None


def test_a_double_click_saves_one_version(review: Review) -> None:
    change(review)
    review.page.get_by_role("button", name="Save as a new version").dblclick()
    expect(review.page.locator("#version-list tbody tr")).to_have_count(2)
    assert len(versions(review).versions()) == 2


def test_one_change_is_undone_by_keyboard(review: Review) -> None:
    change(review)
    page = review.page
    page.get_by_role("button", name="Undo: threshold of tier 0").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("That change was taken back.")
    expect(page.locator("#changes tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Forget all changes").click()
    expect(page.locator("#changes")).to_contain_text("Nothing is changed.")


def test_rules_that_cannot_be_stay_in_the_form_with_what_is_wrong(review: Review) -> None:
    page = review.open("/policy")
    page.get_by_text("Write the rules as JSON").click()
    field = page.get_by_label("Rules, as a list")
    wrong = '[{"name": "x", "match": {"tga": "y"}, "then": {"bypass": true}}]'
    field.fill(wrong)
    page.get_by_role("button", name="Take these rules").click()
    expect(page.get_by_role("alert")).to_contain_text("did you mean tag?")
    expect(field).to_have_value(wrong)
    review.expect_complaint("400")
    review.check_access()
    field.fill(wrong.replace("tga", "tag"))
    page.get_by_role("button", name="Take these rules").click()
    expect(page.locator("#changes")).to_contain_text("rules by hand")
    expect(page.locator("#check")).to_contain_text("the draft lacks rules")


def test_what_another_activates_meanwhile_is_seen(review: Review) -> None:
    page, kept = review.page, versions(review)
    change(review)
    number, _ = kept.save(Policy.load({"name": "other", "thresholds": [0.7]}))
    kept.activate(number)
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.locator("#moved")).to_contain_text("Another policy decides now")
    review.check_access()
    page.get_by_role("button", name="Make my changes to the new one").click()
    expect(page.locator("#moved")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("both had changed this")
    assert kept.active_number() == number


def test_hostile_texts_are_text(review: Review) -> None:
    kept = versions(review)
    rule = {"name": HOSTILE, "match": {"tag": HOSTILE}, "then": {"class": HOSTILE}}
    policy = Policy.load({"name": HOSTILE, "thresholds": [0.9], "rules": [rule]})
    kept.activate(kept.save(policy, HOSTILE)[0])
    page = review.open("/policy")
    expect(page.locator("#version-list")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0
    review.check_access()
    review.check_width()
    page.get_by_role("link", name="Version 2").click()
    expect(page.locator("h1")).to_have_text("Policy, version 2")
    assert page.locator("main img").count() == 0
    review.check_access()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_changes_can_be_read_by_everybody(review: Review, width: int, dark: bool) -> None:
    change(review)
    review.page.get_by_role("button", name="Save as a new version").click()
    for path in ("/policy", "/policy/version/2", "/policy/diff?a=1&b=2"):
        review.open(path, width=width, dark=dark)
        review.check_access()
        review.check_width()


def test_a_file_is_changed_and_a_table_needs_none(look_at: Look, tmp_path: Path) -> None:
    table, policy = tmp_path / "labels.csv", tmp_path / "policy.json"
    lines = ["id,t0_quality,t0_cost_usd,t0_signal_a,t1_quality,t1_cost_usd"]
    lines += [f"r{n},{int(n > 30)},0.001,{(n + 1) / 99},1,0.01" for n in range(90)]
    table.write_text("\n".join(lines) + "\n")
    policy.write_text(json.dumps({"thresholds": [0.5]}))
    seen = look_at(table, "--policy", policy)
    page = seen.open("/policy")
    page.get_by_label("Threshold, 0 to 1").fill("0.3")
    page.get_by_role("button", name="Change the threshold").click()
    expect(page.locator("#check")).to_contain_text("Replayed on 90 labelled rows")
    page.get_by_role("button", name="Save as a new version").click()
    page.locator("#save").get_by_role("button", name="Activate version 2").click()
    expect(page.locator("#status")).to_contain_text("Version 2 is in use.")
    assert Policy.load(policy).thresholds == (0.3,)
    rows = sqlite3.connect(f"{policy}.versions.db").execute("select note from policies").fetchall()
    assert rows == [("as the file was found",), (None,)]
    nowhere = look_at(table)
    page = nowhere.open("/policy")
    page.get_by_label("Threshold, 0 to 1").fill("0.3")
    page.get_by_role("button", name="Change the threshold").click()
    with page.expect_download() as found:
        page.get_by_role("link", name="Download the draft").click()
    assert Policy.load(json.loads(Path(found.value.path()).read_text())).thresholds == (0.3,)


def test_read_only_has_nothing_to_send(look_at: Look, desk_copy: Path) -> None:
    seen = look_at(f"sqlite:///{desk_copy}", "--read-only")
    page = seen.open("/policy")
    expect(page.locator("#version-list")).to_contain_text("Version 1")
    assert page.locator('form[method="post"]').count() == 0
    seen.check_access()
