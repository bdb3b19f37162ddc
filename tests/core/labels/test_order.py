import math
import warnings

import pytest

from cascade_core.calibration import tune
from cascade_core.errors import CascadeWarning
from cascade_core.labels import read_table
from cascade_core.labels.order import odd_order


def table(**columns):
    n = 4
    plain = {"id": [str(i) for i in range(n)], "t0_quality": [0] * n, "t1_quality": [1] * n}
    plain |= {"t0_cost_usd": [1] * n, "t1_cost_usd": [2] * n}
    return read_table(plain | {name: [value] * n for name, value in columns.items()})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, None),
        ({"t0_cost_usd": 1, "t1_cost_usd": 2}, None),
        ({"t0_cost_usd": 2, "t1_cost_usd": 2}, None),
        ({"t0_cost_usd": 2, "t1_cost_usd": ""}, None),
        ({"t0_cost_usd": 2, "t1_cost_usd": 1}, "tier 0 costs more than tier 1 (USD 2 against 1"),
        ({"t0_cost_usd": 2, "t1_cost_usd": 1, "t0_quality": 1}, "per request) and is no worse"),
        ({"t0_model": "a", "t1_model": "b"}, None),
        ({"t0_model": "a", "t1_model": "a-2026-01-01"}, "tier 0 (a) and tier 1 (a-2026-01-01) are"),
    ],
)
def test_tiers_that_are_one_or_out_of_order_are_named(columns, said):
    found = list(odd_order(table(**columns)))
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_only_rows_that_have_both_costs_are_compared():
    rows = {"t0_cost_usd": [1, 1, 9, 9], "t1_cost_usd": [2, 2, math.nan, math.nan]}
    plain = {"id": list("abcd"), "t0_quality": [0] * 4, "t1_quality": [1] * 4}
    assert not list(odd_order(read_table(plain | rows)))


def test_tuning_on_such_a_table_warns_once():
    n = 40
    columns = {
        "id": [str(i) for i in range(n)], "t0_quality": [1] * n, "t1_quality": [i % 2 for i in range(n)],
        "t0_cost_usd": [2] * n, "t1_cost_usd": [1] * n, "t0_signal_a": [i / n for i in range(n)],
    }  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tune(columns, max_escalated=0.5, method="signal")
    ours = [str(one.message) for one in caught if issubclass(one.category, CascadeWarning)]
    assert len([text for text in ours if "tier 0 costs more than tier 1" in text]) == 1
