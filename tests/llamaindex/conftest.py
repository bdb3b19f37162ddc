"""What the tests of the LlamaIndex adapter put back when they are done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core import Settings


@pytest.fixture
def settings() -> Iterator[Any]:
    """LlamaIndex's settings, put back afterwards."""
    kept = dict(vars(Settings))
    yield Settings
    vars(Settings).clear()
    vars(Settings).update(kept)
