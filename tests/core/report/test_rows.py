"""What rows a report has, and how figures are printed."""

from math import nan

import pytest

from cascade_core.evaluation import Interval, Means, curve_intervals, sweep
from cascade_core.report.rows import (
    Figure,
    curve_rows,
    formatted,
    operating_rows,
    percent,
    shortened,
)
from tests.core.report.making import measured

COLUMNS = ([0.1, 0.5, 0.5, 0.9] * 3, [0, 0, 1, 1] * 3, [1] * 12, [1] * 12, [10] * 12)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.1234, "share", "12.3 %"),
        (1.2, "share", "120.0 %"),
        (0.000123456, "usd", "$0.000123"),
        (0.0, "usd", "$0.0000"),
        (0.0000979, "usd", "$0.0000979"),
        (0.009999999999, "usd", "$0.0100"),
        (0.01, "usd", "$0.0100"),
        (1.5, "usd", "$1.5000"),
        (0.6223, "score", "0.622"),
        (12345, "count", "12,345"),
        (None, "usd", "–"),
        (nan, "share", "–"),
    ],
)
def test_figures_are_printed_in_their_unit(value, unit, text):
    assert formatted(value, unit) == text


def test_an_interval_is_printed_only_where_there_is_one():
    assert Figure("x", 0.5, Interval(0.4, 0.6)).range == "40.0 % … 60.0 %"
    assert Figure("x", 0.5, Interval(nan, nan)).range == ""
    assert Figure("x", 0.5).range == ""


@pytest.mark.parametrize("value", [None, nan])
def test_a_figure_that_is_not_there_has_no_interval(value):
    assert Figure("x", value, Interval(1.0, 1.0)).range == ""


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"cost_usd": None}, "unpriced"),
        ({"cost_usd": 0.0, "strong_cost_usd": 0.0}, "strong − cheap ≤ 0"),
        ({"cost_usd": 0.02}, "strong − cheap ≤ 0"),
    ],
)
def test_it_is_said_why_there_is_no_cost_axis(costs, said):
    (axis,) = [row for row in operating(cost_share=None, **costs) if row.label == "cost axis"]
    assert (axis.shown, axis.note) == ("–", said)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.95, "95 %"),
        (0.9999999, "99.99999 %"),
        (1.0, "100 %"),
        (0.005, "0.5 %"),
        (1e-7, "0.00001 %"),
    ],
)
def test_a_share_that_was_chosen_keeps_its_digits(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("name", "text"), [("refund", "refund"), ("refund later", "refund…"), ("退款申请", "退款申…")]
)
def test_a_name_is_shortened_to_the_cells_it_takes(name, text):
    assert shortened(name, 7) == text


def operating(**changes):
    return operating_rows(measured(**changes))


@pytest.mark.parametrize("cost_share", [0.4, None])
def test_the_cost_axis_stands_right_below_the_escalated_share_always(cost_share):
    rows = operating(cost_share=cost_share)
    labels = [row.label for row in rows]
    place = labels.index("answered beyond tier 0")
    assert labels[place + 1] == "cost axis"
    assert rows[place + 1].value == cost_share


def test_quality_is_stated_as_a_share_of_the_strong_tiers():
    rows = {row.label: row for row in operating(quality=0.45, strong_quality=0.9)}
    assert rows["kept of the last tier's"].shown == "50.0 %"
    zero = {row.label: row for row in operating(quality=0.0, strong_quality=0.0)}
    assert zero["kept of the last tier's"].shown == "–"


def test_rows_that_were_not_measured_are_not_shown():
    means = Means(10, 0.9, 1.0, 0.7, None, None, None, 0.3, 0.02, (0.7, 0.3), (1.0, 0.3))
    assert "quality, cheap alone" not in [row.label for row in operating()]
    assert "quality, cheap alone" in [row.label for row in operating_rows(means)]


def test_every_figure_of_a_curve_is_given_on_both_axes_with_its_interval():
    curve = sweep(*COLUMNS)
    rows = curve_rows(curve, curve_intervals(*COLUMNS))
    by_share = [row.label for row in rows if row.label.endswith(", share axis")]
    by_cost = [row.label for row in rows if row.label.endswith(", cost axis")]
    assert len(by_share) == len(by_cost) == 4
    assert len(rows) == 8
    values = {row.label: row.value for row in rows}
    assert values["APGR, cost axis"] == curve.apgr("cost")
    assert values["CPT80, share axis"] == curve.cpt(0.8)
    assert all(row.range for row in rows)
