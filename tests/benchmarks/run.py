"""Measures the library beside what one would use without it, and prints one table of ratios.

    python tests/benchmarks/run.py [--only streaming] [--rounds 0.2] [--strict] [--json]

Both sides of a row are measured in turn, in one run on one machine, and the ratio is taken round by
round, so that a busy moment slows both; shown are its median, and its first and last decile as its
spread. Figures in units are the best round's: they tell this machine's size, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict

import agreement
import deadline
import imports
import ledgers
import log
import overhead
import overhead_llamaindex
import recorded_rows
import report
import review
import scale
import streaming
import telemetry
import throughput
from rich.console import Console
from rows import Row, Skipped, table_of

from cascade_core import CascadeWarning

Rows = Callable[[int], Iterable[Row | Skipped]]
PARTS: Mapping[str, tuple[Rows, int]] = {
    "overhead": (overhead.rows, 30),
    "overhead-llamaindex": (overhead_llamaindex.rows, 30),
    "imports": (imports.rows, 9),
    "log": (log.rows, 9),
    "ledgers": (ledgers.rows, 9),
    "deadline": (deadline.rows, 5),
    "telemetry": (telemetry.rows, 9),
    "streaming": (streaming.rows, 9),
    "agreement": (agreement.rows, 9),
    "throughput": (throughput.rows, 2),
    "scale": (scale.rows, 1),
    "recorded": (recorded_rows.rows, 2),
    "report": (report.rows, 2),
    "review": (review.rows, 1),
}
"""What is measured, and in how many rounds."""


def main() -> int:
    """Print the table; with --strict, fail where a ratio is over its bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(PARTS), help="Again for more.")
    parser.add_argument("--rounds", type=float, default=1.0, help="How many times the usual ones.")
    parser.add_argument("--strict", action="store_true", help="Exit 1 where a bar is missed.")
    parser.add_argument("--json", action="store_true", help="Print JSON and nothing else.")
    given = parser.parse_args()
    # A cascade that always escalates costs more than the strong model alone: here that is the point.
    warnings.simplefilter("ignore", CascadeWarning)
    found: list[Row | Skipped] = []
    console = Console(stderr=given.json, width=None if sys.stdout.isatty() else 150)
    for part in given.only or PARTS:
        measure, rounds = PARTS[part]
        with Console(stderr=True).status(f"measuring {part}"):
            found += measure(max(1, round(rounds * given.rounds)))
    if given.json:
        json.dump([asdict(each) for each in found], sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        console.print(table_of(found))
    return int(given.strict and any(isinstance(each, Row) and each.over for each in found))


if __name__ == "__main__":
    sys.exit(main())
