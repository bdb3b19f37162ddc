"""Weights and groups become independent losses whose mean is at the limit where the table's is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.pvalues import bounded_mean_p
from cascade_core.statistics.units import make_units

HALVES = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0])


def test_rows_that_weigh_the_same_are_their_losses():
    losses = np.array([0.0, 0.5, 1.0])
    for weights in (None, np.full(3, 7.0)):
        units = make_units(3, weights, None)
        assert units.plain
        assert len(units) == 3
        assert units.losses(losses, 0.1).tolist() == losses.tolist()


@pytest.mark.parametrize(
    ("weights", "groups", "heaviest"),
    [
        (np.array([1.0, 2.0, 1.0]), None, None),
        (None, np.array([0, 0, 1]), None),
        (None, None, 2.0),
        (np.array([1.0, 1.0, 0.0]), None, None),
    ],
)
def test_rows_that_weigh_differently_or_belong_together_are_not_plain(weights, groups, heaviest):
    assert not make_units(3, weights, groups, heaviest).plain


def test_a_light_row_says_less_and_the_limit_fills_what_it_leaves():
    units = make_units(3, np.array([4.0, 1.0, 0.0]), None)
    # (w · loss + limit · (4 − w)) / 4
    assert units.losses(np.array([0.5, 1.0, 1.0]), 0.2).tolist() == pytest.approx(
        [0.5, (1 + 0.6) / 4, 0.2]
    )
    assert units.row.tolist() == [1.0, 0.25, 0.0]


def test_rows_of_a_group_are_one_loss():
    units = make_units(4, None, np.array([9, 5, 9, 9]))
    assert len(units) == 2
    assert units.total.tolist() == pytest.approx([1 / 3, 1.0])
    # Groups in the order of their codes: 5 has one row of three, 9 has all three.
    assert units.losses(np.array([1.0, 0.5, 0.0, 0.5]), 0.3).tolist() == pytest.approx(
        [0.5 / 3 + 0.3 * 2 / 3, 0.5]
    )


def test_groups_of_one_row_are_rows():
    units = make_units(3, np.array([1.0, 2.0, 4.0]), np.array([8, 2, 5]))
    assert units.code is None
    assert units.total.tolist() == [0.25, 0.5, 1.0]
    assert make_units(3, None, np.array([8, 2, 5])).plain


def test_the_heaviest_a_unit_can_be_is_taken_from_those_who_know():
    units = make_units(2, np.array([1.0, 2.0]), None, heaviest=4.0)
    assert units.total.tolist() == [0.25, 0.5]
    assert make_units(2, None, None, heaviest=1.0).plain
    with pytest.raises(ConfigurationError) as caught:
        make_units(2, np.array([1.0, 2.0]), None, heaviest=1.5)
    assert str(caught.value) == ("a unit weighs 2, more than the heaviest there can be (1.5)")


@given(
    rows=st.lists(st.tuples(st.floats(0, 1), HALVES, st.integers(0, 3)), min_size=1, max_size=20),
    limit=st.floats(0.01, 0.99),
    grouped=st.booleans(),
)
def test_their_mean_is_above_the_limit_where_the_weighted_mean_loss_is(rows, limit, grouped):
    losses, weights, groups = (np.array(column) for column in zip(*rows, strict=True))
    if not weights.any():
        weights = weights + 1.0
    units = make_units(len(rows), weights, groups if grouped else None)
    per_unit = units.losses(losses, limit)
    assert ((per_unit >= 0) & (per_unit <= 1)).all()
    over = np.average(losses, weights=weights) - limit
    assert (per_unit - limit).sum() == pytest.approx(over * units.row.sum(), abs=1e-9)


@pytest.mark.parametrize("groups", [None, np.array([0, 0, 1, 1, 2])])
def test_sums_over_some_rows_leave_nothing_of_the_others(groups):
    units = make_units(5, None, groups)
    rows = np.array([1, 3])
    some = units.sums(np.array([0.5, 0.25]), rows)
    everything = np.zeros(5)
    everything[rows] = [0.5, 0.25]
    assert some.tolist() == units.sums(everything, None).tolist()
    assert some.dtype == np.float64


def test_a_heavy_harmed_row_is_no_lighter_than_it_is():
    losses, weights = np.zeros(400), np.ones(400)
    losses[:4], weights[:4] = 1.0, 10.0
    heavy = make_units(400, weights, None).losses(losses, 0.05)
    assert np.average(losses, weights=weights) > 0.05
    assert bounded_mean_p(heavy, 0.05) > 0.5
    assert bounded_mean_p(losses, 0.05) < 0.05, "taken for plain rows they would pass"


@pytest.mark.parametrize(
    ("weights", "groups", "said"),
    [
        (np.ones(2), None, "weights must have one value a row (3), got (2,)"),
        (None, np.zeros(4, dtype=np.int64), "groups must have one value a row (3), got (4,)"),
        (np.zeros(3), None, "weights must be finite, not negative and not all 0"),
        (np.array([1.0, -1.0, 1.0]), None, "weights must be finite, not negative and not all 0"),
        (np.array([1.0, np.inf, 1.0]), None, "weights must be finite, not negative and not all 0"),
        (np.array([1.0, np.nan, 1.0]), None, "weights must be finite, not negative and not all 0"),
    ],
)
def test_columns_that_cannot_be_are_named(weights, groups, said):
    with pytest.raises(ConfigurationError) as caught:
        make_units(3, weights, groups)
    assert str(caught.value) == said
