"""Means and sums of a population that was looked at in part, with known probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core.statistics.beta import beta_quantile
from cascade_core.statistics.hajek import share_interval, share_mean, sum_of


def test_each_one_seen_stands_for_others_of_its_kind() -> None:
    values, probability = np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.1, 0.1])
    assert share_mean(values, probability) == pytest.approx(2 / 22)


def test_nobody_seen_tells_nothing() -> None:
    nobody = np.array([])
    assert share_mean(nobody, nobody) is None
    found = share_interval(nobody, nobody)
    assert (found.low, found.high) == (0, 1)


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 50), (10, 1000), (600, 1000), (20, 20)])
def test_equal_weights_give_the_interval_of_clopper_and_pearson(hits: int, n: int) -> None:
    values = np.array([1.0] * hits + [0.0] * (n - hits))
    found = share_interval(values, np.full(n, 0.05))
    low = beta_quantile(0.025, hits, n - hits + 1) if hits else 0.0
    high = beta_quantile(0.975, hits + 1, n - hits) if hits < n else 1.0
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_without_one_bad_answer_there_is_still_room_for_some() -> None:
    found = share_interval(np.zeros(100), np.full(100, 0.05))
    assert found.low == 0
    assert found.high == pytest.approx(1 - 0.025**0.01)
    heavier = share_interval(np.zeros(100), np.array([0.05] * 99 + [0.001]))
    assert heavier.high > 2 * found.high, "one that is seldom looked at may hide much"


def test_intervals_hold_the_truth_with_unequal_probabilities_and_rare_harm() -> None:
    rng = np.random.default_rng(3)
    runs, held = 400, 0
    for _ in range(runs):
        often = rng.random(6000) < 0.2
        probability = np.where(often, 0.2, 0.03)
        harm = (rng.random(6000) < np.where(often, 0.005, 0.03)) * rng.beta(2, 2, 6000)
        seen = rng.random(6000) < probability
        found = share_interval(harm[seen], probability[seen])
        held += found.low <= harm.mean() <= found.high
    assert held / runs >= 0.93


def test_a_sum_is_certain_where_all_were_looked_at() -> None:
    found = sum_of(np.array([1.0, 2.0, 6.0]), np.ones(3), 3)
    assert (found.value, found.interval.low, found.interval.high) == (9, 9, 9)


def test_a_sum_of_a_long_tail_is_held() -> None:
    rng = np.random.default_rng(4)
    runs, held, missed_above = 400, 0, 0
    for _ in range(runs):
        costs, seen = rng.lognormal(0, 1, 4000), rng.random(4000) < 0.05
        found = sum_of(costs[seen], np.full(np.count_nonzero(seen), 0.05), 4000).interval
        held += found.low <= costs.sum() <= found.high
        missed_above += found.high < costs.sum()
    assert held / runs >= 0.93
    assert missed_above / runs <= 0.06, "the long tail is on the upper side"


def test_more_unequal_probabilities_widen_the_interval_of_a_sum() -> None:
    values = np.tile([0.0, 1.0], 100)
    even = sum_of(values, np.full(200, 0.1), 2000).interval
    uneven = sum_of(values, np.tile([0.1, 0.1, 0.01, 0.01], 50), 2000).interval
    assert uneven.high - uneven.low > even.high - even.low


def test_whatever_was_seen_the_interval_holds_its_mean_and_leaves_room() -> None:
    rng = np.random.default_rng(8)
    for number in range(600):
        m = (1, 2, 10, 300)[number % 4]
        values = (
            rng.random(m),
            (rng.random(m) < 0.05).astype(float),
            np.full(m, 10.0 ** -rng.integers(0, 15)),
            (rng.random(m) < 0.3) * 10.0 ** -rng.integers(1, 14),
        )[number // 4 % 4]
        probability = 10 ** -rng.uniform(0, 4, m)
        mean, found = share_mean(values, probability), share_interval(values, probability)
        assert mean is not None
        assert 0 <= found.low <= mean + 1e-9
        assert mean - 1e-9 <= found.high <= 1
        assert found.low < 1
        assert found.high > 0
