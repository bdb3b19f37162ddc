"""A user's own table in place of the recorded ones: its figures, or one line of what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAD = "id,t0_quality,t0_cost_usd,t0_signal_a,t1_quality,t1_cost_usd"


def ran(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tests/benchmarks/recorded.py", *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")])}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [("1,0.1,,1,1", "no row with an outcome has a reading in t0_signal_a"),
     ("1,0.1,0.5,,1", "no row can be used: t1_quality is empty (40 rows)")],
)  # fmt: skip
def test_what_cannot_be_measured_is_said_in_one_line(tmp_path: Path, row: str, said: str) -> None:
    table = tmp_path / "own.csv"
    table.write_text("\n".join([HEAD, *(f"{i},{row}" for i in range(40))]))
    found = ran("--table", table, "--seeds", 1)
    assert found.returncode == 2
    assert found.stdout.replace("\n", " ").strip() == f"recorded.py: {table}: {said}"
    assert not found.stderr


def test_figures_of_no_seed_are_refused() -> None:
    found = ran("--seeds", 0)
    assert found.returncode == 2
    assert "argument --seeds: '0': give a whole number from 1" in found.stderr
