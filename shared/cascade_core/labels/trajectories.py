"""The courses of many drafts, as a table holds them: one array for all of their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.labels.check import Where
from cascade_core.trajectory import MOST_SURPRISE, MOST_TOKENS


@dataclass(frozen=True, slots=True, eq=False)
class Trajectories:
    """How surprising the tokens of n drafts were, one after the other.

    Attributes:
        values: Surprises of all tokens, −ln p in nats.
        ends: Where each draft's tokens end among them, shape (n,).
    """

    values: Array
    ends: Ints

    def __len__(self) -> int:
        """Return how many drafts there are."""
        return len(self.ends)

    @property
    def tokens(self) -> Ints:
        """How many tokens are known of each draft, shape (n,); 0 where none are."""
        return np.diff(self.ends, prepend=0)

    def take(self, rows: Ints) -> Trajectories:
        """Return some of the drafts."""
        tokens = self.tokens[rows]
        ends = np.cumsum(tokens)
        starts = self.ends[rows] - tokens
        places = np.repeat(starts - (ends - tokens), tokens) + np.arange(int(tokens.sum()))
        return Trajectories(self.values[places], ends)

    def so_far(self, tokens: int) -> tuple[Flags, Array, Array]:
        """Return what there was to read of each draft after so many tokens.

        Returns:
            Which drafts have as many, shape (n,); and of those, the sum of the surprises and the
            largest of them.
        """
        reached = self.tokens >= tokens
        starts = (self.ends - self.tokens)[reached]
        places = starts[:, None] + np.arange(tokens)
        first = self.values[places]
        # In order, as a stream adds them up.
        return reached, np.cumsum(first, axis=1)[:, -1], first.max(axis=1)


def read_trajectories(cells: Sequence[str], where: Where, column: str) -> Trajectories:
    """Read the cells of a column.

    Args:
        cells: Numbers with spaces between, "" where nothing is known.
        where: Their rows.
        column: The column's name.

    Raises:
        TableError: A cell holds something else.
    """
    found = [cell.split() for cell in cells]
    ends = np.cumsum([len(row) for row in found], dtype=np.int64)
    try:
        values = np.array([float(number) for row in found for number in row], dtype=np.float64)
    except ValueError:
        values = np.array([np.nan])
    if not ((values >= 0) & (values <= MOST_SURPRISE)).all():
        _refuse(found, where, column)
    longest = np.flatnonzero(np.diff(ends, prepend=0) > MOST_TOKENS)
    if longest.size:
        said = f"holds more than {MOST_TOKENS} tokens; give the first {MOST_TOKENS}"
        where.refuse(int(longest[0]), column, said)
    return Trajectories(values, ends)


def _refuse(found: Sequence[Sequence[str]], where: Where, column: str) -> None:
    """Name the first row that holds something else than surprises."""
    for index, row in enumerate(found):
        for number in row:
            try:
                fits = 0 <= float(number) <= MOST_SURPRISE
            except ValueError:
                fits = False
            if not fits:
                where.refuse(
                    index,
                    column,
                    f"holds something else than numbers from 0 to {MOST_SURPRISE:g} with spaces "
                    "between: how surprising each token was, −ln p",
                )


def joined_trajectories(parts: Sequence[Trajectories]) -> Trajectories:
    """Put the drafts of several parts of a table one after another."""
    offsets = np.cumsum([0, *(len(part.values) for part in parts[:-1])])
    return Trajectories(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.ends + offset for part, offset in zip(parts, offsets, strict=True)]),
    )
