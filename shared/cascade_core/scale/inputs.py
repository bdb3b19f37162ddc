"""Where rows come from: files, Ray datasets, or memory; what is wrong with them in one error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from cascade_core.errors import ConfigurationError
from cascade_core.scale.rows import BULK_COLUMNS

_BYTES = 8


def dataset_of(ray: Any, rows: Any) -> Any:
    """Make a dataset of what was given.

    Args:
        ray: The package.
        rows: A dataset, a path, or mappings.

    Raises:
        ConfigurationError: It is of no known kind, cannot be read, lacks a column, or has an id
            twice.
    """
    try:
        return _dataset(ray, rows)
    except ConfigurationError:
        raise
    except Exception as error:
        # Ray and Arrow quote what they cannot read.
        name = (getattr(error, "cause", None) or error).__class__.__name__
        which = f"{rows} cannot be read" if isinstance(rows, str | Path) else "rows are no table"
        msg = f"{which} ({name}): give files with rows, whose columns hold one type of value each"
        raise ConfigurationError(msg) from error


def _dataset(ray: Any, rows: Any) -> Any:
    if isinstance(rows, str | Path):
        found = _from_files(ray, Path(rows).absolute())
    elif isinstance(rows, ray.data.Dataset):
        found = rows
    elif isinstance(rows, Sequence) and all(isinstance(row, Mapping) for row in rows):
        if not rows:
            raise ConfigurationError("rows: there are none")
        found = ray.data.from_items([_flat(_known(row)) for row in rows])
    else:
        msg = f"rows is {type(rows).__name__}: give a Ray dataset, a file, or a list of mappings"
        raise ConfigurationError(msg)
    columns = found.columns() or []
    if "id" not in columns or not {"request", "messages"} & set(columns):
        msg = f"rows need the columns id and request (or messages); there are {', '.join(columns)}"
        raise ConfigurationError(msg)
    if not isinstance(rows, ray.data.Dataset):  # which may be costly to make
        _unlike(found)
    return found


def _unlike(found: Any) -> None:
    """Look whether each row has an id of its own, in eight bytes a row.

    Raises:
        ConfigurationError: Two have the same.
    """
    digests = np.fromiter((_digest(row_id) for row_id in _ids(found)), dtype=np.uint64)
    digests.sort()
    twice = set(digests[1:][digests[1:] == digests[:-1]].tolist())
    if not twice:
        return
    seen: set[str] = set()
    for row_id in _ids(found):
        if _digest(row_id) in twice and row_id in seen:
            raise ConfigurationError(f"id {row_id!r} stands there twice; each row has its own")
        if _digest(row_id) in twice:
            seen.add(row_id)


def _ids(found: Any) -> Iterator[str]:
    for table in found.select_columns(["id"]).iter_batches(batch_size=4096, batch_format="pyarrow"):
        # What has no id is said by who is given the row.
        yield from (str(each) for each in table.column("id").to_pylist() if each is not None)


def _digest(row_id: str) -> int:
    named = row_id.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(named, digest_size=_BYTES).digest())


def _from_files(ray: Any, path: Path) -> Any:
    if not path.exists():
        raise ConfigurationError(f"{path} is not there")
    suffix = ".parquet" if path.is_dir() else path.suffix.lower()
    if suffix == ".parquet":
        return ray.data.read_parquet(str(path))
    if suffix in {".jsonl", ".ndjson"}:
        # Ray's readers of JSON make numbers and times of texts that look like them.
        return ray.data.read_text(str(path)).map(_line)
    if suffix == ".csv":
        arrow = import_module("pyarrow")
        # As texts: 007 is not 7.
        texts = {name: arrow.string() for name in ("id", "request", "class", "tags", "metadata")}
        options = import_module("pyarrow.csv").ConvertOptions(column_types=texts)
        return ray.data.read_csv(str(path), convert_options=options)
    raise ConfigurationError(f"{path}: rows are read from .csv, .jsonl and .parquet files")


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is read of a row, its id and class as texts: a column has one type."""
    known = {name: row[name] for name in BULK_COLUMNS if name in row}
    for name in ("id", "class"):
        if isinstance(known.get(name), int) and not isinstance(known[name], bool):
            known[name] = str(known[name])
    return known


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write what differs in shape from row to row as JSON, so that rows are a table."""
    return {
        name: value if value is None or isinstance(value, str | int | float) else _json(value)
        for name, value in row.items()
    }


def _line(read: Mapping[str, Any]) -> dict[str, Any]:
    try:
        row = json.loads(read["text"].removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, Mapping):
        # With no id, which its worker says.
        return {"id": None, "request": None}
    return _flat(dict.fromkeys(BULK_COLUMNS) | _known(row))


def _json(value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        msg = f"a row holds {type(value).__name__}, which is not plain data"
        raise ConfigurationError(msg) from None
