"""When the qualities of a table are to be doubted, and when chance explains them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

import pytest

from cascade_core.collect.doubt import doubt
from cascade_core.collect.journal import Entry


def said(*tiers: Sequence[float | None], quality: str = "exact", references: bool = True) -> str:
    rows = [
        {f"t{k}_quality": value for k, value in enumerate(row)} for row in zip(*tiers, strict=True)
    ]
    entries = [Entry(index, row, Decimal(0)) for index, row in enumerate(rows)]
    return doubt(entries, quality, references=references) or ""


def test_a_last_tier_that_is_never_right_is_doubted() -> None:
    assert "tier 1, the last, has quality 0 throughout by quality 'exact'" in said(
        [0, 1, 0], [0, 0, 0]
    )
    assert "tier 2, the last" in said([1], [1], [0])


def test_a_last_tier_that_is_worse_by_more_than_chance_is_doubted() -> None:
    found = said([1] * 60 + [0] * 40, [1] * 40 + [0] * 60)
    assert "tier 1, the last, is worse than tier 0 (0.400 against 0.600" in found
    assert "worse than tier 1" in said([0.5] * 100, [0.9] * 100, [0.7] * 100)


@pytest.mark.parametrize(
    "tiers",
    [
        ([1, 0, 1, 1], [1, 1, 1, 0]),
        ([1, 1, 1, 1, 0], [1, 1, 0, 0, 0]),
        ([0, 0, 0], [1, 1, 1]),
        ([1] * 50, [1] * 50),
        ([None, 1, 1], [0, None, 1]),
        ([None], [None]),
    ],
)
def test_what_chance_explains_is_not_doubted(tiers: Sequence[Sequence[float | None]]) -> None:
    assert said(*tiers) == ""


def test_answers_that_hardly_ever_agree_are_compared_in_the_wrong_way() -> None:
    few = [1.0] + [0.0] * 19
    found = said(few, [1.0] * 20, quality="agreement", references=False)
    assert "tier 0 agrees with the last tier in 5.0 % of 20 rows by quality 'agreement'" in found
    assert "--quality judge" in found
    assert said([1.0] * 4 + [0.0] * 16, [1.0] * 20, quality="agreement", references=False) == ""
    assert said(few, [1.0] * 20) == ""


@pytest.mark.simulation
def test_tiers_that_are_equally_good_are_hardly_ever_doubted() -> None:
    draw = random.Random(0)
    doubted = sum(
        said(*([float(draw.random() < 0.8) for _ in range(200)] for _ in range(3))) != ""
        for _ in range(500)
    )
    assert doubted <= 10


def test_what_else_to_try_is_what_the_requests_allow() -> None:
    assert "--quality numeric, normalised, judge, or" in said([1], [0], quality="contains")
    assert "--quality agreement, or" in said([1], [0], quality="judge", references=False)


def test_no_rows_are_no_doubt() -> None:
    assert doubt([], "exact", references=True) is None
