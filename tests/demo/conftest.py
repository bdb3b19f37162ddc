"""Fixtures of the demo's tests: the shipped models and a running server."""

import os

# Before numpy is imported: two BLAS threads waiting for each other on a busy machine make
# these small products many times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Iterator

import httpx
import pytest

from cascade_demo.model import LanguageModel, load_embedded
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


@pytest.fixture
def demo_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `cascade demo` in this process, which has imported what it needs."""
    monkeypatch.setenv("COLUMNS", "80")
    run = in_process(monkeypatch, capfd)

    def demo(*arguments: str, **env: str) -> Ran:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return run("demo", *arguments)

    return demo
