"""What is reviewed: a log, or a labelled table.

Pages always ask a database. A file's rows are read into a temporary one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cascade_core.errors import ConfigurationError
from cascade_core.labels import Table, read_table
from cascade_core.log.reading import database_to_read, is_log
from cascade_core.log.urls import is_url, shown_source
from cascade_core.policy.document import Policy
from cascade_core.review.log_file import LogFile
from cascade_core.review.table_file import TableFile
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
        file: What keeps that up to date with a file; None where a database was given.
    """

    given: str
    shown: str
    kind: Literal["log", "table"]
    database: str
    file: LogFile | TableFile | None = field(default=None, repr=False)

    @property
    def keeps_feedback(self) -> str | None:
        """The log that feedback is written to: what was given, not a copy; None for a table."""
        return self.given if self.kind == "log" else None

    @property
    def filled(self) -> int:
        """How often the database has been filled from nothing; 0 of a log's own."""
        return 0 if self.file is None else self.file.filled

    @property
    def weighted(self) -> bool:
        """Whether rows of a table weigh differently, so that its figures are weighted means."""
        return isinstance(self.file, TableFile) and self.file.weighted

    @property
    def said(self) -> tuple[str, ...]:
        """What is to be known of the file, a sentence each; nothing of a database."""
        return () if self.file is None else self.file.said

    def update(self, policy: Policy) -> None:
        """Read what is new in a file; a database is asked each time as it is.

        Args:
            policy: What decides on the rows of a table.

        Raises:
            ConfigurationError: It cannot be read any more, or the policy does not fit the table.
        """
        if isinstance(self.file, TableFile):
            self.file.update(policy)
        elif self.file is not None:
            self.file.update()

    def labels(self) -> Labels:
        """Read the rows whose answers' quality is known."""
        if isinstance(self.file, TableFile):
            return Labels(self.file.table, self.file.said)
        if self.kind == "table":
            return Labels(read_table(self.given))
        try:
            table, said = labels_of_log(self.database, named=self.shown)
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
    if is_url(given):
        database_to_read(given)
        return Source(given, shown_source(given), "log", given)
    file: LogFile | TableFile
    if is_log(given) or _not_begun(Path(given)):
        file = LogFile(Path(given))
        return Source(given, given, "log", file.url, file)
    file = TableFile(Path(given))
    return Source(given, given, "table", file.url, file)


def _not_begun(file: Path) -> bool:
    """Tell whether a file is a log that nothing was written to yet: a table would have rows."""
    return file.suffix.lower() == ".jsonl" and file.is_file() and not file.stat().st_size
