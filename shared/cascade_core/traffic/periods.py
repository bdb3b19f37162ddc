"""Times as people give them: `7d` ago, or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cascade_core.errors import ConfigurationError
from cascade_core.moments import seconds_of

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since_when(
    text: str | None, now: datetime | None = None, *, option: str = "--since"
) -> float | None:
    """Read a time that something began at.

    Args:
        text: `7d`, `12h`, or a date or time as ISO 8601 writes it, in UTC where it names no zone.
        now: From when `7d` counts back; the present where it is not given.
        option: What errors call it.

    Returns:
        Seconds since 1970, UTC; None where nothing was given.

    Raises:
        ConfigurationError: It is none of these.
    """
    if text is None:
        return None
    if ago := _AGO.fullmatch(text.strip().lower()):
        try:
            back = timedelta(**{_UNITS[ago[2]]: float(ago[1])})
            return ((now or datetime.now(UTC)) - back).timestamp()
        except OverflowError:
            return 0.0
    when = seconds_of(text)
    if when is None:
        msg = f"{option} {text!r}: give 7d, 12h, or a date such as 2026-11-28"
        raise ConfigurationError(msg)
    return when
