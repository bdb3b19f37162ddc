"""A paid signal is read where it can still matter, and its price counted there."""

import numpy as np
import pytest

from cascade_core.evaluation.paid import PaidReading, paid_at

READING = PaidReading(
    price=np.array([1.0, 2.0, 4.0, 8.0]),
    low=np.array([0.2, 0.0, np.nan, 0.5]),
    high=np.array([0.6, 0.4, 0.9, 0.5]),
)


@pytest.mark.parametrize(
    ("threshold", "paid"),
    [
        (0.0, [0, 0, 0, 0]),
        (0.2, [0, 2, 0, 0]),
        (0.4, [1, 2, 0, 0]),
        (0.5, [1, 0, 0, 0]),
        (0.61, [0, 0, 0, 0]),
        (np.array([0.3, 0.41, 0.3, 0.5]), [1, 0, 0, 0]),
    ],
)
def test_a_row_pays_where_the_threshold_lies_above_its_worst_and_not_above_its_best(
    threshold, paid
):
    assert READING.at(threshold).tolist() == paid


@pytest.mark.parametrize("weights", [None, np.array([1.0, 0.5, 2.0, 1.0])])
def test_what_all_rows_pay_together_is_their_sum(weights):
    thresholds = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, np.inf])
    mass = np.ones(4) if weights is None else weights
    expected = [2 * (READING.at(t) @ mass) for t in thresholds]
    assert paid_at([READING, READING], thresholds, weights).tolist() == pytest.approx(expected)


def test_a_price_that_is_not_known_makes_the_sum_unknown():
    unpriced = PaidReading(np.array([np.nan]), np.array([0.1]), np.array([0.9]))
    assert np.isnan(unpriced.at(0.5)).all()
    assert unpriced.at(0.05).tolist() == [0.0]
    assert np.isnan(paid_at([unpriced], np.array([0.5]), None)).all()
