"""A mean and its standard error, by hand and against how means of samples scatter."""

import numpy as np
import pytest

from cascade_core.statistics.standard_error import mean_with_error


def test_rows_that_weigh_the_same():
    mean, error = mean_with_error(np.array([0.0, 1.0, 1.0, 2.0]), None)
    assert (mean, error) == (1.0, pytest.approx(np.sqrt(2) / 4))


def test_a_weight_counts_in_the_mean_and_in_the_error():
    mean, error = mean_with_error(np.array([0.0, 4.0]), np.array([3.0, 1.0]))
    assert (mean, error) == (1.0, pytest.approx(np.sqrt(9 + 9) / 4))


def test_rows_of_a_group_are_one_observation():
    values, groups = np.array([0.0, 0.0, 2.0, 2.0]), np.array([7, 7, 3, 3])
    assert mean_with_error(values, None, groups) == (1.0, pytest.approx(np.sqrt(2 * 2**2) / 4))
    assert mean_with_error(values, None)[1] == pytest.approx(np.sqrt(4) / 4)


def test_the_error_is_how_means_scatter():
    draws = np.random.default_rng(0).random((2_000, 100))
    errors = [mean_with_error(draw, None)[1] for draw in draws]
    assert np.mean(errors) == pytest.approx(draws.mean(axis=1).std(), rel=0.05)


def test_rows_of_a_group_even_out():
    values, groups = np.array([0.0, 1.0, 0.5, 0.5]), np.array([7, 7, 3, 9])
    assert mean_with_error(values, None, groups) == (0.5, 0.0)
