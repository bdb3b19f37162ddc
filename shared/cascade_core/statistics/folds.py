"""Deals rows into folds, or in two: groups stay together, and each part gets all outcomes.

Everything is settled by the seed, and nothing here looks at more than groups and outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError

LEVELS = 10
"""Fractional outcomes are told apart in this many steps."""


def folds(
    n: int, k: int, groups: Ints | None = None, seed: int = 0, *, strata: Array | None = None
) -> Ints:
    """Deal rows into folds of about equal size.

    Args:
        n: How many rows.
        k: How many folds; fewer are used where there are fewer groups.
        groups: Rows of equal code stay together, shape (n,).
        seed: Settles the dealing.
        strata: Outcomes in [0, 1], shape (n,), which every fold gets its share of.

    Returns:
        The fold of every row, from 0, shape (n,).

    Raises:
        ConfigurationError: There are fewer than two rows or groups to deal.
    """
    units = _units(n, groups, strata, seed)
    count = len(units.order)
    if count < 2 or k < 2:  # noqa: PLR2004 - one fold has nothing to be fitted on
        msg = f"{k} folds of {count} rows or groups: at least two of each are needed"
        raise ConfigurationError(msg)
    k = min(k, count)
    fold = np.empty(count, dtype=np.int64)
    # Each k that follow each other are alike; chance says which of them goes to which fold.
    turns = np.random.default_rng((seed, k)).random((-(-count // k), k)).argsort(axis=1)
    fold[units.order] = turns.ravel()[:count]
    return fold[units.of_row]


def split(
    n: int,
    share: float,
    groups: Ints | None = None,
    strata: Array | None = None,
    seed: int = 0,
) -> tuple[Ints, Ints]:
    """Split rows in two, in order.

    Args:
        n: How many rows.
        share: Share of the rows that goes to the first part, between 0 and 1.
        groups: Rows of equal code stay together, shape (n,).
        strata: Outcomes in [0, 1], shape (n,), which both parts get their share of.
        seed: Settles who goes where.

    Returns:
        The row numbers of both parts, ascending, neither empty.

    Raises:
        ConfigurationError: `share` is not between 0 and 1, or there are fewer than
            two rows or groups.
    """
    units = _units(n, groups, strata, seed)
    if not 0 < share < 1 or len(units.order) < 2:  # noqa: PLR2004 - a part each
        msg = f"a split of {len(units.order)} rows or groups at {share}: both parts need some"
        raise ConfigurationError(msg)
    sizes = units.sizes[units.order]
    # Each goes wherever the first part is furthest behind or ahead of its share.
    start = float(np.random.default_rng(seed).random())
    if groups is None:
        steps = np.floor(np.arange(n + 1) * share + start)
        first = np.diff(steps) > 0
    else:
        first = np.empty(len(sizes), dtype=np.bool_)
        due = start * float(sizes[0]) - float(sizes[0]) / 2
        for place, size in enumerate(sizes.tolist()):
            due += share * size
            first[place] = due >= size / 2
            due -= size * bool(first[place])
    if first.all() or not first.any():
        first[int(start * len(first))] ^= True
    chosen = np.empty(len(sizes), dtype=np.bool_)
    chosen[units.order] = first
    in_first = chosen[units.of_row]
    return np.flatnonzero(in_first), np.flatnonzero(~in_first)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """What is dealt: rows or groups, in an order in which those of like outcomes are neighbours."""

    of_row: Ints  # (n,)
    sizes: Ints  # (units,)
    order: Ints  # (units,)


def _units(n: int, groups: Ints | None, strata: Array | None, seed: int) -> _Units:
    if groups is None:
        of_row, sizes = np.arange(n), np.ones(n, dtype=np.int64)
    else:
        _, of_row, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    if strata is None and groups is None:
        return _Units(of_row, sizes, shuffled)
    level = np.zeros(len(sizes))
    if strata is not None:
        mean = np.nan_to_num(strata)
        if groups is not None:
            mean = np.bincount(of_row, mean) / sizes
        level = np.round(mean * LEVELS)
    if groups is not None:
        return _Units(of_row, sizes, np.lexsort((shuffled, -sizes, level)))
    # The same order for rows alone; small whole numbers are sorted in linear time.
    turn = np.empty(len(sizes), dtype=np.int64)
    turn[shuffled] = of_row
    ordered = np.argsort(level[turn].astype(np.int16), kind="stable")
    return _Units(of_row, sizes, turn[ordered])
