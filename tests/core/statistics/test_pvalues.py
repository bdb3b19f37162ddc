"""P-values: exact where they can be, valid everywhere, and never falling when a loss grows."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.pvalues import binomial_p, bounded_mean_p, most_harmed


@given(n=st.integers(1, 60), share=st.floats(0, 1), limit=st.floats(0.005, 0.9))
def test_the_binomial_value_is_the_sum_of_its_terms(n, share, limit):
    harmed = round(share * n)
    terms = sum(comb(n, k) * limit**k * (1 - limit) ** (n - k) for k in range(harmed + 1))
    assert binomial_p(harmed, n, limit) == pytest.approx(terms, rel=1e-9)


def test_zero_harm_at_one_percent_passes_from_299_rows_on():
    assert binomial_p(0, 298, 0.01) > 0.05 >= binomial_p(0, 299, 0.01)
    assert bounded_mean_p(np.zeros(298), 0.01) > 0.05 >= bounded_mean_p(np.zeros(299), 0.01)


@pytest.mark.parametrize("n", [10, 299, 473, 1000, 20_000, 1_000_000])
@pytest.mark.parametrize("limit", [0.01, 0.05, 0.3])
def test_most_harmed_is_the_last_count_that_passes(n, limit):
    most = most_harmed(n, limit, 0.05)
    assert binomial_p(most + 1, n, limit) > 0.05
    assert most == -1 or binomial_p(most, n, limit) <= 0.05


@settings(max_examples=60)
@given(
    losses=st.lists(st.floats(0, 1), min_size=1, max_size=80),
    limit=st.floats(0.01, 0.9),
    seed=st.integers(0, 5),
)
def test_a_betting_value_is_a_probability(losses, limit, seed):
    assert 0.0 < bounded_mean_p(np.array(losses), limit, seed=seed) <= 1.0


@pytest.mark.parametrize(
    ("limit", "draw"),
    [
        (0.02, lambda rng, n: (rng.random(n) < 0.02) * 1.0),
        (0.02, lambda rng, n: (rng.random(n) < 0.08) * rng.choice([0.1, 0.4], n)),
        (0.3, lambda rng, n: rng.beta(3, 7, n)),
        (0.5, lambda rng, n: rng.choice([0.0, 0.49, 0.5, 0.51, 1.0], n)),
    ],
)
def test_a_mean_at_the_limit_passes_in_at_most_delta_of_draws(limit, draw):
    rng = np.random.default_rng(3)
    draws = 2000
    passed = sum(bounded_mean_p(draw(rng, 400), limit) <= 0.05 for _ in range(draws))
    assert passed / draws <= 0.05 + 2 * (0.05 * 0.95 / draws) ** 0.5


def test_betting_sees_how_small_the_losses_are():
    losses = np.zeros(1000)
    losses[::25] = 0.1  # mean .004; as 0/1 losses of the same mean, 4 of 1,000
    assert bounded_mean_p(losses, 0.01) < 0.01 < binomial_p(4, 1000, 0.01)


def test_a_sorted_table_costs_nothing():
    losses = np.zeros(2000)
    losses[:20] = 1.0
    assert bounded_mean_p(losses, 0.03) < 0.05


@pytest.mark.parametrize("bad", [1.0001, -0.1, np.nan])
def test_a_loss_out_of_range_is_named_by_row(bad):
    with pytest.raises(ConfigurationError, match="row 1: a loss must be a number in"):
        bounded_mean_p(np.array([0.0, bad]), 0.1)


@pytest.mark.parametrize("limit", [0.0, 1.0, np.nan, -1.0])
def test_a_limit_that_is_no_share_is_refused(limit):
    with pytest.raises(ConfigurationError, match="limit"):
        binomial_p(0, 10, limit)
    with pytest.raises(ConfigurationError, match="limit"):
        bounded_mean_p(np.zeros(10), limit)


@pytest.mark.parametrize(("harmed", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_counts_that_cannot_be_are_refused(harmed, n):
    with pytest.raises(ConfigurationError, match="harmed"):
        binomial_p(harmed, n, 0.1)
