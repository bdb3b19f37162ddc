"""A review that is really served, looked at with Chromium.

    def test_a_threshold_is_moved(review):       # a server and a log of its own: it may write
        review.open("/thresholds")
        review.page.get_by_label("Threshold of tier 0").fill("0.5")
        review.check_access()                    # axe-core: nothing serious

    def test_the_overview_shows_shares(watched): # one server for the whole run: nothing is written
        watched.open("/", width=400, dark=True)
        watched.picture("overview")              # at both sizes, light and dark

After every test a console error, something the content-security policy refused, and a request to
anywhere else make it fail; what a test provokes on purpose it takes out of `complaints`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.browser.chromium import chromium
from tests.browser.desk import make_desk_log

WIDTHS = {1280: 900, 400: 800}
GRAVE = {"serious", "critical"}
PATIENCE = 60_000
"""Milliseconds until something counts as never true: a busy machine may take more than the five
seconds that are Playwright's own."""
expect.set_options(timeout=PATIENCE)

PICTURES = "CASCADE_PICTURES"
"""The folder that pictures are kept in; without it they go with the test."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    program = chromium()
    if program is None:
        pytest.fail("there is no Chromium: make test-browser installs it", pytrace=False)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def desk_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a log of 240 decisions, made once; copy it before you write to it."""
    file = tmp_path_factory.mktemp("desk") / "desk.db"
    make_desk_log(file)
    return file


@dataclass
class Served:
    """A review in a process of its own.

    Attributes:
        address: Of the first page, with the token.
        process: The server.
    """

    address: str
    process: subprocess.Popen[str]

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]


@contextmanager
def serving(source: object, *options: object) -> Iterator[Served]:
    """Start `cascade review` on a log or a table, and end it by its id."""
    with started("cascade_core.cli", "review", source, *options) as served:
        yield served


@contextmanager
def started(module: str, *arguments: object) -> Iterator[Served]:
    """Start a module that serves and prints its address first."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address.startswith("http://"):
            process.terminate()
            _, said = process.communicate(timeout=30)
            pytest.fail(f"cascade review does not start: {said}", pytrace=False)
        yield Served(address, process)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@dataclass
class Review:
    """A review and a browser's page that looks at it.

    Attributes:
        page: Playwright's.
        served: The server; None for pages that are opened from disk.
        database: The file of the log.
        complaints: What the browser complained of so far.
    """

    page: Page
    served: Served | None
    database: Path | None
    pictures: Path
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/", *, width: int = 1280, dark: bool = False) -> Page:
        """Open a page of the review at a width, light or dark."""
        self.look(width=width, dark=dark)
        assert self.served is not None
        self.page.goto(self.served.origin + path)
        return self.page

    def look(self, *, width: int = 1280, dark: bool = False) -> None:
        """Change how the page is looked at."""
        self.page.set_viewport_size({"width": width, "height": WIDTHS.get(width, 900)})
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def picture(self, name: str, *, whole: bool = True) -> list[Path]:
        """Take pictures of the page that is open: 1280 and 400 px wide, light and dark."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        taken = []
        for width in WIDTHS:
            for dark in (False, True):
                self.look(width=width, dark=dark)
                self.page.wait_for_timeout(150)  # charts draw again
                file = self.pictures / f"{name}-{width}-{'dark' if dark else 'light'}.png"
                self.page.screenshot(path=file, full_page=whole)
                taken.append(file)
        self.look()
        return taken

    def check_access(self) -> None:
        """Fail where axe-core finds what shuts people out of the page that is open."""
        found = Axe().run(self.page, options={"preload": False}).response["violations"]
        grave = [each for each in found if each["impact"] in GRAVE]
        said = [
            f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:5]]}"
            for each in grave
        ]
        assert not said, "\n".join(said)

    def check_width(self) -> None:
        """Fail where the page that is open stays wider than its window.

        Charts are drawn anew, one by one, in the frames after the window has changed.
        """
        self.until("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    def until(self, expression: str) -> None:
        """Wait for an expression to be true; Playwright's own way needs what our policy forbids."""
        for _ in range(PATIENCE // 50):
            with suppress(Error):  # the page is just being left for another
                if self.page.evaluate(expression):
                    return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never true: {expression}", pytrace=False)

    def expect_complaint(self, pattern: str) -> None:
        """Take a complaint out that the test provoked; fail where there is none."""
        kept = [each for each in self.complaints if not re.search(pattern, each)]
        assert len(kept) < len(self.complaints), f"no complaint {pattern!r}: {self.complaints}"
        self.complaints[:] = kept


def watch(page: Page, complaints: list[str], origin: str) -> None:
    """Write down what the page complains of, and what it asks others for."""

    def logged(message: Any) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"console {message.type}: {message.text}")

    def asked(request: Any) -> None:
        if not request.url.startswith((f"{origin}/", "data:", "blob:", "about:")):
            complaints.append(f"request elsewhere: {request.url}")

    page.on("console", logged)
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("request", asked)
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', (event) => "
        "console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));"
    )


def looking(
    browser: Browser, served: Served, database: Path | None, pictures: Path
) -> Iterator[Review]:
    """Look at a review that is served, and fail over what the browser complained of."""
    context: BrowserContext = browser.new_context(reduced_motion="reduce")
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        seen = Review(page, served, database, pictures)
        watch(page, seen.complaints, served.origin)
        page.goto(served.address)
        yield seen
    finally:
        context.close()
    assert not seen.complaints, "\n".join(seen.complaints)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The folder that pictures go to."""
    return Path(os.environ.get(PICTURES) or tmp_path / "pictures")


@pytest.fixture
def desk_copy(desk_log: Path, tmp_path: Path) -> Path:
    """The file of a log that the test may write to."""
    file = tmp_path / "desk.db"
    shutil.copyfile(desk_log, file)
    return file


@pytest.fixture
def review(browser: Browser, desk_copy: Path, pictures: Path) -> Iterator[Review]:
    """A review of a log of the test's own, and a page that looks at it."""
    with serving(f"sqlite:///{desk_copy}") as served:
        yield from looking(browser, served, desk_copy, pictures)


@pytest.fixture(scope="session")
def _watched_server(desk_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    file = tmp_path_factory.mktemp("watched") / "desk.db"
    shutil.copyfile(desk_log, file)
    with serving(f"sqlite:///{file}") as served:
        yield served


@pytest.fixture
def watched(browser: Browser, _watched_server: Served, pictures: Path) -> Iterator[Review]:
    """A review that all such tests look at and none writes to, and a page of the test's own."""
    yield from looking(browser, _watched_server, None, pictures)


@pytest.fixture(scope="session")
def _samples_server(desk_log: Path) -> Iterator[Served]:
    with started("tests.browser.samples", f"sqlite:///{desk_log}") as served:
        yield served


@pytest.fixture
def samples(browser: Browser, _samples_server: Served, pictures: Path) -> Iterator[Review]:
    """A page with every macro and every kind of chart, at `/samples`."""
    yield from looking(browser, _samples_server, None, pictures)


Look = Callable[..., Review]


@pytest.fixture
def look_at(browser: Browser, pictures: Path) -> Iterator[Look]:
    """What serves any log or table with any options: `look_at(source, "--read-only")`."""
    opened: list[tuple[Any, Any]] = []

    def look(source: object, *options: object) -> Review:
        server = serving(source, *options)
        served = server.__enter__()
        seen = looking(browser, served, None, pictures)
        opened.append((server, seen))
        return next(seen)

    yield look
    failed: list[BaseException] = []
    for server, seen in reversed(opened):
        try:
            next(seen, None)
        except AssertionError as error:
            failed.append(error)
        finally:
            server.__exit__(None, None, None)
    if failed:
        raise failed[0]
