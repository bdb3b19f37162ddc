"""Several processes follow one policy while they answer: nothing is lost, nothing judged by two."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.reload import REQUESTS, measure


@pytest.mark.processes
@pytest.mark.parametrize("source", ["file", "database"])
def test_every_process_comes_to_every_version(source: str, tmp_path: Path) -> None:
    measured = measure(source, tmp_path, changes=10, every=0.02, processes=2)
    assert measured.requests >= REQUESTS
    assert (measured.lost, measured.mixed) == (0, 0)
    assert len(measured.seconds) == 10
