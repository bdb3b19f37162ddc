"""The labelled table: what every tier answered to each request, how good it was, what it cost.

`tune` and `replay` read it, `collect` and the log's export write it. Read
`columns` for the names, `table` for the shape in memory.
"""

from __future__ import annotations

from cascade_core.labels.check import TableError
from cascade_core.labels.learnable import check_learnable, usable
from cascade_core.labels.read import read_table
from cascade_core.labels.table import Table, TierColumns
from cascade_core.labels.write import write_table

__all__ = [
    "Table",
    "TableError",
    "TierColumns",
    "check_learnable",
    "read_table",
    "usable",
    "write_table",
]
