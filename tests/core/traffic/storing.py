"""Keeps entries of a log in a database, as a cascade would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cascade_core.log.database import Database
from cascade_core.log.rows import row_of_event, rows_of
from cascade_core.log.schema import decisions, details, metadata


def store(entries: Iterable[Mapping[str, Any]], url: str) -> str:
    """Write entries to a database, and return its URL."""
    database = Database(url)
    with database.writing() as connection:
        for entry in entries:
            if "event" in entry:
                table, row = row_of_event(entry)
                connection.execute(metadata.tables[table].insert(), row)
                continue
            row, detail = rows_of(entry)
            connection.execute(decisions.insert(), row)
            connection.execute(details.insert(), detail)
    return url
