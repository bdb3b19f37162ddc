"""The page on thresholds in a browser: a slider is moved, figures and examples follow, it is used."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Review


def number(page: Page, label: str = "Threshold of tier 0") -> str:
    return page.get_by_label(label).input_value()


def moved(page: Page, name: str, part: str = "then") -> str:
    return page.locator(f'[data-figure="{name}.{part}"]').inner_text()


def test_a_slider_is_moved_by_keyboard_and_figures_and_examples_follow(review: Review) -> None:
    page = review.open("/thresholds")
    slider = page.get_by_label("Slider of tier 0")
    now, cost, quality = number(page), moved(page, "cost"), moved(page, "quality", "now")
    expect(page.locator("#sides")).to_contain_text("None of the")
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#sides")).to_contain_text("would change sides: 0 that are kept now")
    assert float(number(page)) < float(now)
    assert moved(page, "cost") != cost
    assert moved(page, "quality", "now") == quality
    assert moved(page, "cost", "difference").startswith("−$")
    expect(page.locator("#examples li")).not_to_have_count(0)
    first = page.locator("#examples li").first.inner_text()
    assert "tier 1 → tier 0" in first
    page.keyboard.press("End")
    expect(page.locator("#sides")).to_contain_text("0 that are sent on now would be kept")
    expect(page.locator("#examples li").first).not_to_have_text(first)
    assert number(page) == "1"
    assert moved(page, "escalated") == "100.0 %"
    expect(page.locator("#status")).to_contain_text("cost per request")
    field = page.get_by_label("Threshold of tier 0 (desk-small)", exact=True)
    field.fill("0.75823")  # any number, and steps from there
    field.press("ArrowUp")
    expect(field).to_have_value("0.759")


def test_a_slider_is_moved_by_mouse_and_its_thresholds_are_used(review: Review) -> None:
    page = review.open("/thresholds")
    slider, before = page.get_by_label("Slider of tier 0"), number(page)
    place = slider.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] * 0.9, place["y"] + place["height"] / 2, steps=4)
    page.mouse.up()
    expect(page.locator("#sides")).to_contain_text("would change sides:")
    chosen = number(page)
    assert chosen != before
    page.get_by_role("button", name="Use these thresholds").click()
    expect(page.locator("main")).to_contain_text("The draft has these thresholds now")
    assert number(page) == chosen
    page.goto(page.url.split("?")[0])
    assert number(page) == chosen  # the draft keeps them
    page.get_by_role("link", name="Back to now").click()
    assert number(page) == before
    expect(page.locator("#sides")).to_contain_text("None of the")


def test_a_class_gets_its_own_threshold_and_gives_it_back(review: Review) -> None:
    page = review.open("/thresholds")
    page.get_by_label("Own threshold for a class").select_option("returns")
    own = page.get_by_label("Threshold of tier 0 (desk-small) for class returns", exact=True)
    # The script shows it once it listens.
    page.get_by_label("Slider of tier 0 (desk-small) for class returns").wait_for()
    own.fill("1")
    expect(page.locator("#sides")).to_contain_text("would change sides:")
    badges = page.locator("#examples li .badge")
    expect(badges).not_to_have_count(0)
    assert set(badges.all_inner_texts()) == {"returns"}
    page.get_by_role("button", name="Use these thresholds").click()
    expect(own).to_have_value("1")
    page.get_by_role("link", name="Same as the others again").click()
    expect(own).to_have_count(0)
    expect(page.locator("#sides")).to_contain_text("None of the")


def test_a_number_that_is_no_threshold_is_refused_and_nothing_else_is_lost(review: Review) -> None:
    page = review.open("/thresholds")
    page.get_by_label("Threshold of tier 0 (desk-small)", exact=True).fill("7")
    expect(page.get_by_role("alert")).to_contain_text("is a number from 0 to 1")
    page.get_by_label("Threshold of tier 0 (desk-small)", exact=True).fill("0.95")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#sides")).to_contain_text("would change sides")
    review.expect_complaint("400")


def test_the_form_works_without_javascript(review: Review) -> None:
    assert review.served is not None
    browser = review.page.context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False) as plain:
        page = plain.new_page()
        page.goto(review.served.address)
        page.goto(review.served.origin + "/thresholds")
        expect(page.locator("input[type=range]:visible")).to_have_count(0)
        page.get_by_label("Threshold of tier 0 (desk-small)", exact=True).fill("0.5")
        page.get_by_role("button", name="Work it out").click()
        expect(page.locator("#sides")).to_contain_text("would change sides:")
        page.get_by_role("button", name="Use these thresholds").click()
        expect(page.locator("main")).to_contain_text("The draft has these thresholds now")
        assert number(page) == "0.5"


def test_everyone_can_use_it_and_it_fits(watched: Review) -> None:
    watched.open("/thresholds?t0=0.97&t0.returns=0.6")
    watched.check_access()
    watched.picture("thresholds")
    for dark in (False, True):
        watched.look(width=400, dark=dark)
        watched.check_width()
        watched.check_access()


def test_an_answer_that_comes_late_is_dropped(review: Review) -> None:
    page = review.open("/thresholds")
    slow = []

    def hold(route: object) -> None:
        slow.append(route)

    page.route(re.compile(r"/thresholds/answer.*t0=0\.5(&|$)"), hold)
    field = page.get_by_label("Threshold of tier 0 (desk-small)", exact=True)
    field.fill("0.5")
    field.fill("0.97")
    expect(page.locator("#sides")).to_contain_text("0 that are sent on now would be kept")
    said = page.locator("#sides").inner_text()
    for route in slow:
        route.continue_()  # type: ignore[attr-defined]
    page.wait_for_timeout(300)
    assert page.locator("#sides").inner_text() == said
