"""Tables that no policy can be tuned on or replayed with, and what is said of them."""

from __future__ import annotations

from typing import Any

from tests.core.commands.making import FIVE, SECRET


def changed(column: str, row: int, cell: Any) -> dict[str, list[Any]]:
    """The good table with one other cell; its line is two more than the row."""
    cells = list(FIVE[column])
    cells[row] = cell
    return {**FIVE, column: cells}


def without(*columns: str) -> dict[str, list[Any]]:
    return {name: cells for name, cells in FIVE.items() if name not in columns}


BAD: dict[str, tuple[dict[str, list[Any]], str]] = {
    "a missing column": (without("t1_quality"), "line 1: column t1_quality is missing"),
    "a missing id": (without("id"), "line 1: column id is missing"),
    "one tier": (
        without("t1_quality", "t1_cost_usd"),
        "line 1: columns t1_quality, t1_cost_usd are missing",
    ),
    "a misspelt column": (
        {**FIVE, "t0_singal_b": [1] * 5},
        "line 1, column t0_singal_b: unknown column; did you mean t0_signal_b?",
    ),
    "NaN": (changed("t0_quality", 2, "NaN"), "line 4, column t0_quality: is NaN"),
    "a NaN reading": (changed("t0_signal_a", 1, "nan"), "line 3, column t0_signal_a: is NaN"),
    "quality out of range": (
        changed("t1_quality", 4, 1.5),
        "line 6, column t1_quality: 1.5 is outside [0, 1]",
    ),
    "a word": (changed("t0_quality", 0, SECRET), "line 2, column t0_quality: is not a number"),
    "a negative cost": (
        changed("t0_cost_usd", 3, -1),
        "line 5, column t0_cost_usd: -1.0 is negative",
    ),
    "an infinite cost": (changed("t1_cost_usd", 3, "inf"), "line 5, column t1_cost_usd: is inf"),
    "a duplicate id": (changed("id", 3, "b"), "line 5, column id: 'b' is the id of line 3 too"),
    "an empty id": (changed("id", 1, ""), "line 3, column id: is empty"),
    "no quality at all": (
        {**FIVE, "t1_quality": [""] * 5},
        "lines 2 to 6: no row can be used: t1_quality is empty (5 rows)",
    ),
    "no weight at all": ({**FIVE, "weight": [0] * 5}, "column weight: is 0 in every row"),
    "no rows": ({name: [] for name in FIVE}, "holds no rows"),
    "nothing": ({}, "is empty"),
}
