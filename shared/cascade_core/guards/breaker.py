"""When a tier that keeps failing is left alone: the setting `breaker=`."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.named_arguments import names_checked
from cascade_core.tier import FAILURES_IN_A_ROW


@names_checked
@dataclass(frozen=True, slots=True)
class Breaker:
    """When a tier that keeps failing is left alone, and for how long.

    Args:
        failures: Failures in a row that open it; three by default. Only the provider's count:
            rate limits, timeouts, HTTP 5xx, no connection. A refused key (401, 403) and a
            `Retry-After` open it at once.
        probe_every: Seconds until one request may try the tier again.
        longest: The most seconds that a `Retry-After` is followed.

    Raises:
        ConfigurationError: An argument is no such number.
    """

    failures: int = FAILURES_IN_A_ROW
    probe_every: float = 10.0
    longest: float = 60.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        for each in fields(self):
            value = getattr(self, each.name)
            whole = each.name == "failures"
            kinds = int if whole else int | float
            number = isinstance(value, kinds) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value <= 0:
                unit = "a whole number above 0" if whole else "seconds above 0"
                raise ConfigurationError(f"Breaker({each.name}={value!r}): give {unit}")


def read_breaker(given: Any) -> Breaker | None:
    """Read the `breaker=` argument of a cascade.

    Args:
        given: None or True for the defaults, False for none, or a `Breaker`.

    Raises:
        ConfigurationError: It is none of these.
    """
    if given is None or given is True:
        return Breaker()
    if given is False:
        return None
    if not isinstance(given, Breaker):
        msg = f"breaker= takes a Breaker(failures=3), or False, not {type(given).__name__}"
        raise ConfigurationError(msg)
    return given
