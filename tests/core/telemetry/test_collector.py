"""A tracing server of others, a process of its own, has all that a program's cascades did."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from math import isclose
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest

from tests.receiver import Receiver

pytest.importorskip("opentelemetry.exporter", reason="the extra otel is missing")

from cascade_core.telemetry import names

PROGRAM = Path(__file__).with_name("ending.py")
ROOT = PROGRAM.parents[3]
REQUESTS = 20

pytestmark = [
    pytest.mark.skipif(
        "CASCADE_TEST_PHOENIX" not in os.environ,
        reason="there is no Phoenix: make test-services has one, where it can be installed",
    ),
    pytest.mark.timeout(180),
]


class Arrived(NamedTuple):
    """What a program wrote into its log, and what the server has of it."""

    records: list[dict[str, Any]]
    audits: list[dict[str, Any]]
    spans: list[dict[str, Any]]

    def named(self, start: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"].startswith(start)]


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arrived]:
    folder = tmp_path_factory.mktemp("phoenix")
    with ExitStack() as stack:
        url = stack.enter_context(_Phoenix(folder))
        metrics = stack.enter_context(Receiver())  # it takes none
        log = folder / "decisions.jsonl"
        given = {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")]),
            "OTEL_EXPORTER_OTLP_ENDPOINT": metrics.url,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{url}/v1/traces",
        }
        command = [sys.executable, PROGRAM, "here", str(REQUESTS), log]
        subprocess.run(command, env={**os.environ, **given}, check=True)
        lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        audits = [line for line in lines if line.get("event") == "audit"]
        records = [line for line in lines if "event" not in line]
        expected = len(records) + sum(bool(a["calls"]) + len(a["calls"]) for a in audits)
        expected += sum(len(record["calls"]) for record in records)
        spans: list[dict[str, Any]] = []
        while len(spans) < expected:  # it writes them a moment later
            time.sleep(0.2)
            with urlopen(f"{url}/v1/projects/default/spans?limit=1000") as answer:
                spans = json.load(answer)["data"]
        yield Arrived(records, audits, spans)


class _Phoenix:
    """A Phoenix on loopback, with its database in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> str:
        ports = []
        for _ in range(2):
            with socket.create_server(("127.0.0.1", 0)) as free:
                ports.append(free.getsockname()[1])
        settings = {
            "PHOENIX_WORKING_DIR": str(self._folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(ports[0]),
            "PHOENIX_GRPC_PORT": str(ports[1]),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
            "PHOENIX_ALLOWED_SANDBOX_PROVIDERS": "MONTY",
        }
        log = self._folder / "log"
        with log.open("wb") as said:
            self._server = subprocess.Popen(
                [os.environ["CASCADE_TEST_PHOENIX"], "serve"],
                cwd=self._folder,
                env={**os.environ, **settings},
                stdout=said,
                stderr=said,
            )
        url = f"http://127.0.0.1:{ports[0]}"
        try:
            while not _answers(f"{url}/healthz"):
                assert self._server.poll() is None, log.read_text("utf-8")[-2000:]
                time.sleep(0.2)
        except BaseException:
            self.__exit__()
            raise
        return url

    def __exit__(self, *_: object) -> None:
        self._server.kill()
        self._server.wait(30)


def _answers(url: str) -> bool:
    try:
        with urlopen(url) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_every_decision_call_and_audit_of_the_log_is_there_once(arrived: Arrived) -> None:
    records, audits = arrived.records, [a for a in arrived.audits if a["calls"]]
    decisions = {s["attributes"][names.DECISION_ID] for s in arrived.named("cascade ChatCascade")}
    assert decisions == {record["id"] for record in records}
    assert len(records) == 2 * REQUESTS
    assert audits
    called = Counter(f"chat {c['model']}" for each in (*records, *audits) for c in each["calls"])
    assert Counter(span["name"] for span in arrived.spans) == {
        "cascade ChatCascade": len(records),
        "cascade audit ChatCascade": len(audits),
        **called,
    }


def test_calls_are_below_their_decision_in_its_trace(arrived: Arrived) -> None:
    whole = {s["context"]["span_id"]: s for s in arrived.named("cascade ")}
    below: dict[str, list[dict[str, Any]]] = {}
    for call in arrived.named("chat "):
        parent = whole[call["parent_id"]]
        assert call["context"]["trace_id"] == parent["context"]["trace_id"]
        assert call["start_time"] >= parent["start_time"]
        if "audit" not in parent["name"]:
            below.setdefault(parent["attributes"][names.DECISION_ID], []).append(call)
    assert all(span["parent_id"] is None for span in whole.values())
    for record in arrived.records:
        calls = sorted(below[record["id"]], key=lambda call: call["attributes"][names.TIER])
        assert [c["attributes"][names.REQUEST_MODEL] for c in calls] == [
            call["model"] for call in record["calls"]
        ]


def test_attributes_and_events_are_those_of_the_log(arrived: Arrived) -> None:
    known = {record["id"]: record for record in arrived.records}
    for span in arrived.named("cascade ChatCascade"):
        said = span["attributes"]
        record = known[said[names.DECISION_ID]]
        assert (said[names.TIER], said[names.REASON]) == (record["tier"], record["reason"])
        assert isclose(said[names.DRAFT_CONFIDENCE], record["confidence"])
        assert isclose(said[names.COST], record["cost_usd"])
    drafts = [s for s in arrived.named("chat cheap") if s["events"]]
    assert len(drafts) == len(arrived.records)
    for draft in drafts:
        assert [e["name"] for e in draft["events"]] == [names.READING_EVENT, names.JUDGED_EVENT]


def test_the_server_itself_reads_models_and_tokens_from_the_conventions(arrived: Arrived) -> None:
    calls = [call for each in (*arrived.records, *arrived.audits) for call in each["calls"]]
    spans = arrived.named("chat ")
    assert {span["span_kind"] for span in spans} == {"LLM"}
    for kind, key in (("prompt", "input_tokens"), ("completion", "output_tokens")):
        read = sum(span["attributes"][f"llm.token_count.{kind}"] for span in spans)
        assert read == sum(call["usage"][key] for call in calls)
    assert {s["attributes"]["llm.model_name"] for s in spans} == {"cheap", "strong"}
