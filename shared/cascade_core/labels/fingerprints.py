"""Fingerprints of rows: whether a table holds those that a policy was fitted to.

A promise may only be tested on rows that nothing was fitted to, and a file's name says nothing
about what is in it. A fingerprint is a digest of all that a row holds; a policy keeps a few of
them (as `fitted_marks`), from which no text can be read.
"""

from __future__ import annotations

from collections.abc import Collection
from zlib import crc32

import numpy as np
import numpy.typing as npt

from cascade_core.labels.table import Table

FINGERPRINTS = 64
"""Rows of a table that are known again at most."""

_Words = npt.NDArray[np.uint64]


def fingerprints(table: Table) -> tuple[int, ...]:
    """Return the fingerprints of some rows, picked by what is in them and not by their place."""
    digests = _digests(table)
    chosen = np.argsort(digests, kind="stable")[:FINGERPRINTS]
    return tuple(sorted({_fingerprint(table, int(row), digests) for row in chosen}))


def holds(table: Table, known: Collection[int]) -> bool:
    """Tell whether a table holds at least half of the rows with these fingerprints.

    A few may be alike by chance where rows hold little: no text, no id, whole numbers.
    """
    if not known:
        return False
    digests = _digests(table)
    wanted = {one >> 20 for one in known}
    alike = np.isin(digests, np.array(list(wanted), dtype=np.uint64))
    found = {_fingerprint(table, row, digests) for row in np.flatnonzero(alike).tolist()}
    return 2 * len(found & set(known)) >= len(known)


def _fingerprint(table: Table, row: int, digests: _Words) -> int:
    """Return one row's fingerprint: the digest of its numbers, then 20 bits of its texts."""
    texts = [column[row] for column in (table.ids, table.requests) if column is not None]
    return (int(digests[row]) << 20) | (crc32("\0".join(texts).encode()) & 0xFFFFF)


def _digests(table: Table) -> _Words:
    """Return a digest of every row's numbers, of 32 bits, shape (n,)."""
    found = np.zeros(len(table), dtype=np.uint64)
    for tier in table.tiers:
        signals = [tier.signals[name] for name in sorted(tier.signals)]
        for column in (tier.quality, tier.cost, *signals):
            bits = np.where(np.isnan(column), -1.0, column + 0.0).view(np.uint64)
            found = (found ^ bits) * np.uint64(0x9E3779B97F4A7C15)
            found ^= found >> np.uint64(29)
    return found >> np.uint64(32)
