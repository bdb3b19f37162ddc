"""What every learned score shares: its inputs as arrays, its outcomes as labels.

scikit-learn (the extra `calibrate`) does the fitting in `logistic` and `trees` and is imported
when a fit asks for it; what comes out are plain numbers that need no scikit-learn to be used.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.fitted.artefact import Boosting, Logistic
from cascade_core.fitted.combiners import make_score_model
from cascade_core.fitted.curves import sigmoid
from cascade_core.fitted.inputs import Inputs, read_values, read_words

BUCKETS = 1024
"""Buckets that the words of requests are hashed into."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """All inputs of some rows, read once for every model that is tried.

    Attributes:
        names: Inputs, as `source:name`.
        values: Shape (names, n), NaN where there is no reading.
        words: The hashed words of the requests, sparse of shape (n, `BUCKETS`); None
            where they are not read.
    """

    names: tuple[str, ...]
    values: Array
    words: Any = None

    def pick(self, names: tuple[str, ...], *, words: bool) -> Prepared:
        """Return some of the inputs, with or without the words."""
        rows = [self.names.index(name) for name in names]
        return Prepared(names, self.values[rows], self.words if words else None)

    def take(self, rows: Ints) -> Prepared:
        """Return some of the rows."""
        words = None if self.words is None else self.words[rows]
        return Prepared(self.names, self.values[:, rows], words)


def prepare(names: tuple[str, ...], inputs: Inputs, rows: Ints, *, words: bool) -> Prepared:
    """Read the inputs of some rows.

    Raises:
        ModuleNotFoundError: Words are asked for, and scikit-learn is not installed.
    """
    values = read_values(names, inputs, rows)
    if not words or inputs.requests is None:
        return Prepared(names, values)
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with scikit-learn

    hashed = [read_words(inputs.requests[row], BUCKETS) for row in rows.tolist()]
    ends = np.cumsum([0, *map(len, hashed)])
    columns = np.array([bucket for found in hashed for bucket in found], dtype=np.int64)
    data = np.array([value for found in hashed for value in found.values()])
    return Prepared(names, values, csr_matrix((data, columns, ends), shape=(len(rows), BUCKETS)))


def learned_scores(score: Logistic | Boosting, prepared: Prepared) -> Array:
    """Return the score of every prepared row, shape (n,)."""
    logits = make_score_model(score).logits(prepared.values)
    if isinstance(score, Logistic) and score.words is not None and prepared.words is not None:
        weights = np.zeros(BUCKETS)
        weights[list(score.words.weights)] = list(score.words.weights.values())
        logits += prepared.words @ weights
    return sigmoid(logits)


def one_thread() -> AbstractContextManager[Any]:
    """Keep fits on one thread.

    Threads that wait for each other at every step are slower than one, many times so on
    a machine that has other work.
    """
    limits: AbstractContextManager[Any] = _threads(len(sys.modules)).limit(limits=1)
    return limits


@lru_cache(maxsize=1)
def _threads(_modules: int) -> Any:
    """Return what sets the threads of the libraries at hand.

    To look for them takes longer than some fits; there can only be more after an import.
    """
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # noqa: PLC0415 - comes along

    return ThreadpoolController()


def relative(weights: Array | None, rows: int) -> Array:
    """Return weights whose mean is 1; None means 1 each."""
    return np.ones(rows) if weights is None else weights / weights.mean()


def learnable(target: Array) -> bool:
    """Tell whether there are outcomes of both kinds to tell apart."""
    return bool((target > 0).any() and (target < 1).any())


def as_labels(target: Array, weight: Array) -> tuple[Ints, Ints, Array]:
    """Return rows, labels and weights: a fraction is partly one label and partly the other."""
    good, bad = np.flatnonzero(target > 0), np.flatnonzero(target < 1)
    rows = np.concatenate([good, bad])
    labels = np.concatenate([np.ones(len(good), np.int64), np.zeros(len(bad), np.int64)])
    mass = np.concatenate([(weight * target)[good], (weight * (1 - target))[bad]])
    return rows, labels, mass
