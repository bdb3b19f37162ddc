"""Prints what the demo measured, for people and for scripts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cascade_core.policy.document import Policy
from cascade_demo.measure import (
    GradedAnswer,
    OnProgress,
    Report,
    accuracy,
    escalated,
    mean_cost,
    median_ms,
)


@contextmanager
def show_progress(*, quiet: bool) -> Iterator[OnProgress]:
    """Show a progress bar on standard error, where somebody looks."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda *_: None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )  # fmt: skip
    bars = Progress(*columns, console=console)
    tasks: dict[str, Any] = {}

    def advance(what: str, done: int, total: int) -> None:
        if not tasks:
            bars.start()  # not before there is anything to show: options may yet be refused
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done)

    try:
        yield advance
    finally:
        if tasks:
            bars.stop()


def as_plain(report: Report) -> str:
    """Return the figures as JSON: accuracy, mean USD a ticket, median milliseconds."""
    accepted = [a for a in report.cascade if a.record["tier"] == 0]
    figures: dict[str, Any] = {
        "cheap": _figures(report.cheap),
        "strong": _figures(report.strong),
        "cascade": {
            **_figures(report.cascade),
            "escalated": escalated(report.cascade),
            "accepted_latency_ms": median_ms(accepted),
        },
        "framework": report.framework,
        "tickets": len(report.cascade),
        "tune_tickets": report.n_tune,
        "tune_readings": report.n_read,
        "threshold": report.threshold,
        "models": {"cheap": report.models[0], "strong": report.models[1]},
        "prices": report.prices,
        "classes": {
            name: {
                "tickets": len(of),
                "cheap": accuracy([report.cheap[i] for i in of]),
                "strong": accuracy([report.strong[i] for i in of]),
                "cascade": accuracy([report.cascade[i] for i in of]),
                "escalated": escalated([report.cascade[i] for i in of]),
            }
            for name, of in _classes(report).items()
        },
    }
    return json.dumps(figures, indent=2)


def print_report(report: Report, console: Console | None = None) -> None:
    """Print the figures, the same by class of ticket, and some decisions in full."""
    out = console or Console()
    cheap, strong = report.models
    tickets = _count(len(report.cascade), "held-out ticket")
    out.print(
        Text.assemble(
            "\n", (tickets, "bold"), ", answered by ", (cheap, "bold"), ", by ", (strong, "bold"),
            ", and by their cascade.",
        )
    )  # fmt: skip
    if report.how:
        out.print(Text(report.how))
    decided = _threshold(report) if report.policy is None else _policy(report, report.policy)
    out.print(Text(decided + "\n"))
    out.print(_overview(report))
    out.print(Text(_prices(report), style="dim"))
    out.print(Text(f"\n{_verdict(report)}\n"))
    out.print(_by_class(report))
    examples = _examples(report)
    if examples:
        out.print(Text(f"\n{_count(len(examples), 'decision')} in full", style="bold"))
    for title, index in examples:
        out.print(Text(f"\n{title}", style="bold"))
        out.print(_explained(report, index))


PROMISED = 300
"""Tickets that a promise of harm ≤ 5 % takes at about, where one draft in a hundred does harm."""


def print_labels(report: Report, path: Path, console: Console | None = None) -> None:
    """Print what was written, and what it is good for."""
    out, name = console or Console(), shlex.quote(str(path))
    written = f"\n{path} holds {_count(report.n_tune, 'ticket')} with both answers. Go on with:"
    commands = (
        f"cascade tune {name} {_asked(report.n_tune)} --out policy.json",
        f"cascade replay {name} --policy policy.json",
        "cascade demo --policy policy.json",
    )
    # Lines to be copied are never wrapped.
    out.print(Text("\n  ".join((written, *commands))), soft_wrap=True)
    if report.n_tune < PROMISED:
        out.print(Text(f"A promise such as --harm 0.05 takes about {PROMISED} tickets: --tune."))


def _asked(tickets: int) -> str:
    """Ask of so many tickets what they can carry: a promise takes some hundreds."""
    return "--harm 0.05" if tickets >= PROMISED else "--quality 0.95"


def _figures(answers: Sequence[GradedAnswer]) -> dict[str, Any]:
    return {
        "accuracy": accuracy(answers),
        "cost_usd": mean_cost(answers),
        "latency_ms": median_ms(answers),
    }


def _classes(report: Report) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, answer in enumerate(report.cascade):
        found.setdefault(answer.ticket.ticket_class, []).append(index)
    return dict(
        sorted(found.items(), key=lambda item: escalated([report.cascade[i] for i in item[1]]))
    )


def _overview(report: Report) -> Table:
    table = Table(title=None, box=None, pad_edge=False)
    table.add_column("")
    for heading in ("right", "USD per 1,000", "median wait", "escalated"):
        table.add_column(heading, justify="right")
    for name, answers in (
        ("cheap only", report.cheap), ("strong only", report.strong), ("cascade", report.cascade)
    ):  # fmt: skip
        share = f"{escalated(answers):.1%}" if name == "cascade" else ""
        table.add_row(
            name, _percent(answers), _usd(mean_cost(answers)),
            _ms(median_ms(answers)), share, style="bold" if name == "cascade" else "",
        )  # fmt: skip
    accepted = [a for a in report.cascade if a.record["tier"] == 0]
    sent_on = [a for a in report.cascade if a.record["tier"] > 0]
    for name, answers in (("  its accepted answers", accepted), ("  its escalated ones", sent_on)):
        if answers:
            table.add_row(
                name, _percent(answers), _usd(mean_cost(answers)),
                _ms(median_ms(answers)), "", style="dim",
            )  # fmt: skip
    return table


def _threshold(report: Report) -> str:
    others = _count(report.n_tune, "other ticket")
    if not report.n_read:
        return (
            f"The cheap model sent no log-probabilities on any of {others}, so nothing tells when "
            "to trust it: the threshold is 1 and every ticket goes on to the strong model. "
            "Another signal, such as Agreement(model) or Judge(model), would change that."
        )
    told = (
        f"Threshold {report.threshold:.4f}, picked on {others}: drafts at or above it are accepted."
    )
    unread = report.n_tune - report.n_read
    return f"{told} {unread} of them had no reading." if unread else told


def _policy(report: Report, policy: Policy) -> str:
    name = f"policy {policy.name!r}" if policy.name else "the policy that was given"
    kind = "confidence" if policy.calibrators is None else "calibrated confidence"
    told = f"Decided by {name}: drafts of a {kind} of {report.threshold:.4f} or more are accepted"
    if policy.classes:
        own = ", ".join(name.replace("_", " ") for name in policy.classes)
        told += f", save in classes with thresholds of their own: {own}"
    skips = "" if policy.route is None else " It may leave out the cheap model altogether."
    return f"{told}.{skips}"


def _prices(report: Report) -> str:
    costs = [mean_cost(answers) for answers in (report.cheap, report.strong, report.cascade)]
    if None not in costs:
        return f"Prices: {report.prices}."
    return f"Prices: {report.prices}, and none known where it says unpriced."


def _verdict(report: Report) -> str:
    """Compare the cascade with the strong model alone, in one sentence; two where there is none."""
    right = [sum(a.right for a in arm) for arm in (report.cheap, report.strong, report.cascade)]
    if not any(right):
        return (
            "Not one answer of either model was right: there is nothing to compare, and neither "
            "the threshold nor the costs mean anything. "
            "An answer counts only where it says what the desk's one right answer says; a model "
            "that does not know the desk's rules, or words them in its own way, gets none."
        )
    ours, theirs = mean_cost(report.cascade), mean_cost(report.strong)
    gap, nothing = _gap(report), ""
    if right[1] <= right[0] < len(report.cascade):
        nothing = " The strong model was right no more often than the cheap one: it buys nothing."
    if ours is None or not theirs:
        unknown = "; the costs are not known" if None in (ours, theirs) else ""
        compared = f"Compared with always asking the strong model, the cascade is {gap}{unknown}."
    else:
        costs = f"{ours / theirs:.0%} of always asking the strong model"
        compared = f"The cascade costs {costs} and is {gap}."
    return compared + nothing


def _gap(report: Report) -> str:
    """Compare how often both are right; the difference is that of the two numbers beside it."""
    ours, theirs = (Decimal(_percent(a).rstrip("%")) for a in (report.cascade, report.strong))
    more = "more" if ours > theirs else "less"
    against = f"{_percent(report.cascade)} against {_percent(report.strong)}"
    if ours != theirs:
        return f"right {abs(ours - theirs)} percentage points {more} often ({against})"
    differing = abs(sum(a.right for a in report.cascade) - sum(a.right for a in report.strong))
    but = f" but for {_count(differing, 'ticket')}" if differing else ""
    return f"right just as often{but} ({_percent(report.cascade)})"


def _percent(answers: Sequence[GradedAnswer]) -> str:
    return f"{accuracy(answers):.1%}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _by_class(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("class of ticket")
    for heading in ("tickets", "cheap", "strong", "cascade", "escalated"):
        table.add_column(heading, justify="right")
    for name, of in _classes(report).items():
        table.add_row(
            Text(name.replace("_", " ")),
            f"{len(of):,}",
            f"{accuracy([report.cheap[i] for i in of]):.0%}",
            f"{accuracy([report.strong[i] for i in of]):.0%}",
            f"{accuracy([report.cascade[i] for i in of]):.0%}",
            f"{escalated([report.cascade[i] for i in of]):.0%}",
        )
    return table


def _examples(report: Report) -> list[tuple[str, int]]:
    """Choose one decision of each kind: a good accept, a good escalation, and a mistake."""
    wanted: tuple[tuple[str, Callable[[GradedAnswer, GradedAnswer], bool]], ...] = (
        ("Kept, rightly", lambda a, _: a.record["tier"] == 0 and a.right),
        ("Sent on, rightly: the cheap model was wrong",
         lambda a, c: a.record["tier"] > 0 and a.right and not c.right),
        ("Kept, and wrong: no threshold catches everything",
         lambda a, _: a.record["tier"] == 0 and not a.right),
        ("Sent on for nothing: the cheap model was right",
         lambda a, c: a.record["tier"] > 0 and c.right),
    )  # fmt: skip
    found: list[tuple[str, int]] = []
    for title, fits in wanted:
        for index, (answer, cheap) in enumerate(zip(report.cascade, report.cheap, strict=True)):
            if fits(answer, cheap):
                found.append((title, index))
                break
    return found[:3]


def _explained(report: Report, index: int) -> Table:
    """Return one decision as two columns, so that long texts wrap under their own start."""
    answer, cheap = report.cascade[index], report.cheap[index]
    record = answer.record
    confidence, merit, threshold = (record[n] for n in ("confidence", "merit", "threshold"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()

    def add(what: str, text: str, style: str = "") -> None:
        grid.add_row(Text(f"  {what}", style), Text(text, style))

    add("ticket", answer.ticket.text)
    if answer.passages:
        add("retrieved", "; ".join(answer.passages))
    add("cheap says", f"{cheap.text}  ({'right' if cheap.right else 'wrong'})")
    if merit is not None:
        readings = ", ".join(f"{k} {v:.4f}" for k, v in record["signals"].items() if v is not None)
        sign = "≥" if merit >= threshold else "<"
        what = "confidence" if merit == confidence else "merit"
        add(what, f"{merit:.4f} {sign} {threshold:.4f}  ({readings})")
    if record["tier"] > 0:
        add("strong says", f"{answer.text}  ({'right' if answer.right else 'wrong'})")
    if not answer.right:
        add("should be", answer.ticket.reference)
    add("reason", f"{record['reason']}, tier {record['tier']}")
    for call in record["calls"]:
        usage = call["usage"] or {}
        tokens = f"{usage.get('input_tokens', '?')} + {usage.get('output_tokens', '?')} tokens"
        cost = "unpriced" if call["cost_usd"] is None else f"${call['cost_usd']:.6f}"
        ended = f"{call['latency_ms']:.0f} ms, {call['outcome']}"
        add("call", f"{call['model']}: {tokens}, {cost}, {ended}", "dim")
    return grid


def _usd(cost: float | None) -> str:
    return "unpriced" if cost is None else f"{cost * 1000:.4f}"


def _ms(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f"{milliseconds:.1f} ms"
