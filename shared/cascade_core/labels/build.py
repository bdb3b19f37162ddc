"""Puts a table together from pieces of any file, so that only one piece is ever held as text.

Whatever is wrong with a cell, an id or a weight is found here, for files and
for tables in memory alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.labels.check import Cells, TableError, Unit, Where, to_numbers, to_texts
from cascade_core.labels.columns import Column
from cascade_core.labels.table import Table, TierColumns
from cascade_core.labels.trajectories import (
    Trajectories,
    joined_trajectories,
    read_trajectories,
)

_CODED = {"class", "gate", "group", "model"}
_NONE = -1


@dataclass(frozen=True, slots=True)
class RowChunk:
    """Some rows of a table, as they were read.

    Attributes:
        where: Which rows.
        cells: Each column's, one per row.
    """

    where: Where
    cells: Mapping[Column, Cells]


def build(source: str, unit: Unit, chunks: Iterable[RowChunk]) -> Table:
    """Check chunks of rows, whose columns were checked, and make one table of them.

    Raises:
        TableError: There are no rows; a cell, an id or the weights are wrong.
    """
    built = _Columns()
    for chunk in chunks:
        built.add(chunk)
    if not built.rows:
        raise TableError(source, "holds no rows: a table needs at least one")
    where = Where(source, unit, np.concatenate(built.numbers))
    ids = built.texts.get("id", [])
    _check_ids(ids, where)
    classes = built.codes.get("class", _Codes())
    count = 1 + max(column.tier or 0 for column in built.columns.values())
    return Table(
        source=source,
        tiers=tuple(built.tier(k) for k in range(count)),
        ids=ids,
        classes=classes.joined() if classes.names else None,
        class_names=tuple(classes.names),
        groups=_groups(built.codes.get("group")),
        weights=_weights(built.numeric.get("weight"), where),
        requests=built.texts.get("request"),
        numbers=where.numbers,
        unit=unit,
    )


@dataclass(slots=True)
class _Codes:
    """Texts of which many are equal, kept as numbers in order of appearance."""

    names: dict[str, int] = field(default_factory=dict)
    parts: list[Ints] = field(default_factory=list)

    def add(self, texts: list[str]) -> None:
        names = self.names
        codes = [names.setdefault(text, len(names)) if text else _NONE for text in texts]
        self.parts.append(np.array(codes, dtype=np.int64))

    def joined(self) -> Ints:
        return np.concatenate(self.parts)


@dataclass(slots=True)
class _Columns:
    rows: int = 0
    numbers: list[Ints] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)
    numeric: dict[str, list[Array]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    codes: dict[str, _Codes] = field(default_factory=dict)
    courses: dict[str, list[Trajectories]] = field(default_factory=dict)

    def add(self, chunk: RowChunk) -> None:
        for column in chunk.cells:
            if column.name not in self.columns:
                self.columns[column.name] = column
                if self.rows:  # no earlier row of a JSONL file had it
                    self._store(column, [None] * self.rows, chunk.where)
        size = len(chunk.where.numbers)
        for column in self.columns.values():
            cells = chunk.cells.get(column)
            self._store(column, [None] * size if cells is None else cells, chunk.where)
        self.rows += size
        self.numbers.append(chunk.where.numbers)

    def _store(self, column: Column, cells: Cells, where: Where) -> None:
        name = column.name
        if column.highest is not None:
            values = to_numbers(cells, where, name, column.highest)
            self.numeric.setdefault(name, []).append(values)
        elif column.part in _CODED:
            self.codes.setdefault(name, _Codes()).add(to_texts(cells, where, name))
        elif column.part == "trajectory":
            read = read_trajectories(to_texts(cells, where, name), where, name)
            self.courses.setdefault(name, []).append(read)
        else:
            self.texts.setdefault(name, []).extend(to_texts(cells, where, name))

    def tier(self, k: int) -> TierColumns:
        models = self.codes.get(f"t{k}_model", _Codes()).names
        courses = self.courses.get(f"t{k}_trajectory")
        return TierColumns(
            quality=np.concatenate(self.numeric[f"t{k}_quality"]),
            cost=np.concatenate(self.numeric[f"t{k}_cost_usd"]),
            model=next(iter(models)) if len(models) == 1 else None,
            signals=self._by_signal(k, "signal"),
            paid=self._by_signal(k, "paid"),
            responses=self.texts.get(f"t{k}_response"),
            gated=self._gated(self.codes.get(f"t{k}_gate")),
            trajectories=None if courses is None else joined_trajectories(courses),
        )

    def _gated(self, reasons: _Codes | None) -> Flags | None:
        return None if reasons is None or not reasons.names else reasons.joined() != _NONE

    def _by_signal(self, k: int, part: str) -> dict[str, Array]:
        return {
            column.signal: np.concatenate(self.numeric[column.name])
            for column in self.columns.values()
            if column.tier == k and column.part == part and column.signal is not None
        }


def _check_ids(ids: list[str], where: Where) -> None:
    blank = next((i for i, text in enumerate(ids) if not text.strip()), None)
    if blank is not None:
        where.refuse(blank, "id", "is empty; every row needs an id of its own")
    if len(set(ids)) == len(ids):
        return
    first: dict[str, int] = {}
    for i, text in enumerate(ids):
        if first.setdefault(text, i) != i:
            earlier = f"{where.unit} {where.numbers[first[text]]}"
            where.refuse(i, "id", f"{text!r} is the id of {earlier} too; ids are unique")


def _groups(codes: _Codes | None) -> Ints | None:
    """Return group codes; a row without a group is a group of its own."""
    if codes is None or not codes.names:
        return None
    groups = codes.joined()
    alone = groups == _NONE
    groups[alone] = len(codes.names) + np.arange(np.count_nonzero(alone))
    return groups


def _weights(parts: list[Array] | None, where: Where) -> Array | None:
    """Return weights, 1 where the cell is empty; None where all are equal, as if not given."""
    if parts is None:
        return None
    weights = np.nan_to_num(np.concatenate(parts), nan=1.0)
    if not weights.any():
        raise TableError(
            where.source, "is 0 in every row; give a weight to those that count", column="weight"
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not math.isfinite(total):
        raise TableError(where.source, "adds up to infinity; give smaller weights", column="weight")
    return None if (weights == weights[0]).all() else weights
