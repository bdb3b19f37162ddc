"""Moments of logs: ISO 8601 texts and seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cascade_core.moments import as_iso, read_moment, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02", 86_400.0),
        (" 1970-01-01T00:00:01.5Z ", 1.5),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T01:00:00", 3600.0),
        ("yesterday", None),
        ("", None),
        (None, None),
        (86_400, None),
    ],
)
def test_a_text_that_names_no_zone_is_of_utc(text: Any, seconds: float | None) -> None:
    assert seconds_of(text) == seconds
    assert (read_moment(text) is None) == (seconds is None)


def test_a_moment_comes_back_from_its_text() -> None:
    at = datetime(2026, 3, 1, 12, 30, 0, 250_000, UTC)
    assert seconds_of(as_iso(at.timestamp())) == at.timestamp()
    assert as_iso(at.timestamp(), "seconds") == "2026-03-01T12:30:00+00:00"
