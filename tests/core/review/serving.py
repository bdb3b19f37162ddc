"""A review that is asked without a browser, and what its pages say in numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from cascade_core.policy.document import Policy
from cascade_core.review.app import make_review
from cascade_core.review.source import Source
from cascade_core.review.workbench import Workbench
from tests.core.traffic.storing import store


def bench_over(
    entries: Iterable[Mapping[str, Any]],
    folder: Path,
    policy: Policy | Mapping[str, Any] | None = None,
    *,
    read_only: bool = False,
) -> Workbench:
    """Keep entries in a database, and return a review of it."""
    url = store(entries, f"sqlite:///{folder / 'log.db'}")
    return Workbench(Source(url, "the log", "log", url), Policy.load(policy), read_only=read_only)


def asking(bench: Workbench) -> TestClient:
    """Return a client that shows the review's token."""
    headers = {"Authorization": f"Bearer {bench.token}"}
    return TestClient(make_review(bench, ["testserver"]), headers=headers)


def shown_text(html: str) -> str:
    """Return what a page says in words."""
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_data = found.append  # type: ignore[method-assign, assignment]
    parser.feed(html[html.index("<main") :])
    return re.sub(r"\s+", " ", "".join(found))


class Values(HTMLParser):
    """The exact numbers of a page, by the id of the part they stand in, row and name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.first: dict[str, float | None] = {}
        self.rows: dict[str, dict[str, float | None]] = {}
        self._row: str | None = None
        self._head = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr":
            self._row = None
        self._head = tag == "th" or (self._head and tag == "a")
        name, value = given.get("data-name"), given.get("data-value")
        if name is not None:
            number = None if value in {None, ""} else float(str(value))
            if self._row is None:
                self.first.setdefault(name, number)
            else:
                self.rows[self._row][name] = number

    def handle_endtag(self, tag: str) -> None:
        if tag in {"table", "section"}:
            self._row = None

    def handle_data(self, data: str) -> None:
        if self._head and self._row is None and data.strip():
            self._row = data.strip()
            self.rows.setdefault(self._row, {})
            self._head = False
