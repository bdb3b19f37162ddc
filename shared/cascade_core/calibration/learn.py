"""What every learned score shares: its inputs as arrays, its outcomes as labels.

scikit-learn (the extra `calibrate`) does the fitting in `logistic` and `trees` and is imported
when a fit asks for it; what comes out are plain numbers that need no scikit-learn to be used.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from math import nan
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.fitted.combiners import make_score_model
from cascade_core.fitted.curves import sigmoid
from cascade_core.fitted.inputs import Inputs, read_values
from cascade_core.fitted.score_forms import Learned, Words, draft_words, request_words
from cascade_core.fitted.texts import read_words

BUCKETS = 1024
"""Buckets that the words of requests, and those of drafts, are hashed into."""

WORDED = ("request", "draft")
"""The texts whose words can be read."""

Hashed: TypeAlias = Mapping[str, Any]
"""Hashed words by text: sparse, of shape (n, `BUCKETS`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """All inputs of some rows, read once for every model that is tried.

    Attributes:
        names: Inputs, as `source:name`.
        values: Shape (names, n), NaN where there is no reading.
        words: The hashed words of the texts whose words are read.
    """

    names: tuple[str, ...]
    values: Array
    words: Hashed = field(default_factory=dict)

    def pick(self, names: tuple[str, ...], words: Sequence[str] = ()) -> Prepared:
        """Return some of the inputs, with the words of some texts."""
        rows = [self.names.index(name) for name in names]
        return Prepared(names, self.values[rows], {text: self.words[text] for text in words})

    def take(self, rows: Ints) -> Prepared:
        """Return some of the rows."""
        words = {text: hashed[rows] for text, hashed in self.words.items()}
        return Prepared(self.names, self.values[:, rows], words)


class CrossFit(NamedTuple):
    """Scores of n rows by fits that did not see them, and what the fit to all of them takes.

    Attributes:
        scores: In [0, 1], shape (n,); NaN where there is no reading.
        penalty: scikit-learn's `C` that serves all rows best; NaN for what has no ridge.
    """

    scores: Array
    penalty: float = nan


def prepare(
    names: tuple[str, ...], inputs: Inputs, rows: Ints, words: Sequence[str] = ()
) -> Prepared:
    """Read the inputs of some rows, and the words of some texts.

    Raises:
        ModuleNotFoundError: Words are asked for, and scikit-learn is not installed.
    """
    values = read_values(names, inputs, rows)
    texts = dict(zip(WORDED, (inputs.requests, inputs.responses), strict=True))
    read = {text: texts[text] for text in words}
    return Prepared(
        names,
        values,
        {text: _hashed(given, rows) for text, given in read.items() if given is not None},
    )


def _hashed(texts: Sequence[str], rows: Ints) -> Any:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with scikit-learn

    hashed = [read_words(texts[row], BUCKETS) for row in rows.tolist()]
    ends = np.cumsum([0, *map(len, hashed)])
    columns = np.array([bucket for found in hashed for bucket in found], dtype=np.int64)
    data = np.array([value for found in hashed for value in found.values()])
    return csr_matrix((data, columns, ends), shape=(len(rows), BUCKETS))


def learned_scores(score: Learned, prepared: Prepared) -> Array:
    """Return the score of every prepared row, shape (n,)."""
    logits = make_score_model(score).logits(prepared.values)
    for text, read in zip(WORDED, (request_words(score), draft_words(score)), strict=True):
        for times, words in read:
            logits += times * (prepared.words[text] @ _dense(words))
    return sigmoid(logits)


def _dense(words: Words) -> Array:
    weights = np.zeros(words.buckets)
    weights[list(words.weights)] = list(words.weights.values())
    return weights


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


def level(target: Array) -> float:
    """Return the logit of all rows where the outcomes are all 0, or all 1."""
    return 4.0 * (2.0 * float(target[0]) - 1.0)


def as_labels(target: Array, weight: Array) -> tuple[Ints, Ints, Array]:
    """Return rows, labels and weights: a fraction is partly one label and partly the other."""
    good, bad = np.flatnonzero(target > 0), np.flatnonzero(target < 1)
    rows = np.concatenate([good, bad])
    labels = np.concatenate([np.ones(len(good), np.int64), np.zeros(len(bad), np.int64)])
    mass = np.concatenate([(weight * target)[good], (weight * (1 - target))[bad]])
    return rows, labels, mass
