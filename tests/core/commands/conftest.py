"""Runs the command line in this process, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import Run, in_process


@pytest.fixture
def cascade(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run `cascade` with some arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return in_process(monkeypatch, capfd)
