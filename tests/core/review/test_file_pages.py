"""Every page shows a file of lines and a labelled table, with rows of which no time is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.review.asking import Pages
from tests.core.review.logs import everything
from tests.core.review.test_sources import a_table, table_file
from tests.core.traffic.making import decision, write_lines

PATHS = [
    "/",
    "/?by=day",
    "/?since=2026-03-02",
    "/thresholds",
    "/classes",
    "/decisions",
    "/decisions?sort=cost",
    "/decisions?sort=time&order=up",
    "/queue",
    "/policy",
]


@pytest.fixture(scope="module", params=["lines", "lines of version 1", "table"])
def pages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pages:
    folder = tmp_path_factory.mktemp("source")
    old = [decision(f"old {i}", version=1, at=None, latency_ms=None) for i in range(5)]
    if request.param == "table":
        return Pages(str(table_file(folder / "table.jsonl", a_table(40))))
    entries = old if request.param.endswith("1") else [*everything(), *old]
    return Pages(str(write_lines(entries, folder / "log.jsonl")))


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there(pages: Pages, path: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 200
    assert "1970" not in answer.text


def test_a_decision_without_a_time_is_there(pages: Pages) -> None:
    snapshot = pages.bench.snapshot()
    answer = pages.get(f"/decisions/{snapshot.ids[0]}")
    assert answer.status_code == 200
    assert "1970" not in answer.text
    assert "1970" not in pages.get("/decisions.csv").text


def test_what_is_to_be_known_of_a_file_stands_on_its_pages(tmp_path: Path) -> None:
    file = write_lines(everything(), tmp_path / "log.jsonl")
    file.write_text(file.read_text() + "<script>no entry</script>\n")
    page = Pages(str(file)).text("/decisions")
    assert "1 line is no entry of a log and left out; the first is line 135" in page
