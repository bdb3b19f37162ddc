"""Fixtures of the demo's tests: the shipped models and a running server."""

from collections.abc import Iterator
from typing import Self

import httpx
import pytest

from cascade_demo.model import LanguageModel, load_embedded
from cascade_demo.prices import price_table
from cascade_demo.server import DemoServer
from tests.running import Ran, Run, in_process


@pytest.fixture(scope="session")
def small() -> LanguageModel:
    return load_embedded("desk-small")


@pytest.fixture(scope="session")
def large() -> LanguageModel:
    return load_embedded("desk-large")


@pytest.fixture(scope="session")
def server() -> Iterator[DemoServer]:
    with DemoServer() as running:
        yield running


@pytest.fixture(scope="session")
def pausing_server() -> Iterator[DemoServer]:
    """A server whose answers take ten seconds: on any machine, who leaves does so before their end."""
    with DemoServer(token_delay_ms=300) as running:
        yield running


@pytest.fixture(scope="session")
def slow_server() -> Iterator[DemoServer]:
    """A server that pauses 20 ms after every token, to see answers broken off."""
    with DemoServer(token_delay_ms=20) as running:
        yield running


@pytest.fixture
def client(server: DemoServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, timeout=120) as open_client:
        yield open_client


class Lent:
    """A running server in place of one that is started for a block and ends with it."""

    prices = price_table()

    def __init__(self, server: DemoServer) -> None:
        self.base_url = server.base_url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def _embedded() -> Iterator[DemoServer]:
    with DemoServer() as running:
        yield running


@pytest.fixture(scope="module")
def lent(_embedded: DemoServer) -> Iterator[None]:
    """Let what starts the embedded models find them running, which saves it a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cascade_demo.server.spawn", lambda _=0: Lent(_embedded))
        yield


@pytest.fixture
def demo_here(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], lent: None
) -> Run:
    """Run `cascade demo` in this process, which has imported what it needs."""
    monkeypatch.setenv("COLUMNS", "80")
    run = in_process(monkeypatch, capfd)

    def demo(*arguments: str, **env: str) -> Ran:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return run("demo", *arguments)

    return demo
