"""Writes values into pages: numbers as reports print them, and texts as nothing but text."""

from __future__ import annotations

import re
from functools import cache
from math import isnan
from numbers import Real
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cascade_core.costs.shown import dollars
from cascade_core.report.logged_rows import shown_ms
from cascade_core.report.rows import formatted, shown_moment
from cascade_core.review.periods import NO_TIME
from cascade_core.visible import visible

_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of a character, which no encoding can write."""

_NONE = "–"


def as_text(value: Any) -> Any:
    r"""Return a text in which nothing steers the page: what would is written out, as `\x1b`.

    What is HTML already, and what is no text, comes back as it is.
    """
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    told = visible(value.replace("\r\n", "\n"))
    return _HALVES.sub(lambda found: f"\\u{ord(found[0]):x}", told)


def _known(value: Any) -> Any:
    """Return a number; None for what is none, which other programs may write in its place."""
    return value if isinstance(value, Real) else None


def as_count(value: float | None) -> str:
    """Return a number of things."""
    return formatted(_known(value), "count")


def as_share(value: float | None) -> str:
    """Return a share, in percent."""
    return formatted(_known(value))


def as_score(value: float | None) -> str:
    """Return a number between 0 and 1, such as a confidence."""
    return formatted(_known(value), "score")


def as_usd(value: float | None) -> str:
    """Return an amount of USD."""
    return formatted(_known(value), "usd")


def as_milliseconds(value: float | None) -> str:
    """Return how long something took."""
    known = _known(value)
    return shown_ms(None if known is None or isnan(known) else known)


def as_moment(value: float | None) -> str:
    """Return seconds since 1970 as a time, in UTC."""
    known = _known(value)
    if known is None or isnan(known) or known == NO_TIME:
        return _NONE
    try:
        return shown_moment(known)
    except (ValueError, OverflowError, OSError):  # no calendar has it
        return _NONE


@cache
def environment() -> Environment:
    """Return the templates: everything they write is escaped, after `as_text`."""
    made = Environment(
        loader=PackageLoader("cascade_core.review", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=as_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "count": as_count,
        "share": as_share,
        "score": as_score,
        "usd": as_usd,
        "ms": as_milliseconds,
        "moment": as_moment,
        "visible": as_text,
    }
    return made


WRITTEN = {
    "number": lambda value: _NONE if value is None else f"{value:,.6g}",
    "percent": as_share,
    "usd": lambda value: _NONE if value is None else dollars(value),
    "time": as_moment,
    "milliseconds": as_milliseconds,
}
"""How numbers along each kind of axis are written."""
