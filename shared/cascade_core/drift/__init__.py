"""Drift: has the traffic moved from what a policy was tuned on?

A policy holds a `Reference`, so a running cascade imports that and no more.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cascade_core.drift.reference import Reference, Spread

if TYPE_CHECKING:
    from cascade_core.drift.log import DriftReport, Shift, watch
    from cascade_core.drift.monitor import Alarm, DriftMonitor

__all__ = ["Alarm", "DriftMonitor", "DriftReport", "Reference", "Shift", "Spread", "watch"]

_ON_USE = {
    "Alarm": "monitor",
    "DriftMonitor": "monitor",
    "DriftReport": "log",
    "Shift": "log",
    "watch": "log",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_ON_USE[name]}"), name)
