"""Drift: has the traffic moved from what a policy was tuned on?

A policy holds a `Reference`, so a running cascade imports that and no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_core.lazy import on_use, shown_before_use
from cascade_core.policy.reference import Reference, Spread

if TYPE_CHECKING:
    from cascade_core.drift.log import DriftReport, watch
    from cascade_core.drift.monitor import Alarm, DriftMonitor
    from cascade_core.drift.shifts import Shift

__all__ = ["Alarm", "DriftMonitor", "DriftReport", "Reference", "Shift", "Spread", "watch"]

__getattr__ = on_use(
    __name__,
    {
        "Alarm": ".monitor",
        "DriftMonitor": ".monitor",
        "DriftReport": ".log",
        "Shift": ".shifts",
        "watch": ".log",
    },
)
__dir__ = shown_before_use(__name__)
