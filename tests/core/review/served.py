"""A review that is asked in this process, and one that is really served."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from cascade_core.policy.document import Policy
from cascade_core.review.app import make_review
from cascade_core.review.forms import Form, posted
from cascade_core.review.source import open_source
from cascade_core.review.workbench import Workbench

PORT = 8123
HOST = f"127.0.0.1:{PORT}"
SECRET = "what a person wrote"


@dataclass
class Asked:
    """An application, what it shares, and a browser's stand-in that has no token yet."""

    app: Starlette
    bench: Workbench
    client: TestClient
    written: list[dict[str, str]]

    def enter(self) -> TestClient:
        """Open the address with the token, as whoever starts the command does."""
        self.client.get(f"/?token={self.bench.token}")
        return self.client


def ask(database: Path, *, read_only: bool = False) -> Asked:
    """Make the application, with two more addresses: one that writes, and one that breaks."""
    url = f"sqlite:///{database}"
    bench = Workbench(open_source(url), Policy.load(None), read_only=read_only)
    app = make_review(bench, [HOST], cookie="cascade_review_8123")
    written: list[dict[str, str]] = []

    def write(_: Request, form: Form) -> Response:
        written.append(dict(form))
        return RedirectResponse("/", 303)

    def broken(_: Request) -> Response:
        raise RuntimeError(SECRET)

    app.router.routes += [
        Route("/write", posted(write), methods=["POST"]),
        Route("/broken", broken),
    ]
    return Asked(app, bench, TestClient(app, f"http://{HOST}"), written)


@dataclass
class Server:
    """`cascade review` in a process of its own."""

    process: subprocess.Popen[str]
    address: str

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].partition("/")[0])

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    def send(self, raw: bytes) -> bytes:
        """Send bytes and return what comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            found = b""
            with suppress(ConnectionError):  # it may close before all was sent
                connection.sendall(raw)
                while part := connection.recv(65536):
                    found += part
            return found

    def get(self, path: str, *headers: str) -> bytes:
        """Ask for a page with the token as a bearer."""
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self.token}",
            "Connection: close",
            *headers,
        ]
        return self.send("\r\n".join([*lines, "", ""]).encode())


@contextmanager
def serve(*arguments: Any) -> Iterator[Server]:
    """Start the command, and end it by its id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cascade_core.cli", "review", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        yield Server(process, process.stdout.readline().strip())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
