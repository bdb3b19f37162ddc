"""What is reviewed: a log, or a labelled table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cascade_core.errors import ConfigurationError
from cascade_core.labels import Table, read_table
from cascade_core.log.reading import is_log
from cascade_core.log.urls import is_url, shown_source
from cascade_core.traffic.labels import labels_of_log


@dataclass(frozen=True, slots=True)
class Labels:
    """The rows whose answers' quality is known: a log's audits, or a table.

    Attributes:
        table: They; None where there are none.
        said: What is to be known of them, a sentence each.
        why_none: Why there are none.
    """

    table: Table | None
    said: tuple[str, ...] = ()
    why_none: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What is reviewed.

    Attributes:
        given: The log's address or file, or the table's file, as it was given.
        shown: The same as it may be shown: a password never is.
        kind: `log` or `table`.
        database: The address of the database that is read: the log's own, or a temporary one
            that a file was read into.
    """

    given: str
    shown: str
    kind: Literal["log", "table"]
    database: str

    def labels(self) -> Labels:
        """Read the rows whose answers' quality is known."""
        if self.kind == "table":
            return Labels(read_table(self.given))
        try:
            table, said = labels_of_log(self.given)
        except ConfigurationError as error:
            return Labels(None, why_none=str(error))
        return Labels(table, tuple(said))


def open_source(given: str) -> Source:
    """Find out what is reviewed.

    Args:
        given: The address or file of a log, or the file of a labelled table.

    Raises:
        ConfigurationError: It is neither, or cannot be read.
    """
    if not is_url(given):
        msg = f"{given}: only a database can be reviewed yet"
        raise ConfigurationError(msg)
    kind: Literal["log", "table"] = "log" if is_log(given) else "table"
    return Source(given, shown_source(given), kind, given)
