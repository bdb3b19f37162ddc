"""The page of classes, seen with Chromium: a switch writes a rule, and takes it back."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Review


def test_a_bypass_is_switched_on_seen_in_the_draft_and_taken_back(review: Review) -> None:
    page = review.open("/classes")
    page.evaluate("window.stays = true")
    switch = page.get_by_role("switch", name="Bypass returns")
    assert switch.get_attribute("aria-checked") == "false"
    switch.press("Enter")
    page.get_by_text("rule bypass class returns").wait_for()
    assert page.evaluate("window.stays") is True
    assert switch.get_attribute("aria-checked") == "true"
    assert switch.evaluate("each => each === document.activeElement")
    review.check_access()
    review.open("/policy")
    page.get_by_text("bypass class returns").first.wait_for()
    review.open("/classes")
    page.get_by_role("switch", name="Bypass returns").click()
    page.get_by_text("rule bypass class returns").wait_for(state="detached")
    assert switch.get_attribute("aria-checked") == "false"
    review.open("/policy")
    assert page.get_by_text("bypass class returns").count() == 0


def test_the_arithmetic_is_one_click_away(watched: Review) -> None:
    page = watched.open("/classes")
    row = page.locator("#class-table tbody tr", has_text="returns")
    row.get_by_text("How bypass is worked out").click()
    assert row.get_by_text("their answers cost").first.is_visible()
    watched.picture("classes")
    watched.check_access()
    watched.look(width=400)
    watched.check_width()


def test_tags_have_switches_of_their_own(review: Review) -> None:
    page = review.open("/classes")
    page.get_by_role("link", name="Tags").click()
    page.wait_for_url("**/classes?by=tag")
    legal = page.get_by_role("switch", name="Bypass legal")
    assert legal.get_attribute("aria-checked") == "true"  # the policy's own rule
    page.get_by_role("switch", name="Pin free").click()
    page.get_by_text("rule pin tag free").wait_for()
    review.check_access()


@pytest.mark.parametrize("width", [1280, 400])
def test_a_cluster_becomes_a_rule_by_words(review: Review, width: int) -> None:
    page = review.open("/classes?by=cluster", width=width)
    first = page.locator("#cluster-0")
    field = first.get_by_label("A rule asks the user's last message for")
    field.fill("(?i)neverheard")
    first.get_by_role("button", name="Try").click()
    first.get_by_text("It matches 0 of").wait_for()
    field.fill("(?i)order")  # what is added is what stands there, tried or not
    first.get_by_role("switch", name="Bypass").click()
    page.locator("#cluster-0 [role=switch][aria-checked=true]").wait_for()
    assert field.input_value() == "(?i)order"
    review.check_access()
    review.check_width()
    page.locator("#cluster-0 [role=switch][aria-checked=true]").click()
    page.locator("#cluster-0 [role=switch][aria-checked=true]").wait_for(state="detached")


def test_clusters_can_be_read(watched: Review) -> None:
    watched.open("/classes?by=cluster")
    watched.picture("clusters")
    watched.check_access()
