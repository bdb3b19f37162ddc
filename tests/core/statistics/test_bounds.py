"""Bounds from few rows fail no more often than they say."""

import math

import numpy as np
import pytest

from cascade_core.statistics.bounds import band, highest_mean


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.5, 1.0])
def test_a_bound_on_a_share_fails_no_more_often_than_it_says(share):
    n, alpha = 40, 0.05
    missed = sum(
        math.comb(n, k) * share**k * (1 - share) ** (n - k)
        for k in range(n + 1)
        if highest_mean(k / n, n, alpha) < share - 1e-12
    )
    assert missed <= alpha
    assert highest_mean(share, 10**9, alpha) == pytest.approx(share, abs=1e-3)


def test_a_band_round_a_distribution_fails_no_more_often_than_it_says():
    rng, n, alpha, draws = np.random.default_rng(5), 60, 0.1, 2_000
    ordered = np.sort(rng.random((draws, n)), axis=1)
    ranks = np.arange(1, n + 1) / n
    apart = np.maximum(abs(ranks - ordered), abs(ranks - 1 / n - ordered)).max(axis=1)
    missed = (apart > band(n, alpha)).mean()
    assert 0.05 < missed <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / draws)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_of_rows_that_were_all_zero_the_bound_is_what_would_hardly_have_been_all_zero(alpha):
    assert highest_mean(0.0, 40, alpha) == pytest.approx(1 - alpha ** (1 / 40))


def test_a_bound_lies_where_the_divergence_uses_up_the_chance():
    bound = highest_mean(0.3, 200, 0.05)
    divergence = 0.3 * math.log(0.3 / bound) + 0.7 * math.log(0.7 / (1 - bound))
    assert 200 * divergence == pytest.approx(math.log(1 / 0.05))
    assert bound > 0.3


@pytest.mark.parametrize("rows", [1, 1e-3])
def test_a_bound_never_exceeds_all(rows):
    assert highest_mean(1.0, rows, 0.05) == 1.0
    assert highest_mean(0.99, rows, 0.05) <= 1.0


def test_the_band_of_a_hundred_rows():
    assert band(100, 0.05) == pytest.approx(0.1358, abs=1e-4)
