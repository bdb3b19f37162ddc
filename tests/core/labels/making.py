"""Small labelled tables for the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEADER = "id,t0_quality,t0_cost_usd,t0_signal_logprob,t1_quality,t1_cost_usd"
GOOD = ("a,1,0.001,0.9,1,0.01", "b,0,0.001,0.2,1,0.01", "c,0.5,0.002,,0,0.02")


def row(id_: Any = "a", **cells: Any) -> dict[str, Any]:
    """One good row, with some cells otherwise."""
    plain = {"t0_quality": 1, "t0_cost_usd": 0.001, "t1_quality": 1, "t1_cost_usd": 0.01}
    return {"id": id_, **plain, **cells}


def csv(folder: Path, *lines: str, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


def jsonl(folder: Path, *rows: Mapping[str, Any] | str, name: str = "labels.jsonl") -> Path:
    lines = [line if isinstance(line, str) else json.dumps(line) for line in rows]
    return csv(folder, *lines, name=name)


def numbers(values: Sequence[float]) -> list[float | None]:
    """NaN as None, so that two columns can be compared."""
    return [None if value != value else float(value) for value in values]  # noqa: PLR0124
