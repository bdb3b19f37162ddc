"""When a provider says that it will take requests again.

Read, in this order, are `retry-after-ms`, `Retry-After` (seconds, or a date), the times at which
the limits that are used up are set back (`x-ratelimit-reset-…`, `anthropic-ratelimit-…-reset`; of
a 429 only), Google's `RetryInfo`, and when a cascade inside the tier tries its own again.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cascade_core.errors import TierOpenError, http_status
from cascade_core.guards.failures import chained
from cascade_core.guards.headers import headers_of

_IN_MS = ("retry-after-ms", "x-ms-retry-after-ms")
_RESET = re.compile(
    r"(?:x-)?ratelimit-reset(?:-(?P<of>.+))?|anthropic-ratelimit-(?P<what>.+)-reset"
)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_EPOCH, _EPOCH_MS = 1e9, 1e12
_TOO_MANY = 429


def retry_after(error: BaseException) -> float | None:
    """Return how long a provider asks to wait.

    Args:
        error: What a call raised.

    Returns:
        Seconds above 0; None where it does not say.
    """
    for each in chained(error):
        if isinstance(each, TierOpenError):
            return each.again_in
        for seconds in _told(each):
            if seconds is not None and math.isfinite(seconds) and seconds > 0:
                return seconds
    return None


def _told(error: BaseException) -> Iterator[float | None]:
    headers = headers_of(error)
    for name in _IN_MS:
        milliseconds = _number(headers.get(name))
        yield None if milliseconds is None else milliseconds / 1000
    yield _until(headers.get("retry-after"), headers.get("date"))
    if http_status(error) == _TOO_MANY:
        yield max(_resets(headers), default=None)
    for name in ("details", "body", "response_json"):
        yield _retry_info(getattr(error, name, None))


def _resets(headers: Mapping[str, str]) -> Iterator[float]:
    """Return when limits are set back, of those that are used up; of all, where none says so."""
    for name, value in headers.items():
        found = _RESET.fullmatch(name)
        if found is None:
            continue
        left = headers.get(name.replace("reset", "remaining"))
        seconds = _until(value, headers.get("date"))
        if seconds is not None and (left is None or _number(left) == 0):
            yield seconds


def _until(value: str | None, date: str | None) -> float | None:
    """Read seconds, a duration such as `6m0s`, or a moment.

    Args:
        value: What a header says.
        date: When it was said: clocks of two machines seldom agree.
    """
    if value is None:
        return None
    number = _number(value)
    if number is not None:
        if number < _EPOCH:
            return number
        return (number / 1000 if number >= _EPOCH_MS else number) - time.time()
    parts = _PART.findall(value)
    if parts and "".join(map("".join, parts)) == value.strip():
        return sum(float(count) * _SECONDS[unit] for count, unit in parts)
    moment = _moment(value)
    if moment is None:
        return None
    said = _moment(date) if date else None
    return (moment - (said or datetime.fromtimestamp(time.time(), UTC))).total_seconds()


def _moment(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text.strip())
        except (ValueError, TypeError, IndexError):
            continue
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return None


def _number(text: object) -> float | None:
    try:
        return float(str(text).strip())
    except ValueError:
        return None


def _retry_info(told: Any) -> float | None:
    """Look for Google's `RetryInfo`, as JSON or as a message of its own."""
    if isinstance(told, Mapping):
        if "retryDelay" in told:
            return _until(str(told["retryDelay"]), None)
        inner: Iterable[Any] = (told.get("error"), told.get("details"))
    elif isinstance(told, list | tuple):
        inner = told
    else:
        delay = getattr(told, "retry_delay", None)
        seconds, nanos = getattr(delay, "seconds", None), getattr(delay, "nanos", None) or 0
        return seconds + nanos / 1e9 if isinstance(seconds, int) else None
    return next((found for each in inner if (found := _retry_info(each)) is not None), None)
