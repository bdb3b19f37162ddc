"""Spans and metrics leave the process as users send them: over OTLP, and on a page for Prometheus."""

import json
import os
import threading
import urllib.request
from collections.abc import Iterator
from math import isclose
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.exporter", reason="the extra otel is missing")

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import REGISTRY, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from cascade_core import Audit, Telemetry, flush_log, flush_telemetry
from cascade_core.log import inbox, open_log
from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from cascade_core.setup import live
from cascade_core.telemetry import names, worker
from cascade_core.watch.shipping import strongest
from tests.langchain import fakes
from tests.receiver import Receiver
from tests.telemetry_seen import TelemetrySeen

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")


def test_spans_arrive_over_http() -> None:
    with Receiver() as receiver:
        tracers = TracerProvider(shutdown_on_exit=False)
        exporter = OTLPSpanExporter(f"{receiver.url}/v1/traces")
        tracers.add_span_processor(BatchSpanProcessor(exporter))
        cascade = fakes.pair(fakes.UNSURE, telemetry=Telemetry(tracers)).cascade
        cascade.invoke("Where is my order?")
        assert tracers.force_flush()
        tracers.shutdown()
        spans = receiver.spans()
    assert sorted(span["name"] for span in spans) == [
        "cascade ChatCascade",
        "chat cheap",
        "chat strong",
    ]


def test_prometheus_reads_what_was_counted() -> None:
    reader = PrometheusMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    server, thread = start_http_server(0, "127.0.0.1", REGISTRY)
    try:
        cascade = fakes.pair(fakes.UNSURE, telemetry=Telemetry(meter_provider=meters)).cascade
        for _ in range(3):
            cascade.invoke("Where is my order?")
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as page:
            families = list(text_string_to_metric_families(page.read().decode()))
    finally:
        server.shutdown()
        thread.join()
        meters.shutdown()
    found = {s.name: s for family in families for s in family.samples if s.value}
    assert found["cascade_requests_total"].value == 3
    assert found["cascade_requests_total"].labels["cascade_outcome"] == "escalated"
    assert found["gen_ai_client_operation_duration_seconds_count"].value == 3


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> Iterator[worker.Worker]:
    """What telemetry loses here is told here: in no later test, and not at the end of all."""
    worker.worker.drain()
    monkeypatch.setattr(worker.worker, "lost", 0)
    monkeypatch.setattr(worker.worker, "_said", set())
    yield worker.worker
    worker.worker.drain()


def test_a_provider_that_raises_costs_no_answer(losing: worker.Worker) -> None:
    class Broken:
        def get_tracer(self, *_: object, **__: object) -> None:
            raise RuntimeError

    cascade = fakes.pair(telemetry=Telemetry(Broken())).cascade
    assert cascade.invoke("Where is my order?").content == "sure answer"
    losing.drain()
    assert losing.lost == 1
    assert losing._said == {"failed"}


def test_classes_beyond_the_first_are_counted_as_one() -> None:
    seen = TelemetrySeen()
    cascade = fakes.pair(telemetry=seen.setting).cascade
    for number in range(names.MOST_VALUES + 20):
        cascade.invoke("hello", {"metadata": {"cascade_class": f"class {number}"}})
    counted = seen.total(names.REQUESTS, names.CLASS)
    assert len(counted) == names.MOST_VALUES + 1
    assert counted[names.OTHER] == 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_tells_of_its_own_requests_and_no_others() -> None:
    seen = TelemetrySeen()
    cascade = fakes.pair(telemetry=seen.setting).cascade
    cascade.invoke("hello")
    seen.spans()
    seen.exporter.clear()
    cascade.invoke("hello")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seen.exporter.clear()  # it is a copy: the parent's span may have been made already
        cascade.invoke("hello")
        told = [span.name for span in seen.spans("cascade ")]
        os.write(writing, json.dumps(len(told)).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        assert json.loads(pipe.read()) == 1
    assert len(seen.spans("cascade ")) == 1


def test_flushing_from_several_threads_loses_nothing() -> None:
    seen = TelemetrySeen()
    cascade = fakes.pair(telemetry=seen.setting).cascade

    def some() -> None:
        for _ in range(50):
            cascade.invoke("hello")
            flush_telemetry()

    threads = [threading.Thread(target=some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen.spans("cascade ")) == 200
    assert seen.total(names.REQUESTS) == 200


def test_what_audits_may_cost_and_have_cost_is_seen(tmp_path: Path) -> None:
    seen, prices = TelemetrySeen(), {m: {"input": 0.7, "output": 1.3} for m in ("cheap", "strong")}
    audit = Audit(1.0, max_usd_per_day=0.5, compare=lambda *_: 1.0)
    settings = {"telemetry": seen.setting, "prices": prices, "log": tmp_path / "decisions.jsonl"}
    desk = fakes.pair(audit=audit, name="desk", **settings).cascade
    shop = fakes.pair(audit=audit, name="shop", **settings).cascade
    assert seen.points(names.AUDIT_LIMIT) == []
    desk.invoke("Where is my order?")
    shop.invoke("Where is my order?")
    assert flush_log()
    ((said, limit),) = seen.points(names.AUDIT_LIMIT)  # what they share is said once
    assert (said, limit) == ({names.CASCADE: "desk"}, 0.5)
    ((_, spent),) = seen.points(names.AUDIT_SPENT)
    assert isclose(spent, seen.total(names.COST_USD, cascade_part="audit"))
    assert spent > 0


def test_which_policy_decides_and_that_it_was_taken_back_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "look_after", lambda _: None)
    seen, url = TelemetrySeen(), f"sqlite:///{tmp_path}/decisions.db"
    store = PolicyStore(url, create=True)
    good = Policy(name="desk", thresholds=(0.5,))
    for policy in (good, strongest(good, 2)):
        store.save(policy)
    store.activate(1)
    cascade = fakes.pair(telemetry=seen.setting, policy=url, name="desk").cascade
    fixed = fakes.pair(telemetry=seen.setting, name="fixed").cascade
    for each in (cascade, fixed):
        each.invoke("Where is my order?")
    assert seen.points(names.POLICY_ACTIVE) == [({names.CASCADE: "desk"}, 1)]
    changes = {said[names.POLICY_CHANGE]: n for said, n in seen.points(names.POLICY_CHANGES)}
    assert changes == {"activated": 0, "withdrawn": 0}
    for number in (2, 1, 2):
        store.activate(number)
        cascade._engine._live.look()
    assert seen.points(names.POLICY_ACTIVE) == [({names.CASCADE: "desk"}, 2)]
    changes = {said[names.POLICY_CHANGE]: n for said, n in seen.points(names.POLICY_CHANGES)}
    assert changes == {"activated": 1, "withdrawn": 2}


def test_what_a_log_and_telemetry_itself_have_lost_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losing: worker.Worker
) -> None:
    seen = TelemetrySeen()
    log = open_log(f"sqlite:///{tmp_path}/decisions.db", overflow="drop")
    cascade = fakes.pair(telemetry=seen.setting, log=log).cascade
    cascade.invoke("Where is my order?")
    before = {name: seen.total(name) for name in (names.LOG_LOST, names.TELEMETRY_LOST)}
    monkeypatch.setattr(inbox, "ROOM", 0)
    monkeypatch.setattr(worker, "ROOM_BEHIND", 0)
    cascade.invoke("Where is my order?")
    assert {name: seen.total(name) for name in before} == {n: v + 1 for n, v in before.items()}
    assert seen.total(names.REQUESTS) == 1
    assert losing.lost == 1
    assert not flush_log(20), "what was lost is said here, and to no other test"
