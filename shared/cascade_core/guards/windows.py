"""The windows of budgets: calendar days and hours of UTC."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cascade_core.guards.budget import Per


class BudgetWindow(NamedTuple):
    """One window.

    Attributes:
        name: Names it among all windows.
        ends: When it ends, in seconds since the epoch.
    """

    name: str
    ends: float


def window_of(per: Per, now: datetime) -> BudgetWindow:
    """Return the window that a time is in.

    Args:
        per: How long windows are.
        now: The time, in UTC.
    """
    if per == "hour":
        start = now.replace(minute=0, second=0, microsecond=0)
        return BudgetWindow(f"{start:%Y-%m-%dT%H}", (start + timedelta(hours=1)).timestamp())
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return BudgetWindow(f"{start:%Y-%m-%d}", (start + timedelta(days=1)).timestamp())
