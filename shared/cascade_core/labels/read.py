"""Reads a labelled table from a file or from memory; the one way in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade_core.labels.build import build
from cascade_core.labels.check import TableError
from cascade_core.labels.files import READERS
from cascade_core.labels.memory import is_frame, read_columns, read_rows
from cascade_core.labels.table import Table

_IN_MEMORY = "table"


def read_table(
    source: Table | str | Path | Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any]],
) -> Table:
    """Read a labelled table.

    Args:
        source: The path of a `.csv`, `.csv.gz`, `.jsonl`, `.ndjson`, `.jsonl.gz` or `.parquet`
            file; a mapping of columns; mappings, one a row; or a data frame of pandas, polars or
            pyarrow. A `Table` is returned as it is. In memory NaN is an empty cell; written out
            in a file it is an error.

    Returns:
        The table. Columns that are the user's own are not kept.

    Raises:
        TableError: Something is wrong with it; names file, line (or row) and column.
        ModuleNotFoundError: A Parquet file needs pyarrow.
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str) and "://" in source:
        raise TableError(  # the rest of an address may hold a password
            f"{source.partition('://')[0]}://…",
            "is a log, not a table; cascade export makes a table of its audits",
        )
    if isinstance(source, str | Path):
        path = Path(source)
        read, unit = READERS[suffix_of(_existing(path))]
        return build(str(path), unit, read(path))
    if is_frame(source):
        return build(_IN_MEMORY, "row", read_columns(_IN_MEMORY, source))
    if isinstance(source, Iterable) and not isinstance(source, bytes):
        return build(_IN_MEMORY, "row", read_rows(_IN_MEMORY, source))
    raise TableError(
        _IN_MEMORY,
        f"is a {type(source).__name__}; give a path, a mapping of columns, or a list of rows",
    )


def suffix_of(path: Path) -> str:
    """Return which of the known endings a file's name has.

    Raises:
        TableError: None of them.
    """
    name = path.name.lower()
    for suffix in READERS:
        if name.endswith(suffix):
            return suffix
    raise TableError(str(path), f"is of no known kind; name it {', '.join(READERS)}")


def _existing(path: Path) -> Path:
    try:
        if path.is_dir():
            raise TableError(str(path), "is a directory; give a file")
        if not path.exists():
            raise TableError(str(path), "does not exist; check the path")
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}"
        raise TableError(str(path), problem) from None
    return path
