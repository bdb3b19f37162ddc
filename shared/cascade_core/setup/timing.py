"""Reads the settings that put requests against the clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cascade_core.errors import ConfigurationError

IN_METADATA = "cascade_deadline"
"""What a request's own deadline is called in its metadata."""


def deadline_of(metadata: Mapping[str, Any], default: float | None) -> float | None:
    """Return the seconds that one request may take: what its metadata says, else the cascade's.

    Raises:
        ConfigurationError: It is no number above 0.
    """
    if IN_METADATA not in metadata:
        return default
    return read_deadline(metadata[IN_METADATA], f"metadata[{IN_METADATA!r}]")


def read_deadline(deadline: object, said: str = "deadline") -> float | None:
    """Return the seconds that a request may take; None where nothing limits it.

    Args:
        deadline: What was given.
        said: What it was given as.

    Raises:
        ConfigurationError: It is no number above 0.
    """
    if deadline is None:
        return None
    number = isinstance(deadline, int | float) and not isinstance(deadline, bool)
    if not number or not 0 < deadline < math.inf:  # type: ignore[operator]
        raise ConfigurationError(f"{said}={deadline!r}: give a number of seconds above 0")
    return float(deadline)  # type: ignore[arg-type]


def read_hedge(hedge: object) -> float:
    """Return the share of requests that may ask the last tier early in vain; 0 where none may.

    Raises:
        ConfigurationError: It is neither True nor False, nor a share.
    """
    if hedge is None or hedge is False:
        return 0.0
    if hedge is True:
        return HEDGE
    if not isinstance(hedge, int | float) or not 0 < hedge <= 1:
        raise ConfigurationError(
            f"hedge={hedge!r}: give True, or the share of requests, above 0 and up to 1, that may "
            "ask the last tier in vain"
        )
    return float(hedge)


HEDGE = 0.1
"""Share of requests that may ask the last tier early in vain, where none is given."""
