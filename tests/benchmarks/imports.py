"""What importing an adapter takes beside the framework's own models, in fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from rows import Row, paired, row

GROUP = "import"
BAR = 1.1
FRAMEWORKS = {
    "langchain_cascade": "langchain_core.language_models.chat_models",
    "llamaindex_cascade": "llama_index.core",
}


def rows(rounds: int) -> Iterator[Row]:
    """Measure both adapters."""
    for ours, theirs in FRAMEWORKS.items():
        sides = paired(lambda m=ours: _seconds(m), lambda m=theirs: _seconds(m), rounds)
        yield row(GROUP, ours, f"import {theirs}", sides, unit="ms", scale=1000, bar=BAR)


def _seconds(module: str) -> float:
    """Return what an import takes, in CPU seconds.

    With bytecode, as installed packages have it: pip compiles what it installs.
    """
    code = f"from time import process_time as t; s = t(); import {module}; print(t() - s)"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return float(ran.stdout)
