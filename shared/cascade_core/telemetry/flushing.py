"""Has a tracer provider that is flushed make the spans that still wait."""

from __future__ import annotations

from typing import Any

from cascade_core.telemetry.worker import flushes, worker


def flush_with(provider: Any) -> None:
    """Have a provider's `force_flush` empty our queue, where it has span processors."""
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
