"""Intervals: as wide as theory says, and blind to nothing."""

from math import isnan

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.bootstrap import Interval, Resamples, interval, mean_interval


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


def test_the_interval_of_a_mean_is_that_of_its_resamples():
    values, weight = rows(400)[1], rows(400)[0]
    groups = np.arange(400) // 4
    again = Resamples.draw(400, groups=groups, seed=3)
    wanted = interval(again.means({"q": values}, weight)["q"], 0.9)
    assert mean_interval(values, weights=weight, groups=groups, confidence=0.9, seed=3) == wanted


def test_a_mean_of_shares_that_is_0_has_an_interval_and_one_of_amounts_has_not():
    assert mean_interval(np.zeros(100)).high == pytest.approx(1 - 0.025 ** (1 / 100))
    amounts = mean_interval(np.full(100, 2.0))
    assert (amounts.low, amounts.high) == (2.0, 2.0)
    assert isnan(mean_interval(np.ones(9)).low)
    assert isnan(mean_interval([0.5, float("nan")] * 10).low)


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


# --- how units are drawn --------------------------------------------------------------------------


def test_every_resample_draws_as_many_units_as_there_are_each_as_likely():
    again = Resamples.draw(20, resamples=4000)
    assert (again.counts.sum(axis=1) == 20).all()
    assert again.counts.mean(axis=0) == pytest.approx(np.ones(20), abs=0.1)
    assert again.counts.dtype == np.float64


def test_the_draws_are_settled_by_the_seed():
    def counts(**seed):
        return Resamples.draw(30, resamples=20, **seed).counts.tolist()

    assert counts() == counts(seed=0) != counts(seed=1)


def test_rows_are_put_together_only_where_there_are_more_than_can_be_drawn():
    few, many = Resamples.draw(2000, resamples=1), Resamples.draw(2001, resamples=1)
    assert few.unit.tolist() == list(range(2000))
    assert sorted(many.unit.tolist()) == [0, *range(2000)]
    assert many.unit.tolist() != [*range(2000), 0], "at random"
    assert (few.independent, many.independent) == (2000, 2001)
    groups = Resamples.draw(6, groups=[9, 9, 4, 4, 7, 7])
    assert groups.unit.tolist() == [2, 2, 0, 0, 1, 1]
    assert groups.independent == 3


@pytest.mark.parametrize(
    ("sizes", "said"), [((0, 1), "0 rows, 1 times"), ((1, 0), "1 rows, 0 times")]
)
def test_what_cannot_be_drawn_is_said(sizes, said):
    assert Resamples.draw(1, resamples=1).counts.tolist() == [[1.0]]
    rows, resamples = sizes
    with pytest.raises(ConfigurationError) as caught:
        Resamples.draw(rows, resamples=resamples)
    assert str(caught.value) == f"a bootstrap of {said}: both must be at least 1"


# --- figures of every resample --------------------------------------------------------------------


def test_sums_up_to_each_place_are_those_of_the_rows_drawn():
    rng = np.random.default_rng(2)
    groups, place, values = rng.integers(0, 6, 30), rng.integers(0, 4, 30), rng.random(30)
    again = Resamples.draw(30, groups=groups, resamples=7)
    found = again.running_sums(place, values, 4)
    assert found.shape == (7, 5)
    for resample in range(7):
        times = again.counts[resample][again.unit]
        for upto in range(5):
            assert found[resample, upto] == pytest.approx((times * values)[place < upto].sum())


def test_sums_count_a_unit_as_often_as_it_was_drawn():
    again = Resamples.draw(4, groups=[0, 0, 1, 1], resamples=9)
    values = np.array([1.0, 2.0, 4.0, 0.0])
    assert again.sums(values).tolist() == (again.counts @ [3.0, 4.0]).tolist()


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]]])
def test_a_column_of_another_length_is_named(values):
    with pytest.raises(ConfigurationError, match=r"^harm: expected 2 numbers, one a row"):
        Resamples.draw(2).means({"harm": values})


def test_a_resample_without_weight_has_no_mean_and_no_warning():
    again = Resamples.draw(2, resamples=50)
    with np.errstate(all="raise"):
        means = again.means({"q": [0.5, np.nan], "r": [0.5, 0.5]}, [1.0, 0.0])
    unweighted = again.counts[:, 0] == 0
    assert np.isnan(means["r"]).tolist() == unweighted.tolist()
    assert np.isnan(means["q"]).all()


# --- intervals ------------------------------------------------------------------------------------


def test_ten_independent_rows_are_enough_to_say_something():
    again = Resamples.draw(10)
    assert again.interval(np.arange(101.0), confidence=0.9) == interval(np.arange(101.0), 0.9)
    assert isnan(Resamples.draw(9).interval(np.arange(101.0)).high)


@pytest.mark.parametrize("confidence", [0.95, 0.5])
def test_a_share_that_was_always_zero_may_still_be_more(confidence):
    again = Resamples.draw(100)
    found = again.interval(np.zeros(1000), confidence=confidence, share=True)
    assert found == Interval(0.0, pytest.approx(1 - ((1 - confidence) / 2) ** (1 / 100)))
    assert again.interval(np.zeros(1000), confidence=confidence) == Interval(0.0, 0.0)


def test_draws_of_another_shape_are_named():
    with pytest.raises(ConfigurationError, match=r"^draws: expected one number a row"):
        interval([[1.0]])
