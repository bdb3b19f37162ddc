"""Intervals: as wide as theory says, and blind to nothing."""

from math import isnan

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.bootstrap import Interval, Resamples, interval


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


def test_many_rows_take_no_more_memory_than_few():
    again = Resamples.draw(300_000, resamples=10)
    assert again.counts.shape == (10, 2000)
    assert np.bincount(again.unit).tolist() == [150] * 2000


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
