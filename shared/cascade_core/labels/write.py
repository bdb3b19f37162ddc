"""Writes a labelled table: all of it or nothing, and only what reads back.

Rows are checked by reading them before a file is touched.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from cascade_core.csv_files import written_safely
from cascade_core.files import replacing
from cascade_core.labels.build import build
from cascade_core.labels.check import TableError, is_empty
from cascade_core.labels.columns import in_order, parse
from cascade_core.labels.memory import read_rows
from cascade_core.labels.read import suffix_of

_QUOTED = frozenset(',"\r\n')


def write_table(path: str | Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a labelled table, replacing the file at once or not at all.

    Columns come in a fixed order: id, request, class, group and weight, then tier by tier, then
    the user's own. Characters that UTF-8 cannot express become question marks.

    Args:
        path: The file; its suffix decides the format, as in `read_table`.
        rows: Mappings of column to cell; None, NaN and absent cells are written as empty.

    Raises:
        TableError: The rows do not make a labelled table, or the file cannot be written.
        ModuleNotFoundError: A Parquet file needs pyarrow.
    """
    path = Path(path)
    suffix = suffix_of(path)
    rows = list(rows)
    build(str(path), "row", read_rows(str(path), rows))
    columns = _columns(str(path), rows)
    written = (_csv_lines if suffix.startswith(".csv") else _json_lines)(columns, rows)
    lines = (f"{line}\n".encode("utf-8", "replace") for line in written)
    with replacing(path, TableError) as file:
        if suffix == ".parquet":
            _write_parquet(file, columns, rows)
        elif suffix.endswith(".gz"):
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                packed.write(b"".join(lines))
        else:
            file.writelines(lines)


_Cell = Callable[[Any], Any]


def _columns(source: str, rows: Sequence[Mapping[str, object]]) -> dict[str, _Cell]:
    """Return every column in order, and how its cells are made plain."""
    names = dict.fromkeys(name for row in rows for name in row)
    for name in names:
        if not isinstance(name, str):
            raise TableError(source, f"has a column named by a {type(name).__name__}; give texts")
    parsed = {name: parse(source, name) for name in names}
    found = in_order(column for column in parsed.values() if column)
    columns: dict[str, _Cell] = {c.name: _text if c.highest is None else _number for c in found}
    return columns | {name: _own for name, column in parsed.items() if column is None}


def _number(cell: Any) -> float | None:
    if is_empty(cell) or (isinstance(cell, str) and not cell.strip()):
        return None
    return float(cell)


def _text(cell: Any) -> str | None:
    return None if is_empty(cell) else str(cell)


def _own(cell: Any) -> Any:
    """Return a cell of the user's own: plain values as they are, anything else as JSON."""
    if is_empty(cell):
        return None
    return cell if isinstance(cell, str | bool | int | float) else json.dumps(cell, default=str)


def _csv_lines(columns: Mapping[str, _Cell], rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    yield ",".join(_csv_cell(name) for name in columns)
    for row in rows:
        yield ",".join(_csv_cell(plain(row.get(name))) for name, plain in columns.items())


def _csv_cell(cell: object) -> str:
    # The csv module leaves a lone carriage return unquoted where lines end in a line feed.
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = written_safely(cell)
    else:
        text = float.__repr__(cell).removesuffix(".0") if isinstance(cell, float) else str(cell)
    if _QUOTED.isdisjoint(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _json_lines(
    columns: Mapping[str, _Cell], rows: Sequence[Mapping[str, object]]
) -> Iterator[str]:
    for row in rows:
        cells = {name: plain(row.get(name)) for name, plain in columns.items()}
        yield json.dumps(cells, ensure_ascii=False)


def _write_parquet(
    file: IO[bytes], columns: Mapping[str, _Cell], rows: Sequence[Mapping[str, object]]
) -> None:
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    arrays = {}
    for name, plain in columns.items():
        cells = [plain(row.get(name)) for row in rows]
        if plain is _number:
            arrays[name] = arrow.array(cells, type=arrow.float64())
        else:  # one type a column: the user's own may be of many
            texts = [
                None if cell is None else str(cell).encode("utf-8", "replace") for cell in cells
            ]
            arrays[name] = arrow.array(texts, type=arrow.binary()).cast(arrow.string())
    parquet.write_table(arrow.table(arrays), file)
