"""A clock of requests that stands still until a test lets it go on.

A deadline of a fraction of a second is over before anything was asked where the machine stands
still at the wrong moment.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import pytest

from cascade_core.loop import drivers, racing, racing_async, session


def time_waits(patched: pytest.MonkeyPatch, begun: Callable[[], bool]) -> None:
    """Have deadlines run only from the moment when what is to be cut off has begun."""
    stood, since = perf_counter(), list[float]()

    def now() -> float:
        if not since:
            if not begun():
                return stood
            since.append(perf_counter())
        return stood + perf_counter() - since[0]

    for module in (drivers, racing, racing_async, session):
        patched.setattr(module, "perf_counter", now)
