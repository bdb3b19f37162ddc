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
    if not isinstance(deadline, int | float) or isinstance(deadline, bool):
        raise ConfigurationError(f"deadline={deadline!r}: give a number of seconds above 0")
    if not 0 < deadline < math.inf:
        raise ConfigurationError(f"deadline={deadline!r}: give a number of seconds above 0")
    return float(deadline)


def read_hedge(hedge: object) -> bool:
    """Return whether the last tier may be asked early.

    Raises:
        ConfigurationError: It is neither True nor False.
    """
    if not (hedge is None or isinstance(hedge, bool)):
        raise ConfigurationError(f"hedge={hedge!r}: give True or False")
    return bool(hedge)
