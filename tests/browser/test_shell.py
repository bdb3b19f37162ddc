"""What all pages of the review share, seen with Chromium."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Review

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
