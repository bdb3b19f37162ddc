"""What is checked before long work begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cascade_core.commands.checks import check_writable
from cascade_core.errors import ConfigurationError


def test_a_folder_that_may_not_be_written_to_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_writable(tmp_path / "policy.json")
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path.resolve())
    with pytest.raises(ConfigurationError, match="cannot be written: nothing may be written in"):
        check_writable(tmp_path / "policy.json")


def test_a_pipe_or_a_device_is_written_to_wherever_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    check_writable(Path("/dev/null"))
