"""A weighted mean and how far it may be off."""

import math

import numpy as np
import pytest

from cascade_core.statistics.standard_error import mean_with_error


def test_the_error_of_a_mean_is_that_of_its_rows():
    mean, error = mean_with_error(np.array([0.0, 1.0, 1.0, 2.0]), None)
    assert (mean, error) == (1.0, pytest.approx(math.sqrt(2) / 4))


def test_weights_count_for_the_mean_and_for_its_error():
    mean, error = mean_with_error(np.array([0.0, 1.0]), np.array([3.0, 1.0]))
    assert mean == 0.25
    assert error == pytest.approx(math.hypot(3 * 0.25, 0.75) / 4)


def test_rows_of_one_group_are_one_observation():
    values, groups = np.array([0.0, 1.0, 0.5, 0.5]), np.array([7, 7, 3, 9])
    assert mean_with_error(values, None, groups) == (0.5, 0.0), "the first two even out"
    together = mean_with_error(np.array([0.0, 0.0, 1.0, 1.0]), None, np.array([4, 4, 2, 2]))
    assert together == (0.5, pytest.approx(math.sqrt(2) / 4))


def test_the_error_is_what_means_of_other_samples_differ_by():
    rng = np.random.default_rng(0)
    samples = rng.beta(2, 5, (2_000, 200))
    assert mean_with_error(samples[0], None)[1] == pytest.approx(
        samples.mean(axis=1).std(), rel=0.1
    )
