"""What is shown while answers are collected."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cascade_core.collect.show import progress


@pytest.mark.parametrize(("terminal", "quiet"), [(True, False), (True, True), (False, False)])
def test_progress_is_shown_where_somebody_looks(
    terminal: bool,
    quiet: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")  # as rich is told of a terminal
    with progress(quiet=quiet) as advance:
        advance(1, 2, Decimal("0.5"))
    shown = capsys.readouterr()
    assert shown.out == ""
    if terminal and not quiet:
        assert "asking every tier" in shown.err
        assert "$0.5" in shown.err
    else:
        assert shown.err == ""
