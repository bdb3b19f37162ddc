"""What a cascade tells OpenTelemetry, kept in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cascade_core import Telemetry


class TelemetrySeen:
    """Providers that keep what they are told.

    Attributes:
        setting: What to give a cascade as `telemetry=`.
    """

    def __init__(self, *, content: bool = False) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.setting = Telemetry(self.tracers, self.meters, content=content)

    def spans(self, name: str = "") -> list[ReadableSpan]:
        """The spans whose name begins so, as they ended."""
        assert self.tracers.force_flush()
        return [s for s in self.exporter.get_finished_spans() if s.name.startswith(name)]

    def points(self, name: str) -> list[tuple[dict[str, Any], float]]:
        """A metric's points: attributes, and the value or sum."""
        data = self.reader.get_metrics_data()
        found = []
        for resource in () if data is None else data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == name:
                        found += [
                            (dict(p.attributes), p.sum if hasattr(p, "sum") else p.value)
                            for p in metric.data.data_points
                        ]
        return found

    def total(self, name: str, *by: str, **where: Any) -> Any:
        """A metric's sum, or its sums by attributes.

        Args:
            name: The metric's.
            by: The attributes, by name.
            where: `cascade_part="request"`: only points with it.
        """
        wanted: Mapping[str, Any] = {key.replace("_", ".", 1): v for key, v in where.items()}
        sums: Counter[Any] = Counter()
        for said, value in self.points(name):
            if all(said.get(key) == each for key, each in wanted.items()):
                key = tuple(said.get(each) for each in by)
                sums[key[0] if len(by) == 1 else key] += value
        return dict(sums) if by else sum(sums.values())


def parent_of(span: ReadableSpan) -> int | None:
    """The id of the span that a span is below."""
    return None if span.parent is None else span.parent.span_id
