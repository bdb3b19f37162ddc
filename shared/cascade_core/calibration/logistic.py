"""Fits a logistic regression, with a ridge, to readings, features of the texts and words.

scikit-learn is imported only where words are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.learn import (
    BUCKETS,
    CrossFit,
    Prepared,
    as_labels,
    learnable,
    level,
    one_thread,
    relative,
)
from cascade_core.calibration.ridge import ridge_path
from cascade_core.fitted.curves import sigmoid
from cascade_core.fitted.score_forms import Logistic, Words

PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""scikit-learn's `C` that are tried for the ridge; small is strong."""

WORDS_SCALE = 3.0
"""How large the words of a text are beside one standardised feature."""

_ROUGH = 1e-3
"""Tolerance of fits that only choose `C`: it moves their losses by a thousandth."""

TAIL = 0.001
"""Share of the rows beyond each end at which a feature of the texts is cut off."""

_Path: TypeAlias = Callable[[Any, Array, Array, Sequence[float]], Iterator[tuple[Array, float]]]
"""Fits a logistic regression for every `C`: coefficients and intercept of each."""


def fit_logistic(
    prepared: Prepared, target: Array, weights: Array | None = None, *, penalty: float
) -> Logistic:
    """Fit a logistic regression with a ridge.

    Args:
        prepared: The inputs of n rows; signals in [0, 1].
        target: Outcomes in [0, 1], shape (n,), not all alike.
        weights: Weight of each row, shape (n,).
        penalty: scikit-learn's `C`, one of `PENALTIES`; `cross_logistic` chooses.

    Returns:
        The combiner on the scale of the inputs; one without a reading counts as average,
        with an offset of its own.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    weight = relative(weights, len(target))
    scaled = _Scaled(prepared, weight)
    path = _path_with_words if prepared.words else ridge_path
    tried = [of for of in PENALTIES if of <= penalty]
    with one_thread():
        *_, (coefficients, intercept) = path(scaled.design(prepared), target, weight, tried)
    return scaled.logistic(prepared, coefficients, intercept)


def cross_logistic(
    prepared: Prepared, target: Array, weights: Array | None, fold: Ints
) -> CrossFit:
    """Fit logistic regressions to all folds but one, for every strength of the ridge at once.

    A fold's strength is the one that serves the other folds best, so that no row has a say in
    its own score.

    Args:
        prepared: The inputs of n rows; signals in [0, 1].
        target: Outcomes in [0, 1], shape (n,).
        weights: Weight of each row, shape (n,).
        fold: Of each row, shape (n,); at least two.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    weight = relative(weights, len(target))
    tests = [np.flatnonzero(fold == of) for of in np.unique(fold)]
    paths = [_left_out(prepared, target, weight, test) for test in tests]
    logits: list[Array] = []
    losses: list[Array] = []
    with one_thread():
        for found in zip(*paths, strict=True):
            logits.append(np.empty(len(target)))
            for test, values in zip(tests, found, strict=True):
                logits[-1][test] = values
            lost = weight * (np.logaddexp(0.0, logits[-1]) - target * logits[-1])
            losses.append(np.array([lost[test].sum() for test in tests]))
            if _rises(losses):
                break
    by_fold = np.array(losses)
    total = by_fold.sum(axis=1)
    scores = np.empty(len(target))
    for of, test in enumerate(tests):
        scores[test] = logits[int(np.argmin(total - by_fold[:, of]))][test]
    return CrossFit(sigmoid(scores), PENALTIES[int(np.argmin(total))])


def _left_out(prepared: Prepared, target: Array, weight: Array, test: Ints) -> Iterator[Array]:
    """Yield the logits of some rows for every strength, fitted to all others."""
    fit = np.setdiff1d(np.arange(len(target)), test, assume_unique=True)
    if not learnable(target[fit]):
        yield from repeat(np.full(len(test), level(target[fit])), len(PENALTIES))
        return
    part = prepared.take(fit)
    scaled = _Scaled(part, weight[fit])
    columns = scaled.design(prepared.take(test))
    path: _Path = partial(_path_with_words, tolerance=_ROUGH) if prepared.words else ridge_path
    for coefficients, intercept in path(scaled.design(part), target[fit], weight[fit], PENALTIES):
        yield columns @ coefficients + intercept


def _rises(losses: Sequence[Array]) -> bool:
    """Tell whether losses rose twice on end: weaker ridges only fit more noise."""
    last = [float(each.sum()) for each in losses[-3:]]
    return len(last) == 3 and last == sorted(last)  # noqa: PLR2004 - two rises


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


def _plain(numbers: Array) -> tuple[float, ...]:
    return tuple(numbers.tolist())
