"""Fits a logistic regression, with a ridge, to readings, features of the texts and words.

scikit-learn is imported only where words are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.learn import (
    BUCKETS,
    Prepared,
    as_labels,
    learnable,
    one_thread,
    relative,
)
from cascade_core.calibration.ridge import ridge_path
from cascade_core.fitted.score_forms import Logistic, Words
from cascade_core.statistics.folds import folds

PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""scikit-learn's `C` that are tried for the ridge; small is strong."""

WORDS_SCALE = 3.0
"""How large the words of a text are beside one standardised feature."""

INNER_FOLDS = 5
INNER_ROWS = 5_000
"""Rows that `C` is chosen on at most."""

_ROUGH = 1e-3
"""Tolerance of fits that only choose `C`: it moves their losses by a thousandth."""

TAIL = 0.001
"""Share of the rows beyond each end at which a feature of the texts is cut off."""

_Path: TypeAlias = Callable[[Any, Array, Array, Sequence[float]], Iterator[tuple[Array, float]]]
"""Fits a logistic regression for every `C`: coefficients and intercept of each."""


def fit_logistic(
    prepared: Prepared,
    target: Array,
    weights: Array | None = None,
    groups: Ints | None = None,
    seed: int = 0,
) -> Logistic:
    """Fit a logistic regression with a ridge whose strength is chosen by cross-validation.

    Args:
        prepared: The inputs of n rows; signals in [0, 1].
        target: Outcomes in [0, 1], shape (n,), not all alike.
        weights: Weight of each row, shape (n,).
        groups: Rows of equal code stay together in the cross-validation.
        seed: Settles the folds.

    Returns:
        The combiner on the scale of the inputs; one without a reading counts as average,
        with an offset of its own.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    weight = relative(weights, len(target))
    scaled = _Scaled(prepared, weight)
    design = scaled.design(prepared)
    path: _Path = _path_with_words if prepared.words else ridge_path
    rough: _Path = partial(_path_with_words, tolerance=_ROUGH) if prepared.words else path
    with one_thread():
        best = PENALTIES[: _best_penalty(rough, design, target, weight, groups, seed) + 1]
        *_, (coefficients, intercept) = path(design, target, weight, best)
    return scaled.logistic(prepared, coefficients, intercept)


class _Scaled:
    """Standardises the inputs of a regression, and its weights back to the scale of the inputs."""

    def __init__(self, prepared: Prepared, weight: Array) -> None:
        values = prepared.values
        there = ~np.isnan(values)
        text = np.array([n.startswith(("request:", "draft:")) for n in prepared.names], dtype=bool)
        self.low, self.high = np.zeros(len(values)), np.ones(len(values))
        for j, row in enumerate(values):
            if there[j].any():
                tail = TAIL if text[j] else 0.0
                self.low[j], self.high[j] = np.quantile(row[there[j]], [tail, 1 - tail])
        for j, name in enumerate(prepared.names):
            if name.startswith("signal:"):
                self.low[j], self.high[j] = 0.0, 1.0
        mass = np.where(there, weight, 0.0)
        total = np.maximum(mass.sum(axis=1), 1e-12)
        inside = self._inside(values)
        self.mean = (mass * inside).sum(axis=1) / total
        off = inside - self.mean[:, None]
        self.spread = np.sqrt((mass * off * off).sum(axis=1) / total)
        self.spread[self.spread < 1e-9] = np.inf  # noqa: PLR2004 - what never changes says nothing
        self.gaps = np.flatnonzero(~there.all(axis=1) & there.any(axis=1))

    def _inside(self, values: Array) -> Array:
        inside = np.minimum(np.maximum(values, self.low[:, None]), self.high[:, None])
        return np.nan_to_num(inside)

    def design(self, prepared: Prepared) -> Any:
        """Return the columns that are weighed: inputs, gaps, words."""
        absent = np.isnan(prepared.values)
        off = self._inside(prepared.values) - self.mean[:, None]
        scaled = np.where(absent, 0.0, off) / self.spread[:, None]
        dense = np.concatenate([scaled, absent[self.gaps]]).T
        if not prepared.words:
            return dense
        from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped]  # noqa: PLC0415 - comes along

        # A row's words have length 1 together; alone they would weigh nothing beside the rest.
        words = [hashed * WORDS_SCALE for hashed in prepared.words.values()]
        return hstack([csr_matrix(dense), *words], format="csr")

    def logistic(self, prepared: Prepared, found: Array, intercept: float) -> Logistic:
        """Return fitted weights on the scale of the inputs."""
        size = len(self.mean)
        weights = found[:size] / self.spread
        missing = np.zeros(size)
        missing[self.gaps] = found[size : size + len(self.gaps)]
        words, start = {}, size + len(self.gaps)
        for text in prepared.words:
            by_bucket = found[start : start + BUCKETS] * WORDS_SCALE
            kept = {int(b): float(by_bucket[b]) for b in np.flatnonzero(by_bucket)}
            words[text] = Words(buckets=BUCKETS, weights=kept)
            start += BUCKETS
        return Logistic(
            inputs=prepared.names,
            low=_plain(self.low),
            high=_plain(self.high),
            fill=_plain(self.mean),
            weights=_plain(weights),
            missing=_plain(missing),
            intercept=intercept - float(weights @ self.mean),
            words=words.get("request"),
            draft_words=words.get("draft"),
        )


def _path_with_words(
    design: Any, target: Array, weight: Array, penalties: Sequence[float], tolerance: float = 1e-5
) -> Iterator[tuple[Array, float]]:
    """Do as `ridge_path` where a thousand buckets of words are more than Newton's method bears."""
    from sklearn import config_context  # type: ignore[import-untyped]  # noqa: PLC0415 - extra
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # noqa: PLC0415 - extra

    rows, labels, mass = as_labels(target, weight)
    seen = design[rows]
    model = LogisticRegression(max_iter=300, tol=tolerance, warm_start=True)
    for penalty in penalties:
        model.set_params(C=penalty)
        # What is checked anew at every fit is a third of the time of small ones.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            model.fit(seen, labels, sample_weight=mass)
        yield model.coef_[0].copy(), float(model.intercept_[0])


def _best_penalty(  # noqa: PLR0913, PLR0917 - how to fit, and all there is to fit to
    path: _Path, design: Any, target: Array, weight: Array, groups: Ints | None, seed: int
) -> int:
    """Return the place of the `C` of least cross-validated log loss.

    Once that has risen twice on end, weaker ridges are not tried: they only fit more noise.
    """
    chosen = np.arange(len(target))
    if len(chosen) > INNER_ROWS:
        chosen = np.sort(np.random.default_rng(seed).permutation(chosen)[:INNER_ROWS])
        design, target, weight = design[chosen], target[chosen], weight[chosen]
        groups = None if groups is None else groups[chosen]
    if groups is not None and len(np.unique(groups)) < 2:  # noqa: PLR2004 - nothing to keep apart
        return 0
    fold = folds(len(target), INNER_FOLDS, groups, seed, strata=target)
    fits: list[Iterator[tuple[Array, float]]] = []
    tests: list[tuple[Any, Array, Array]] = []
    for of in range(int(fold.max()) + 1):
        fit, test = np.flatnonzero(fold != of), np.flatnonzero(fold == of)
        if not learnable(target[fit]):
            return 0
        fits.append(path(design[fit], target[fit], weight[fit], PENALTIES))
        tests.append((design[test], target[test], weight[test]))
    losses: list[float] = []
    for found in zip(*fits, strict=True):
        lost = 0.0
        for (coefficients, intercept), (columns, outcome, mass) in zip(found, tests, strict=True):
            logits = columns @ coefficients + intercept
            lost += float(mass @ (np.logaddexp(0.0, logits) - outcome * logits))
        losses.append(lost)
        if losses[-3:] == sorted(losses[-3:]) and len(losses) >= 3:  # noqa: PLR2004 - two rises
            break
    return int(np.argmin(losses))


def _plain(numbers: Array) -> tuple[float, ...]:
    return tuple(numbers.tolist())
