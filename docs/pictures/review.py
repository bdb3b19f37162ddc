"""Takes the pictures of docs/how-to/review.md: pages of a review as a reader sees them.

    python docs/pictures/review.py

Needs Chromium and the extra `review`. The log is the one that the tests of the pages look at.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from drawing import IMAGES
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.browser.desk import make_desk_log

WIDTH, HEIGHT = 1280, 900
REQUESTS = 600


def main() -> None:
    """Make a log, change its policy on the page, and take the pictures."""
    with TemporaryDirectory() as folder:
        os.chdir(folder)  # so that no path of this machine is in a picture
        make_desk_log(Path("decisions.db"), REQUESTS)
        with serving("sqlite:///decisions.db") as address, looking(address) as page:
            origin = page.url.rstrip("/")
            page.wait_for_timeout(1000)  # charts are drawn
            take(page, "review-overview", HEIGHT)
            page.goto(f"{origin}/policy")
            page.get_by_label("Threshold, 0 to 1").fill("0.85")
            page.get_by_role("button", name="Change the threshold").click()
            page.get_by_label("Called").fill("returns")
            page.get_by_role("button", name="Add the bypass").click()
            page.get_by_label("Note").fill("a little lower; returns stay strong")
            page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            bottom = page.locator("#save").bounding_box()
            assert bottom is not None  # noqa: S101 - it has just been typed into
            take(page, "review-policy", round(bottom["y"] + bottom["height"]) + 16)


@contextmanager
def serving(log: str) -> Iterator[str]:
    """Serve a review; give its address."""
    command = [sys.executable, "-m", "cascade_core.cli", "review", log]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        yield server.stdout.readline().strip()
        server.terminate()


@contextmanager
def looking(address: str) -> Iterator[Page]:
    """Open an address in Chromium, light."""
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="light",
            reduced_motion="reduce",
        )
        page.goto(address)
        yield page
        browser.close()


def take(page: Page, name: str, height: int) -> None:
    """Take a picture of the top of a page."""
    # In a high window, what is said at its bottom for a moment is out of the picture.
    page.set_viewport_size({"width": WIDTH, "height": 2 * HEIGHT + height})
    page.wait_for_timeout(500)
    part = {"x": 0, "y": 0, "width": WIDTH, "height": height}
    page.screenshot(path=IMAGES / f"{name}.png", clip=part)  # type: ignore[arg-type]
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


if __name__ == "__main__":
    main()
