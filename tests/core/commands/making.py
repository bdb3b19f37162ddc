"""Tables and policies whose every figure can be worked out by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SECRET = "my password is hunter2"
"""Stands in every request; no error may repeat it."""

FIVE: dict[str, list[Any]] = {
    "id": ["a", "b", "c", "d", "e"],
    "request": [SECRET] * 5,
    "t0_quality": [1, 0, 0, 1, 0.5],
    "t0_cost_usd": [0.001] * 5,
    "t0_signal_a": [0.9, 0.8, 0.2, 0.1, ""],
    "t1_quality": [1, 1, 1, 0, 0.75],
    "t1_cost_usd": [0.01] * 5,
}
"""At 0.5 the first two are accepted: one rightly, one at the loss of its whole quality."""

RAW = {"name": "raw", "thresholds": [0.5]}
SAME = {"kind": "platt", "slope": 1.0, "intercept": 0.0}
"""A curve that leaves a reading as it is."""
BY_A = {"score": {"kind": "signal", "signal": "a"}, "curve": SAME}


def ladder(n: int, bad: int) -> dict[str, list[Any]]:
    """Rising readings, of which the lowest `bad` are of wrong drafts; tier 1 is always right."""
    return {
        "id": [f"r{row}" for row in range(n)],
        "t0_quality": [int(row >= bad) for row in range(n)],
        "t0_cost_usd": [0.001] * n,
        "t0_signal_a": [(row + 1) / (n + 2) for row in range(n)],
        "t1_quality": [1] * n,
        "t1_cost_usd": [0.01] * n,
    }


def write(columns: Mapping[str, Sequence[Any]], name: str = "labels.csv") -> Path:
    """Write a table in the folder that the command runs in."""
    path = Path(name)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(columns)
        lines.writerows(zip(*columns.values(), strict=True))
    return path


def write_policy(document: Any = RAW, name: str = "policy.json") -> Path:
    path = Path(name)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
