"""Calibration error, its bins, and what of it is noise."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation import ece, ece_noise_floor
from cascade_core.statistics.reliability import reliability


def true_rows(n, seed=0):
    random = np.random.default_rng(seed)
    confidence = random.random(n)
    return confidence, (random.random(n) < confidence).astype(float)


def test_bins_of_equal_mass_worked_out_by_hand():
    bins = reliability([0.1, 0.3, 0.6, 0.8], [0, 1, 1, 1], bins=2)
    assert bins.low.tolist() == [0.1, 0.6]
    assert bins.high.tolist() == [0.3, 0.8]
    assert bins.confidence == pytest.approx([0.2, 0.7])
    assert bins.quality.tolist() == [0.5, 1]
    assert bins.share.tolist() == [0.5, 0.5]
    assert bins.count.tolist() == [2, 2]
    assert bins.ece == pytest.approx(0.3)


def test_bins_of_equal_width_keep_no_empty_ones_and_hold_one():
    bins = reliability([0.05, 0.05, 1.0], [0, 1, 1], bins=10, equal="width")
    assert bins.count.tolist() == [2, 1]
    assert bins.ece == pytest.approx(2 / 3 * 0.45)


@given(st.integers(0, 10_000), st.integers(10, 200))
def test_bins_of_equal_mass_hold_the_same_number_to_one(seed, n):
    confidence, target = true_rows(n, seed)
    counts = reliability(confidence, target).count
    assert len(counts) == 10
    assert counts.max() - counts.min() <= 1
    assert counts.sum() == n


@given(st.integers(0, 10_000))
def test_the_order_of_rows_changes_no_bin(seed):
    confidence, target = true_rows(100, seed)
    confidence = confidence.round(1)
    shuffled = np.random.default_rng(seed).permutation(100)
    assert ece(confidence[shuffled], target[shuffled]) == pytest.approx(ece(confidence, target))


def test_equal_confidences_stay_in_one_bin():
    confidence = np.array([0.2] * 50 + [0.9] * 50)
    target = np.array([1] * 10 + [0] * 40 + [1] * 45 + [0] * 5)
    assert reliability(confidence, target).count.tolist() == [50, 50]
    assert ece(confidence, target) == pytest.approx(0)


def test_whole_weights_are_rows_counted_that_often():
    confidence, target = true_rows(300)
    times = np.arange(300) % 4
    repeated = ece(np.repeat(confidence, times), np.repeat(target, times))
    assert ece(confidence, target, times) == pytest.approx(repeated, abs=0.01)
    assert reliability(confidence, target, times).count.sum() == (times > 0).sum()


def test_rows_without_a_confidence_are_left_out():
    assert ece([np.nan, 0.5, 0.5], [0, 1, 0]) == 0
    assert isnan(ece([np.nan], [0]))
    assert isnan(ece_noise_floor([np.nan]))


def test_true_confidences_show_an_error_about_the_noise_floor():
    confidence, _ = true_rows(500)
    shown = [ece(confidence, np.random.default_rng(k).random(500) < confidence) for k in range(100)]
    floor = ece_noise_floor(confidence, repetitions=1000)
    assert floor == pytest.approx(np.mean(shown), rel=0.1)
    assert ece(confidence**3, np.random.default_rng(0).random(500) < confidence) > 3 * floor


def test_the_noise_floor_of_one_bin_is_the_mean_error_of_a_mean():
    # Of 100 tosses of a fair coin, the share of heads is 0.0398 off on average.
    assert ece_noise_floor([0.5] * 100, repetitions=20_000) == pytest.approx(0.0398, abs=0.001)


def test_the_noise_floor_is_repeatable_and_falls_with_the_root_of_rows():
    confidence, _ = true_rows(40_000)
    few, lots = ece_noise_floor(confidence[:400]), ece_noise_floor(confidence)
    assert few == ece_noise_floor(confidence[:400])
    assert few / lots == pytest.approx(10, rel=0.15)


def test_certain_confidences_have_no_noise():
    assert ece_noise_floor([0.0, 1.0, 1.0]) == 0


@pytest.mark.parametrize("choice", [{"bins": 0}, {"equal": "weight"}])
def test_bins_that_cannot_be_are_refused(choice):
    with pytest.raises(ConfigurationError, match=next(iter(choice))):
        ece([0.5], [1], **choice)


def test_a_score_that_is_no_probability_cannot_be_judged_as_one():
    with pytest.raises(ConfigurationError, match="confidence"):
        ece([-3, 7], [0, 1])


def test_bins_hold_equal_weights_not_equal_numbers():
    bins = reliability([0.1, 0.2, 0.3, 0.9], [0, 0, 1, 1], [1, 1, 1, 3], bins=2)
    assert bins.count.tolist() == [3, 1]
    assert bins.share.tolist() == [0.5, 0.5]
    assert bins.confidence == pytest.approx([0.2, 0.9])
    assert bins.quality == pytest.approx([1 / 3, 1.0])


def test_a_value_belongs_where_the_middle_of_its_weight_falls():
    # Of weights 3, 2 and 5 the middles are at 0.15, 0.4 and 0.75.
    bins = reliability([0.1, 0.2, 0.3], [0, 0, 0], [3, 2, 5], bins=5)
    assert bins.share.tolist() == [0.3, 0.2, 0.5]
    assert reliability([0.1, 0.2, 0.3], [0] * 3, [3, 2, 5], bins=2).share.tolist() == [0.5, 0.5]
    assert reliability([0.1, 0.2, 0.3], [0] * 3, [3, 1, 1], bins=2).share.tolist() == [0.6, 0.4]


@pytest.mark.parametrize("equal", ["mass", "width"])
def test_one_bin_holds_everything(equal):
    bins = reliability([0.0, 0.5, 1.0], [0, 1, 1], bins=1, equal=equal)
    assert (bins.low.tolist(), bins.high.tolist(), bins.count.tolist()) == ([0.0], [1.0], [3])


def test_bins_of_equal_width_take_the_lower_end_and_the_last_the_upper_one_too():
    bins = reliability([0.0, 0.24, 0.25, 0.5, 0.75, 1.0], [0] * 6, bins=4, equal="width")
    assert bins.count.tolist() == [2, 1, 1, 2]


def test_weights_count_in_the_noise_floor():
    # The row that weighs nearly all is off by half, whatever comes true.
    assert ece_noise_floor([0.5] * 3, [1e9, 1, 1]) == pytest.approx(0.5, abs=1e-6)
    assert ece_noise_floor([0.5, 0.0], [1, 0]) == 0.5
    assert ece_noise_floor([0.5, 0.0], [1, 3]) == pytest.approx(0.125)


def test_the_noise_floor_is_taken_with_the_bins_it_is_said_for():
    confidence = np.tile([0.3, 0.7], 50)
    one, two = (ece_noise_floor(confidence, bins=b, repetitions=2000) for b in (1, 2))
    assert two == pytest.approx(one * np.sqrt(2), rel=0.05)
    wide = ece_noise_floor(confidence, bins=2, equal="width", repetitions=2000)
    assert wide == two
    spread = np.linspace(0.1, 0.9, 110)
    assert ece_noise_floor(spread) == ece_noise_floor(spread, bins=10)
    assert ece_noise_floor(spread) != ece_noise_floor(spread, bins=11)
    heavy = [0.2, 0.4, 0.6, 0.8], [1, 1, 1, 5]  # the last has a bin of its own
    parts = [0.2, 0.4, 0.6, *[0.8] * 5], [1] * 8
    assert reliability(heavy[0], [0] * 4, heavy[1], bins=2).count.tolist() == [3, 1]
    assert ece_noise_floor(*heavy, bins=2, repetitions=2000) > ece_noise_floor(
        *parts, bins=2, repetitions=2000
    )


def test_the_noise_floor_is_the_mean_over_as_many_simulations_as_are_asked_for(monkeypatch):
    tossed = []

    class Tosses:
        def __init__(self, seed):
            tossed.append(seed)

        def random(self, size):
            tossed.append(size)
            return np.full(size, 0.5)

    monkeypatch.setattr(np.random, "default_rng", Tosses)
    # Right with a chance of 0.6, tossed 0.5: right each time, and 0.4 off.
    assert ece_noise_floor([0.6] * 4) == pytest.approx(0.4)
    assert tossed == [0] + [4] * 200
    assert ece_noise_floor([0.5] * 4) == pytest.approx(0.5), "a toss of just the chance is wrong"
    tossed.clear()
    ece_noise_floor([0.6] * 4, repetitions=3, seed=5)
    assert tossed == [5] + [4] * 3


def test_of_many_rows_fewer_simulations_are_enough_but_never_fewer_than_twenty(monkeypatch):
    monkeypatch.setattr("cascade_core.statistics.reliability.SIMULATED", 1000)
    made = []
    real = np.random.default_rng

    class Counted:
        def __init__(self, seed):
            self.real = real(seed)

        def random(self, size):
            made.append(size)
            return self.real.random(size)

    monkeypatch.setattr(np.random, "default_rng", Counted)
    for rows, times in ((4, 200), (15, 66), (40, 25), (50, 20), (900, 20)):
        made.clear()
        ece_noise_floor([0.6] * rows)
        assert made == [rows] * times


def test_a_bin_count_that_cannot_be_is_told():
    with pytest.raises(ConfigurationError) as caught:
        ece([0.5], [1], bins=0)
    assert str(caught.value) == "bins=0: at least one bin is needed"
    with pytest.raises(ConfigurationError) as caught:
        ece([0.5], [1], equal="weight")
    assert str(caught.value) == "equal='weight': choose 'mass' or 'width'"
