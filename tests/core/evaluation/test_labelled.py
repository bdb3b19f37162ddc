"""The curve of a labelled table: whose confidence it is, and what was paid for it."""

from math import isnan, nan

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation import cost_quality_curve

COLUMNS = {
    "id": ["a", "b", "c", "d"],
    "t0_quality": [0, 0, 1, 1],
    "t0_cost_usd": [1, 1, 1, 1],
    "t0_signal_logprob": [0.1, 0.5, 0.5, 0.9],
    "t1_quality": [1, 1, 1, 0],
    "t1_cost_usd": [10, 10, 10, 10],
}
JUDGE = {
    "t0_signal_judge": [0.9, 0.1, 0.2, ""],
    "t0_paid_judge_usd": [0.5, 0.5, 0.5, ""],
}


def test_the_only_signal_of_a_table_is_the_confidence():
    curve = cost_quality_curve(COLUMNS)
    assert curve.escalated.tolist() == [0, 0.25, 0.75, 1]
    assert curve.quality.tolist() == [0.5, 0.75, 1, 0.75]
    assert curve.cost.tolist() == [1, 3.5, 8.5, 11]


def test_a_table_can_be_a_file(tmp_path):
    path = tmp_path / "labels.csv"
    lines = [COLUMNS, *zip(*COLUMNS.values(), strict=True)]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8")
    assert cost_quality_curve(path).quality.tolist() == [0.5, 0.75, 1, 0.75]


def test_a_paid_signal_is_paid_wherever_it_was_read():
    curve = cost_quality_curve(COLUMNS | JUDGE, signal="judge")
    assert curve.cost[-1] == pytest.approx(11 + 1.5 / 4)
    assert curve.weak_cost == 1
    assert curve.escalated[0] == 0.25  # the row that was not judged
    assert cost_quality_curve(COLUMNS | JUDGE, signal="logprob").cost[-1] == 11


def test_a_reading_without_a_price_leaves_the_cost_unknown():
    unpriced = JUDGE | {"t0_paid_judge_usd": [0.5, "", 0.5, ""]}
    curve = cost_quality_curve(COLUMNS | unpriced, signal="judge")
    assert isnan(curve.cost[-1])
    assert curve.quality[-1] == 0.75


def test_a_confidence_of_your_own_pays_for_every_signal_in_the_table():
    curve = cost_quality_curve(COLUMNS | JUDGE, confidence=[0.1, 0.5, 0.5, nan])
    assert curve.cost[-1] == pytest.approx(11 + 1.5 / 4)


def test_a_policys_calibrator_gives_the_confidence():
    calibrator = {
        "score": {"kind": "signal", "signal": "logprob"},
        "curve": {"kind": "platt", "slope": 2.0, "intercept": 1.0},
    }
    plain = cost_quality_curve(COLUMNS)
    curve = cost_quality_curve(COLUMNS | JUDGE, {"calibrators": [calibrator]})
    assert curve.quality.tolist() == plain.quality.tolist()
    assert curve.cost.tolist() == plain.cost.tolist()
    assert curve.threshold[1] > plain.threshold[1]


def test_a_policy_without_calibrators_takes_the_lowest_reading_and_pays_where_it_can_matter():
    curve = cost_quality_curve(COLUMNS | JUDGE, {"thresholds": [0.5]})
    assert curve.threshold[:3].tolist() == pytest.approx([0, 0.05, 0.15])
    assert curve.escalated.tolist() == [0, 0.25, 0.75, 1]  # the row that was not judged goes first
    # At .15 the logprob of the first row has settled it; at infinity that of every row.
    assert curve.cost.tolist() == pytest.approx([1, 3.5 + 1.5 / 4, 8.5 + 1 / 4, 11])


def test_rows_without_both_qualities_are_left_out_and_counted():
    curve = cost_quality_curve(COLUMNS | {"t1_quality": [1, "", 1, 0]})
    assert (curve.rows, curve.left_out) == (3, 1)
    assert curve.weak_quality == pytest.approx(2 / 3)


def test_of_three_tiers_the_cheapest_and_the_last_are_compared():
    third = {"t2_quality": [1, 1, 1, 1], "t2_cost_usd": [20] * 4}
    curve = cost_quality_curve(COLUMNS | third)
    assert curve.strong_quality == 1
    assert curve.strong_cost == 20


def test_weights_of_the_table_count():
    curve = cost_quality_curve(COLUMNS | {"weight": [3, 1, 1, 1]})
    assert curve.weak_quality == pytest.approx(2 / 6)
    assert curve.escalated[1] == 0.5


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({}, "tier 0 has: logprob, judge"),
        ({"signal": "verbal"}, "no signal 'verbal'; it has: logprob, judge"),
        ({"signal": "judge", "confidence": [0.1] * 4}, "not several"),
        ({"confidence": [0.1]}, "confidence: expected 4 numbers"),
    ],
)
def test_an_unclear_choice_of_confidence_is_refused(choice, said):
    with pytest.raises(ConfigurationError, match=said):
        cost_quality_curve(COLUMNS | JUDGE, **choice)


def test_a_table_without_one_usable_row_is_refused():
    with pytest.raises(ConfigurationError, match="quality"):
        cost_quality_curve(COLUMNS | {"t1_quality": [""] * 4})
