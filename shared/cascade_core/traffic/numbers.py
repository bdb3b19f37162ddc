"""Numbers of a log, whatever stands in their place: SQLite keeps any value in any column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

_WIDTHS: Mapping[str, Any] = {"latency_ms": np.float32}
_ROOM = 1 << 20
"""Values that a column has room for from the beginning."""

_CALENDAR = (
    datetime.min.replace(tzinfo=UTC).timestamp(),
    datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp(),
)


class GrowingColumn:
    """A column that is made some values at a time.

    They are put where they stay: a thousand small arrays, and the whole beside them, would take
    twice the memory. What is kept free takes none before it is written.

    Args:
        width: The type of the array while nothing has been added; then that of what was.
    """

    def __init__(self, width: Any) -> None:
        self._values: Any = np.empty(0, dtype=width)
        self._n = 0

    def add(self, values: Any) -> None:
        """Put an array behind what is there."""
        n = self._n + len(values)
        if n > len(self._values):
            grown = np.empty(max(n, 2 * len(self._values), _ROOM), dtype=values.dtype)
            grown[: self._n] = self._values[: self._n]
            self._values = grown
        self._values[self._n : n] = values
        self._n = n

    def made(self) -> Any:
        """Return the column."""
        return self._values[: self._n]


def column_of(name: str, values: Sequence[Any]) -> Any:
    """Return a column of decisions; times that no calendar has are not known.

    Args:
        name: The column's.
        values: Of some decisions; None for what is not known.
    """
    found = numbers_of(values, _WIDTHS.get(name, np.float64))
    if name == "at":
        found[(found < _CALENDAR[0]) | (found > _CALENDAR[1])] = np.nan
    return found


def numbers_of(values: Sequence[Any], width: Any = np.float64) -> Any:
    """Return values as an array of numbers; NaN for what is none, and for what has no end.

    Args:
        values: They; None for what is not known.
        width: The array's type.
    """
    try:
        with np.errstate(over="ignore"):
            found = np.array(values, dtype=width)
    except (ValueError, TypeError, OverflowError):
        with np.errstate(over="ignore"):
            found = np.array([_number(value) for value in values], dtype=width)
    found[np.isinf(found)] = np.nan
    return found


def whole_numbers_of(values: Sequence[Any], width: Any, otherwise: float = 0) -> Any:
    """Return values as an array of whole numbers, or of flags.

    Args:
        values: They; None for what is not known.
        width: The array's type.
        otherwise: What stands there for what is not known, is no number, or does not fit.
    """
    known = [otherwise if value is None else value for value in values]
    bounds = np.iinfo(width) if np.issubdtype(width, np.integer) else None
    try:
        if bounds is None:
            return np.array(known, dtype=width)
        found = np.array(known, dtype=np.int64)
    except (ValueError, TypeError, OverflowError):
        return np.array([_fitting(value, bounds, otherwise) for value in known], dtype=width)
    # Older NumPy wraps what does not fit around.
    fits = (found >= bounds.min) & (found <= bounds.max)
    return np.where(fits, found, otherwise).astype(width)


def _number(value: Any) -> float:
    try:
        return math.nan if isinstance(value, str | bytes) else float(value)
    except (ValueError, TypeError, OverflowError):
        return math.nan


def _fitting(value: Any, bounds: Any, otherwise: float) -> Any:
    number = _number(value)
    if not math.isfinite(number):
        return otherwise
    if bounds is None:
        return bool(number)
    return int(number) if bounds.min <= number <= bounds.max else otherwise
