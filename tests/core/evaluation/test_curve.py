"""The cost–quality curve, point by point and against brute force."""

import warnings
from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation import oracle, random_line, sweep

CONFIDENCE = [0.1, 0.5, 0.5, 0.9]
WEAK = [0, 0, 1, 1]
STRONG = [1, 1, 1, 0]


def small(**changes):
    columns = {
        "confidence": CONFIDENCE,
        "weak_quality": WEAK,
        "strong_quality": STRONG,
        "weak_cost": [1, 1, 1, 1],
        "strong_cost": [10, 10, 10, 10],
    }
    return sweep(**(columns | changes))


def many(n=400, seed=0, *, ties=20):
    random = np.random.default_rng(seed)
    confidence = np.round(random.random(n) * ties) / ties
    confidence[random.random(n) < 0.1] = np.nan
    return {
        "confidence": confidence,
        "weak_quality": random.random(n).round(1),
        "strong_quality": random.random(n).round(1) * 0.4 + 0.6,
        "weak_cost": random.random(n),
        "strong_cost": 5 + random.random(n),
        "weights": random.random(n),
    }


def test_a_share_of_the_gap_that_is_met_exactly_is_not_missed_by_a_rounding():
    for seed in range(100):
        rng = np.random.default_rng(seed)
        weak, strong = rng.integers(0, 2, (2, 50)).astype(float)
        gain = strong - weak
        if gain.sum() <= 0:
            continue
        confidence = rng.permutation(50).astype(float)
        curve = sweep(confidence, weak, strong, np.ones(50), np.full(50, 10.0))
        running = np.cumsum(gain[np.argsort(confidence)])
        first = int(np.argmax(running >= gain.sum())) + 1
        assert curve.cpt(1.0) == pytest.approx(first / 50)


def test_every_point_of_a_curve_worked_out_by_hand():
    curve = small()
    assert curve.threshold.tolist() == pytest.approx([0.0, 0.3, 0.7, inf])
    assert curve.escalated.tolist() == [0, 0.25, 0.75, 1]
    assert curve.quality.tolist() == [0.5, 0.75, 1, 0.75]
    assert curve.cost.tolist() == [1, 3.5, 8.5, 11]
    assert curve.harm.tolist() == [0.5, 0.25, 0, 0]
    assert (curve.weak_quality, curve.strong_quality) == (0.5, 0.75)
    assert (curve.weak_cost, curve.strong_cost, curve.weak_harm) == (1, 10, 0.5)
    assert curve.cost_share == pytest.approx([0, 2.5 / 9, 7.5 / 9, 10 / 9])
    assert curve.point(1).cost_share == pytest.approx(2.5 / 9)


def test_figures_of_a_curve_worked_out_by_hand():
    curve = small()
    # Recovered: 0 → 1 over the first quarter, 1 → 2 over the middle half, 2 → 1 over the last.
    assert curve.apgr() == pytest.approx(0.125 + 0.75 + 0.375)
    assert curve.cpt(0.5) == pytest.approx(0.125)
    assert curve.cpt(1) == pytest.approx(0.25)
    assert curve.cpt(0.5, "cost") == pytest.approx(1.25 / 9)
    # On the cost axis the curve is cut off at the strong tier's cost, halfway down its last line.
    assert curve.apgr("cost") == pytest.approx(
        2.5 / 9 * 0.5 + 5 / 9 * 1.5 + 1.5 / 9 * (2 + 1.4) / 2
    )


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_every_threshold_does_what_the_curve_says(seed, n):
    rows = many(n, seed, ties=5)
    curve = sweep(**rows)
    weight, confidence = rows["weights"], rows["confidence"]
    for k in range(len(curve)):
        point = curve.point(k)
        accepted = confidence >= point.threshold
        quality = np.where(accepted, rows["weak_quality"], rows["strong_quality"])
        cost = rows["weak_cost"] + np.where(accepted, 0, rows["strong_cost"])
        harm = accepted * np.maximum(rows["strong_quality"] - rows["weak_quality"], 0)
        assert point.escalated == pytest.approx(np.average(~accepted, weights=weight))
        assert point.quality == pytest.approx(np.average(quality, weights=weight))
        assert point.cost == pytest.approx(np.average(cost, weights=weight))
        assert point.harm == pytest.approx(np.average(harm, weights=weight), abs=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_thresholds_and_escalation_rise_from_accepting_all_to_accepting_nothing(seed, n):
    rows = many(n, seed)
    curve = sweep(**rows)
    assert (np.diff(curve.threshold) > 0).all()
    assert (np.diff(curve.escalated) >= 0).all()
    assert (np.diff(curve.harm) <= 1e-12).all()
    assert curve.threshold[-1] == inf
    assert curve.escalated[-1] == 1
    assert curve.quality[-1] == curve.strong_quality
    unread = np.isnan(rows["confidence"])
    assert curve.escalated[0] == pytest.approx(rows["weights"] @ unread / rows["weights"].sum())


@given(st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed):
    rows = many(50, seed)
    shuffled = np.random.default_rng(seed).permutation(50)
    first = sweep(**rows)
    second = sweep(**{name: values[shuffled] for name, values in rows.items()})
    assert second.threshold.tolist() == first.threshold.tolist()
    assert second.quality == pytest.approx(first.quality)
    assert second.apgr() == pytest.approx(first.apgr(), nan_ok=True)


def test_whole_weights_are_rows_counted_that_often():
    rows = many(30)
    times = np.arange(30) % 3
    weighted = sweep(**(rows | {"weights": times}))
    del rows["weights"]
    repeated = sweep(**{name: np.repeat(values, times) for name, values in rows.items()})
    assert weighted.apgr() == pytest.approx(repeated.apgr())
    assert weighted.apgr("cost") == pytest.approx(repeated.apgr("cost"))
    assert weighted.cpt(0.8) == pytest.approx(repeated.cpt(0.8))


def test_a_confidence_that_says_nothing_recovers_half():
    curve = small(confidence=[0.5] * 4)
    assert curve.apgr() == 0.5
    assert curve.cpt(0.8) == pytest.approx(0.8)
    assert small(confidence=[np.nan] * 4).apgr() == 0.5


def test_a_random_confidence_recovers_about_half():
    rows = many(20_000, ties=10**9)
    assert sweep(**rows).apgr() == pytest.approx(0.5, abs=0.02)


@given(st.integers(0, 10_000), st.integers(5, 60))
def test_no_confidence_beats_the_oracle_on_either_axis(seed, n):
    rows = many(n, seed)
    curve = sweep(**rows)
    confidence = rows.pop("confidence")
    assert len(confidence) == n
    for axis in ("escalated", "cost"):
        best = oracle(**rows, axis=axis)
        place, quality = curve.along(axis)
        assert (np.interp(place, *best.along(axis)) >= quality - 1e-9).all()


def test_the_oracle_asks_first_where_a_dollar_gains_most():
    best = oracle([0, 0], [1, 0.5], [0, 0], [10, 1], axis="cost")
    assert best.quality.tolist() == pytest.approx([0, 0.25, 0.75])
    assert best.cost.tolist() == pytest.approx([0, 0.5, 5.5])
    assert oracle([0, 0], [1, 0.5], [0, 0], [10, 1]).quality[1] == pytest.approx(0.5)


def test_a_strong_tier_that_costs_nothing_is_asked_first_where_it_gains_and_last_where_it_loses():
    best = oracle([0, 0, 1], [0.5, 1, 0], [1, 1, 1], [0, 1, 0], axis="cost")
    assert best.quality.tolist() == pytest.approx([1 / 3, 0.5, 2.5 / 3, 0.5])


def test_a_coin_tossing_router_is_the_straight_line_on_both_axes():
    line = random_line(small())
    assert line.apgr() == pytest.approx(0.5)
    assert line.apgr("cost") == pytest.approx(0.5)
    assert line.harm.tolist() == [0.5, 0]


def test_a_missing_confidence_is_escalated_at_every_threshold():
    curve = small(confidence=[np.nan, 0.5, 0.5, 0.9])
    assert curve.escalated.tolist() == [0.25, 0.75, 1]
    assert curve.threshold[0] == 0


def test_a_paid_signal_moves_the_whole_curve_along_the_cost_axis():
    free, paid = small(), small(weak_cost=[1.9] * 4, draft_cost=[1] * 4)
    assert paid.weak_cost == 1
    assert paid.cost_share == pytest.approx(free.cost_share + 0.1)
    assert paid.apgr() == free.apgr()
    assert paid.cpt(0.5, "cost") == pytest.approx(free.cpt(0.5, "cost") + 0.1)
    assert paid.apgr("cost") < free.apgr("cost")


def test_an_unknown_cost_leaves_quality_known_and_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve = small(strong_cost=[10, np.nan, 10, 10])
        assert isnan(curve.apgr("cost"))
        assert isnan(curve.cpt(0.5, "cost"))
    assert np.isnan(curve.cost).any()
    assert curve.apgr() == small().apgr()


def test_there_is_no_gap_to_recover_where_the_strong_tier_is_no_better():
    curve = small(strong_quality=[0, 0, 1, 1])
    assert isnan(curve.apgr())
    assert isnan(curve.cpt(0.5))
    assert np.isnan(curve.recovered).all()


def test_there_is_no_cost_axis_where_the_strong_tier_is_no_dearer():
    assert isnan(small(strong_cost=[1] * 4).apgr("cost"))


def test_a_threshold_never_depends_on_the_last_bit_of_a_float():
    low = 0.3
    high = np.nextafter(low, 1)
    curve = sweep([low, high, 0.5], [0, 0, 1], [1, 1, 1], [1] * 3, [2] * 3)
    assert curve.threshold[1] == high  # nothing lies between, so the upper one is accepted
    assert curve.threshold[2] == pytest.approx(0.4)
    assert (np.diff(curve.threshold) > 0).all()


def test_scores_below_zero_are_all_accepted_at_the_lenient_end():
    assert small(confidence=[-3, -2, -1, 0]).threshold[0] == -inf


def test_a_thinned_curve_keeps_its_ends_and_its_shape():
    curve = sweep(**many(5_000, ties=10**9))
    thin = curve.thinned(100)
    assert len(thin) <= 102
    assert thin.escalated[[0, -1]].tolist() == curve.escalated[[0, -1]].tolist()
    assert thin.apgr() == pytest.approx(curve.apgr(), abs=0.01)
    assert small().thinned(100).escalated.tolist() == small().escalated.tolist()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weak_quality": [0, np.nan, 1, 1]}, "weak_quality: .* row 1 has none"),
        ({"strong_quality": [0, 2, 1, 1]}, "strong_quality: .* row 1 has 2"),
        ({"weak_cost": [1, 1]}, r"weak_cost: expected 4 numbers.*\(2,\)"),
        ({"weights": [0, 0, 0, 0]}, "weights"),
        ({"weights": [1, 1, 1, -1]}, "weights"),
        ({"confidence": []}, "at least one row"),
    ],
)
def test_what_cannot_be_used_is_named(changes, said):
    with pytest.raises(ConfigurationError, match=said):
        small(**changes)


def test_axes_and_shares_that_do_not_exist_are_refused():
    with pytest.raises(ConfigurationError, match="axis='latency'"):
        small().apgr("latency")
    with pytest.raises(ConfigurationError, match="cpt"):
        small().cpt(80)


@pytest.mark.simulation
def test_a_million_rows_give_a_million_points():
    n = 1_000_000
    random = np.random.default_rng(0)
    confidence = random.random(n)
    weak = (random.random(n) < confidence).astype(float)
    curve = sweep(confidence, weak, np.ones(n), np.ones(n), np.full(n, 10.0))
    assert len(curve) == len(np.unique(confidence)) + 1
    assert curve.apgr() == pytest.approx(2 / 3, abs=0.01)
