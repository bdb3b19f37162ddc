"""Dealing rows out: groups whole, outcomes spread, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.folds import folds, split

codes = st.lists(st.integers(0, 12), min_size=2, max_size=80).filter(lambda c: len(set(c)) > 1)


@given(codes, st.integers(2, 6), st.integers(0, 99))
def test_rows_of_one_group_share_a_fold(groups, k, seed):
    groups = np.array(groups)
    fold = folds(len(groups), k, groups, seed)
    assert all(len(set(fold[groups == code].tolist())) == 1 for code in groups)
    assert set(fold.tolist()) == set(range(min(k, len(set(groups.tolist())))))


@given(codes, st.floats(0.01, 0.99), st.integers(0, 99))
def test_a_split_keeps_groups_whole_loses_no_row_and_leaves_no_part_empty(groups, share, seed):
    groups = np.array(groups)
    first, second = split(len(groups), share, groups, None, seed)
    assert first.size
    assert second.size
    assert sorted([*first, *second]) == list(range(len(groups)))
    assert not set(groups[first].tolist()) & set(groups[second].tolist())


@given(st.integers(2, 200), st.integers(2, 7), st.integers(0, 99))
def test_folds_differ_by_one_row_at_most(n, k, seed):
    sizes = np.bincount(folds(n, k, seed=seed))
    assert sizes.max() - sizes.min() <= 1


def test_every_fold_gets_its_share_of_a_rare_outcome():
    rare = (np.arange(500) < 25).astype(float)
    fold = folds(500, 5, strata=rare, seed=3)
    assert np.bincount(fold, rare).tolist() == [5, 5, 5, 5, 5]


def test_both_parts_of_a_split_get_their_share_of_a_rare_outcome():
    rare = (np.arange(500) % 25 == 0).astype(float)
    first, second = split(500, 0.3, None, rare, 1)
    assert len(first) == 150
    assert rare[first].sum() == pytest.approx(6, abs=1)
    assert rare[second].sum() == pytest.approx(14, abs=1)


def test_every_fold_and_part_gets_its_share_of_groups_of_a_rare_outcome():
    groups = np.repeat(np.arange(100)[::-1] * 7, 3)
    rare = (groups < 140).astype(float)  # 20 groups
    for seed in range(5):
        fold = folds(300, 5, groups, seed, strata=rare)
        assert np.bincount(fold, rare).tolist() == [12, 12, 12, 12, 12]
        first, second = split(300, 0.3, groups, rare, seed)
        assert rare[first].sum() == pytest.approx(18, abs=3)
        assert rare[second].sum() == pytest.approx(42, abs=3)


def test_groups_are_told_apart_by_how_good_they_are_on_average():
    # Of three rows each: 30 groups with 0, 30 with one and 30 with two good rows.
    groups = np.repeat(np.arange(90), 3)
    good = (np.tile([0, 1, 2], 90) < np.repeat(np.arange(90) % 3, 3)).astype(float)
    for seed in range(5):
        fold = folds(270, 3, groups, seed, strata=good)
        kind = np.repeat(np.arange(90) % 3, 3)
        for which in range(3):
            assert np.bincount(fold[kind == which]).tolist() == [30, 30, 30]


def test_groups_of_like_size_are_dealt_out_evenly():
    groups = np.repeat(np.arange(60), np.tile([1, 5, 20], 20))
    for seed in range(5):
        sizes = np.bincount(folds(len(groups), 4, groups, seed))
        assert sizes.tolist() == [130, 130, 130, 130]


def test_both_parts_of_a_split_get_their_share_whatever_the_seed():
    rare = (np.arange(500) % 25 == 0).astype(float)
    for seed in range(20):
        assert rare[split(500, 0.3, None, rare, seed)[0]].sum() == pytest.approx(6, abs=1)


def test_a_split_of_groups_is_off_by_a_group_at_the_most_and_not_to_one_side():
    groups = np.repeat(np.arange(25), 4)
    off = [len(split(100, 0.3, groups, None, seed)[0]) - 30 for seed in range(400)]
    assert max(map(abs, off)) <= 4
    assert np.mean(off) == pytest.approx(0, abs=0.4)


def test_a_split_meets_its_share_with_groups_of_unlike_size():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), rng.integers(1, 20, 300))
    first, _ = split(len(groups), 0.3, groups, None, 0)
    assert len(first) / len(groups) == pytest.approx(0.3, abs=0.02)


def test_the_seed_settles_everything():
    assert (folds(100, 5, seed=4) == folds(100, 5, seed=4)).all()
    assert (folds(100, 5, seed=4) != folds(100, 5, seed=5)).any()
    assert (split(100, 0.5, seed=4)[0] == split(100, 0.5, seed=4)[0]).all()
    assert len(split(100, 0.5, seed=4)[0]) == 50
    assert (folds(100, 5) == folds(100, 5, seed=0)).all()
    assert (folds(100, 5) != folds(100, 5, seed=1)).any()
    assert (split(100, 0.5)[0] == split(100, 0.5, seed=0)[0]).all()
    assert (split(100, 0.5)[0] != split(100, 0.5, seed=1)[0]).any()


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2, 0.5])
def test_the_part_of_a_split_is_spread_over_the_folds_of_the_same_seed(share):
    """A sample of every 50th row must not fall into one fold of five."""
    first, _ = split(50_000, share, seed=0)
    counts = np.bincount(folds(50_000, 5, seed=0)[first], minlength=5)
    assert counts.min() > 0.7 * counts.mean()


def test_one_group_cannot_be_dealt():
    with pytest.raises(ConfigurationError, match="at least two"):
        folds(10, 5, np.zeros(10, dtype=np.int64))
    with pytest.raises(ConfigurationError, match="both parts"):
        split(10, 0.5, np.zeros(10, dtype=np.int64))
    for share in (0.0, 1.0, -0.5, float("nan")):
        with pytest.raises(ConfigurationError, match=r"10 rows or groups at .*: both parts need"):
            split(10, share)
