"""The overview, seen with Chromium: its figures, its periods, its groups."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Review


def value(review: Review, name: str, part: str = ".cards") -> float:
    """Return the exact value of a figure that is shown."""
    found = review.page.locator(f"{part} [data-name='{name}']").first
    return float(found.get_attribute("data-value") or "nan")


def test_the_overview_says_where_requests_went(watched: Review) -> None:
    watched.open("/")
    assert value(watched, "requests") == 240
    assert value(watched, "tier-0") + value(watched, "tier-1") == 240
    assert 0 < value(watched, "cost_usd") < value(watched, "strong_cost_usd")
    assert watched.page.locator("#warnings").is_visible()
    assert watched.page.locator("#over-tiers .plot canvas").count() == 1
    watched.picture("overview")
    watched.check_access()


@pytest.mark.parametrize("width", [1280, 400])
def test_the_period_is_changed_and_kept(watched: Review, width: int) -> None:
    page = watched.open("/", width=width)
    page.get_by_role("link", name="7 d", exact=True).click()
    page.wait_for_url("**/?since=7d")
    week = value(watched, "requests")
    assert 0 < week < 240
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Classes").click()
    page.wait_for_url("**/classes?since=7d")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Overview").click()
    page.wait_for_url("**/?since=7d")
    assert value(watched, "requests") == week
    watched.check_width()


def test_requests_are_grouped_by_tag_without_another_page(watched: Review) -> None:
    page = watched.open("/")
    page.evaluate("window.stays = true")
    groups = page.get_by_role("navigation", name="Group by")
    groups.get_by_role("link", name="tag").click()
    page.get_by_role("heading", name="By tag").wait_for()
    assert page.evaluate("window.stays") is True
    assert "by=tag" in page.url
    rows = page.locator("#by-table tbody tr")
    assert sorted(rows.locator("th").all_inner_texts()) == ["free", "legal", "vip"]
    page.get_by_role("link", name="legal").click()
    page.wait_for_url("**/decisions?*tag=legal*")
    watched.open("/?by=tag")
    watched.check_access()


def test_a_period_without_decisions_leads_back(watched: Review) -> None:
    page = watched.open("/?since=2031-01-01")
    page.get_by_role("link", name="Look at all 240").click()
    assert value(watched, "requests") == 240
