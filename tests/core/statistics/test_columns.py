"""Columns that figures are computed from: what is refused is named, with the row."""

import math

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.columns import column, observed, weighting

WEIGHTS = "weights: every weight is a finite number, none negative, and one at least above 0"


def test_a_column_is_one_float_a_row():
    found = column("q", [0, True, 2])
    assert found.tolist() == [0.0, 1.0, 2.0]
    assert found.dtype == np.float64
    assert column("q", [], 0).tolist() == []


def test_no_weights_are_one_each():
    assert weighting(None, 2).tolist() == [1.0, 1.0]
    assert weighting([0, 3], 2).tolist() == [0.0, 3.0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: column("q", 1.0), "q: expected one number a row, got an array of shape ()"),
        (lambda: column("q", [[1]]), "q: expected one number a row, got an array of shape (1, 1)"),
        (
            lambda: column("q", [1, 2], 3),
            "q: expected 3 numbers, one a row, got an array of shape (2,)",
        ),
        (
            lambda: column("q", [[1]], 1),
            "q: expected 1 numbers, one a row, got an array of shape (1, 1)",
        ),
        (
            lambda: observed("q", [1, 1], 3),
            "q: expected 3 numbers, one a row, got an array of shape (2,)",
        ),
        (
            lambda: observed("q", [1, math.nan, 2]),
            (
                "q: every row needs a number in [0, 1]; row 1 has none "
                "(2 of 3 rows are like that): leave them out"
            ),
        ),
        (
            lambda: observed("q", [0, 1, -0.25]),
            (
                "q: every row needs a number in [0, 1]; row 2 has -0.25 "
                "(1 of 3 rows are like that): leave them out"
            ),
        ),
        (
            lambda: weighting([1], 2),
            "weights: expected 2 numbers, one a row, got an array of shape (1,)",
        ),
        (lambda: weighting([1, -1], 2), WEIGHTS),
        (lambda: weighting([1, math.inf], 2), WEIGHTS),
        (lambda: weighting([1, math.nan], 2), WEIGHTS),
        (lambda: weighting([0, 0], 2), WEIGHTS),
    ],
)
def test_what_cannot_be_is_named(call, said):
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert str(caught.value) == said


def test_the_ends_of_a_quality_are_qualities():
    assert observed("q", [0, 1]).tolist() == [0.0, 1.0]
