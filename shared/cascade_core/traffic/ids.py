"""The ids of many decisions, in a few bytes each: as Python texts a million take 100 MB."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Ints

_AT_ONCE = 20_000
_PIECES = 64


def decoded_text(value: Any) -> Any:
    """Return bytes as a text: another program may have written what is no UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


@dataclass(frozen=True, slots=True, eq=False)
class IdColumn:
    """A column of ids, or of other texts that are almost never the same: n of them.

    Attributes:
        text: All of them one after another, as UTF-8.
        start: (n,) where each begins.
        length: (n,) how many bytes it has.
    """

    text: bytes
    start: Ints
    length: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.start)

    def __getitem__(self, row: int) -> str:
        """Return that of a row."""
        start = int(self.start[row])
        return self.text[start : start + int(self.length[row])].decode(errors="replace")

    def __iter__(self) -> Iterator[str]:
        """Yield each, in the order of the rows."""
        return map(bytes.decode, self._parts())

    def take(self, rows: Any) -> IdColumn:
        """Return those of some rows: their indices, flags or a slice."""
        return IdColumn(self.text, self.start[rows], self.length[rows])

    def followed_by(self, later: IdColumn) -> IdColumn:
        """Return these and others behind them."""
        return IdColumn(
            self.text + later.text,
            np.concatenate([self.start, later.start + len(self.text)]),
            np.concatenate([self.length, later.length]),
        )

    def find(self, ids: Collection[str]) -> dict[str, int]:
        """Return the row of each of some ids that is there; many take no longer than one."""
        wanted = {each.encode(): each for each in ids}
        if not wanted:
            return {}
        return {wanted[part]: row for row, part in enumerate(self._parts()) if part in wanted}

    def _parts(self) -> Iterator[bytes]:
        for first in range(0, len(self), _AT_ONCE):
            starts = self.start[first : first + _AT_ONCE]
            ends = starts + self.length[first : first + _AT_ONCE]
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                yield self.text[start:end]


class IdColumnMaker:
    """Makes a column, some ids at a time."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._large: list[bytes] = []
        self._lengths: list[npt.NDArray[np.int32]] = []

    def add(self, ids: Sequence[bytes]) -> None:
        """Put ids, as UTF-8, behind those that are there."""
        self._texts.append(b"".join(ids))
        if len(self._texts) == _PIECES:  # large pieces go back to the system when they are freed
            self._large.append(b"".join(self._texts))
            self._texts.clear()
        self._lengths.append(np.fromiter(map(len, ids), np.int32, len(ids)))

    def made(self) -> IdColumn:
        """Return the column."""
        length = np.concatenate(self._lengths) if self._lengths else np.empty(0, np.int32)
        ends = np.cumsum(length, dtype=np.int64)
        return IdColumn(b"".join([*self._large, *self._texts]), ends - length, length)
