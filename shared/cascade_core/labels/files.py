"""Reads CSV, JSONL and Parquet files as chunks of a labelled table.

No error quotes what a file holds, save the names of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from cascade_core.csv_files import CsvRows
from cascade_core.files import read_json_lines
from cascade_core.labels.build import RowChunk
from cascade_core.labels.check import Cells, TableError, Unit, Where
from cascade_core.labels.columns import Column, check_columns, parse
from cascade_core.labels.records import ROWS, chunks_of

_BATCH = 65_536  # rows of Parquet at a time; they are arrays already


def from_csv(path: Path) -> Iterator[RowChunk]:
    """Read a CSV file with a header line; a row's line is the one on which it begins.

    Raises:
        TableError: The file cannot be read, or its rows do not fit its header.
    """
    source = str(path)
    read = CsvRows(path, TableError)
    line, header = next(read, (0, None))
    if header is None:
        raise TableError(source, "is empty; the first line names the columns")
    columns = _named(source, f"line {line}", [name.strip() for name in header])
    while True:
        lines: list[int] = []
        rows: list[list[str]] = []
        for line, cells in islice(read, ROWS):
            if len(cells) != len(header):
                problem = f"has {len(cells)} cells where the header names {len(header)}"
                hint = "quote texts that hold separators or line breaks"
                raise TableError(source, f"{problem}; {hint}", place=f"line {line}")
            lines.append(line)
            rows.append(cells)
        if not rows:
            return
        yield RowChunk(
            where=Where(source, "line", np.array(lines, dtype=np.int64)),
            cells={column: _csv_cells(read, rows, i, column) for i, column in columns},
        )


def from_json_lines(path: Path) -> Iterator[RowChunk]:
    """Read a file of one JSON object a line.

    Raises:
        TableError: The file cannot be read, or a line is not a JSON object.
    """
    return chunks_of(str(path), "line", _objects(path))


def from_parquet(path: Path) -> Iterator[RowChunk]:
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
                yield RowChunk(
                    where=Where(source, "row", numbers),
                    cells={
                        column: _arrow_cells(batch.column(column.name), column, arrow.types)
                        for _, column in columns
                    },
                )
    except OSError as error:
        problem = f"cannot be read: {error.strerror or 'it is damaged or cut off'}"
        raise TableError(source, problem) from None
    except arrow.ArrowException:
        raise TableError(source, "is not a Parquet file, or is damaged") from None


READERS: dict[str, tuple[Callable[[Path], Iterator[RowChunk]], Unit]] = {
    ".csv": (from_csv, "line"),
    ".csv.gz": (from_csv, "line"),
    ".jsonl": (from_json_lines, "line"),
    ".jsonl.gz": (from_json_lines, "line"),
    ".ndjson": (from_json_lines, "line"),
    ".parquet": (from_parquet, "row"),
}
"""How a file is read, and what its rows are counted by, by the end of its name."""


def _named(source: str, place: str | None, names: Sequence[str]) -> list[tuple[int, Column]]:
    """Read a header: the place and the meaning of each column that is not the user's own."""
    columns = [
        (i, column) for i, name in enumerate(names) if (column := parse(source, name, place))
    ]
    at = source if place is None else f"{source}, {place}"
    check_columns(at, [column for _, column in columns], names)
    return columns


def _csv_cells(read: CsvRows, rows: Sequence[list[str]], i: int, column: Column) -> list[str]:
    cells = [row[i] for row in rows]
    if column.highest is None or read.separator == ",":
        return cells
    return [read.number(cell) for cell in cells]


def _objects(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, record in read_json_lines(path, TableError):
        if not isinstance(record, dict):
            raise TableError(
                str(path), "is not a JSON object; give one a line", place=f"line {line}"
            )
        yield line, record


def _arrow_cells(values: Any, column: Column, types: Any) -> Cells:
    if column.highest is not None and (
        types.is_floating(values.type) or types.is_integer(values.type)
    ):
        numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
        if np.count_nonzero(np.isnan(numbers)) == values.null_count:  # else one is NaN, not empty
            return np.asarray(numbers, dtype=np.float64)
    cells: list[Any] = values.to_pylist()
    return cells
