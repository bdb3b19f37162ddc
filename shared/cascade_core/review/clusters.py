"""Clusters of requests that use the same words: predicted classes for logs that name none.

A bounded sample of the period's texts is looked at, always the same one, and always clustered the
same way. scikit-learn is imported only here, when somebody asks for clusters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from cascade_core.arrays import Flags, Ints
from cascade_core.log.reading import database_to_read
from cascade_core.policy import patterns

if TYPE_CHECKING:
    from cascade_core.review.snapshot import Snapshot

MOST_TEXTS = 20_000
"""Requests that are looked at, spread evenly over the period."""
FEWEST_TEXTS = 20
MOST_CLUSTERS = 12
WORDS_OF_A_NAME = 3
SEED = 0
SECONDS_OF_A_PATTERN = 3.0
"""What one pattern may take on the whole sample."""

_LONGEST = 100_000
"""Characters of a logged request; longer ones are left out."""
_READ = 2_000
"""Characters of a text whose words are counted."""
_AT_ONCE = 500
_CANDIDATES = 50
"""Words of a cluster, the most frequent, among which those of its name are."""
_WORD = r"(?u)\b[^\W\d_]{3,}\b"


@dataclass(frozen=True, slots=True, eq=False)
class TextSample:
    """Texts of a period.

    Attributes:
        looked: How many requests were looked at.
        of: How many the period has.
        rows: (n,) of those that have a text, as rows of the period.
        texts: (n,) what the user said last: what a rule's `regex` is asked of.
    """

    looked: int
    of: int
    rows: Ints
    texts: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class TextCluster:
    """Texts that use the same words.

    Attributes:
        words: Those that tell it best from all texts.
        members: (n,) which texts of the sample are in it.
    """

    words: tuple[str, ...]
    members: Flags

    @property
    def name(self) -> str:
        """The words, as a name."""
        return ", ".join(self.words)

    @property
    def pattern(self) -> str:
        """A pattern for a rule: any of the words, whole, in capitals or not."""
        return rf"(?i)\b(?:{'|'.join(map(re.escape, self.words))})\b"


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Which texts of a sample a pattern is found in.

    Attributes:
        found: (n,) whether it is.
        tried: How many were tried; the others would have taken too long.
        slow: How many took longer than a rule may: there it does not match.
    """

    found: Flags
    tried: int
    slow: int


def sample_of(snapshot: Snapshot, first: int, last: int) -> TextSample:
    """Read texts of a period, spread evenly over it.

    Args:
        snapshot: Of the log.
        first: The period's first row.
        last: The row behind its last.
    """
    many = last - first
    looked = min(many, MOST_TEXTS)
    rows = np.unique(np.linspace(0, max(0, many - 1), looked).astype(np.int64))
    ids = snapshot.ids
    place = {ids[first + row]: row for row in rows.tolist()}
    found = sorted((place[key], text) for key, text in _texts(snapshot, list(place)) if text)
    return TextSample(
        len(rows), many, np.array([row for row, _ in found], dtype=np.int64), [t for _, t in found]
    )


def _texts(snapshot: Snapshot, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    import sqlalchemy as sa  # noqa: PLC0415 - an extra

    from cascade_core.log.schema import details  # noqa: PLC0415

    short = sa.func.length(details.c.request) <= _LONGEST
    with database_to_read(snapshot.source.database).reading() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            wanted = details.c.id.in_(ids[start : start + _AT_ONCE])
            query = sa.select(details.c.id, details.c.request).where(wanted, short)
            for key, request in connection.execute(query):
                yield str(key), question_in(request)


def question_in(request: str) -> str:
    """Return what the user said last in a logged request; empty where that cannot be told."""
    try:
        turns = json.loads(request)
    except (ValueError, RecursionError):
        return ""
    for turn in reversed(turns) if isinstance(turns, list) else ():
        if isinstance(turn, dict) and turn.get("role") == "user":
            return str(turn.get("text") or "")
    return ""


def clusters_of(sample: TextSample) -> tuple[TextCluster, ...]:
    """Cluster texts by their words, the largest cluster first.

    Words count as in TF-IDF; k-means in batches (MiniBatchKMeans) makes as many clusters as the
    square root of half the number of texts, from 2 to `MOST_CLUSTERS`.

    Returns:
        The clusters; none where there are too few texts, or no words in common.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped] # noqa: PLC0415
    from sklearn.feature_extraction.text import (  # type: ignore[import-untyped] # noqa: PLC0415
        TfidfVectorizer,
    )

    n = len(sample.texts)
    if n < FEWEST_TEXTS:
        return ()
    vectorizer = TfidfVectorizer(
        token_pattern=_WORD, max_df=0.8, min_df=2, max_features=5_000, sublinear_tf=True
    )
    try:
        counted: Any = vectorizer.fit_transform([text[:_READ] for text in sample.texts])
    except ValueError:  # no word is in two texts
        return ()
    many = int(min(MOST_CLUSTERS, max(2, round((n / 2) ** 0.5))))
    made = MiniBatchKMeans(many, random_state=SEED, n_init=3, batch_size=2048).fit(counted)
    vocabulary, there = vectorizer.get_feature_names_out(), (counted > 0).tocsc()
    found = []
    for label in range(many):
        members = made.labels_ == label
        words = [str(vocabulary[at]) for at in _telling(there, members)] if members.any() else []
        if words:
            found.append(TextCluster(tuple(words), members))
    return tuple(sorted(found, key=lambda each: (-int(each.members.sum()), each.words)))


def _telling(there: Any, members: Flags) -> list[int]:
    """Return the words of which any tells a cluster best: each raises the F1 score most.

    Args:
        there: (n, words) sparse, which text has which word.
        members: (n,) which texts are in the cluster.
    """
    inside = np.asarray(there[np.flatnonzero(members)].sum(axis=0)).ravel()
    common = np.argsort(-inside, kind="stable")[:_CANDIDATES]
    has = there[:, common].toarray().astype(np.bool_)
    covered, best, chosen = np.zeros(len(members), dtype=np.bool_), 0.0, []
    for _ in range(WORDS_OF_A_NAME):
        union = has | covered[:, None]
        hits = union[members].sum(axis=0)
        scores = 2 * hits / (union.sum(axis=0) + members.sum())
        at = int(np.argmax(scores))
        if scores[at] <= best:
            break
        best, covered = float(scores[at]), union[:, at]
        chosen.append(int(common[at]))
    return chosen


def matched(sample: TextSample, pattern: str, seconds: float = SECONDS_OF_A_PATTERN) -> Matched:
    """Tell in which texts a pattern is found, as a rule's `regex` would be.

    Raises:
        ValueError: It is no regular expression; the message says why.
    """
    patterns.check_pattern(pattern)
    ready = patterns.compiled(pattern)
    found = np.zeros(len(sample.texts), dtype=np.bool_)
    began, slow, tried = perf_counter(), 0, 0
    for place, text in enumerate(sample.texts):
        left = seconds - (perf_counter() - began)
        if left <= 0:
            break
        told = patterns.found(ready, text, patterns.LIMIT)
        slow += told is None
        found[place] = told is True
        tried += 1
    return Matched(found, tried, slow)
