"""Settings whose names are fixed and that nothing reads yet: whoever gives one is told so."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from cascade_core.errors import ConfigurationError


def idle(settings: Any) -> Iterator[str]:
    """Yield what to say of the settings given that have no effect.

    Raises:
        ConfigurationError: A value will not do, now or later.
    """
    deadline, hedge = settings.deadline, settings.hedge
    if deadline is not None:
        number = isinstance(deadline, int | float) and not isinstance(deadline, bool)
        if not number or not 0 < deadline < math.inf:
            raise ConfigurationError(f"deadline={deadline!r}: give a number of seconds above 0")
        yield "deadline= has no effect in this release: requests take as long as their models do"
    if not (hedge is None or isinstance(hedge, bool)):
        raise ConfigurationError(f"hedge={hedge!r}: give True or False")
    if hedge:
        yield "hedge= has no effect in this release: tiers are asked one after another"
