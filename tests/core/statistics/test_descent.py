"""The search for the lowest confidence that passes: its bets, one by one, and its ends."""

import math

import numpy as np
import pytest

from cascade_core.statistics.descent import betting_descent, between, exact_descent
from cascade_core.statistics.pvalues import binomial_p, most_harmed, stakes
from cascade_core.statistics.units import make_units


def in_turn(harm, accepted, units, *, limit, delta, seed):
    """Bet on one unit after the other; give the p-value of what is accepted."""
    everything = units.sums(harm * units.row, None)
    losses = units.of_sums(units.sums(harm * units.row * accepted, None), limit)
    squares, sums, weights, spread = 2.0, 2.0, 1.0, []
    turn = np.random.default_rng(seed).permutation(len(units)).tolist()
    for place, unit in enumerate(turn):
        mean = limit * weights / (1.0 + place)  # of a unit's loss, where it meets the limit
        spread.append(max(0.0, mean * (squares / sums - mean)))
        squares += everything[unit] ** 2
        sums += everything[unit]
        weights += units.total[unit]
    capital = best = 1.0
    for unit, stake in zip(turn, stakes(np.array(spread), limit, delta).tolist(), strict=True):
        capital *= 1 + stake * (limit - losses[unit])
        best = max(best, capital)
    return 1 / best


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_stakes_go_by_the_harm_of_earlier_units_accepted_or_not(grouped, weighted):
    rng, n = np.random.default_rng(4), 120
    harm = (rng.random(n) < 0.2) * rng.choice([0.25, 0.5, 1.0], n)
    units = make_units(
        n, rng.uniform(0.2, 1, n) if weighted else None, rng.integers(0, 60, n) if grouped else None
    )
    order = rng.permutation(n)
    for end in (0, 20, 59, 119):
        accepted = np.zeros(n)
        accepted[order[: end + 1]] = 1.0
        for seed in (0, 7):
            settings = {"limit": 0.1, "delta": 0.05, "seed": seed}
            _, p = betting_descent(harm, order, np.array([end]), units, **settings)
            assert p == pytest.approx(in_turn(harm, accepted, units, **settings))


def test_where_the_first_fails_none_has_passed_and_its_p_value_is_told():
    harm, order = np.ones(50), np.arange(50)
    units = make_units(50, None, None)
    passed, p = betting_descent(
        harm, order, np.array([20, 49]), units, limit=0.1, delta=0.05, seed=0
    )
    assert (passed, p) == (0, 1.0)
    passed, p = exact_descent(harm, order, np.array([20, 49]), limit=0.1, delta=0.05)
    assert (passed, p) == (0, binomial_p(21, 50, 0.1))


def test_where_all_pass_the_last_p_value_is_told():
    harm, order, ends = np.zeros(400), np.arange(400), np.array([99, 199, 399])
    units = make_units(400, None, None)
    passed, p = betting_descent(harm, order, ends, units, limit=0.05, delta=0.05, seed=0)
    assert (passed, p < 0.05) == (3, True)
    assert exact_descent(harm, order, ends, limit=0.05, delta=0.05) == (3, binomial_p(0, 400, 0.05))


@pytest.mark.parametrize("more", [0, 1])
def test_the_exact_search_allows_as_many_harmed_rows_as_its_test(more):
    most = most_harmed(400, 0.05, 0.05)
    harm = np.repeat([0.0, 1.0, 0.0], [100, most + more, 300 - most - more])
    ends = np.array([99, 99 + most + more, 399])
    passed, p = exact_descent(harm, np.arange(400), ends, limit=0.05, delta=0.05)
    assert passed == (1 if more else 3)
    assert p == binomial_p(0 if more else most, 400, 0.05)


@pytest.mark.parametrize(
    ("accepted", "lower", "middle"),
    [
        (0.75, 0.25, 0.5),
        (0.8, 0.8, 0.8),
        (1.0, -1.0, 0.0),
        (math.nextafter(0.5, 1.0), 0.5, math.nextafter(0.5, 1.0)),
        (5e-324, 0.0, 5e-324),
    ],
)
def test_a_threshold_lies_midway_or_where_there_is_nothing_between_at_the_upper(
    accepted, lower, middle
):
    assert between(accepted, lower) == middle
