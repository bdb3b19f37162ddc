"""Reads the settings that put requests against the clock."""

from __future__ import annotations

import math

from cascade_core.errors import ConfigurationError


def read_deadline(deadline: object) -> float | None:
    """Return the seconds that a request may take; None where nothing limits it.

    Raises:
        ConfigurationError: It is no number above 0.
    """
    if deadline is None:
        return None
    number = isinstance(deadline, int | float) and not isinstance(deadline, bool)
    if not number or not 0 < deadline < math.inf:  # type: ignore[operator]
        raise ConfigurationError(f"deadline={deadline!r}: give a number of seconds above 0")
    return float(deadline)  # type: ignore[arg-type]


def read_hedge(hedge: object) -> bool:
    """Return whether the last tier may be asked early.

    Raises:
        ConfigurationError: It is neither True nor False.
    """
    if not (hedge is None or isinstance(hedge, bool)):
        raise ConfigurationError(f"hedge={hedge!r}: give True or False")
    return bool(hedge)
