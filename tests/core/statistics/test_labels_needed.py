"""How many labels a promise takes, told so that one can go and collect them."""

import math

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.labels_needed import labels_needed, units_needed
from cascade_core.statistics.pvalues import binomial_p


@pytest.mark.parametrize(
    ("limit", "delta", "rows"),
    [
        (0.01, 0.05, 299),
        (0.5, 0.25, 2),
        (0.5, 0.24, 3),
        (0.5, 0.26, 2),
        (0.5, 0.5, 1),
        (0.02, 0.1, 114),
    ],
)
def test_without_harm_it_is_the_number_of_tosses_that_cannot_all_miss(limit, delta, rows):
    assert labels_needed(limit, delta) == rows
    assert (1 - limit) ** rows <= delta < (1 - limit) ** (rows - 1)


@pytest.mark.parametrize("limit", [0.02, 0.1, 0.4])
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9])
def test_with_harm_one_row_fewer_would_not_do(limit, part):
    harm = limit * part
    needed = labels_needed(limit, 0.05, harm=harm)

    def passes(n):
        return binomial_p(math.ceil(harm * n - 1e-9), n, limit) <= 0.05

    assert passes(needed)
    assert not passes(needed - max(1, needed // 10_000))


@pytest.mark.parametrize("harm", [0.1, 0.0999999, 0.5, 1.0])
def test_where_harm_is_all_but_the_limit_no_number_is_named(harm):
    assert labels_needed(0.1, 0.05, harm=harm) is None


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: labels_needed(0.0, 0.05), "limit must be above 0 and below 1, got 0.0"),
        (lambda: labels_needed(0.1, 1.0), "delta must be above 0 and below 1, got 1.0"),
        (lambda: labels_needed(0.1, 0.05, harm=-0.1), "harm must be in [0, 1], got -0.1"),
        (lambda: labels_needed(0.1, 0.05, harm=1.5), "harm must be in [0, 1], got 1.5"),
    ],
)
def test_what_cannot_be_promised_is_said(call, said):
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert str(caught.value) == said


# --- by betting -----------------------------------------------------------------------------------


def test_without_losses_betting_takes_as_many_as_the_exact_test():
    assert units_needed(np.zeros(10), 0.01, 0.05) == 299
    assert units_needed(np.zeros(10), 0.5, 0.25) == 2


@pytest.mark.parametrize("losses", [[0.0, 0.0, 0.0, 0.2], [0.0] * 19 + [1.0], [0.05, 0.1, 0.15]])
def test_the_best_constant_stake_reaches_the_level_in_so_many_units(losses):
    limit, delta, losses = 0.2, 0.05, np.array(losses)
    stakes = np.linspace(0.0, 1 / (1 - limit), 20_001)[1:-1]
    growth = np.log1p(stakes[:, None] * (limit - losses)).mean(axis=1).max()
    least = -math.log(delta) / growth
    assert least <= units_needed(losses, limit, delta) <= 1.02 * least + 1


@pytest.mark.parametrize("mean", [0.2, 0.3, 0.2 - 1e-7])
def test_where_losses_are_all_but_the_limit_no_number_of_units_is_named(mean):
    assert units_needed(np.array([mean, mean - 0.1, mean + 0.1]), 0.2, 0.05) is None
