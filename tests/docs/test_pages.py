"""All code in the README and in docs runs, and prints what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.running import PAGES, ROOT, run, standin


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with standin() as running:
        yield running


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_code_of_the_page_runs(path: Path, port: int) -> None:
    httpx.post(f"http://127.0.0.1:{port}/begin", trust_env=False)
    run(path, port)
