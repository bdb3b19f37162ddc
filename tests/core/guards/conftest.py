"""A Redis server for the tests beside this, started once; every test has a prefix of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from cascade_core.guards.redis_ledger import RedisLedger
from cascade_core.guards.redis_link import RedisLink
from cascade_core.guards.store import RedisStore
from tests.core.guards.redis_server import PROGRAM, RedisServer


def started() -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip("needs redis-server")
    server = RedisServer()
    try:
        yield server
    finally:
        server.end()


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    yield from started()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A server that a test may stop."""
    yield from started()


@pytest.fixture
def prefix() -> str:
    return uuid4().hex


Process = Callable[..., RedisLedger]


@pytest.fixture
def process(prefix: str) -> Iterator[Process]:
    """Make ledgers that share nothing but a server, as those of several processes do.

    They are patient: where this process or the server stands still for seconds, no lease of theirs
    ends and no command is given up.
    """
    links: list[RedisLink] = []

    def make(server: RedisServer, **given: object) -> RedisLedger:
        store = RedisStore(server.url(prefix=prefix, **{"lease": 20, "timeout": 60, **given}))
        links.append(RedisLink(store))
        links[-1].every = 0.3  # a beat of so long a lease comes every second
        return links[-1].user("ledger", RedisLedger)

    yield make
    for link in links:
        link.close()
