"""Servers on loopback for the tests over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cascade_demo.server import DemoServer
from tests.http.stub import Stub


@pytest.fixture(scope="session")
def desk() -> Iterator[DemoServer]:
    """The two embedded models."""
    with DemoServer() as running:
        yield running


@pytest.fixture(scope="session")
def slow_desk() -> Iterator[DemoServer]:
    """The same, pausing after every token so that an answer can be caught in the middle."""
    with DemoServer(token_delay_ms=40) as running:
        yield running


@pytest.fixture(scope="session")
def _one_stub() -> Iterator[Stub]:
    with Stub() as running:
        yield running


@pytest.fixture
def stub(_one_stub: Stub) -> Stub:
    """A server that says what the test scripts."""
    _one_stub.reset()
    return _one_stub
