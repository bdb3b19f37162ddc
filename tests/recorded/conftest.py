"""Fixtures of the recorded tests: cassettes, and where they are recorded from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.recorded.tape import DESK, Tape, playing


@pytest.fixture(scope="session")
def recording(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--record"))


@pytest.fixture(scope="session")
def base_url(recording: bool) -> Iterator[str]:
    """Where the embedded server is: only `--record` starts one."""
    if not recording:
        yield DESK
        return
    from cascade_demo.server import DemoServer

    with DemoServer() as server:
        yield server.base_url


@pytest.fixture(scope="session")
def tape(recording: bool) -> Callable[[str], AbstractContextManager[Tape]]:
    """Use a cassette by name: the first of its tests records it, where the run says so.

    The others replay it, so that sync and async are seen to ask for the very same.
    """
    recorded: set[str] = set()

    def use(name: str) -> AbstractContextManager[Tape]:
        record = recording and name not in recorded
        recorded.add(name)
        return playing(name, record=record)

    return use
