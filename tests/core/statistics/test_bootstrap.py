"""Intervals: as wide as theory says, seeded, and blind to nothing."""

import warnings
from math import isnan

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation import (
    Interval,
    Resamples,
    auroc,
    bootstrap,
    curve_intervals,
    interval,
    sweep,
)
from cascade_core.evaluation.paid import PaidReading


def rows(n, seed=0):
    random = np.random.default_rng(seed)
    confidence = random.random(n)
    weak = (random.random(n) < confidence).astype(float)
    strong = (random.random(n) < 0.9).astype(float)
    return confidence, weak, strong, np.full(n, 1.0), 10 + random.random(n)


def width(found):
    return found.high - found.low


@pytest.mark.parametrize("n", [500, 50_000])
def test_the_interval_of_a_mean_is_as_wide_as_theory_says(n):
    values = rows(n)[1]
    found = interval(Resamples.draw(n, resamples=2000).means({"q": values})["q"])
    assert found.low < values.mean() < found.high
    assert width(found) == pytest.approx(2 * 1.96 * values.std() / np.sqrt(n), rel=0.1)


def test_rows_that_belong_together_are_drawn_together():
    values = np.repeat(rows(400)[1], 5)
    groups = np.repeat(np.arange(400) * 7, 5)
    together = interval(Resamples.draw(2000, groups=groups).means({"q": values})["q"])
    apart = interval(Resamples.draw(2000).means({"q": values})["q"])
    assert width(together) / width(apart) == pytest.approx(np.sqrt(5), rel=0.15)


def test_weights_count_in_every_resample():
    values, weight = np.array([0.0, 1.0]), np.array([1.0, 3.0])
    again = Resamples.draw(2, resamples=50)
    means = again.means({"q": values}, weight)["q"]
    assert set(means.round(6)) == {0, 0.75, 1}


def test_means_of_one_resample_belong_together():
    values = rows(300)[1]
    means = Resamples.draw(300).means({"good": values, "bad": 1 - values})
    assert means["good"] + means["bad"] == pytest.approx(np.ones(1000))


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    columns = rows(200)
    assert curve_intervals(*columns, seed=3) == curve_intervals(*columns, seed=3)
    assert curve_intervals(*columns, seed=3) != curve_intervals(*columns, seed=4)


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
    slow = bootstrap(
        lambda w: figure(sweep(*columns, w, draft_cost=np.full(900, 0.5))),
        900,
        weights,
        resamples=1000,
    )
    assert quick.low == pytest.approx(slow.low, abs=0.1 * width(slow))
    assert quick.high == pytest.approx(slow.high, abs=0.1 * width(slow))


def test_paid_signals_are_counted_in_every_resample_where_they_are_read():
    columns = rows(300)
    confidence = columns[0]
    random = np.random.default_rng(5)
    low, high = confidence * random.random(300), confidence + (1 - confidence) * random.random(300)
    low[:20] = np.nan
    paid = PaidReading(random.random(300), low, high)
    again = Resamples.draw(300, resamples=20, seed=3)
    seen = again.paid(confidence, [paid])
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


def test_many_rows_take_no_more_memory_than_few():
    again = Resamples.draw(300_000, resamples=10)
    assert again.counts.shape == (10, 2000)
    assert np.bincount(again.unit).tolist() == [150] * 2000


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
    weight, value = Resamples.draw(3, resamples=20).curve([0.5, np.nan, 0.1], [1.0, 10.0, 100.0])
    drawn = Resamples.draw(3, resamples=20).counts
    assert weight[:, 1].tolist() == drawn[:, 1].tolist()
    assert value[:, 2].tolist() == (10 * drawn[:, 1] + 100 * drawn[:, 2]).tolist()


def test_any_weighted_figure_has_an_interval():
    confidence, weak, *_ = rows(400)
    found = bootstrap(lambda w: auroc(confidence, weak, w), 400)
    assert found.low < auroc(confidence, weak) < found.high
    assert 0.05 < width(found) < 0.15


@pytest.mark.parametrize("rate", [0.005, 0.01])
def test_the_interval_of_a_rare_share_covers_it_also_where_none_was_seen(rate):
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(200):
        harm = (rng.random(200) < rate).astype(float)
        again = Resamples.draw(200, resamples=200, seed=seed)
        found = again.interval(again.means({"harm": harm})["harm"], share=True)
        inside += found.low <= rate <= found.high
    assert inside >= 180


def test_a_share_that_was_always_one_may_still_be_less():
    again = Resamples.draw(100)
    found = again.interval(again.means({"q": np.ones(100)})["q"], share=True)
    assert (found.low, found.high) == (pytest.approx(0.025 ** (1 / 100)), 1.0)
    whole = again.interval(again.means({"q": np.ones(100)})["q"])
    assert (whole.low, whole.high) == (1.0, 1.0)


def test_of_a_few_groups_nothing_is_said():
    groups = np.arange(500) % 5
    again = Resamples.draw(500, groups=groups)
    assert isnan(again.interval(again.means({"q": rows(500)[1]})["q"]).low)
    assert all(isnan(one.low) for one in curve_intervals(*rows(500), groups=groups).values())


def test_percentiles_are_cut_off_on_both_sides():
    assert interval(np.arange(101.0), 0.9) == Interval(pytest.approx(5), pytest.approx(95))
    assert interval([np.nan, 1.0, 1.0]) == Interval(1, 1)


@pytest.mark.parametrize("wrong", [0, 1, 95])
def test_an_impossible_confidence_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="confidence"):
        interval([1.0], wrong)


def test_groups_of_another_length_are_refused():
    with pytest.raises(ConfigurationError, match="groups: expected 3"):
        Resamples.draw(3, groups=[1, 2])
