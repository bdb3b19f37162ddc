"""Intervals of a curve's figures: those of sweeping every resample, seeded, only much quicker."""

import warnings
from math import isnan

import numpy as np
import pytest

from cascade_core.evaluation import curve_intervals, sweep
from cascade_core.evaluation.curve_intervals import Escalation
from cascade_core.evaluation.paid import PaidReading
from cascade_core.statistics.bootstrap import Resamples


def rows(n, seed=0):
    random = np.random.default_rng(seed)
    confidence = random.random(n)
    weak = (random.random(n) < confidence).astype(float)
    strong = (random.random(n) < 0.9).astype(float)
    return confidence, weak, strong, np.full(n, 1.0), 10 + random.random(n)


def width(found):
    return found.high - found.low


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    columns = rows(200)
    assert curve_intervals(*columns, seed=3) == curve_intervals(*columns, seed=3)
    assert curve_intervals(*columns, seed=3) != curve_intervals(*columns, seed=4)


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("apgr", lambda curve: curve.apgr()),
        ("apgr_cost", lambda curve: curve.apgr("cost")),
        ("cpt80", lambda curve: curve.cpt(0.8)),
        ("cpt50_cost", lambda curve: curve.cpt(0.5, "cost")),
    ],
)
def test_a_curves_intervals_are_those_of_sweeping_every_resample(name, figure):
    columns = rows(900)
    weights = np.random.default_rng(5).random(900) + 0.5
    quick = curve_intervals(*columns, weights, draft_cost=np.full(900, 0.5))[name]
    again = Resamples.draw(900)
    slow = again.interval(
        [
            figure(sweep(*columns, weights * counts[again.unit], draft_cost=np.full(900, 0.5)))
            for counts in again.counts
        ]
    )
    assert quick.low == pytest.approx(slow.low, abs=0.1 * width(slow))
    assert quick.high == pytest.approx(slow.high, abs=0.1 * width(slow))


def test_paid_signals_that_are_read_less_at_stricter_thresholds_are_in_the_interval():
    columns = rows(300)
    low = columns[0] * 0.5
    paid = (PaidReading(np.full(300, 2.0), low, low + 0.5),)
    again = Resamples.draw(300)
    swept = again.interval(
        [
            sweep(*columns, counts[again.unit], paid=paid).apgr("cost")
            for counts in again.counts[:200]
        ]
    )
    found = curve_intervals(*columns, paid=paid)["apgr_cost"]
    assert found.low == pytest.approx(swept.low, abs=0.15 * width(swept))
    assert found.high == pytest.approx(swept.high, abs=0.15 * width(swept))


def test_paid_signals_are_counted_in_every_resample_where_they_are_read():
    columns = rows(300)
    confidence = columns[0]
    random = np.random.default_rng(5)
    low, high = confidence * random.random(300), confidence + (1 - confidence) * random.random(300)
    low[:20] = np.nan
    paid = PaidReading(random.random(300), low, high)
    again = Resamples.draw(300, resamples=20, seed=3)
    seen = Escalation.of(again, confidence).paid([paid])
    for counts, sums in zip(again.counts, seen, strict=True):
        drawn = np.repeat(np.arange(300), counts[again.unit].astype(int))
        thresholds = [0.0, *(np.sort(confidence)[:-1] + 1e-12), np.inf]
        assert sums == pytest.approx([paid.take(drawn).at(t).sum() for t in thresholds])
    with_paid, without = (
        curve_intervals(*columns, paid=taken)["apgr_cost"] for taken in ((paid,), ())
    )
    assert with_paid.high < without.high


def test_a_curves_interval_covers_the_truth_about_as_often_as_it_says():
    truth = sweep(*rows(200_000, seed=99)).apgr()
    found = [curve_intervals(*rows(300, seed), resamples=200)["apgr"] for seed in range(40)]
    assert sum(each.low <= truth <= each.high for each in found) >= 35


def test_an_unknown_cost_leaves_its_intervals_unknown_and_warns_of_nothing():
    columns = [np.array(column) for column in rows(50)]
    columns[4][3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = curve_intervals(*columns)
    assert isnan(found["apgr_cost"].low)
    assert isnan(found["cpt80_cost"].high)
    assert found["apgr"] == curve_intervals(*rows(50))["apgr"]


def test_no_interval_where_the_strong_tier_is_never_better():
    confidence, weak, _, cheap, dear = rows(50)
    found = curve_intervals(confidence, weak, weak * 0.5, cheap, dear)
    assert isnan(found["apgr"].low)


def test_rows_without_a_confidence_are_escalated_first_in_every_resample():
    order = Escalation.of(Resamples.draw(3, resamples=20), [0.5, np.nan, 0.1])
    weight, value = order.sums(np.ones(3)), order.sums(np.array([1.0, 10.0, 100.0]))
    drawn = Resamples.draw(3, resamples=20).counts
    assert weight[:, 1].tolist() == drawn[:, 1].tolist()
    assert value[:, 2].tolist() == (10 * drawn[:, 1] + 100 * drawn[:, 2]).tolist()


def test_of_a_few_groups_nothing_is_said():
    groups = np.arange(500) % 5
    assert all(isnan(one.low) for one in curve_intervals(*rows(500), groups=groups).values())
