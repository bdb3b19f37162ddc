"""Tables collected on Ray have the rows that `cascade collect` writes."""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cascade_core import CascadeWarning, ConfigurationError
from langchain_cascade import acollect, collect_rows
from tests.scale import makers


def graded(request: str, answer: str, reference: str | None) -> float:
    return float(reference is not None and reference in answer)


def tiers(calls: str) -> list[Any]:
    return [makers.Fake(model=name, calls=calls) for name in makers.PRICES]


async def test_the_rows_are_those_of_one_machine(tmp_path: Path) -> None:
    given = [
        {"id": f"{i:03}", "request": f"r{i} easy", "reference": "cheap", "group": f"g{i % 7}"}
        for i in range(60)
    ]
    options: dict[str, Any] = {
        "signals": [makers.readings],
        "quality": graded,
        "prices": makers.PRICES,
    }
    make = partial(tiers, str(tmp_path / "calls"))
    table, out = tmp_path / "labels.jsonl", tmp_path / "out"
    await acollect(given, make(), table, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CascadeWarning)  # what is said of a table of one row
        spent = collect_rows(given, make, out, format="jsonl", workers=2, batch_size=16, **options)
    assert (spent.answered, dict(spent.failed)) == (60, {})
    found = [
        json.loads(line) for path in out.glob("part-*") for line in path.read_text().splitlines()
    ]
    alone = [json.loads(line) for line in table.read_text().splitlines()]
    assert sorted(found, key=lambda row: row["id"]) == alone
    assert float(spent.cost_usd) == pytest.approx(60 * (15 + 150) / 10**6)
    before = len(makers.called(tmp_path))
    again = collect_rows(given, make, out, format="jsonl", workers=1, **options)
    assert again.before == 60
    assert len(makers.called(tmp_path)) == before


def test_tiers_are_made_by_a_function(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="give a function that makes the list"):
        collect_rows([], [1, 2], tmp_path)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigurationError, match="qualty= is no option here: give signals, quality"
    ):
        collect_rows([], list, tmp_path, qualty="exact")
