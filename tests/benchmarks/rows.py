"""One line of the benchmark: two sides measured in turn, and how often one goes into the other."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from statistics import quantiles

from rich.console import Console
from rich.table import Table

from cascade_core import CascadeWarning


@dataclass(frozen=True)
class Row:
    """A ratio, and what it is made of.

    Attributes:
        group: What it belongs to.
        name: What was measured.
        beside: What it was held against.
        ratio: The median over rounds.
        low: The first decile over rounds.
        high: The last one.
        ours: What was measured, in `unit`; the best round.
        theirs: What it was held against; the best round.
        unit: Of both.
        bar: What the ratio should not exceed; None where there is none.
    """

    group: str
    name: str
    beside: str
    ratio: float
    low: float
    high: float
    ours: float
    theirs: float
    unit: str
    bar: float | None = None

    @property
    def over(self) -> bool:
        """Whether the ratio exceeds its bar."""
        return self.bar is not None and self.ratio > self.bar


@dataclass(frozen=True)
class Skipped:
    """What could not be measured, and why."""

    group: str
    why: str


def paired(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int, *, warm: bool = True
) -> tuple[list[float], list[float]]:
    """Measure both sides once a round, taking turns: who goes second finds warmer caches."""
    if warm:
        ours(), theirs()
    mine, other = [], []
    for number in range(rounds):
        gc.collect()
        for side, kept in ((ours, mine), (theirs, other))[:: -1 if number % 2 else 1]:
            kept.append(side())
    return mine, other


def row(
    group: str,
    name: str,
    beside: str,
    sides: tuple[list[float], list[float]],
    *,
    unit: str,
    scale: float = 1.0,
    bar: float | None = None,
) -> Row:
    """Make a row of what `paired` returned; `scale` brings a measurement to the unit."""
    mine, other = sides
    low, middle, high = spread(a / b for a, b in zip(mine, other, strict=True))
    best = (min(mine) * scale, min(other) * scale)
    return Row(group, name, beside, middle, low, high, *best, unit, bar)


def spread(values: Iterable[float]) -> tuple[float, float, float]:
    """Return the first decile, the median and the last decile."""
    found = list(values)
    if len(found) == 1:
        return found[0], found[0], found[0]
    cuts = quantiles(found, n=10, method="inclusive")
    return cuts[0], cuts[4], cuts[8]


def table_of(rows: Iterable[Row | Skipped]) -> Table:
    """Draw rows as one table."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("", "ratio", "spread", "bar", "ours", "theirs", "", "beside"):
        left = heading in {"", "beside"}
        table.add_column(heading, justify="left" if left else "right", no_wrap=heading != "beside")
    group = None
    for each in rows:
        if each.group != group:
            table.add_row(f"[bold]{each.group}[/bold]")
            group = each.group
        if isinstance(each, Skipped):
            table.add_row(f"  skipped: {each.why}")
            continue
        table.add_row(
            f"  {each.name}",
            f"[red]{each.ratio:.2f}[/red]" if each.over else f"{each.ratio:.2f}",
            f"{each.low:.2f}–{each.high:.2f}",
            "" if each.bar is None else f"{each.bar:.2f}",
            f"{each.ours:.4g}",
            f"{each.theirs:.4g}",
            each.unit,
            each.beside,
        )
    return table


def print_rows(
    about: str | None, measure: Callable[[int], Iterable[Row | Skipped]], rounds: int = 9
) -> int:
    """Measure as the command line says, and print: what a benchmark with bars does when it is run.

    Args:
        about: The benchmark's docstring.
        measure: Returns its rows; takes how many rounds to measure.
        rounds: The usual number of them.

    Returns:
        1 where a bar is missed, else 0.
    """
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--rounds", type=float, default=1.0, help="How many times the usual ones.")
    parser.add_argument("--json", action="store_true", help="Print JSON and nothing else.")
    given = parser.parse_args()
    warnings.simplefilter("ignore", CascadeWarning)
    found = list(measure(max(1, round(rounds * given.rounds))))
    if given.json:
        json.dump([asdict(each) for each in found], sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        Console(width=None if sys.stdout.isatty() else 150).print(table_of(found))
    return int(any(isinstance(each, Row) and each.over for each in found))
