"""Puts records and events into the tables of a log's database."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from cascade_core.errors import CascadeError
from cascade_core.log import schema
from cascade_core.log.packing import Parcel, unpack
from cascade_core.log.rows import row_of_event, rows_of

if TYPE_CHECKING:
    from cascade_core.log.database import Database


class UnfitError(CascadeError):
    """Something is neither a record nor an event."""


Rows: TypeAlias = dict[str, list[Any]]
"""Rows by the name of their table."""

TABLES = (schema.decisions, schema.details, schema.audits, schema.feedback)


def rows_by_table(parcels: Sequence[Parcel]) -> Rows:
    """Unpack records and events.

    Raises:
        UnfitError: One is neither.
    """
    rows: Rows = {table.name: [] for table in TABLES}
    for parcel in parcels:
        try:
            _add(parcel, rows)
        except Exception as error:
            raise UnfitError from error
    return rows


def insert(database: Database, connection: sa.Connection, rows: Rows) -> None:
    """Insert rows; one whose id is there already is left as it is.

    So a batch can be written again when nobody knows whether it was.
    """
    for table in TABLES:
        if rows[table.name]:
            _insert(database, connection, table, rows[table.name])


def _insert(
    database: Database, connection: sa.Connection, table: sa.Table, rows: Sequence[Any]
) -> None:
    """Insert rows, which hold what a driver takes: SQLAlchemy need not look at each value."""
    statement = database.insert(table).compile(dialect=connection.dialect)
    if statement.positiontup is not None:
        rows = [*map(itemgetter(*statement.positiontup), rows)]
    connection.exec_driver_sql(str(statement), rows)


def _add(parcel: Parcel, rows: Rows) -> None:
    value = unpack(parcel)
    if parcel.kind == "record":
        decision, details = rows_of(value)
        rows["decisions"].append(decision)
        rows["details"].append(details)
    else:
        name, row = row_of_event(value)
        rows[name].append(row)


def is_refused(error: Exception) -> bool:
    """Tell whether one row is in the way, and the database works."""
    if isinstance(error, UnfitError | DataError | IntegrityError):
        return True
    # What the driver cannot send: an error of its own, within SQLAlchemy's.
    return isinstance(error, StatementError) and not isinstance(error, DBAPIError)
