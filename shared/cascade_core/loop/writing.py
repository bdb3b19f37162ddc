"""Writes records to a caller's log, which may wait, fail or be awaited: no answer waits in vain."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from cascade_core.log import DecisionLog, EventLog, LogEvent, Record
from cascade_core.loop import drivers

if TYPE_CHECKING:
    from cascade_core.setup.notices import Notices

Keep: TypeAlias = Callable[[Record], Any]


def write(log: DecisionLog, record: Record, notices: Notices) -> None:
    """Write a record, and wait; a log that fails costs no answer."""
    _wait(log, log.write, record, notices)


async def awrite(log: DecisionLog, record: Record, notices: Notices) -> None:
    """Write a record where no event loop waits for the disk; see `write`."""
    await _await(log, getattr(log, "awrite", log.write), record, notices)


def write_event(log: EventLog, event: LogEvent, notices: Notices) -> None:
    """Write what became known of a decision; see `write`."""
    _wait(log, log.write_event, event, notices)


async def awrite_event(log: EventLog, event: LogEvent, notices: Notices) -> None:
    """Write what became known of a decision; see `write`."""
    await _await(log, getattr(log, "awrite_event", log.write_event), event, notices)


def _wait(log: DecisionLog, keep: Keep, written: Record, notices: Notices) -> None:
    try:
        waiting = keep(written)
        if waiting is not None and inspect.isawaitable(waiting):
            drivers.await_elsewhere(waiting)
    except Exception as error:  # noqa: BLE001 - the answer is paid for and must get out
        _lost(log, error, notices)


async def _await(log: DecisionLog, keep: Keep, written: Record, notices: Notices) -> None:
    try:
        await drivers.awaited(keep, written)
    except Exception as error:  # noqa: BLE001 - the answer is paid for and must get out
        _lost(log, error, notices)


def _lost(log: DecisionLog, error: Exception, notices: Notices) -> None:
    notices.give(
        "log",
        f"log={log!r} cannot be written ({type(error).__name__}): answers go on, and their "
        "decisions are lost until it can be",
    )
