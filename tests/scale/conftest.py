"""One small Ray for all tests here: its object store holds less than the largest input."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STORE = 80 * 2**20

collect_ignore_glob = [] if find_spec("ray") else ["test_*.py"]  # `make test-scale` installs it


@pytest.fixture(scope="session", autouse=True)
def cluster() -> Iterator[None]:
    import ray

    os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / 'shared'}"
    ray.init(
        num_cpus=2,
        object_store_memory=STORE,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
    )
    yield
    ray.shutdown()
