"""Keeps entries of a log in a database, as a cascade would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from cascade_core.log.database import Database
from cascade_core.log.rows import row_of_event, rows_of
from cascade_core.log.schema import decisions, details, metadata


def store(entries: Iterable[Mapping[str, Any]], url: str) -> str:
    """Write entries to a database, those of a table at once, and return its URL."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        if "event" in entry:
            table, row = row_of_event(entry)
            rows[table].append(row)
            continue
        row, detail = rows_of(entry)
        rows[decisions.name].append(row)
        rows[details.name].append(detail)
    with Database(url).writing() as connection:
        for table, of in rows.items():
            connection.execute(metadata.tables[table].insert(), of)
    return url
