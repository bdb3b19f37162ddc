"""The test that fits the losses, and what is said where it fails."""

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.labels_needed import Refused, labels_needed, units_needed
from cascade_core.statistics.loss_test import LossTest
from cascade_core.statistics.pvalues import binomial_p, bounded_mean_p
from cascade_core.statistics.units import make_units

WHOLE, PARTS = np.repeat([1.0, 0.0], [2, 98]), np.repeat([0.5, 0.0], [2, 98])
PAIRS = np.repeat(np.arange(50), 2)


def fitting(losses, *, groups=None, weights=None, binary=None, limit=0.05, delta=0.05, seed=0):
    units = make_units(len(losses), weights, groups)
    return LossTest.fitting(losses, units, limit=limit, delta=delta, seed=seed, binary=binary)


@pytest.mark.parametrize(
    ("losses", "settings", "method"),
    [
        (WHOLE, {}, "binomial"),
        (WHOLE, {"binary": True}, "binomial"),
        (WHOLE, {"binary": False}, "betting"),
        (PARTS, {}, "betting"),
        (PARTS, {"binary": False}, "betting"),
        (WHOLE, {"groups": PAIRS}, "betting"),
        (WHOLE, {"groups": PAIRS, "binary": True}, "betting"),
        (WHOLE, {"weights": np.linspace(1, 2, 100)}, "betting"),
        (np.zeros(100), {}, "binomial"),
        (np.ones(100), {}, "binomial"),
    ],
)
def test_the_exact_test_is_for_whole_losses_of_rows_alone(losses, settings, method):
    assert fitting(losses, **settings).method == method


def test_losses_that_are_not_what_they_are_said_to_be_are_refused():
    with pytest.raises(ConfigurationError) as caught:
        fitting(PARTS, binary=True)
    assert str(caught.value) == "losses said to be 0 or 1 hold other values"


def test_each_test_has_its_own_p_value():
    assert fitting(WHOLE).p_value(WHOLE) == binomial_p(2, 100, 0.05)
    bet = fitting(PARTS, delta=0.001, seed=3)
    assert bet.p_value(PARTS) == bounded_mean_p(PARTS, 0.05, delta=0.001, seed=3)
    grouped = fitting(WHOLE, groups=PAIRS)
    of_units = grouped.units.losses(WHOLE, 0.05)
    assert grouped.p_value(WHOLE) == bounded_mean_p(of_units, 0.05, delta=0.05, seed=0)


@pytest.mark.parametrize(("settings", "kind"), [({}, "100 rows"), ({"groups": PAIRS}, "50 groups")])
def test_where_the_loss_is_too_large_more_labels_are_no_advice(settings, kind):
    bad = np.repeat([1.0, 0.0], 50)
    assert fitting(bad, **settings).refuse("At the top", bad) == Refused(
        f"At the top, the loss seen over {kind} is not below the limit by enough to tell; "
        "more labels would not help, a better signal or a wider limit would",
        None,
    )


@pytest.mark.parametrize(("harmed", "rows"), [(1, 1), (1, 2), (12, 1000)])
def test_a_loss_above_the_limit_by_chance_alone_is_not_hopeless(harmed, rows):
    seen = np.repeat([1.0, 0.0], [harmed, rows - harmed])
    refused = fitting(seen, limit=0.0101).refuse("Here", seen)
    assert refused.labels_needed > rows
    assert f"{rows} rows are too few" in refused.reason


def test_where_rows_are_too_few_it_is_said_how_many_would_do():
    few = WHOLE[:20] * 0
    assert fitting(few, limit=0.01, delta=0.1).refuse("Here", few) == Refused(
        "Here, 20 rows are too few to promise this at confidence 0.9",
        labels_needed(0.01, 0.1),
    )


def test_rows_are_counted_where_groups_are_tested():
    refused = fitting(WHOLE[::-1] * 0, limit=0.001, groups=PAIRS).refuse("Here", WHOLE * 0)
    assert refused.labels_needed == 2 * units_needed(np.zeros(50), 0.001, 0.05) == 5990
    assert refused.reason == ("Here, 50 groups are too few to promise this at confidence 0.95")


def test_harm_that_is_expected_to_go_on_takes_more_rows():
    some = np.repeat([1.0, 0.0], [1, 199])
    assert fitting(some, limit=0.01).refuse("Here", some).labels_needed == labels_needed(
        0.01, 0.05, harm=0.005
    )


def test_at_least_one_row_more_than_there_were_is_asked_for():
    """An estimate from losses as seen may say that the rows there were should have done."""
    lucky = np.zeros(1000)
    assert fitting(lucky, limit=0.01).refuse("Here", lucky).labels_needed == 1001
