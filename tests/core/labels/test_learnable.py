"""Rows that cannot be used are counted with their reason; a table that teaches nothing is refused."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_core.labels import TableError, check_learnable, read_table, usable
from tests.core.labels.making import row


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


def test_the_last_tier_may_always_be_right_or_wrong() -> None:
    check_learnable(
        read_table([row("a", t0_quality=1, t1_quality=0), row("b", t0_quality=0, t1_quality=0)])
    )


@pytest.mark.parametrize("quality", [1, 0, 0.5])
@pytest.mark.parametrize("tier", ["t0_quality", "t1_quality"])
def test_a_tier_may_always_be_as_good(tier: str, quality: float) -> None:
    check_learnable(read_table([row("a", **{tier: quality}), row("b", **{tier: quality})]))


def test_rows_that_weigh_nothing_teach_nothing() -> None:
    alone = [row("a"), row("c", t0_quality=0, weight=0)]
    assert "row 1: only this row can be used" in refused(*alone)
    nothing = [row("a", weight=0), row("b", t0_quality=None)]
    assert "column weight: every row that can be used has weight 0" in refused(*nothing)


def test_one_row_is_not_enough() -> None:
    assert "row 1: only this row can be used" in refused(row("a"))


def test_a_table_without_a_usable_row_says_why() -> None:
    said = refused(row("a", t1_quality=None), row("b", t1_quality=None), row("c", t0_quality=None))
    assert said == (
        "table, rows 1 to 3: no row can be used: t1_quality is empty (2 rows); "
        "t0_quality is empty (1 row)"
    )
