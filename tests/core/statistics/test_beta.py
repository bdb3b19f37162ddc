"""Quantiles of the beta distribution, beside what is known of them in closed form."""

from __future__ import annotations

import pytest

from cascade_core.statistics.beta import beta_cdf, beta_quantile


@pytest.mark.parametrize(("a", "b"), [(1.0, 1000.0), (1.0, 3.0), (1.0, 0.5)])
def test_with_a_first_parameter_of_1_it_is_a_power(a: float, b: float) -> None:
    for probability in (0.025, 0.5, 0.975):
        expected = 1 - (1 - probability) ** (1 / b)
        assert beta_quantile(probability, a, b) == pytest.approx(expected, rel=1e-10)


def test_its_mass_is_that_of_binomial_counts() -> None:
    """P(Binomial(n, x) ≥ k) is the mass below x with parameters k and n − k + 1."""
    from math import comb

    for n, k, x in ((20, 3, 0.1), (200, 150, 0.7), (50, 1, 0.01)):
        tail = sum(comb(n, i) * x**i * (1 - x) ** (n - i) for i in range(k, n + 1))
        assert beta_cdf(x, k, n - k + 1) == pytest.approx(tail, rel=1e-10)


@pytest.mark.parametrize(
    ("a", "b"), [(0.3, 7.0), (10.5, 990.0), (40_000.0, 300.0), (500_000.0, 500_000.0)]
)
def test_a_quantile_has_its_mass_below(a: float, b: float) -> None:
    for probability in (0.001, 0.025, 0.5, 0.975):
        assert beta_cdf(beta_quantile(probability, a, b), a, b) == pytest.approx(
            probability, rel=1e-7
        )


def test_all_mass_is_between_0_and_1() -> None:
    assert (beta_cdf(0, 2, 3), beta_cdf(1, 2, 3)) == (0, 1)
    assert 0 <= beta_quantile(1e-9, 1e-3, 1e-3) <= beta_quantile(1 - 1e-9, 1e-3, 1e-3) <= 1
