"""P-values: exact where they can be, valid everywhere, and never falling when a loss grows."""

import math
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.pvalues import (
    betting_p,
    binomial_p,
    bounded_mean_p,
    most_harmed,
    stakes,
)


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


@pytest.mark.simulation
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


# --- by hand --------------------------------------------------------------------------------------


def test_what_counts_is_the_most_that_was_ever_held():
    stake = np.array([2.0, 1.0, 0.5])
    losses = np.array([0.0, 0.0, 1.0])
    # 1 + 2 · 0.2, then · (1 + 0.2), then · (1 − 0.5 · 0.8): it was highest after the second.
    assert betting_p(losses, 0.2, stake) == pytest.approx(1 / (1.4 * 1.2))
    fallen = betting_p(np.ones(3), 0.2, np.full(3, 0.5))
    assert fallen == 1.0, "a capital that only fell proves nothing"


@given(
    losses=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    more=st.integers(0, 29),
    limit=st.floats(0.05, 0.9),
)
def test_a_larger_loss_never_makes_a_smaller_p(losses, more, limit):
    stake = np.linspace(0.0, 1.0, len(losses))
    larger = np.array(losses)
    larger[more % len(losses)] = 1.0
    assert betting_p(larger, limit, stake) >= betting_p(np.array(losses), limit, stake)


def test_stakes_are_larger_where_losses_are_expected_to_be_small():
    limit, delta = 0.1, 0.05
    spread = np.full(500, limit * (1 - limit))
    spread[:4] = spread[0], spread[0] / 4, 0.0, 1.0
    largest, quarter, none, beyond = stakes(spread, limit, delta).tolist()[:4]
    ruin = 1 / (1 - limit)
    assert quarter == pytest.approx(2 * largest)
    assert none == pytest.approx(0.9 * ruin), "never more than nine tenths of ruin"
    assert beyond == largest, "no loss in [0, 1] varies more than that"


@pytest.mark.parametrize("n", [50, 500, 5_000])
def test_stakes_on_whole_losses_are_those_whose_mean_can_just_be_told_apart(n):
    limit, delta = 0.05, 0.05
    (stake,) = set(stakes(np.full(n, limit * (1 - limit)), limit, delta).tolist())
    mean = limit - stake * limit * (1 - limit)
    if n < -math.log(delta) / -math.log1p(-limit):
        assert stake == pytest.approx(1 / (1 - limit), rel=1e-6), "nothing can be: all is staked"
        return
    kl = mean * math.log(mean / limit) + (1 - mean) * math.log((1 - mean) / (1 - limit))
    assert n * kl == pytest.approx(-math.log(delta))


def test_bets_on_a_row_look_at_earlier_rows_only():
    limit, losses = 0.3, np.random.default_rng(2).beta(1, 4, 80)
    order = np.random.default_rng(0).permutation(80)
    most, seen, capital, best = limit * (1 - limit), [], 1.0, 1.0
    for loss in losses[order].tolist():
        spread = (1 + sum((x - limit) ** 2 for x in seen)) / (1 / most + len(seen))
        stake = stakes(np.full(80, spread), limit, 0.05)[0]
        capital *= 1 + stake * (limit - loss)
        best = max(best, capital)
        seen.append(loss)
    assert bounded_mean_p(losses, limit) == pytest.approx(1 / best)


def test_the_order_of_bets_is_settled_by_the_seed():
    losses = np.random.default_rng(1).random(60) * 0.4
    assert bounded_mean_p(losses, 0.3, seed=1) == bounded_mean_p(losses, 0.3, seed=1)
    assert bounded_mean_p(losses, 0.3, seed=1) != bounded_mean_p(losses, 0.3, seed=2)
    assert bounded_mean_p(losses, 0.3) == bounded_mean_p(losses, 0.3, seed=0)


def test_the_level_aimed_at_changes_the_stakes():
    losses = np.zeros(100)
    assert bounded_mean_p(losses, 0.1, delta=0.001) != bounded_mean_p(losses, 0.1)
    assert bounded_mean_p(losses, 0.1, delta=0.05) == bounded_mean_p(losses, 0.1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: binomial_p(0, 10, 1.0), "limit must be above 0 and below 1, got 1.0"),
        (lambda: binomial_p(11, 10, 0.5), "harmed must be in 0…n and n at least 1, got 11 of 10"),
        (
            lambda: bounded_mean_p(np.zeros(3), 0.5, delta=0.0),
            "delta must be above 0 and below 1, got 0.0",
        ),
        (
            lambda: bounded_mean_p(np.zeros(0), 0.5),
            "losses must be a non-empty column, got shape (0,)",
        ),
        (
            lambda: bounded_mean_p(np.zeros((2, 2)), 0.5),
            "losses must be a non-empty column, got shape (2, 2)",
        ),
        (
            lambda: bounded_mean_p(np.array([1.0, 0.0, -0.5, 2.0]), 0.5),
            (
                "row 2: a loss must be a number in [0, 1], got -0.5; "
                "leave rows without an observed quality out"
            ),
        ),
    ],
)
def test_what_cannot_be_tested_is_said(call, said):
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert str(caught.value) == said


def test_the_ends_of_what_can_be_counted_are_taken():
    assert binomial_p(0, 1, 0.25) == pytest.approx(0.75)
    assert binomial_p(1, 1, 0.25) == 1.0
    assert most_harmed(1, 0.25, 0.75) == 0
    assert most_harmed(1, 0.25, 0.74) == -1
