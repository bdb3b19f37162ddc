"""Reads the settings that put requests against the clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.setup.notices import Notices

IN_METADATA = "cascade_deadline"
"""What a request's own deadline is called in its metadata."""


def deadline_of(
    metadata: Mapping[str, Any], default: float | None, notices: Notices
) -> float | None:
    """Return the seconds that one request may take: what its metadata says, else the cascade's.

    Args:
        metadata: The request's.
        default: The cascade's.
        notices: What was warned of so far.

    Raises:
        ConfigurationError: It is no number above 0.
    """
    if IN_METADATA not in metadata:
        return default
    said = f"metadata[{IN_METADATA!r}]"
    seconds = read_deadline(metadata[IN_METADATA], said)
    warn_of_deadline(seconds, said, notices)
    return seconds


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


def warn_of_deadline(seconds: float | None, said: str, notices: Notices) -> None:
    """Warn of a deadline that is so long that milliseconds will have been meant.

    Args:
        seconds: The deadline.
        said: What it was given as.
        notices: What was warned of so far.
    """
    if seconds is not None and seconds >= _LONG:
        notices.give_of_setup(
            f"{said}={seconds:g} is in seconds, {seconds / 60:.0f} minutes: if milliseconds were "
            f"meant, give {seconds / 1000:g}",
            running=said != "deadline",
        )


_LONG = 1000.0
"""Seconds of a deadline from which on it is doubted: nobody waits so long for an answer."""


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
