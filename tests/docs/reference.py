"""Reads the tables of a reference page, by the heading they stand under."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.running import ROOT

_HEADING = re.compile(r"^#{1,6} (.+?)(?: \{.*\})?$")
_CODE = re.compile(r"`([^`]+)`")

Row = dict[str, str]


def page(name: str) -> Path:
    """Return the path of a reference page."""
    return ROOT / "docs" / "reference" / name


def tables(name: str) -> dict[str, list[Row]]:
    """Return a page's tables: rows by the names of their columns, under the last heading."""
    found: dict[str, list[Row]] = {}
    heading, names, fenced = "", [], False
    for line in page(name).read_text(encoding="utf-8").splitlines():
        fenced ^= line.startswith("```")
        if fenced:
            continue
        if match := _HEADING.match(line):
            heading = match[1]
        if not line.startswith("|"):
            names = []
        elif not names:
            names = _cells(line)
        elif set(line) - set("|- :"):
            row = dict(zip(names, _cells(line), strict=True))
            found.setdefault(heading, []).append(row)
    return found


def named(rows: list[Row], column: str) -> list[str]:
    """Return what stands as code at the beginning of a column's cells."""
    codes = [_CODE.match(row[column]) for row in rows]
    assert all(codes), f"every cell of {column!r} begins with a name as code"
    return [code[1] for code in codes if code]


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]
