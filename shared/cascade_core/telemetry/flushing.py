"""Has a tracer provider that is flushed or shut down make the spans that still wait."""

from __future__ import annotations

from contextlib import suppress
from functools import wraps
from typing import Any

from cascade_core.telemetry.worker import DRAINING, flushes, worker


def flush_with(provider: Any) -> None:
    """Have a provider's `force_flush` and `shutdown` empty our queue, where it has them."""
    _drain_before_shutdown(provider)
    flush = getattr(provider, "force_flush", None)
    if callable(flush):
        flushes(flush)
    add = getattr(provider, "add_span_processor", None)
    if not callable(add):
        return
    try:
        from opentelemetry.sdk.trace import SpanProcessor  # noqa: PLC0415 - where there is one
    except ImportError:
        return

    class Drain(SpanProcessor):
        """Makes the spans that wait, and has the processors before it export them."""

        _within = False

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            """Empty the queue; the processors that were flushed already are flushed once more."""
            if self._within:
                return True
            if not worker.drain(timeout_millis / 1000):
                return False
            self._within = True
            try:
                return flush(timeout_millis) is not False if callable(flush) else True
            finally:
                self._within = False

    add(Drain())


def _drain_before_shutdown(provider: Any) -> None:
    """Have what waits made before a provider shuts down.

    Processors are shut down in their order, and ours is the last: when it hears of it, those before
    it take no span any more. So it is the provider's own method that is told first.
    """
    shutdown = getattr(provider, "shutdown", None)
    if not callable(shutdown):
        return

    @wraps(shutdown)
    def drained(*args: Any, **kwargs: Any) -> Any:
        worker.drain(DRAINING)
        return shutdown(*args, **kwargs)

    with suppress(AttributeError, TypeError):  # it may take no attribute: then its user flushes
        provider.shutdown = drained
