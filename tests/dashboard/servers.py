"""A Prometheus on loopback that reads what a program with cascades serves."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.conftest import ROOT

PROGRAM = Path(__file__).parent / "traffic.py"
CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs: [{{job_name: desk, static_configs: [{{targets: ["{target}"]}}]}}]
"""


@contextmanager
def traffic() -> Iterator[str]:
    """Give the address at which a program serves its metrics, while it asks its cascades."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "shared")])
    program = subprocess.Popen(
        [sys.executable, PROGRAM],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        yield f"127.0.0.1:{int(program.stdout.readline())}"
    finally:
        program.stdin.close()  # it ends with its input
        program.wait(30)


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, **query: Any) -> Any:
        with urlopen(f"{self._url}{path}?{urlencode(query)}") as answer:
            return json.load(answer)["data"]

    def ask(self, query: str) -> list[dict[str, Any]]:
        """What a query gives now; Prometheus refuses one that it cannot read."""
        found: list[dict[str, Any]] = self.get("/api/v1/query", query=query)["result"]
        return found

    def is_ready(self) -> bool:
        try:
            with urlopen(f"{self._url}/-/ready") as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError):
            return False


@contextmanager
def prometheus(programs: Path, target: str, rules: Path, folder: Path) -> Iterator[Prometheus]:
    """Give a Prometheus that reads a target, with its data in a folder; it ends with this."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(rules=json.dumps(str(rules)), target=target), "utf-8")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                programs / "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        running = Prometheus(f"http://127.0.0.1:{port}")
        until(lambda: running.is_ready() or server.poll() is not None)
        assert server.poll() is None, (folder / "log").read_text("utf-8")
        yield running
    finally:
        server.terminate()
        server.wait(30)


def until(true: Callable[[], Any]) -> None:
    """Wait for something to come true; the test's own time limit ends it."""
    while not true():
        time.sleep(0.2)
