"""Asks pages of a review without a browser."""

from __future__ import annotations

import html
import re
from typing import Any

from starlette.testclient import TestClient

from cascade_core.policy.document import Policy
from cascade_core.review.app import make_review
from cascade_core.review.source import Source, open_source
from cascade_core.review.workbench import Workbench


class Pages(TestClient):
    """A review of a log, and whoever may see it."""

    def __init__(self, source: str | Source, **settings: Any) -> None:
        opened = source if isinstance(source, Source) else open_source(source)
        self.bench = Workbench(opened, Policy(), **settings)
        super().__init__(make_review(self.bench, ["testserver"]), follow_redirects=False)
        self.cookies.set("cascade_review", self.bench.token)

    def text(self, path: str, status: int = 200) -> str:
        """Return a page as a reader sees it: what is between its tags."""
        answer = self.get(path)
        assert answer.status_code == status, seen(answer.text)
        return seen(answer.text)

    def give(self, path: str, **form: str) -> Any:
        """Send a form of the review's own pages."""
        return self.post(path, data={"csrf": self.bench.csrf, **form})


def seen(page: str) -> str:
    """Return what is between the tags of a page's main part, spaces as one."""
    body = page.partition("<main")[2] or page
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())
