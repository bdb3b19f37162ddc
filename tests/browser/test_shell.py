"""What all pages of the review share, seen with Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Look, Review

PAGES = ["/", "/thresholds", "/classes", "/decisions", "/policy"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_a_page_can_be_read_by_everybody(
    watched: Review, path: str, width: int, dark: bool
) -> None:
    watched.open(path, width=width, dark=dark)
    assert watched.page.locator("h1").count() == 1
    watched.check_access()
    watched.check_width()


def test_the_token_leaves_the_address(watched: Review) -> None:
    assert watched.served is not None
    assert watched.page.url == f"{watched.served.origin}/"
    assert watched.served.token not in watched.page.content()


# ---- charts ------------------------------------------------------------------------------------


def drawn(samples: Review, name: str) -> list[float]:
    """Return the ends of a chart's x axis."""
    found: list[float] = samples.page.evaluate(
        "(name) => { const { x } = chartOf(name).scales; return [x.min, x.max]; }", name
    )
    return found


def test_every_macro_can_be_read_by_everybody(samples: Review) -> None:
    samples.open("/samples")
    for width, dark in ((1280, False), (400, True)):
        samples.look(width=width, dark=dark)
        samples.page.wait_for_timeout(100)
        samples.check_access()
        samples.check_width()
    assert samples.picture("samples")


def test_what_people_wrote_runs_nothing(samples: Review) -> None:
    samples.page.on("dialog", lambda dialog: samples.complaints.append(dialog.message))
    samples.open("/samples")
    assert samples.page.locator("body script").count() == 0
    assert samples.page.locator("[onload]").count() == 0
    assert samples.page.get_by_text("<script>alert(1)</script>").count() > 5


def test_every_chart_is_drawn_and_has_its_table(samples: Review) -> None:
    samples.open("/samples")
    for figure in samples.page.locator("figure.chart").all():
        assert figure.locator("canvas").count() == 1
        assert figure.locator("table").count() == 1
    many = samples.page.locator("#many")
    many.locator("summary").click()
    assert many.get_by_text("99,800 of 100,000 rows are left out").is_visible()


def test_a_chart_of_many_points_is_zoomed_and_read(samples: Review) -> None:
    samples.open("/samples")
    plot = samples.page.locator("#many .u-over")
    plot.scroll_into_view_if_needed()
    whole = drawn(samples, "many")
    box = plot.bounding_box()
    assert box is not None
    mouse = samples.page.mouse
    mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    assert "latency" in samples.page.locator("#many .readout").inner_text()
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 50, steps=5)
    mouse.up()
    low, high = drawn(samples, "many")
    assert 0.4 < low < high < 0.7
    plot.dblclick()
    assert drawn(samples, "many") == pytest.approx(whole)


def test_a_series_is_switched_off_by_keyboard(samples: Review) -> None:
    samples.open("/samples")
    button = samples.page.locator("#over-time .legend button").first
    button.focus()
    samples.page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    shown = "chartOf('over-time').series.map((each) => each.show)"
    assert samples.page.evaluate(shown) == [True, False, False, False, True]
    samples.page.keyboard.press("Space")
    assert samples.page.evaluate(shown) == [True, True, True, True, True]


def test_charts_follow_the_width_and_the_scheme(samples: Review) -> None:
    samples.open("/samples")
    ink = "String(chartOf('over-time').axes[0].stroke())"
    before = samples.page.evaluate(ink)
    samples.look(width=400, dark=True)
    samples.until(f"{ink} !== {before!r} && chartOf('over-time').width < 400")


# ---- partial updates ---------------------------------------------------------------------------


def test_a_part_is_replaced_in_order_and_the_focus_stays(samples: Review) -> None:
    samples.open("/samples")
    samples.page.evaluate("window.kept = document.getElementById('slow')")
    word = samples.page.get_by_label("Word")
    for text in ("slow", "at once", "slow and last"):
        word.fill(text)
        word.press("Enter")
    samples.until("document.querySelector('#answer b').textContent === 'slow and last'")
    assert samples.page.evaluate("document.activeElement.id") == "word"
    assert samples.page.evaluate("window.kept.isConnected")  # the page was not loaded again
    samples.until("document.getElementById('status').textContent === 'Found slow and last'")
    assert samples.page.locator("#answer canvas").count() == 1


def test_a_link_replaces_a_part_and_back_leads_back(samples: Review) -> None:
    samples.open("/samples")
    samples.page.get_by_role("link", name="By a link").click()
    samples.until("document.querySelector('#answer b').textContent === 'link'")
    assert samples.page.evaluate("document.activeElement.textContent") == "By a link"
    samples.page.go_back()
    samples.until("document.querySelector('#answer b').textContent === 'nothing'")


def test_what_goes_wrong_is_said_and_the_page_stays(samples: Review) -> None:
    samples.open("/samples?word=kept")
    samples.page.get_by_label("Word").fill("refused")
    samples.page.get_by_label("Word").press("Enter")
    status = samples.page.locator("#status")
    samples.until("document.getElementById('status').className === 'bad'")
    assert status.inner_text() == "this word is refused"
    assert samples.page.locator("#answer b").inner_text() == "kept"
    samples.expect_complaint("400")
    samples.page.route("**/samples**", lambda route: route.abort())
    samples.page.get_by_label("Word").fill("gone")
    samples.page.get_by_label("Word").press("Enter")
    samples.until(
        "document.getElementById('status').textContent.startsWith('The server does not answer')"
    )
    samples.expect_complaint("Failed to load resource")


# ---- forms, keys, the period --------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False])
def test_a_form_is_taken_with_and_without_a_script(
    browser: Browser, samples: Review, script: bool
) -> None:
    """Browsers say where a form comes from in another way than where a script's request does."""
    assert samples.served is not None
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    page.goto(f"{samples.served.address}")
    page.goto(f"{samples.served.origin}/samples")
    page.get_by_label("Note").fill(f"from a form {script}")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/samples?word=from+a+form+{script}")
    context.close()


def test_keys_are_listed_and_lead_to_the_pages(watched: Review) -> None:
    watched.open("/")
    keys = watched.page.locator("dialog#keys")
    watched.page.keyboard.press("?")
    assert keys.is_visible()
    watched.check_access()
    watched.page.keyboard.press("Escape")
    assert not keys.is_visible()
    watched.page.get_by_role("button", name="Keys").click()
    assert keys.is_visible()
    watched.page.keyboard.press("Escape")
    watched.page.keyboard.press("g")
    watched.page.keyboard.press("c")
    watched.page.wait_for_url("**/classes")


def test_the_first_key_leads_past_the_navigation(watched: Review) -> None:
    watched.open("/")
    watched.page.keyboard.press("Tab")
    assert watched.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    watched.page.keyboard.press("Enter")
    assert watched.page.evaluate("document.activeElement.id") == "main"


def test_the_period_is_chosen_and_kept(watched: Review) -> None:
    page = watched.open("/classes?by=tag")
    page.get_by_role("group", name="Period").get_by_role("link", name="7 d").click()
    page.wait_for_url("**/classes?by=tag&since=7d")
    assert page.locator(".period [aria-current]").inner_text() == "7 d"
    page.get_by_role("link", name="Thresholds").click()
    page.wait_for_url("**/thresholds?since=7d")
    page.locator(".custom summary").click()
    page.get_by_label("Since").fill("2026-01-02")
    page.get_by_label("Until").fill("2026-01-09")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**/thresholds?since=2026-01-02&until=2026-01-09")
    assert "2026-01-02 to 2026-01-09" in page.locator(".custom summary").inner_text()


def test_the_log_is_read_again_on_the_same_page(watched: Review) -> None:
    page = watched.open("/classes?since=7d")
    page.get_by_role("link", name="Read again").click()
    page.wait_for_url("**/classes?since=7d")
    assert "as of 20" in page.locator(".as-of").inner_text()


def test_read_only_is_said_on_every_page(look_at: Look, desk_log: Path) -> None:
    seen = look_at(f"sqlite:///{desk_log}", "--read-only")
    for path in PAGES:
        seen.open(path)
        assert seen.page.get_by_text("Read only.").is_visible()
