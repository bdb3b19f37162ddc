"""Writes records to a caller's log, which may wait, fail or be awaited: no answer waits in vain."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from cascade_core.log import DecisionLog, Record
from cascade_core.loop import drivers

if TYPE_CHECKING:
    from cascade_core.setup.notices import Notices


def write(log: DecisionLog, record: Record, notices: Notices) -> None:
    """Write a record, and wait; a log that fails costs no answer."""
    try:
        waiting = log.write(record)
        if inspect.isawaitable(waiting):
            drivers.await_elsewhere(waiting)
    except Exception as error:  # noqa: BLE001 - the answer is paid for and must get out
        _lost(log, error, notices)


async def awrite(log: DecisionLog, record: Record, notices: Notices) -> None:
    """Write a record where no event loop waits for the disk; see `write`."""
    try:
        await drivers.awaited(log.write, record)
    except Exception as error:  # noqa: BLE001 - the answer is paid for and must get out
        _lost(log, error, notices)


def _lost(log: DecisionLog, error: Exception, notices: Notices) -> None:
    notices.give(
        "log",
        f"log={log!r} cannot be written ({type(error).__name__}): answers go on, and their "
        "decisions are lost until it can be",
    )
