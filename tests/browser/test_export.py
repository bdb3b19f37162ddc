"""An exported review, opened from disk."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Review, watch

PAGES = ["index", "thresholds", "classes", "decisions", "policy"]


@pytest.fixture(scope="module")
def exported(desk_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "a site #1"
    command = [sys.executable, "-m", "cascade_core.cli", "review", f"sqlite:///{desk_log}"]
    ran = subprocess.run(
        [*command, "--export", str(folder)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert str(folder / "index.html") in ran.stdout
    return folder


@pytest.fixture
def opened(browser: Browser, exported: Path, pictures: Path) -> Iterator[Review]:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    seen = Review(page, None, None, pictures)
    watch(page, seen.complaints, "file://")
    page.goto((exported / "index.html").as_uri())
    yield seen
    context.close()
    assert not seen.complaints, "\n".join(seen.complaints)


def test_all_pages_can_be_reached_from_the_first(opened: Review) -> None:
    page = opened.page
    for name in ("Thresholds", "Classes", "Decisions", "Policy", "Overview"):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        assert page.url.startswith("file:")
        assert page.locator("h1").is_visible()
        assert page.get_by_text("An export.").is_visible()
        for plot in page.locator("[data-chart]").all():
            assert plot.locator("canvas").count() == 1
        opened.check_access()


def test_a_decision_is_opened_and_leads_back(opened: Review) -> None:
    page = opened.page
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Decisions").click()
    page.locator("tbody th a").first.click()
    assert "/decisions/" in page.url
    assert page.locator("h1").inner_text().startswith("Decision")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Decisions").click()
    page.get_by_role("link", name="Next").click()
    assert page.locator("tbody tr").count() > 0


def test_a_slider_moves_without_a_server(opened: Review) -> None:
    page = opened.page
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Thresholds").click()
    before = page.locator("#figures").inner_text()
    page.locator("input[type=range]").first.focus()
    page.keyboard.press("Home")
    opened.until(f"document.getElementById('figures').innerText !== {before!r}")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_on_a_small_screen(opened: Review, exported: Path, name: str) -> None:
    opened.page.goto((exported / f"{name}.html").as_uri())
    opened.look(width=400, dark=True)
    opened.check_width()
    opened.picture(f"export-{name}")
