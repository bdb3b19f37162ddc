"""What notebooks are run by keeps the network shut, and no key in reach."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from tests.cookbooks.notebooks import execute, shown


def _ran(tmp_path: Path, *sources: str) -> list[str]:
    path = tmp_path / "one.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return [shown(cell) for cell in execute(path, data=None).cells]


def test_no_cell_reaches_a_network(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match="without a network"):
        _ran(tmp_path, "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)")


def test_nor_does_a_process_that_a_cell_starts(tmp_path: Path) -> None:
    child = "import socket; socket.getaddrinfo('example.org', 80)"
    (said,) = _ran(
        tmp_path,
        "import subprocess, sys\n"
        f"print(subprocess.run([sys.executable, '-c', {child!r}], stderr=-1).stderr.decode())",
    )
    assert "without a network" in said


def test_no_key_is_in_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    assert _ran(
        tmp_path, "import os; print(sorted(n for n in os.environ if n.startswith('OPENAI')))"
    ) == ["[]\n"]


def test_what_a_cell_prints_in_pieces_is_one_output(tmp_path: Path) -> None:
    assert _ran(tmp_path, "print(1, flush=True)\nprint(2)", "3") == ["1\n2\n", "3"]
