"""What the logs of one test lost, or could not write, is told in no other.

A log in a database has one writer a process, which outlives the test that made it in a thread or a
circle of references, and `flush_log()` answers for all of them.
"""

from __future__ import annotations

import sys
from typing import Any

SECONDS = 10.0
"""How long a database may take to write what a test left, before it counts as one that fails."""


def forget_logs() -> list[str]:
    """Have all logs write what they were given, and forget those that cannot and what was lost.

    Returns:
        The addresses of those that could not, which nobody finds any more.
    """
    module = sys.modules.get("cascade_core.log.writers")
    failing = []
    for place, writer in list(module._writers.items()) if module else ():
        if writer.inbox.unsettled and not _settles(writer):
            failing.append(place)
            module._writers.pop(place, None)
            writer._write = _drop  # and so its thread, which would try for ever, comes to its end
            writer._hurry.set()
        writer.inbox.all_settled(0)  # what was lost is told once, and this once it was
    return failing


def _settles(writer: Any) -> bool:
    inbox = writer.inbox
    tries = inbox._tries
    writer.flush(0)
    with inbox._moved:
        inbox._moved.wait_for(lambda: not inbox.unsettled or inbox._failed > tries, SECONDS)
    return not inbox.unsettled


def _drop(_batch: object) -> None:
    """Write nothing, as if all were written."""
