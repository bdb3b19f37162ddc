"""Turns cells into numbers and texts, and names the one that cannot be.

A million cells convert at once; only when that fails is the culprit looked for.
Cells are never quoted: in a file whose columns slipped, one may hold a prompt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Number
from typing import Any, ClassVar, Literal, NoReturn, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.files import FileError

Unit: TypeAlias = Literal["line", "row"]
"""How rows are counted: a text file's lines from 1, header included; or rows from 1."""

Cells: TypeAlias = Sequence[Any] | Array
"""One column's cells: texts, numbers or None; or an array whose NaN are empty cells."""

_TRUTHS = {"true": 1.0, "false": 0.0}
"""How data frames and spreadsheets write whether an answer was right."""
_ROUNDING = 1e-6
"""How far beyond 0 or 1 a share may lie that was worked out from others."""
_ABSENT = {"NAType", "NaTType"}  # pandas' other words for an empty cell
_FLOATS = (float, np.floating)
_PLAIN = frozenset({float, int, bool})


class TableError(FileError):
    """A labelled table cannot be read, or cannot be learnt from."""

    _of_all: ClassVar[str] = ": "


@dataclass(frozen=True, slots=True)
class Where:
    """The rows that cells belong to.

    Attributes:
        source: How errors name the table.
        unit: What `numbers` count.
        numbers: (n,) line or row of each cell.
    """

    source: str
    unit: Unit
    numbers: Ints

    def refuse(self, index: int, column: str | None, problem: str) -> NoReturn:
        """Raise the error about one cell, or one row where `column` is None."""
        place = f"{self.unit} {self.numbers[index]}"
        # The error of a conversion, on which this may follow, holds what could not be converted.
        raise TableError(self.source, problem, place, column) from None


def to_numbers(cells: Cells, where: Where, column: str, highest: float) -> Array:
    """Convert a column to numbers.

    Args:
        cells: (n,) cells.
        where: Their rows.
        column: The column's name.
        highest: The largest value allowed; the smallest is 0.

    Returns:
        (n,) numbers in [0, highest]; NaN where a cell is empty.

    Raises:
        TableError: A cell is not a number, is NaN or infinite, or is out of range.
    """
    values = cells if isinstance(cells, np.ndarray) else _fast(cells)
    if values is None:
        share = highest == 1
        values = np.array(
            [_slow(cell, where, i, column, share=share) for i, cell in enumerate(cells)]
        )
    if highest < math.inf:  # a mean of ones may end a rounding above 1
        near = np.clip(values, 0.0, highest)
        values = np.where(np.abs(values - near) <= _ROUNDING, near, values)
    wrong = (values < 0) | (values > highest) | np.isinf(values)
    if wrong.any():
        first = int(wrong.argmax())
        where.refuse(first, column, _out_of_range(float(values[first]), highest))
    return values


def to_texts(cells: Cells, where: Where, column: str) -> list[str]:
    """Convert a column to texts, "" where a cell is empty.

    Raises:
        TableError: A cell holds neither a text nor a number.
    """
    return [
        cell if type(cell) is str else _text(cell, where, i, column) for i, cell in enumerate(cells)
    ]


def is_empty(cell: object) -> bool:
    """Tell whether a cell given in memory is empty; NaN is how numpy and pandas say so."""
    kind = type(cell)
    if kind is str or kind is int:  # what most cells are, where they are no numbers
        return False
    if isinstance(cell, _FLOATS):
        return math.isnan(cell)
    return cell is None or kind.__name__ in _ABSENT


def _fast(cells: Sequence[Any]) -> Array | None:
    """Convert good cells; None where one needs a closer look."""
    try:
        if _PLAIN.issuperset(map(type, cells)):
            values = np.fromiter(cells, dtype=np.float64, count=len(cells))
            return None if np.isnan(values).any() else values
        if "" in cells or None in cells:
            values = np.fromiter(
                (math.nan if cell is None or cell == "" else float(cell) for cell in cells),
                dtype=np.float64,
                count=len(cells),
            )
            empty = sum(cell is None or cell == "" for cell in cells)
        else:
            values = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
            empty = 0
    except (TypeError, ValueError, OverflowError):
        return None
    if np.count_nonzero(np.isnan(values)) != empty or any(_odd(cell) for cell in cells):
        return None
    return values


def _odd(cell: object) -> bool:
    """Tell a text that only Python takes for a number: to anyone else, 1_0 is a slip."""
    return isinstance(cell, str) and "_" in cell


def _slow(cell: Any, where: Where, index: int, column: str, *, share: bool) -> float:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return math.nan
    if share and isinstance(cell, str) and cell.strip().lower() in _TRUTHS:
        return _TRUTHS[cell.strip().lower()]
    try:
        if _odd(cell):
            raise ValueError
        value = float(cell)
    except OverflowError:
        value = math.inf
    except (TypeError, ValueError):
        where.refuse(index, column, "is not a number; leave the cell empty where there is none")
    if math.isnan(value):
        where.refuse(index, column, "is NaN; leave the cell empty where there is no number")
    return value


def _out_of_range(value: float, highest: float) -> str:
    if math.isinf(value):
        return "is infinite; leave the cell empty where there is no number"
    if math.isinf(highest):
        return f"{value!r} is negative; it must be 0 or more"
    return f"{value!r} is outside [0, {highest:g}]"


def _text(cell: object, where: Where, index: int, column: str) -> str:
    if is_empty(cell):
        return ""
    if not isinstance(cell, str | Number | Decimal | np.generic):
        where.refuse(index, column, f"holds a {type(cell).__name__}; give a text")
    return str(cell)
