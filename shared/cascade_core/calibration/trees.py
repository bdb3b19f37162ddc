"""Fits trees, boosted or grown at random, and writes them down as plain numbers.

scikit-learn is imported only when a fit asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cascade_core.arrays import Array
from cascade_core.calibration.learn import Prepared, as_labels, one_thread, relative
from cascade_core.fitted.score_forms import LEAF, Boosting

FINITE = float(np.finfo(np.float64).max)

BOOSTED_TREES, RATE, LEAVES = 120, 0.06, 6
"""Boosting in many small steps, each of few leaves, which some hundred rows can carry."""

RANDOM_TREES = 200
"""Trees that are grown at random for a few rows."""

BINS = 255
"""Values that one input is told apart by."""

LOOKED_AT = 0.15
"""Share of the inputs that a random tree's split chooses from: the fewer, the less alike trees."""

STEEP = 4.0
"""Logits a unit of a random forest's mean probability: the slope of the logit at 1/2."""


def fit_boosting(
    prepared: Prepared, target: Array, weights: Array | None = None, seed: int = 0
) -> Boosting:
    """Fit gradient-boosted trees, in which no confidence falls when a reading rises.

    Args:
        prepared: The inputs of n rows; words are not read.
        target: Outcomes in [0, 1], shape (n,), not all alike.
        weights: Weight of each row, shape (n,).
        seed: Settles which inputs each split looks at.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    from sklearn import config_context  # type: ignore[import-untyped]  # noqa: PLC0415 - extra
    from sklearn.ensemble import (  # type: ignore[import-untyped]  # noqa: PLC0415 - extra
        HistGradientBoostingClassifier,
    )

    n = len(target)
    rising = [int(name.startswith("signal:")) for name in prepared.names]
    model = HistGradientBoostingClassifier(
        learning_rate=RATE,
        max_iter=BOOSTED_TREES,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=max(10, min(n // 50, 200)),
        l2_regularization=5.0,
        max_features=0.5 if len(prepared.names) > 8 else 1.0,  # noqa: PLR2004 - few stay together
        monotonic_cst=rising,
        early_stopping=False,
        random_state=seed,
    )
    rows, labels, mass = as_labels(target, relative(weights, n))
    columns, alike = _columns(prepared)[rows], bool((mass == mass[0]).all())
    cuts = None
    if not alike:  # scikit-learn takes a second to find cuts among rows of unequal weight
        columns, cuts = _binned(columns)
    with one_thread(), config_context(skip_parameter_validation=True):
        model.fit(columns, labels, sample_weight=None if alike else mass)
    return _boosted(model, prepared.names, cuts)


def fit_forest(
    prepared: Prepared,
    target: Array,
    weights: Array | None = None,
    seed: int = 0,
    *,
    trees: int = RANDOM_TREES,
) -> Boosting:
    """Grow extremely randomised trees, which some tens of rows with many inputs carry well.

    Geurts et al., Extremely randomized trees (Machine Learning, 2006). The score rises
    with the mean probability of the trees; a curve makes it a probability again.

    Args:
        prepared: The inputs of n rows; words are not read.
        target: Outcomes in [0, 1], shape (n,), not all alike.
        weights: Weight of each row, shape (n,).
        seed: Settles the splits.
        trees: How many to grow.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    from sklearn import config_context  # noqa: PLC0415 - extra
    from sklearn.ensemble import ExtraTreesClassifier  # noqa: PLC0415 - extra

    n = len(target)
    model = ExtraTreesClassifier(
        trees, min_samples_leaf=max(3, n // 60), max_features=LOOKED_AT, random_state=seed
    )
    rows, labels, mass = as_labels(target, relative(weights, n))
    with config_context(skip_parameter_validation=True):  # of each tree anew, else
        model.fit(_columns(prepared)[rows], labels, sample_weight=mass)
    parts = []
    for grown in model.estimators_:
        tree = grown.tree_
        good = tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1)
        parts.append(
            _Nodes(
                tree.children_left < 0,
                tree.feature,
                tree.threshold,
                tree.missing_go_to_left,
                tree.children_left,
                tree.children_right,
                STEEP * (good - 0.5) / trees,
            )
        )
    return _flat(parts, prepared.names, base=0.0)


def _columns(prepared: Prepared) -> Array:
    """Return one column per input; one that never has a reading says nothing at all."""
    never = np.isnan(prepared.values).all(axis=1, keepdims=True)
    return np.where(never, 0.0, prepared.values).T


class _Nodes(NamedTuple):
    """One tree, as scikit-learn keeps it: one entry per node."""

    leaf: Any
    feature: Any
    threshold: Any
    missing_left: Any
    left: Any
    right: Any
    value: Any


def _binned(columns: Array) -> tuple[Array, list[Array]]:
    """Return which bin each value is in, NaN where there is none, and the cuts between the bins."""
    binned, cuts = np.empty(columns.shape), []
    for j, column in enumerate(columns.T):
        found = np.unique(column[~np.isnan(column)])
        if len(found) > BINS:
            found = np.unique(np.nanquantile(column, np.linspace(0, 1, BINS), method="nearest"))
        cut = (found[:-1] + found[1:]) / 2
        binned[:, j] = np.where(np.isnan(column), np.nan, np.searchsorted(cut, column))
        cuts.append(cut)
    return binned, cuts


def _boosted(model: Any, names: tuple[str, ...], cuts: Sequence[Array] | None) -> Boosting:
    """Return boosted trees as plain numbers that give the very same scores."""
    parts = [
        _Nodes(
            nodes["is_leaf"],
            nodes["feature_idx"],
            nodes["num_threshold"] if cuts is None else _values_at(nodes, cuts),
            nodes["missing_go_to_left"],
            nodes["left"],
            nodes["right"],
            nodes["value"],
        )
        # The trees are not public; a test compares what they say.
        for nodes in (tree.nodes for (tree,) in model._predictors)  # noqa: SLF001
    ]
    base = float(np.ravel(model._baseline_prediction)[0])  # noqa: SLF001
    return _flat(parts, names, base)


def _values_at(nodes: Any, cuts: Sequence[Array]) -> Array:
    """Return where trees that were fitted to bins split the values themselves."""
    # A split between bins b and b' lies halfway; every cut from b to b' separates the same rows.
    return np.array(
        [
            cuts[feature][int(threshold)] if not leaf and threshold < len(cuts[feature]) else np.inf
            for leaf, feature, threshold in zip(
                nodes["is_leaf"], nodes["feature_idx"], nodes["num_threshold"], strict=True
            )
        ]
    )


def _flat(trees: Sequence[_Nodes], names: tuple[str, ...], base: float) -> Boosting:
    """Put the nodes of all trees behind each other."""
    sizes = [len(nodes.leaf) for nodes in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    start = np.repeat(roots, sizes)
    leaf, feature, threshold, missing, left, right, value = (
        np.concatenate([nodes[j] for nodes in trees]) for j in range(7)
    )
    leaf = leaf.astype(np.bool_)
    return Boosting(
        inputs=names,
        base=base,
        roots=tuple(roots.tolist()),
        feature=_listed(leaf, LEAF, feature.astype(np.int64)),
        # "Is there a reading?" is asked as "at most infinity?", which JSON cannot say.
        threshold=_listed(leaf, 0.0, np.minimum(threshold, FINITE)),
        missing_left=_listed(leaf, False, missing.astype(np.bool_)),  # noqa: FBT003 - an entry
        left=_listed(leaf, LEAF, left.astype(np.int64) + start),
        right=_listed(leaf, LEAF, right.astype(np.int64) + start),
        value=_listed(~leaf, 0.0, value),
    )


def _listed(where: Any, instead: Any, entries: Any) -> Any:
    return tuple(np.where(where, instead, entries).tolist())
