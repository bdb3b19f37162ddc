"""A log in memory."""

from __future__ import annotations

from typing import Any


class MemoryLog:
    """Keeps records and events in memory."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def write(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def write_event(self, event: dict[str, Any]) -> None:
        self.events.append(event)
