"""What telemetry costs a call: CPU time of the caller's thread, with it, without it, and unheard.

    python tests/benchmarks/telemetry.py [--rounds 1] [--json]

On: a tracer and a meter provider of OpenTelemetry's SDK, spans in batches. Spans and metrics are
made by a thread behind, which is measured beside. Unheard: the default, in a program that has set no
provider; off: `telemetry=False`. What these two take is less than calls differ by, so it is measured
by itself, in nanoseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import process_time, thread_time
from timeit import repeat
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/benchmarks")]

from log import CALLS, call_times  # noqa: E402
from opentelemetry.sdk.metrics import MeterProvider  # noqa: E402
from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: E402
    InMemorySpanExporter,
)
from overhead import pairs  # noqa: E402
from rows import Row, print_rows, spread  # noqa: E402

from cascade_core import Telemetry, flush_telemetry  # noqa: E402
from cascade_core.telemetry.watch import TelemetryWatch  # noqa: E402
from langchain_cascade import ChatCascade  # noqa: E402

GROUP = "telemetry"
ADDED = 15.0
"""Microseconds that telemetry may add to a call: the bar."""
UNHEARD = 1000.0
"""Nanoseconds that looking whether anybody listens may take: the bar."""
LOOKS = 100_000


def rows(rounds: int) -> Iterator[Row]:
    """Measure calls with telemetry on and off in turn, and what is looked at where it is not on."""
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(exporter))
    setting = Telemetry(tracers, MeterProvider([InMemoryMetricReader()]))
    cascade, _, _ = pairs(full=True)["accept"]

    def with_telemetry(given: Any) -> ChatCascade:
        return ChatCascade(tiers=cascade.tiers, signals=cascade.signals, telemetry=given)

    off, on = with_telemetry(False), with_telemetry(setting)
    for each in (off, on):
        call_times(each, 50)
    added, ratios, behind = [], [], 0.0
    for _ in range(rounds):
        without = median(call_times(off, CALLS))
        whole, own = process_time(), thread_time()
        heard = median(call_times(on, CALLS))
        flush_telemetry()
        behind += process_time() - whole - (thread_time() - own)
        exporter.clear()
        added.append(1e6 * (heard - without))
        ratios.append(heard / without)
    thread = 1e6 * behind / rounds / CALLS
    beside = f"its bar; threads behind: {thread:.0f} µs more"
    yield _row("on: CPU added to a call", beside, added, ADDED, "µs")
    low, middle, high = spread(ratios)
    yield Row(GROUP, "on: CPU of a call", "the same, off", middle, low, high, middle, 1.0, "x")
    for name, watch in (("unheard", TelemetryWatch(Telemetry(), "desk")), ("off", None)):
        took = [_looking(watch) for _ in range(rounds)]
        yield _row(f"{name}: CPU added to a call", "the bar of unheard", took, UNHEARD, "ns")


def _looking(watch: TelemetryWatch | None) -> float:
    """Return the nanoseconds in which a request sees that there is nobody to tell."""

    def look() -> None:
        assert (None if watch is None else watch.begin()) is None

    def nothing() -> None:
        assert True

    times = [1e9 * min(repeat(each, number=LOOKS, repeat=3)) / LOOKS for each in (look, nothing)]
    return max(0.0, times[0] - times[1])


def _row(name: str, beside: str, took: list[float], bar: float, unit: str) -> Row:
    low, middle, high = spread([each / bar for each in took])
    return Row(GROUP, name, beside, middle, low, high, median(took), bar, unit, bar=1.0)


def main() -> int:
    """Print the figures; fail where the bar is missed."""
    return print_rows(__doc__, rows)


if __name__ == "__main__":
    sys.exit(main())
