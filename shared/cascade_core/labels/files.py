"""Reads CSV, JSONL and Parquet files in chunks, and knows on which line each row begins.

No error quotes what a file holds, save the names of columns.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from cascade_core.errors import CascadeError
from cascade_core.labels.build import Chunk
from cascade_core.labels.check import Cells, Unit, Where, refuse
from cascade_core.labels.columns import Column, check_columns, parse
from cascade_core.labels.records import ROWS, chunks_of

_LONGEST_CELL = 2**31 - 1  # prompts may be long; the csv module's own limit is 128 KiB

_BATCH = 65_536  # rows of Parquet at a time; they are arrays already


def read_csv(path: Path) -> Iterator[Chunk]:
    """Read a CSV file with a header line; a row's line is the one on which it begins.

    Raises:
        TableError: The file cannot be read, or its rows do not fit its header.
    """
    limit = csv.field_size_limit(_LONGEST_CELL)
    begins = 1
    try:
        with _opened(path, newline="") as file:
            first = file.readline()
            _check_not_json(str(path), first)
            reader = csv.reader(chain([first], file), strict=True)
            source, columns, width = str(path), None, 0
            rows: list[list[str]] = []
            lines: list[int] = []
            for row in reader:
                if not row:
                    pass  # a blank line
                elif columns is None:
                    columns, width = _header(source, f"line {begins}", row), len(row)
                elif len(row) != width:
                    _ragged(source, begins, len(row), width)
                else:
                    rows.append(row)
                    lines.append(begins)
                    if len(rows) == ROWS:
                        yield _csv_chunk(source, columns, rows, lines)
                        rows, lines = [], []
                begins = reader.line_num + 1
            if columns is None:
                refuse(source, "is empty; the first line names the columns")
            if rows:
                yield _csv_chunk(source, columns, rows, lines)
    except csv.Error:
        problem = "is not CSV; a quoted cell ends with a quote and a comma or the end of the line"
        refuse(str(path), problem, place=f"line {begins}")
    finally:
        csv.field_size_limit(limit)


def read_jsonl(path: Path) -> Iterator[Chunk]:
    """Read a file of one JSON object a line.

    Raises:
        TableError: The file cannot be read, or a line is not a JSON object.
    """
    with _opened(path, newline="\n") as file:
        yield from chunks_of(str(path), "line", _records(str(path), file))


def read_parquet(path: Path) -> Iterator[Chunk]:
    """Read a Parquet file; its rows are counted from 1.

    Raises:
        TableError: The file cannot be read.
        ModuleNotFoundError: pyarrow is not installed.
    """
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    source, begins = str(path), 1
    try:
        with path.open("rb") as raw, parquet.ParquetFile(raw) as file:
            columns = _named(source, None, file.schema_arrow.names)
            names = [column.name for _, column in columns]
            for batch in file.iter_batches(batch_size=_BATCH, columns=names):
                numbers = np.arange(begins, begins + batch.num_rows, dtype=np.int64)
                begins += batch.num_rows
                yield Chunk(
                    where=Where(source, "row", numbers),
                    cells={
                        column: _arrow_cells(batch.column(column.name), column, arrow.types)
                        for _, column in columns
                    },
                )
    except OSError as error:
        _unreadable(source, error)
    except arrow.ArrowException:
        refuse(source, "is not a Parquet file, or is damaged")


READERS: dict[str, tuple[Callable[[Path], Iterator[Chunk]], Unit]] = {
    ".csv": (read_csv, "line"),
    ".csv.gz": (read_csv, "line"),
    ".jsonl": (read_jsonl, "line"),
    ".jsonl.gz": (read_jsonl, "line"),
    ".ndjson": (read_jsonl, "line"),
    ".parquet": (read_parquet, "row"),
}
"""How a file is read, and what its rows are counted by, by the end of its name."""


@contextmanager
def _opened(path: Path, newline: str) -> Iterator[IO[str]]:
    source = str(path)
    try:
        try:
            with _open_text(path, newline) as file:
                yield file
        except UnicodeDecodeError:
            problem = "is not UTF-8 text; save the file as UTF-8"
            refuse(source, problem, place=f"line {_undecodable(path)}")
    except (OSError, EOFError, zlib.error) as error:
        _unreadable(source, error)


def _open_text(path: Path, newline: str) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline=newline)
    return path.open(encoding="utf-8-sig", newline=newline)


def _unreadable(source: str, error: Exception) -> None:
    reason = getattr(error, "strerror", None) or "it is damaged or cut off"
    refuse(source, f"cannot be read: {reason}")


def _undecodable(path: Path) -> int:
    """Return the first line that is not UTF-8; decoding happens in blocks, which hide it."""
    reading = gzip.open if path.name.lower().endswith(".gz") else open
    number = 1
    with reading(path, "rb") as file:
        for line in file:
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
            number += 1
    return number


def _named(source: str, place: str | None, names: Sequence[str]) -> list[tuple[int, Column]]:
    """Read a header: the place and the meaning of each column that is not the user's own."""
    columns = [
        (i, column) for i, name in enumerate(names) if (column := parse(source, name, place))
    ]
    at = source if place is None else f"{source}, {place}"
    check_columns(at, [column for _, column in columns], names)
    return columns


def _header(source: str, place: str, row: list[str]) -> list[tuple[int, Column]]:
    return _named(source, place, [name.strip() for name in row])


def _check_not_json(source: str, first: str) -> None:
    """Refuse JSON by another name: what CSV makes of it would be said in words of no help."""
    if first.lstrip()[:1] not in {"{", "["}:
        return
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return
    problem = "is JSON, not CSV; give one object a line, in a file whose name ends in .jsonl"
    refuse(source, problem, place="line 1")


def _is_header(line: str) -> bool:
    """Tell whether a line is a CSV file's, with the names of a table's columns."""
    return "id" in {name.strip(' \t\r\n"') for name in re.split(r"[,;\t]", line)}


def _ragged(source: str, line: int, cells: int, width: int) -> None:
    problem = (
        f"has {cells} cells where the header names {width}; "
        "quote texts that hold commas or line breaks"
    )
    refuse(source, problem, place=f"line {line}")


def _csv_chunk(
    source: str, columns: list[tuple[int, Column]], rows: list[list[str]], lines: list[int]
) -> Chunk:
    return Chunk(
        where=Where(source, "line", np.array(lines, dtype=np.int64)),
        cells={column: [row[i] for row in rows] for i, column in columns},
    )


class _TwiceError(CascadeError, ValueError):
    """A JSON object names something twice, and so would lose one of the two."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


def _records(source: str, file: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    decode = json.JSONDecoder(object_pairs_hook=_once).decode
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            record = decode(line)
        except json.JSONDecodeError as error:
            if number == 1 and _is_header(line):
                refuse(source, "is CSV, not JSON; end the file's name in .csv", place=place)
            refuse(source, "is not JSON", place=f"{place}, character {error.colno}")
        except _TwiceError:
            refuse(source, "names a column twice", place=place)
        except (ValueError, RecursionError):
            refuse(source, "is not JSON that can be read", place=place)
        if not isinstance(record, dict):
            refuse(source, "is not a JSON object; give one a line", place=place)
        yield number, record


def _arrow_cells(values: Any, column: Column, types: Any) -> Cells:
    if column.highest is not None and (
        types.is_floating(values.type) or types.is_integer(values.type)
    ):
        numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
        if np.count_nonzero(np.isnan(numbers)) == values.null_count:  # else one is NaN, not empty
            return np.asarray(numbers, dtype=np.float64)
    cells: list[Any] = values.to_pylist()
    return cells
