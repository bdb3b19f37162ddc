"""Tables for a terminal; labels are shown as they are, never read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from cascade_core.evaluation.curve import Curve
from cascade_core.report.rows import COST_AXIS, ClassRow, Figure, shown


def figures(title: str, rows: Sequence[Figure]) -> Table:
    """Return figures as a table, with columns for intervals and notes where there are any.

    Args:
        title: Above the table.
        rows: From `operating_rows`, `curve_rows`, or of your own.
    """
    ranged = any(row.range for row in rows)
    caption = f"cost axis: {COST_AXIS}" if any(row.note == COST_AXIS for row in rows) else None
    rows = [replace(row, note="") if row.note == COST_AXIS else row for row in rows]
    noted = any(row.note for row in rows)
    headers = ["", "", *(["95 % interval"] if ranged else []), *([""] if noted else [])]
    return _table(
        title,
        headers,
        [
            [row.label, row.shown, *([row.range] if ranged else []), *([row.note] if noted else [])]
            for row in rows
        ],
        left={0, len(headers) - 1} if noted else {0},
        caption=caption,
    )


def curve_points(title: str, curve: Curve, points: int = 9) -> Table:
    """Return a curve as a table, from accepting everything to accepting nothing.

    Args:
        title: Above the table.
        curve: The curve.
        points: How many of its thresholds to show, evenly spread over the escalated share.
    """
    grid = np.linspace(float(curve.escalated[0]), 1.0, max(points, 2))
    picked = np.unique(np.minimum(np.searchsorted(curve.escalated, grid), len(curve) - 1))
    shares = curve.cost_share
    return _table(
        title,
        ["threshold", "to strong", "cost axis", "quality", "cost", "harm"],
        [
            [
                f"{curve.threshold[i]:.3f}" if np.isfinite(curve.threshold[i]) else "accept none",
                shown(float(curve.escalated[i])),
                shown(float(shares[i])),
                shown(float(curve.quality[i])),
                shown(float(curve.cost[i]), "usd"),
                shown(float(curve.harm[i])),
            ]
            for i in picked.tolist()
        ],
        left=set(),
    )


def classes(title: str, rows: Sequence[ClassRow]) -> Table:
    """Return how each class of requests fared as a table.

    Args:
        title: Above the table.
        rows: One a class.
    """
    return _table(title, CLASS_HEADERS, class_cells(rows), left={0})


CLASS_HEADERS = ["class", "rows", "quality", "strong tier", "to strong", "cost axis", "harm"]


def class_cells(rows: Iterable[ClassRow]) -> list[list[str]]:
    """Return the cells of a table of classes, as printed."""
    return [
        [
            row.name,
            shown(row.rows, "count"),
            shown(row.quality),
            shown(row.strong_quality),
            shown(row.escalated),
            shown(row.cost_share),
            shown(row.harm),
        ]
        for row in rows
    ]


def _table(
    title: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: set[int],
    caption: str | None = None,
) -> Table:
    table = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        caption=caption,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_header=any(headers),
        pad_edge=False,
    )
    for index, header in enumerate(headers):
        table.add_column(
            Text(header),
            justify="left" if index in left else "right",
            style="dim" if index in left and index else None,
            no_wrap=index not in left or not index,
        )
    for cells in rows:
        table.add_row(*map(Text, cells))
    return table
