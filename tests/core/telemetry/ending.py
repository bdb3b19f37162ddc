"""A program that asks a cascade and ends, without a word to what it has set up.

python ending.py here|spawn|fork REQUESTS LOG
"""

from __future__ import annotations

import multiprocessing
import sys
import warnings

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from cascade_core import Audit
from tests.langchain import fakes

PRICES = {"cheap": {"input": 0.7, "output": 1.3}, "strong": {"input": 3.1, "output": 9.7}}


def ask(requests: int, log: str) -> None:
    warnings.simplefilter("ignore")
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), 60_000)
    metrics.set_meter_provider(MeterProvider([reader]))
    audit = Audit(1.0, compare=lambda *_: 1.0)
    for kind in (fakes.SURE, fakes.UNSURE):
        cascade = fakes.pair(kind, prices=PRICES, audit=audit, log=log).cascade
        for _ in range(requests):
            cascade.invoke("Where is my order?")


def main() -> None:
    how, requests, log = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if how == "here":
        ask(requests, log)
        return
    process = multiprocessing.get_context(how).Process(target=ask, args=(requests, log))
    process.start()
    process.join()
    sys.exit(process.exitcode)


if __name__ == "__main__":
    main()
