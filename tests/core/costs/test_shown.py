"""Amounts of money as people are shown them."""

import pytest

from cascade_core.costs.shown import dollars


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "$0.0000"),
        (0.0000935, "$0.0000935"),
        (0.5, "$0.5000"),
        (99.12345, "$99.1235"),
        (1031.8688, "$1,031.87"),
        (-0.001, "-$0.00100"),
        (-2500, "-$2,500.00"),
    ],
)
def test_an_amount_has_the_digits_that_matter(amount: float, shown: str) -> None:
    assert dollars(amount) == shown
