"""What rows a report has, and how figures are printed."""

from math import nan

import pytest

from cascade_core.evaluation import Interval, curve_intervals, sweep
from cascade_core.report.rows import Figure, curve_rows, operating_rows, shown

COLUMNS = ([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1], [1, 1, 1, 1], [1] * 4, [10] * 4)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.1234, "share", "12.3 %"),
        (1.2, "share", "120.0 %"),
        (0.000123456, "usd", "$0.000123"),
        (0.0, "usd", "$0.0000"),
        (1.5, "usd", "$1.5000"),
        (0.6223, "score", "0.622"),
        (12345, "count", "12,345"),
        (None, "usd", "–"),
        (nan, "share", "–"),
    ],
)
def test_figures_are_printed_in_their_unit(value, unit, text):
    assert shown(value, unit) == text


def test_an_interval_is_printed_only_where_there_is_one():
    assert Figure("x", 0.5, Interval(0.4, 0.6)).range == "40.0 % … 60.0 %"
    assert Figure("x", 0.5, Interval(nan, nan)).range == ""
    assert Figure("x", 0.5).range == ""


def operating(**changes):
    figures = {
        "escalated": 0.3,
        "cost_share": 0.4,
        "quality": 0.9,
        "strong_quality": 1.0,
        "cost": 0.004,
        "strong_cost": 0.01,
        "harm": 0.02,
    }
    return operating_rows(**(figures | changes))


@pytest.mark.parametrize("cost_share", [0.4, None])
def test_the_cost_axis_stands_right_below_the_escalated_share_always(cost_share):
    rows = operating(cost_share=cost_share)
    labels = [row.label for row in rows]
    place = labels.index("sent to strong tier")
    assert labels[place + 1] == "cost axis"
    assert rows[place + 1].value == cost_share


def test_quality_is_stated_as_a_share_of_the_strong_tiers():
    rows = {row.label: row for row in operating(quality=0.45, strong_quality=0.9)}
    assert rows["kept of the strong tier's"].shown == "50.0 %"
    zero = {row.label: row for row in operating(quality=0.0, strong_quality=0.0)}
    assert zero["kept of the strong tier's"].shown == "–"


def test_rows_that_were_not_measured_are_not_shown():
    assert "requests" not in [row.label for row in operating()]
    assert "requests" in [row.label for row in operating(rows=10)]


def test_every_figure_of_a_curve_is_given_on_both_axes_with_its_interval():
    curve = sweep(*COLUMNS)
    rows = curve_rows(curve, curve_intervals(*COLUMNS))
    by_share = [row.label for row in rows if row.label.endswith(", sent to strong tier")]
    by_cost = [row.label for row in rows if row.label.endswith(", cost axis")]
    assert len(by_share) == len(by_cost) == 4
    assert len(rows) == 8
    values = {row.label: row.value for row in rows}
    assert values["APGR, cost axis"] == curve.apgr("cost")
    assert values["CPT80, sent to strong tier"] == curve.cpt(0.8)
    assert all(row.range for row in rows)
