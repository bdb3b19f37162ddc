"""Every figure of others' that the benchmark prints says where it is from and what it may read."""

from __future__ import annotations

import re
from pathlib import Path

from tests.benchmarks.citations import CITATIONS, LEGEND, OURS, PROMISED, cited

SOURCE = (Path(__file__).parents[1] / "benchmarks" / "recorded.py").read_text("utf-8")
PRINTED = set(re.findall(r'\bpublished\(\s*"([^"]+)"', SOURCE))
SECTIONS = set(re.findall(r'^    "([a-z0-9-]+)": [a-z0-9_]+,$', SOURCE, re.MULTILINE))


def test_every_line_of_others_is_cited() -> None:
    assert PRINTED
    assert {each.of for cites in CITATIONS.values() for each in cites} == PRINTED


def test_a_published_figure_names_paper_year_and_table() -> None:
    for each in (each for cites in CITATIONS.values() for each in cites):
        if each.of.startswith("published"):
            assert re.search(r"\b20\d\d\b.*arXiv:\d{4}\.\d{5}, table \d", each.where)
        else:
            assert each.where.endswith("not published")
        assert each.reads


def test_every_workload_says_what_is_read() -> None:
    assert set(OURS) == SECTIONS
    for name in SECTIONS:
        assert cited(name)[-1].startswith("fitted reads ")


def test_every_column_is_explained() -> None:
    told = " ".join(LEGEND)
    for column in ("APGR", "CPT50", "CPT80", "CPT95", "cost", "AUROC", "ECE", "floor", "MISSED"):
        assert column in told


def test_every_column_of_a_promise_is_explained() -> None:
    told = " ".join(PROMISED)
    source = (Path(__file__).parents[1] / "benchmarks" / "promise.py").read_text("utf-8")
    columns = re.search(r"for column in \((.*?)\n    \):", source, re.DOTALL)
    assert columns is not None
    for column in re.findall(r'"([^"]+)"', columns[1]):
        assert column.split(" ≤")[0] in told, column
