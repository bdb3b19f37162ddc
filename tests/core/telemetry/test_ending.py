"""What a program has done last arrives, though it ends or shuts its providers down at once."""

import json
import os
import subprocess
import sys
from collections import Counter
from math import isclose
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opentelemetry.exporter", reason="the extra otel is missing")

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from cascade_core import Telemetry
from cascade_core.telemetry import names
from tests.langchain import fakes
from tests.receiver import Receiver

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("ending.py")
REQUESTS = 20


def total(points: list[dict[str, Any]], **where: str) -> float:
    """The sum of a metric: `cascade_part="request"` for points that say so."""
    wanted = {key.replace("_", ".", 1): value for key, value in where.items()}
    return sum(p["value"] for p in points if wanted.items() <= p["attributes"].items())


HOWS = ["here", "spawn", *(["fork"] if hasattr(os, "fork") else [])]


@pytest.mark.processes
@pytest.mark.parametrize("how", HOWS)
def test_a_program_that_just_ends_has_told_everything(how: str, tmp_path: Path) -> None:
    log = tmp_path / "decisions.jsonl"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "shared")])
    with Receiver() as receiver:
        given = {"PYTHONPATH": paths, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        said = subprocess.run(
            [sys.executable, PROGRAM, how, str(REQUESTS), log],
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        spans, metrics = receiver.spans(), receiver.metrics()
    assert (said.returncode, said.stderr) == (0, "")
    count = Counter(span["name"] for span in spans)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    told = [line for line in lines if line.get("event") == "audit"]
    assert total(metrics[names.AUDITS]) == len(told) == 2 * REQUESTS
    audits = sum(bool(audit["calls"]) for audit in told)  # the strong model's own take none
    assert count["cascade audit ChatCascade"] == audits > 0
    assert count["cascade ChatCascade"] == 2 * REQUESTS
    assert count["chat cheap"] == 2 * REQUESTS
    assert count["chat strong"] == REQUESTS + audits
    decisions = {s["id"] for s in spans if s["name"] == "cascade ChatCascade"}
    below = [s for s in spans if s["name"].startswith("chat ") and s["parent"] in decisions]
    assert len(below) == 3 * REQUESTS
    assert total(metrics[names.REQUESTS]) == 2 * REQUESTS
    assert total(metrics[names.REQUESTS], cascade_outcome="escalated") == REQUESTS
    assert total(metrics[names.CALLS], cascade_part="request") == 3 * REQUESTS
    paid = sum(s["attributes"][names.COST] for s in spans if s["name"].startswith("chat "))
    assert isclose(total(metrics[names.COST_USD]), paid, rel_tol=1e-9)


def test_metrics_arrive_over_http() -> None:
    with Receiver() as receiver:
        exporter = OTLPMetricExporter(f"{receiver.url}/v1/metrics")
        reader = PeriodicExportingMetricReader(exporter, 60_000)
        meters = MeterProvider([reader], shutdown_on_exit=False)
        setting = Telemetry(meter_provider=meters)
        cascade = fakes.pair(fakes.UNSURE, telemetry=setting, name="desk").cascade
        for _ in range(3):
            cascade.invoke("Where is my order?", {"metadata": {"cascade_class": "orders"}})
        assert meters.force_flush()
        metrics = receiver.metrics()
        meters.shutdown()
    (point,) = metrics[names.REQUESTS]
    assert point["value"] == 3
    said = point["attributes"]
    assert (said[names.CASCADE], said[names.CLASS], said[names.TIER]) == ("desk", "orders", 1)
    assert total(metrics[names.CALLS]) == 6
    assert {p["attributes"][names.TOKEN_TYPE] for p in metrics[names.TOKEN_USAGE]} == {
        "input",
        "output",
    }


def test_a_provider_that_is_shut_down_unflushed_has_the_last_spans() -> None:
    with Receiver() as receiver:
        tracers = TracerProvider(shutdown_on_exit=False)
        exporter = OTLPSpanExporter(f"{receiver.url}/v1/traces")
        tracers.add_span_processor(BatchSpanProcessor(exporter))
        cascade = fakes.pair(telemetry=Telemetry(tracers)).cascade
        cascade.invoke("Where is my order?")
        tracers.shutdown()
        found = [span for span in receiver.spans() if span["name"] == "cascade ChatCascade"]
    assert len(found) == 1


def test_metrics_that_are_shut_down_unflushed_have_the_last_requests() -> None:
    with Receiver() as receiver:
        exporter = OTLPMetricExporter(f"{receiver.url}/v1/metrics")
        reader = PeriodicExportingMetricReader(exporter, 60_000)
        meters = MeterProvider([reader], shutdown_on_exit=False)
        cascade = fakes.pair(telemetry=Telemetry(meter_provider=meters)).cascade
        cascade.invoke("Where is my order?")
        meters.shutdown()
        assert total(receiver.metrics()[names.REQUESTS]) == 1
