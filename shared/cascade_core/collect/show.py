"""Shows a run to people: a bar while it goes on, figures at its end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from cascade_core.collect.estimate import Estimate
from cascade_core.collect.runner import Advance
from cascade_core.collect.summary import Collected
from cascade_core.visible import SafeText

MOST_LISTED = 3
"""Problems of a grader that are listed; a wrong scale has as many as it has numbers."""


def begin(estimate: Estimate, *, ask: bool, quiet: bool) -> None:
    """Say on standard error what a run will cost, and ask at a terminal whether to begin.

    Raises:
        typer.Exit: The answer was no.
    """
    if quiet:
        return
    typer.echo(f"{estimate}.", err=True)
    asks = ask and sys.stdin.isatty() and sys.stderr.isatty()
    if asks and not typer.confirm("Begin?", default=True, err=True):
        typer.echo("cascade: nothing was asked", err=True)
        raise typer.Exit(1)


@contextmanager
def progress(doing: str = "asking every tier", *, quiet: bool) -> Iterator[Advance]:
    """Show a progress bar with the cost so far on standard error, where somebody looks."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda *_: None
        return
    columns = (
        TextColumn(doing), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[spent]}"), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    bar = Progress(*columns, console=console)
    task = bar.add_task("", total=None, start=False, spent="")
    begun = False

    def advance(done: int, total: int, spent: Decimal) -> None:
        nonlocal begun
        if not begun:
            bar.start()  # not before there is anything to show: options may yet be refused
            bar.start_task(task)
            begun = True
        known = usd(spent) if spent else ""  # nothing known is not nothing spent
        bar.update(task, completed=done, total=total, spent=known)

    try:
        yield advance
    finally:
        if begun:
            bar.stop()


def usd(spent: Decimal | float) -> str:
    """Write an amount, small ones with more places."""
    return f"${spent:.2f}" if spent >= 1 else f"${spent:.6f}"


def print_summary(found: Collected, console: Console | None = None) -> None:
    """Print what was collected, and how to go on."""
    out = console or Console()
    if found.n:
        out.print(_tiers(found))
    out.print(SafeText(f"\n{_spent(found)}."))
    if found.regraded:
        asked = "only the judge was asked" if found.quality == "judge" else "no model was asked"
        out.print(SafeText(f"Answers to {found.regraded} requests were graded again: {asked}."))
    for index, tier in enumerate(found.tiers):
        if tier.readings:
            read = ", ".join(f"{name} on {n}" for name, n in tier.readings.items())
            out.print(SafeText(f"Tier {index} was read by {read}."))
        if tier.failed:
            listed = ", ".join(f"{error} × {n}" for error, n in tier.errors.items())
            out.print(SafeText(f"Tier {index} gave no answer to {tier.failed}: {listed}."))
    if _to_grade(found):
        out.print(SafeText(f"{_count(found.ungraded, 'row')} could not be graded: {_why(found)}."))
    if found.n:
        rows = _count(found.usable, "row")
        out.print(SafeText(f"The table is {found.out}: {rows} to tune on ({found.quality})."))
    for line in _how_to_go_on(found):
        out.print(SafeText(line))


def _spent(found: Collected) -> str:
    requests = f"{found.n} of {found.total} requests"
    if found.n and found.unpriced == found.n and not found.spent:
        every = all(tier.cost_usd is None for tier in found.tiers)
        unpriced = "all calls" if every else "some calls for each"
        return f"Asked about {requests}; {unpriced} are unpriced, so no cost is known"
    if found.unpriced:
        left_out = f"{_count(found.unpriced, 'request')} with unpriced calls not counted"
        return f"Spent {usd(found.spent)} or more on {requests}, {left_out}"
    return f"Spent {usd(found.spent)} on {requests}"


def _tiers(found: Collected) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "model"):
        table.add_column(heading)
    for heading in ("quality", "USD per 1,000", "failed", "ungraded"):
        table.add_column(heading, justify="right")
    for index, tier in enumerate(found.tiers):
        table.add_row(
            f"tier {index}",
            SafeText(tier.model or "–"),
            "–" if tier.quality is None else f"{tier.quality:.3f}",
            "unpriced" if tier.cost_usd is None else f"{tier.cost_usd * 1000:.4f}",
            str(tier.failed),
            str(tier.ungraded),
        )
    return table


def _how_to_go_on(found: Collected) -> list[str]:
    lines = [_how_to_grade(found)] if _to_grade(found) else []
    if found.doubt and found.kept:
        lines.append(
            f"Give the same command with another --quality to grade the answers in {found.journal} "
            "again, or delete that file where this table is as you expect."
        )
    if found.stopped is None and not found.failed:
        return lines
    if found.stopped is None:
        again = "Give the same command to ask again what a tier gave no answer to"
        return [*lines, f"{again}; {found.journal} keeps the rest, and may be deleted if not."]
    if found.stopped == "cap":
        why = f"The spending cap leaves no room for the {_count(found.left, 'request')} left."
        how = "Raise --max-cost and give the same command to go on."
    else:
        why = f"A call has no price, so no cap can be kept; {_count(found.left, 'request')} left."
        how = "Give the same command without --max-cost to go on, or begin anew with --prices."
    return [*lines, why, f"{how} Until then {found.journal} keeps what is paid for."]


def _to_grade(found: Collected) -> bool:
    never = found.ungraded and not found.usable and found.stopped is None
    return bool(found.problems or never)


def _how_to_grade(found: Collected) -> str:
    judge = found.quality == "judge"
    mended = "See to the judge" if judge else f"Mend {found.quality}"
    asked = "only the judge is asked" if judge else "no model is asked"
    return (
        f"{found.journal} keeps the answers. {mended}, or choose another --quality, and give the "
        f"same command: they are graded again, and {asked}."
    )


def _why(found: Collected) -> str:
    """List what kept the grader from telling, in how many rows each."""
    problems = list(found.problems.items())
    if not problems:
        judge = found.quality == "judge"
        return "the judge never decided" if judge else f"{found.quality} returned None"
    listed = ", ".join(f"{problem} × {rows}" for problem, rows in problems[:MOST_LISTED])
    left = len(problems) - MOST_LISTED
    return f"{listed}, and {left} other problems" if left > 0 else listed


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
