"""A database of every kind there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cascade_core.log.writers import flush_writers
from tests.core.log.databases import KINDS, database


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database(request.param, tmp_path) as found:
        yield found


@pytest.fixture(autouse=True)
def _what_was_lost_is_told_here() -> Iterator[None]:
    """Ask after what a test's logs have lost: `flush_log` says it once, and not to another test."""
    yield
    flush_writers(0)
