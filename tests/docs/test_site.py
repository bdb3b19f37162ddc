"""The built site: nothing is missing, nothing leads nowhere, and nothing is fetched from elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from tests.docs import chromium
from tests.docs.running import PAGES, README, ROOT

pytestmark = pytest.mark.xdist_group("site")  # it is built once

FETCHED = {
    ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"),
    ("audio", "src"), ("embed", "src"), ("object", "data"), ("image", "href"), ("use", "href"),
    ("input", "src"), ("img", "srcset"), ("source", "srcset"), ("form", "action"),
}  # fmt: skip
NOT_FETCHED = {"canonical", "next", "prev", "alternate"}


@dataclass
class Html(HTMLParser):
    """What a page links to and what a browser fetches for it."""

    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    styles: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := given.get(name))}
        self.styles += given.get("style") or ""
        if tag == "a" and (href := given.get("href")):
            self.links.append(href)
        if tag == "link" and not NOT_FETCHED & set((given.get("rel") or "").split()):
            self.fetched.append(given.get("href") or "")
        self.fetched += [given[name] or "" for name in given if (tag, name) in FETCHED]


def read(path: Path) -> Html:
    html = Html()
    html.feed(path.read_text(encoding="utf-8"))
    return html


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site beside the sources, as `make docs` does; a warning ends it."""
    folder = tmp_path_factory.mktemp("documentation")
    made = shutil.ignore_patterns("cookbooks")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=made)
    cookbooks = [ROOT / "docs" / "notebooks.py", folder / "docs" / "cookbooks"]
    subprocess.run([sys.executable, *cookbooks], check=True)
    for name in ("shared", "langchain_cascade", "llamaindex_cascade"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "mkdocs.yml").write_bytes((ROOT / "mkdocs.yml").read_bytes())
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict", "--clean"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = re.sub(r"\x1b\[[0-9;]*m", "", built.stdout + built.stderr)
    warnings = [line for line in said.splitlines() if re.search(r"Warning|Error|╭", line)]
    assert built.returncode == 0, "\n".join(warnings)
    assert "No issues found" in said
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Html]:
    return {path: read(path) for path in sorted(site.rglob("*.html"))}


def in_nav(nav: object) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, list):
        for part in nav:
            yield from in_nav(part)
    elif isinstance(nav, dict):
        yield from in_nav(list(nav.values()))


def test_every_page_is_in_the_navigation() -> None:
    nav = list(in_nav(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    written = [str(path.relative_to(ROOT / "docs")) for path in PAGES if path != README]
    written += [f"cookbooks/{path.stem}.md" for path in (ROOT / "cookbooks").glob("*.ipynb")]
    assert sorted(nav) == sorted(written)


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path, pages: dict[Path, Html]) -> None:
    broken = []
    for path, html in pages.items():
        if path.name == "404.html":  # shown at any address
            continue
        for link in {*html.links, *html.fetched}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            name = f"{path.relative_to(site)}: {link}"
            if not target.is_relative_to(site.resolve()) or not target.is_file():
                broken.append(name)
            elif parts.fragment and target.suffix == ".html":
                ids = pages[site / target.relative_to(site.resolve())].ids
                if unquote(parts.fragment) not in {*ids, "__skip"}:
                    broken.append(name)
    assert broken == []


def test_every_link_of_the_readme_leads_somewhere(pages: dict[Path, Html]) -> None:
    text = README.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    broken = []
    found = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    for link in found:
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = ROOT / parts.path
        if not target.exists():
            broken.append(link)
        elif parts.fragment and target.suffix == ".md" and parts.path:
            built = next(p for p in pages if f"{p}".endswith(page_of(parts.path)))
            if parts.fragment not in pages[built].ids:
                broken.append(link)
    assert broken == []


def page_of(source: str) -> str:
    """Where the page of a source is built."""
    return "/site/" + source.removeprefix("docs/").removesuffix(".md") + ".html"


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[Path, Html]) -> None:
    elsewhere = re.compile(r"^(?:https?:)?//")
    found = [
        f"{path.relative_to(site)}: {address}"
        for path, html in pages.items()
        for address in html.fetched
        if elsewhere.match(address)
    ]
    styles = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.css")}
    styles |= {path: html.styles for path, html in pages.items()}
    styles |= {path: path.read_text(encoding="utf-8") for path in site.rglob("*.svg")}
    asked = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])(?:https?:)?//[^)\"']+")
    found += [f"{path.name}: {ask}" for path, text in styles.items() for ask in asked.findall(text)]
    assert found == []


# --- in a browser --------------------------------------------------------------------------------

needs_chromium = pytest.mark.skipif(not chromium.found(), reason="Chromium is not installed")


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Chromium]:
    with chromium.Chromium() as running:
        yield running


SEARCH = "document.activeElement?.shadowRoot"
RESULTS = f"[...{SEARCH}.querySelectorAll('a')].map((a) => a.href)"


@needs_chromium
@pytest.mark.parametrize("how", ["served", "from a file"])
def test_search_finds_with_no_network(
    how: str, site: Path, served: str, browser: chromium.Chromium
) -> None:
    base = served if how == "served" else site.as_uri() + "/"
    browser.show(1280)
    browser.open(base + "index.html")
    browser.evaluate("document.querySelector('.md-search__button').click()")
    browser.until(f"!!{SEARCH}?.querySelector('input')")
    browser.type("ChatCascade")
    found = browser.until(f"{RESULTS}.length > 1 && {RESULTS}")
    assert any("langchain_cascade.html" in address for address in found)
    browser.open(found[0])
    assert "model-cascade" in browser.evaluate("document.title")
    assert browser.said == []
    local = (served, site.as_uri(), "data:", "blob:", "about:")
    assert [address for address in browser.requested if not address.startswith(local)] == []


@needs_chromium
def test_no_page_is_wider_than_its_window(
    site: Path, pages: dict[Path, Html], browser: chromium.Chromium
) -> None:
    wide = []
    for path in pages:
        browser.open(path.as_uri())
        for width in (1280, 400):
            browser.show(width)
            if browser.evaluate("document.documentElement.scrollWidth") > width:
                wide.append(f"{path.relative_to(site)} at {width}")
    assert wide == []
