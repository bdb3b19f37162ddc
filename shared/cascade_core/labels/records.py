"""Rows given one by one as mappings, from JSONL or from memory, as chunks of columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from cascade_core.labels.build import RowChunk
from cascade_core.labels.check import Unit, Where
from cascade_core.labels.columns import Column, check_columns, parse

ROWS = 1_024
"""Rows a chunk: enough for numpy to pay off, few enough to stay in the processor's cache."""


def chunks_of(
    source: str, unit: Unit, records: Iterable[tuple[int, Mapping[Any, Any]]]
) -> Iterator[RowChunk]:
    """Gather numbered records into chunks; a column that a record does not name is empty in it.

    Raises:
        TableError: The columns are not those of a labelled table.
    """
    records = iter(records)
    known: dict[Any, Column | None] = {}
    rows = False
    while piece := list(islice(records, ROWS)):
        rows = True
        for number, record in piece:
            if not record.keys() <= known.keys():
                for name in record:
                    if name not in known:
                        known[name] = parse(source, name, f"{unit} {number}")
        numbers = np.array([number for number, _ in piece], dtype=np.int64)
        columns = [column for column in known.values() if column]
        yield RowChunk(
            where=Where(source, unit, numbers),
            cells={column: [row.get(column.name) for _, row in piece] for column in columns},
        )
    if rows:  # of none it is said that there are none
        check_columns(source, [column for column in known.values() if column], list(known))
