"""How drafts went, token by token, in a table's column."""

import math

import numpy as np
import pytest

from cascade_core.labels import TableError, read_table, write_table
from cascade_core.trajectory import MOST_TOKENS, surprise, trajectory_cell

ROW = {"t0_quality": 1, "t0_cost_usd": 0.1, "t1_quality": 1, "t1_cost_usd": 1}


def rows(*cells):
    return [{"id": str(i), **ROW, "t0_trajectory": cell} for i, cell in enumerate(cells)]


def test_a_token_is_as_surprising_as_its_log_probability_says_to_three_places():
    assert surprise(0.0) == surprise(0.0005) == 0
    assert surprise(-0.12345) == 0.123
    assert surprise(-math.inf) == surprise(math.nan) == surprise(0.5) == 99


def test_a_cell_holds_the_first_tokens_and_no_more():
    assert trajectory_cell([-0.5, 0.0, -12.3456]) == "0.5 0 12.346"
    assert trajectory_cell([]) is None
    assert len(trajectory_cell([-1.0] * 999).split()) == MOST_TOKENS


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.jsonl", "t.parquet"])
def test_what_is_written_reads_back(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    write_table(tmp_path / name, rows("0.5 0 12.346", None, "1.5"))
    found = read_table(tmp_path / name).tiers[0].trajectories
    assert found.tokens.tolist() == [3, 0, 1]
    assert found.values.tolist() == [0.5, 0, 12.346, 1.5]


def test_a_table_without_the_column_has_none():
    assert read_table([{"id": "a", **ROW}]).tiers[0].trajectories is None


def test_rows_before_the_first_that_has_one_have_none():
    found = read_table(
        [{"id": "a", **ROW}, *rows("1 2")[0:0], {"id": "b", **ROW, "t0_trajectory": "1 2"}]
    )
    assert found.tiers[0].trajectories.tokens.tolist() == [0, 2]


def test_any_rows_can_be_taken_in_any_order():
    table = read_table(rows("1 2 3", "", "4", "5 6")).take(np.array([3, 0, 1]))
    found = table.tiers[0].trajectories
    assert found.tokens.tolist() == [2, 3, 0]
    assert found.values.tolist() == [5, 6, 1, 2, 3]


def test_so_far_is_what_the_first_tokens_come_to():
    reached, total, highest = (
        read_table(rows("1 2 3", "4", "5 1 9")).tiers[0].trajectories.so_far(2)
    )
    assert reached.tolist() == [True, False, True]
    assert total.tolist() == [3, 6]
    assert highest.tolist() == [2, 5]


@pytest.mark.parametrize("cell", ["1 x", "-1", "nan", "1,5 2", "100", "the user's secret"])
def test_anything_else_is_named_by_line_and_column_and_not_quoted(tmp_path, cell):
    path = tmp_path / "t.csv"
    path.write_text(
        "id,t0_quality,t0_cost_usd,t1_quality,t1_cost_usd,t0_trajectory\n"
        f'a,1,1,1,1,1 2\nb,1,1,1,1,"{cell}"\n'
    )
    with pytest.raises(
        TableError, match=r"line 3, column t0_trajectory: holds something"
    ) as raised:
        read_table(path)
    assert "secret" not in str(raised.value)


def test_more_tokens_than_a_rule_may_look_at_are_refused():
    with pytest.raises(TableError, match=r"row 1.*more than 256 tokens"):
        read_table(rows(" ".join(["1"] * 257)))
