"""The queue is labelled by keyboard, by mouse and without a script; nothing that is said is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from cascade_core.log.reading import read_events
from tests.browser.conftest import Look, Review
from tests.core.traffic.making import decision
from tests.core.traffic.storing import store


def kept(file: Path) -> list[tuple[Any, ...]]:
    """Return what was said here: the desk's own feedback is Anna's."""
    events = read_events(f"sqlite:///{file}", "feedback")
    return [(e["decision"], e["quality"], e["corrected"]) for e in events if e["by"] != "anna"]


def ids(page: Page) -> list[str]:
    return page.locator("#queue > li").evaluate_all("rows => rows.map(row => row.dataset.id)")


def settle(page: Page) -> None:
    """Wait until the server has everything that was said."""
    while page.evaluate("sessionStorage.getItem('cascade-queue') !== '[]'"):
        page.wait_for_timeout(50)


def focused(page: Page) -> str | None:
    return page.evaluate("document.activeElement.closest('#queue > li')?.dataset.id ?? null")


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (400, False), (400, True)]
)
def test_the_queue_can_be_read_by_everybody(watched: Review, width: int, dark: bool) -> None:
    page = watched.open("/queue", width=width, dark=dark)
    page.locator("#queue > li").first.focus()
    page.keyboard.press("e")
    page.get_by_text("How the order is made").click()
    watched.check_access()
    watched.check_width()


def test_decisions_are_labelled_by_keyboard(review: Review, desk_copy: Path) -> None:
    page = review.open("/queue")
    first, second, third, fourth = ids(page)[:4]
    assert focused(page) == first
    page.keyboard.press("j")
    assert focused(page) == second
    page.keyboard.press("k")
    page.keyboard.press("1")
    assert focused(page) == second
    page.keyboard.press("0")
    expect(page.locator("#status")).to_contain_text("Kept as bad")
    assert focused(page) == third
    page.keyboard.press("e")
    field = page.locator("#queue > li[aria-current=true] textarea")
    expect(field).to_be_focused()
    assert field.input_value()
    page.keyboard.type("j1 is what")  # instead of the answer that was given
    page.keyboard.press("Escape")
    assert focused(page) == third
    page.keyboard.press("e")
    page.keyboard.type(" it should say")
    expect(field).to_have_value("j1 is what it should say")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_contain_text("Kept as bad")
    assert focused(page) == fourth
    expect(page.locator("#left-here")).to_have_text("27 left here")
    settle(page)
    assert kept(desk_copy) == [
        (first, 1.0, None),
        (second, 0.0, None),
        (third, 0.0, "j1 is what it should say"),
    ]
    page.reload()
    assert not {first, second, third} & set(ids(page))


def test_the_last_label_is_taken_back_and_said_anew(review: Review, desk_copy: Path) -> None:
    page = review.open("/queue")
    first = ids(page)[0]
    page.keyboard.press("1")
    expect(page.locator("#status")).to_contain_text("Kept as good")
    page.keyboard.press("u")
    assert focused(page) == first
    expect(page.locator("#queue > li").first.locator(".before")).to_contain_text("good")
    page.reload()
    assert first in ids(page)
    page.locator(f'#queue > li[data-id="{first}"]').focus()
    page.keyboard.press("0")
    expect(page.locator("#status")).to_contain_text("Kept as bad")
    assert kept(desk_copy) == [(first, 1.0, None), (first, 0.0, None)]
    page.reload()
    assert first not in ids(page)


def test_keys_do_nothing_while_something_is_written_and_can_be_switched_off(
    review: Review, desk_copy: Path
) -> None:
    page = review.open("/queue")
    page.get_by_role("textbox", name="By", exact=True).fill("u10j")
    assert kept(desk_copy) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.locator("#queue > li").first.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Take the last label back")
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    page.get_by_label("keys", exact=True).uncheck()
    page.locator("#queue > li").first.focus()
    page.keyboard.press("1")
    page.reload()
    expect(page.get_by_label("keys", exact=True)).not_to_be_checked()
    assert len(ids(page)) == 30
    assert kept(desk_copy) == []


def test_what_is_said_while_the_server_is_away_is_kept_in_order(
    review: Review, desk_copy: Path
) -> None:
    page = review.open("/queue")
    first, second, third = ids(page)[:3]
    away = True

    def answer(route: Route) -> None:
        if away:
            route.abort()
        else:
            route.continue_()

    page.route("**/queue/label", answer)
    # The next try is long off, as it is after a minute: each label itself says that it waits.
    page.evaluate(
        "later = []; wait = setTimeout;"
        "setTimeout = (then, ms) => ms < 500 ? wait(then, ms) : later.push(then); 0"
    )
    for count, key in enumerate("101", 1):
        page.keyboard.press(key)
        expect(page.locator("#status")).to_contain_text(f"{count} not kept yet")
    assert kept(desk_copy) == []
    away = False
    page.evaluate("setTimeout = wait; for (const then of later) then()")
    settle(page)
    assert kept(desk_copy) == [(first, 1.0, None), (second, 0.0, None), (third, 1.0, None)]
    review.expect_complaint("net::ERR_FAILED")


def test_what_waits_outlives_a_reload_and_is_kept_once(review: Review, desk_copy: Path) -> None:
    page = review.open("/queue")
    first = ids(page)[0]
    reached: list[Route] = []
    leaving: list[Dialog] = []

    def lose(route: Route) -> None:
        # Only the first is kept, and nobody hears of it; so no later one is under way at the reload.
        if leaving:
            route.continue_()
            return
        if not reached:
            reached.append(route)
            route.fetch()
        route.abort()

    page.route("**/queue/label", lose)
    page.on("dialog", lambda dialog: (leaving.append(dialog), dialog.accept()))
    page.keyboard.press("1")
    expect(page.locator("#status")).to_contain_text("1 not kept yet")
    page.reload()
    settle(page)
    assert leaving, "whoever leaves is asked first"
    assert kept(desk_copy) == [(first, 1.0, None)]
    review.expect_complaint("net::ERR_FAILED")


def test_a_label_that_is_refused_comes_back(review: Review, desk_copy: Path) -> None:
    page = review.open("/queue")
    first = ids(page)[0]
    page.evaluate("document.getElementById('queue').dataset.csrf = 'of a page before'")
    page.keyboard.press("1")
    expect(page.locator("#status")).to_contain_text("Not kept")
    assert focused(page) == first
    assert kept(desk_copy) == []
    review.expect_complaint("403")


def test_decisions_are_labelled_with_the_mouse(review: Review, desk_copy: Path) -> None:
    page = review.open("/queue")
    first, second = ids(page)[:2]
    page.locator("#queue > li").first.get_by_role("button", name="Bad").click()
    page.locator(f'#queue > li[data-id="{second}"]').get_by_text("Correct it").click()
    row = page.locator(f'#queue > li[data-id="{second}"]')
    row.get_by_label("What the answer should have been").fill("Right.")
    row.get_by_label("How good the given answer is").fill("0.5")
    row.get_by_role("button", name="Keep the correction").click()
    expect(page.locator("#status")).to_contain_text("Kept as 0.5")
    assert kept(desk_copy) == [(first, 0.0, None), (second, 0.5, "Right.")]


def test_the_end_of_the_queue_offers_more(look_at: Look, tmp_path: Path) -> None:
    log = store([decision(f"{n}") for n in range(33)], f"sqlite:///{tmp_path}/a.db")
    page = look_at(log).open("/queue")
    for _ in range(30):
        page.keyboard.press("1")
    expect(page.locator("#queue-end")).to_be_focused()
    settle(page)
    page.get_by_role("link", name="More").click()
    expect(page.locator("#queue > li")).to_have_count(3)


def test_without_a_script_every_row_has_buttons(
    review: Review, desk_copy: Path, browser: Any
) -> None:
    assert review.served is not None
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(review.served.address)
        page.goto(f"{review.served.origin}/queue")
        first = page.locator("#queue > li").first.get_attribute("data-id")
        page.locator("#queue > li").first.get_by_role("button", name="Good").click()
        expect(page.locator("#last-said")).to_contain_text("Last kept: good")
        page.get_by_role("button", name="Label it again").click()
        assert page.locator(f'#queue > li[data-id="{first}"] .before').is_visible()
        assert kept(desk_copy) == [(first, 1.0, None)]
    finally:
        context.close()


def test_pictures(watched: Review) -> None:
    watched.open("/queue")
    watched.picture("queue", whole=False)
