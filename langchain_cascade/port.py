"""The core's ports, taught that LangGraph steers by exceptions."""

from __future__ import annotations

import sys

from cascade_core.loop import port


def control_flow() -> tuple[type[Exception], ...]:
    """Return the exceptions by which LangGraph steers; they are no failures of a tier."""
    errors = sys.modules.get("langgraph.errors")
    return () if errors is None else (errors.GraphBubbleUp,)


class Port(port.Port):
    """Performs effects with blocking calls."""

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request; looked up when something was raised."""
        return (*super().fatal, *control_flow())


class AsyncPort(port.AsyncPort):
    """Performs effects with awaited calls."""

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request; looked up when something was raised."""
        return (*super().fatal, *control_flow())
