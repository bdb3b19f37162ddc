"""The windows of budgets: calendar days and hours of UTC, and runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cascade_core.guards.budget import Per

RUN_ENDS = 86_400.0
"""Seconds after its last call that a run is remembered at the most."""


class BudgetWindow(NamedTuple):
    """One window.

    Attributes:
        name: Names it among all windows.
        ends: When it ends, in seconds since the epoch.
    """

    name: str
    ends: float


def window_of(per: Per, now: float, run: str = "") -> BudgetWindow:
    """Return the window that a time is in.

    Args:
        per: How long windows are.
        now: The time, in seconds since the epoch.
        run: The run that the request belongs to.
    """
    if per == "run":
        return BudgetWindow(run, now + RUN_ENDS)
    return _calendar(per, int(now // 3600))


@lru_cache(maxsize=8)
def _calendar(per: Per, hours: int) -> BudgetWindow:
    start = datetime.fromtimestamp(hours * 3600, UTC)
    if per == "hour":
        return BudgetWindow(f"{start:%Y-%m-%dT%H}", (start + timedelta(hours=1)).timestamp())
    start = start.replace(hour=0)
    return BudgetWindow(f"{start:%Y-%m-%d}", (start + timedelta(days=1)).timestamp())
