"""Rows that cannot be used are counted with their reason; a table that teaches nothing is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cascade_core.labels import TableError, check_learnable, read_table, usable
from tests.core.labels.making import HEADER, csv, row


def test_rows_with_every_quality_and_cost_are_usable() -> None:
    rows, reasons = usable(read_table([row("a"), row("b", t0_signal_x=None)]))
    assert rows.tolist() == [True, True]
    assert reasons == {}


def test_every_other_row_has_one_reason() -> None:
    table = read_table(
        [
            row("a", t1_quality=None),
            row("b", t1_quality=None),
            row("c", t0_cost_usd=None),
            row("d", t0_quality=None, t1_quality=None, t1_cost_usd=None),
            row("e"),
        ]
    )
    rows, reasons = usable(table)
    assert rows.tolist() == [False, False, False, False, True]
    assert reasons == {
        "t1_quality is empty": 2,
        "t0_cost_usd is empty": 1,
        "t0_quality, t1_quality and t1_cost_usd are empty": 1,
    }
    assert next(iter(reasons)) == "t1_quality is empty", "the most frequent comes first"


def test_a_reading_of_unknown_price_leaves_a_row_out_and_no_reading_does_not() -> None:
    table = read_table(
        [
            row("a", t0_signal_judge=0.5, t0_paid_judge_usd=0.1),
            row("b", t0_signal_judge=0.5, t0_paid_judge_usd=None),
            row("c", t0_signal_judge=None, t0_paid_judge_usd=None),
            row("d", t1_signal_judge=0.5, t1_paid_judge_usd=None),
        ]
    )
    rows, reasons = usable(table)
    assert rows.tolist() == [True, False, True, True]
    assert reasons == {"t0_paid_judge_usd is empty": 1}


def refused(*rows: dict[str, Any]) -> str:
    with pytest.raises(TableError) as caught:
        check_learnable(read_table(list(rows)))
    return str(caught.value)


def test_a_tier_that_is_sometimes_right_can_be_learnt_from() -> None:
    check_learnable(read_table([row("a", t0_quality=1), row("b", t0_quality=0)]))


def test_the_strongest_tier_may_always_be_right_or_wrong() -> None:
    check_learnable(
        read_table([row("a", t0_quality=1, t1_quality=0), row("b", t0_quality=0, t1_quality=0)])
    )


@pytest.mark.parametrize(
    ("quality", "advice"),
    [
        (1, "use tier 0 alone, or add rows that it gets wrong"),
        (0, "leave tier 0 out, or add rows that it gets right"),
        (0.5, "check how quality was graded, or add rows on which it differs"),
    ],
)
def test_a_tier_that_is_always_as_good_is_refused(
    tmp_path: Path, quality: float, advice: str
) -> None:
    lines = [f"{name},{quality},0.1,,1,0.2" for name in "abc"]
    path = csv(tmp_path, HEADER, *lines, "d,0.25,0.1,,,0.2")  # the last has no t1_quality
    with pytest.raises(TableError) as caught:
        check_learnable(read_table(path))
    assert str(caught.value) == (
        f"{path}, lines 2 to 4, column t0_quality: is {quality} in all 3 rows that can be used, "
        f"so no threshold can be learnt; {advice}"
    )


def test_the_middle_tier_is_checked_too() -> None:
    rows = [
        row("a", t0_quality=1, t2_quality=1, t2_cost_usd=1),
        row("b", t0_quality=0, t2_quality=1, t2_cost_usd=1),
    ]
    assert "rows 1 to 2, column t1_quality: is 1 in all 2 rows" in refused(*rows)


def test_rows_that_weigh_nothing_teach_nothing() -> None:
    rows = [row("a", t0_quality=1), row("b", t0_quality=1), row("c", t0_quality=0, weight=0)]
    assert "rows 1 to 2, column t0_quality: is 1 in all 2 rows" in refused(*rows)
    nothing = [row("a", weight=0), row("b", t0_quality=None)]
    assert "column weight: every row that can be used has weight 0" in refused(*nothing)


def test_one_row_is_not_enough() -> None:
    assert "row 1, column t0_quality: only this row can be used" in refused(row("a"))


def test_a_table_without_a_usable_row_says_why() -> None:
    said = refused(row("a", t1_quality=None), row("b", t1_quality=None), row("c", t0_quality=None))
    assert said == (
        "table, rows 1 to 3: no row can be used: t1_quality is empty (2 rows); "
        "t0_quality is empty (1 row)"
    )
