"""Tables that are in memory already: a mapping of columns, a list of rows, a data frame.

Data frames are known by their shape (`columns`, and a column by its name), so
that neither pandas nor polars is imported. NaN is how they write an empty cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from cascade_core.labels.build import RowChunk
from cascade_core.labels.check import Cells, TableError, Where, is_empty
from cascade_core.labels.columns import Column, check_columns, parse
from cascade_core.labels.records import chunks_of


def read_columns(source: str, given: Any) -> Iterator[RowChunk]:
    """Read a mapping of columns, or a data frame, as one chunk.

    Raises:
        TableError: The columns are not those of a labelled table, or differ in length.
    """
    names = _names(given)
    columns = [column for name in names if (column := parse(source, name))]
    check_columns(source, columns, names)
    cells = {column: _cells(source, given[column.name], column) for column in columns}
    size = len(cells[columns[0]])
    for column in columns:
        if len(cells[column]) != size:
            problem = f"has {len(cells[column])} cells, but {columns[0].name} has {size}"
            raise TableError(source, problem, column=column.name)
    if size:
        yield RowChunk(Where(source, "row", np.arange(1, size + 1, dtype=np.int64)), cells)


def read_rows(source: str, rows: Iterable[Any]) -> Iterator[RowChunk]:
    """Read mappings, one per row.

    Raises:
        TableError: A row is not a mapping, or columns are not those of a labelled table.
    """
    return chunks_of(source, "row", _numbered(source, rows))


def is_frame(given: object) -> bool:
    """Tell whether something is a mapping of columns or a data frame."""
    if isinstance(given, Mapping):
        return True
    return hasattr(given, "columns") and hasattr(given, "__getitem__")


def _names(given: Any) -> list[Any]:
    if isinstance(given, Mapping):
        return list(given)
    return list(getattr(given, "column_names", given.columns))  # pyarrow's `columns` are data


def _cells(source: str, given: Any, column: Column) -> Cells:
    values = given.to_numpy() if hasattr(given, "to_numpy") else given
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise TableError(source, f"has {values.ndim} dimensions; give one", column=column.name)
        if column.highest is not None and values.dtype.kind in "fiub":
            return values.astype(np.float64)
        values = values.tolist()
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        problem = f"is a {type(given).__name__}; give a list or an array of one cell a row"
        raise TableError(source, problem, column=column.name)
    return [None if is_empty(cell) else cell for cell in values]


def _numbered(source: str, rows: Iterable[Any]) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            problem = f"is a {type(row).__name__}; give a mapping of column to cell"
            raise TableError(source, problem, place=f"row {number}")
        yield number, {name: None if is_empty(cell) else cell for name, cell in row.items()}
