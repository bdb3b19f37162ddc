"""Reads CSV files row by row with the rows' lines, however a spreadsheet has saved them.

Commas, semicolons or tabs between cells, decimal commas, columns at the end that nobody named,
rows without content: all of that is simply read. What rows mean is for the modules that read them.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from cascade_core.files import HEADERS, FileError, open_text

SEPARATORS = (",", ";", "\t")
"""What may stand between cells; the first is taken where a header does not tell."""

_LONGEST_CELL = 2**31 - 1  # prompts may be long; the csv module's own limit is 128 KiB
_TOLD = re.compile(r"\"?sep=(.)\"?\s*")
"""A first line by which Excel is told the separator."""
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")


_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PLAIN_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?%?")


def written_safely(text: str) -> str:
    """Return a text so that a spreadsheet that opens it as a cell runs no formula.

    An apostrophe before it makes it a text; `CsvRows` takes it off again.

    Args:
        text: The cell.
    """
    if _FORMULA.match(text) is None or _PLAIN_NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def read_back(cell: str) -> str:
    """Return what `written_safely` was given.

    Args:
        cell: What it returned.
    """
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


class CsvRows:
    """The rows of a CSV file: the line on which each begins, from 1, and its cells.

    The first is the header, without nameless columns at its end. Rows of nothing but empty cells
    are passed over; so are empty cells beyond the header.

    Args:
        path: The file; zipped where its name ends in .gz.
        error: What to raise.

    Attributes:
        separator: What stands between cells, once the first row has been read.

    Raises:
        FileError: The file cannot be read, or is not CSV.
    """

    def __init__(self, path: Path, error: type[FileError] = FileError) -> None:
        self.separator = SEPARATORS[0]
        self._width: int | None = None
        self._rows = self._read(path, error)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Return the rows that are left."""
        return self._rows

    def __next__(self) -> tuple[int, list[str]]:
        """Return the next row."""
        return next(self._rows)

    def number(self, cell: str) -> str:
        """Return a cell as Python writes a number: where commas separate nothing, one is a point.

        What is no number is returned as it is.
        """
        if self.separator != "," and "," in cell and _DECIMAL_COMMA.fullmatch(cell):
            return cell.replace(",", ".")
        return cell

    def _read(self, path: Path, error: type[FileError]) -> Iterator[tuple[int, list[str]]]:
        limit = csv.field_size_limit(_LONGEST_CELL)
        begins = 1
        try:
            with open_text(path, error, newline="") as file:
                first = file.readline()
                skipped = 0
                if told := _TOLD.fullmatch(first):
                    first, skipped = file.readline(), 1
                if _is_json(first):
                    problem = "is JSON, not CSV; give one object a line, in a file whose name ends"
                    raise error(str(path), f"{problem} in .jsonl", "line 1")
                while first.strip("\r\n") == "" != first:
                    first, skipped = file.readline(), skipped + 1
                self.separator = told[1] if told else _separator(first)
                lines = chain([first], file)
                reader = csv.reader(lines, strict=True, delimiter=self.separator)
                begins += skipped
                for row in reader:
                    if any(row):
                        yield begins, self._fitted(row)
                    begins = reader.line_num + 1 + skipped
        except csv.Error:
            problem = (
                "is not CSV; a quoted cell ends with a quote and a comma or the end of the line"
            )
            raise error(str(path), problem, f"line {begins}") from None
        finally:
            csv.field_size_limit(limit)

    def _fitted(self, row: list[str]) -> list[str]:
        """Return a row without what a spreadsheet leaves at its end."""
        if self._width is None:  # the header
            while len(row) > 1 and not row[-1].strip():
                del row[-1]
            self._width = len(row)
        while len(row) > self._width and not row[-1].strip():
            del row[-1]
        return [read_back(cell) for cell in row]


def _separator(header: str) -> str:
    """Tell what stands between the names in a header."""

    def fit(sign: str) -> tuple[int, int]:
        try:
            names = next(csv.reader([header], delimiter=sign), [])
        except csv.Error:
            return 0, 0
        return len(HEADERS.intersection(name.strip() for name in names)), len(names)

    return max(SEPARATORS, key=fit)


def _is_json(first: str) -> bool:
    """Tell JSON by another name: what CSV makes of it would be said in words of no help."""
    if first.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True
