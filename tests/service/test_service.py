"""Eight processes of the service on a real PostgreSQL and a real Redis, asked over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from cascade_core import Breaker
from cascade_core.log.reading import read_records
from tests.core.guards.redis_server import PROGRAM, RedisServer
from tests.core.log.databases import SERVER, database
from tests.http.stub import Raw, Say, Stub, usage

pytestmark = pytest.mark.skipif(
    SERVER is None or PROGRAM is None, reason="needs PostgreSQL and Redis: make test-services"
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "cookbooks" / "service"
PROCESSES = 8
BUDGET = Decimal("0.06")
PRICES = {"cheap": {"input": 1, "output": 1}, "strong": {"input": 10, "output": 10}}
PATIENCE = 600
"""Seconds for what hangs: on a busy machine, eight processes took two minutes to start."""
BEAT = 1.0
PROBE_EVERY = Breaker().probe_every


def cheap(body: Any) -> Say:
    return Say("an answer", p=0.2 if "hard" in body["messages"][-1]["content"] else 0.95)


class Service:
    """The processes, and who stands behind them."""

    def __init__(self, models: Stub, log: str, environment: dict[str, str]) -> None:
        self.models, self.log, self.environment = models, log, environment
        self.processes: list[subprocess.Popen[bytes]] = []
        self.urls: list[str] = []

    def start(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen(128)
            command = [sys.executable, "-m", "uvicorn", "app:app", "--fd", str(taken.fileno())]
            self.processes.append(
                subprocess.Popen(
                    [*command, "--log-level", "critical"],
                    cwd=FOLDER,
                    env=self.environment,
                    pass_fds=[taken.fileno()],
                )
            )
            self.urls.append(f"http://127.0.0.1:{taken.getsockname()[1]}")

    def is_up(self) -> bool:
        assert all(process.poll() is None for process in self.processes), "a process has ended"
        return all(httpx.get(f"{url}/health", timeout=60).is_success for url in self.urls)

    def end(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(60)

    def policy(self, *args: str) -> None:
        command = [sys.executable, "-m", "cascade_core", "policy", self.log, *args]
        subprocess.run(command, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def ask(self, texts: list[str], tenant: str, at_once: int = 16) -> list[httpx.Response]:
        """Ask each text of the next process in turn."""

        async def all_of_them() -> list[httpx.Response]:
            room = asyncio.Semaphore(at_once)
            async with httpx.AsyncClient(timeout=PATIENCE) as client:

                async def one(place: int, text: str) -> httpx.Response:
                    async with room:
                        url = f"{self.urls[place % len(self.urls)]}/answer"
                        return await client.post(url, json={"text": text, "tenant": tenant})

                return await asyncio.gather(*(one(i, text) for i, text in enumerate(texts)))

        return asyncio.run(all_of_them())

    def decisions(self, tenant: str) -> list[dict[str, Any]]:
        return [r for r in read_records(self.log) if r["metadata"] == {"tenant": tenant}]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "prices.json").write_text(json.dumps(PRICES))
    redis = RedisServer()
    try:
        with Stub() as models, database("postgresql", folder) as log:
            models.script("cheap", cheap)
            models.script("strong", Say("a better answer"))
            environment = {
                **os.environ,
                "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
                "CHEAP_MODEL": "openai:cheap",
                "STRONG_MODEL": "openai:strong",
                "BUDGET_USD": str(BUDGET),
                "DATABASE_URL": log,
                "REDIS_URL": redis.url(timeout=10),
                "PRICES": str(folder / "prices.json"),
                "OPENAI_API_KEY": "unused",
                "OPENAI_BASE_URL": models.base_url,
            }
            found = Service(models, log, environment)
            first = [sys.executable, "first_policy.py"]
            for _ in range(2):  # the second finds a policy, and leaves it
                subprocess.run(
                    first, cwd=FOLDER, env=environment, check=True, stdout=subprocess.DEVNULL
                )
            for _ in range(PROCESSES):
                found.start()
            try:
                wait(found.is_up)
                yield found
            finally:
                found.end()
    finally:
        redis.end()


def wait(until: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if until():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_policy_that_is_changed_is_every_process_s_and_no_decision_is_lost(
    service: Service,
) -> None:
    told = service.ask([f"easy {i}" for i in range(80)], "shop")
    assert Counter(t.status_code for t in told) == {200: 80}
    assert Counter((t.json()["model"], t.json()["policy_version"]) for t in told) == {
        ("cheap", 1): 80
    }
    policy = Path(service.environment["PRICES"]).with_name("next.json")
    policy.write_text('{"name": "desk", "thresholds": [0.97]}')
    service.policy("save", str(policy), "--activate")

    def all_changed() -> bool:
        now = service.ask(["easy"] * PROCESSES, "shop")
        told.extend(now)
        assert {(t.json()["policy_version"], t.json()["model"]) for t in now} <= {
            (1, "cheap"),
            (2, "strong"),
        }
        return all(t.json()["policy_version"] == 2 for t in now)

    wait(all_changed)
    ids = {t.json()["id"] for t in told}
    assert len(ids) == len(told)
    wait(lambda: len(service.decisions("shop")) >= len(ids))
    assert {r["id"] for r in service.decisions("shop")} == ids
    service.policy("activate", "1")
    wait(
        lambda: (
            {t.json()["policy_version"] for t in service.ask(["easy"] * PROCESSES, "back")} == {1}
        )
    )


def test_all_processes_together_never_spend_more_than_the_budget(service: Service) -> None:
    before = len(service.models.seen)
    told = service.ask(["hard question " + "x" * 400] * 160, "poor", at_once=40)
    assert {t.status_code for t in told} == {200, 429}
    refused_ones = [t for t in told if t.status_code == 429]
    assert all(
        "the budget '0.06 USD per day and tenant'" in t.json()["error"] for t in refused_ones
    )
    assert all("it frees at" in t.json()["error"] for t in refused_ones)
    spent = Decimal(0)
    for seen in service.models.seen[before:]:
        model, texts = seen.body["model"], {"cheap": "an answer", "strong": "a better answer"}
        used = usage(seen.body, texts[model])
        spent += Decimal(used["total_tokens"] * PRICES[model]["input"]) / 10**6
    assert 0 < spent <= BUDGET
    assert [t.status_code for t in service.ask(["easy"] * 8, "rich")] == [200] * 8


def test_a_model_that_is_down_is_found_out_once_for_all_processes(service: Service) -> None:
    down = {"error": {"message": "overloaded", "type": "server_error"}}
    service.models.script("strong", Raw(json.dumps(down), 503))
    before, began = len(service.models.asked("strong")), time.monotonic()

    def asked_but_for_probes() -> float:
        probes = (time.monotonic() - began) // PROBE_EVERY
        return len(service.models.asked("strong")) - before - probes

    everywhere, service.urls = service.urls, service.urls[:1]
    told = service.ask([f"hard {i}" for i in range(12)], "unlucky", at_once=1)
    service.urls = everywhere
    assert asked_but_for_probes() <= 4
    time.sleep(4 * BEAT)  # what one process has found out is the others' a beat later
    told += service.ask([f"hard {i}" for i in range(100)], "unlucky", at_once=8)
    assert {t.status_code for t in told} == {503}
    assert asked_but_for_probes() <= 20
    assert {t.status_code for t in service.ask(["easy"] * 8, "lucky")} == {200}

    service.models.script("strong", Say("a better answer"))
    wait(lambda: all(t.status_code == 200 for t in service.ask(["hard"] * 8, "patient")))


def test_requests_that_are_no_requests_are_told_so(service: Service) -> None:
    wrong = ('{"text": "a", "tenant": 7}', '{"text": " ", "tenant": "a"}')
    for body in ("[1]", "no json", '{"text": "a"}', *wrong):
        told = httpx.post(f"{service.urls[0]}/answer", content=body)
        assert told.status_code == 400
        assert told.json() == {"error": "send a JSON object with the texts text and tenant"}


def test_a_process_that_is_stopped_writes_down_what_it_decided(service: Service) -> None:
    told = service.ask(["easy"] * 64, "last")
    service.end()
    assert [process.returncode for process in service.processes] == [-signal.SIGTERM] * PROCESSES
    assert {r["id"] for r in service.decisions("last")} == {t.json()["id"] for t in told}
