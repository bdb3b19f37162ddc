"""Prints tables to a terminal; labels are shown as they are, never read as markup.

A number that is cut short is another number. In a narrow terminal words wrap first, and where
there is no room even then, lines run on beyond its edge.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from cascade_core.report.rows import Figure, Measured, formatted, shortened
from cascade_core.visible import SafeText

LOOK = "(!)"
"""Beside what a reader has to look at."""
CLASS_HEADERS = ["class", "rows", "quality", "last tier", "beyond tier 0", "cost axis", "harm"]

_LONGEST_NAME = 60
"""Cells of a class's name that are shown, over as many lines as they take."""
_NARROWEST = 12
"""Cells that a column of words keeps."""
_GAP, _EDGES = 3, 4
"""Cells between columns, and at both ends together; releases of rich before 14.3 take all four."""


def print_figures(
    out: Console, title: str, rows: Sequence[Figure], legend: Sequence[str] = ()
) -> None:
    """Print figures as a table, with columns for intervals and notes where there are any.

    Args:
        out: Where to.
        title: Above the table.
        rows: From `operating_rows`, `curve_rows`, or of your own.
        legend: Lines below it that say what its words mean.
    """
    ranged, noted = any(row.range for row in rows), any(row.note for row in rows)
    headers = ["", "", *(["95 % interval"] if ranged else []), *([""] if noted else [])]
    cells = [
        [row.label, row.shown, *([row.range] if ranged else []), *([row.note] if noted else [])]
        for row in rows
    ]
    print_cells(out, title, headers, cells, words=[len(headers) - 1, 0] if noted else [0])
    for line in legend:
        out.print(SafeText(line, style="dim"))


def print_classes(
    out: Console, title: str, classes: Mapping[str, Measured], marked: Collection[str] = ()
) -> None:
    """Print how each class of requests fared as a table.

    Args:
        out: Where to.
        title: Above the table.
        classes: What the policy did with each.
        marked: Those whose harm is marked.
    """
    cells = [
        [shortened(name, _LONGEST_NAME), *numbers]
        for name, *numbers in class_cells(classes, marked)
    ]
    print_cells(out, title, CLASS_HEADERS, cells, words=[0])


def class_cells(classes: Mapping[str, Measured], marked: Collection[str] = ()) -> list[list[str]]:
    """Return the cells of a table of classes, as printed, the harm of some marked."""
    return [
        [
            name,
            formatted(own.n, "count"),
            formatted(own.quality),
            formatted(own.strong_quality),
            formatted(own.escalated),
            formatted(own.cost_share),
            f"{formatted(own.harm)}{f' {LOOK}' if name in marked else ''}",
        ]
        for name, own in classes.items()
    ]


def print_cells(
    out: Console,
    title: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    words: Sequence[int],
) -> None:
    """Print a table whose columns are of numbers, but for those of words: the first to narrow.

    Args:
        out: Where to.
        title: Above it.
        headers: Of its columns.
        rows: Its cells, as printed.
        words: Which columns hold words.
    """
    widths = [
        max(map(cell_len, [*header.split(), *(cells[index] for cells in rows)]), default=0)
        for index, header in enumerate(headers)
    ]
    around = _GAP * (len(headers) - 1) + _EDGES
    for index in words:
        excess = sum(widths) + around - out.width
        widths[index] -= max(0, min(excess, widths[index] - _NARROWEST))
    whole = sum(widths) + around
    table = Table(
        box=box.SIMPLE_HEAD,
        show_header=any(headers),
        pad_edge=False,
        width=whole if whole > out.width else None,
    )
    for index, (header, width) in enumerate(zip(headers, widths, strict=True)):
        table.add_column(
            SafeText(header),
            justify="left" if index in words else "right",
            style="dim" if index in words and index else None,
            overflow="fold",
            width=width,
        )
    for cells in rows:
        table.add_row(*map(SafeText, cells))
    out.print(SafeText(f"\n{title}", style="bold"))
    out.print(table, crop=False)
