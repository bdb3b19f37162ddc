"""Moments as logs write them (ISO 8601, UTC where no zone is named) and in seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def read_moment(text: Any) -> datetime | None:
    """Return the moment that a text names; None where it names none."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def seconds_of(text: Any) -> float | None:
    """Return the same in seconds since 1970; None also where that is beyond what can be counted."""
    found = read_moment(text)
    try:
        return None if found is None else found.timestamp()
    except (ValueError, OverflowError):
        return None


def as_iso(seconds: float, timespec: str = "auto") -> str:
    """Return seconds since 1970 as a text; see `datetime.isoformat`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=timespec)
