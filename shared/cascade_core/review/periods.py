"""The period that is looked at: chosen on the page, kept in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from cascade_core.traffic.periods import since_when

NO_TIME = 0.0
"""What `at` is of a row that says no time, in a database that a file was read into."""


@dataclass(frozen=True, slots=True)
class Period:
    """A part of a log's time.

    Attributes:
        since: As it was given: `7d`, a date; empty for the start.
        until: The same of its end.
        begin: Decisions from then on, in seconds since 1970; None for all.
        end: Decisions before then.
    """

    since: str = ""
    until: str = ""
    begin: float | None = None
    end: float | None = None

    @property
    def query(self) -> str:
        """What an address of the same period ends with; empty for the whole log."""
        given = {"since": self.since, "until": self.until}
        return urlencode({name: text for name, text in given.items() if text})


def period_of(query: Mapping[str, str]) -> Period:
    """Read the period from an address.

    Raises:
        ConfigurationError: A time cannot be read.
    """
    since, until = query.get("since", "").strip(), query.get("until", "").strip()
    return Period(
        since,
        until,
        since_when(since or None),
        since_when(until or None, option="--until"),
    )
