"""Reports a log of decisions in the terminal; what it says in words, the page says too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from cascade_core.costs.shown import dollars
from cascade_core.evaluation.audited import FEW_AUDITS
from cascade_core.report.logged_rows import (
    AUDIT_LEGEND,
    ESTIMATED,
    FEW_REQUESTS,
    GROUP_HEADERS,
    LATENCY_HEADERS,
    LONGEST_NAME,
    audit_rows,
    cost_rows,
    counted,
    group_cells,
    latency_cells,
    share_of,
    shown_groups,
    void_causes,
    who_rows,
    why_cells,
)
from cascade_core.report.rows import formatted, shortened, shown_moment
from cascade_core.report.terminal import LOOK, print_cells, print_figures
from cascade_core.traffic.log_report import Decider, LogReport
from cascade_core.traffic.money import BreakEven, Costs
from cascade_core.traffic.shifts import Moved
from cascade_core.traffic.summary import TrafficFigures
from cascade_core.visible import SafeText

MOST_LINES = 12
"""Rules, policies and errors that are listed."""


def print_log(report: LogReport, console: Console | None = None) -> None:
    """Print what a log says.

    Args:
        report: What it says.
        console: Where to; standard output by default.
    """
    out = console or Console()
    out.print(SafeText(headline(report), style="bold"))
    for line in notes(report):
        out.print(SafeText(line, style="dim"))
    for line in warnings_of(report):
        out.print(SafeText(f"{LOOK} {line}", style="bold"))
    print_figures(out, "who answered", who_rows(report))
    print_cells(out, "why", ("", "requests", ""), why_cells(report.figures), words=[2, 0])
    print_figures(out, "cost", cost_rows(report.figures))
    for line in cost_lines(report.figures):
        out.print(SafeText(line))
    cells = latency_cells(report.figures)
    if cells:
        print_cells(out, "latency", LATENCY_HEADERS, cells, words=[0])
    if report.figures.audits is not None:
        rows = audit_rows(report.figures.audits)
        print_figures(out, "quality, as audits tell it", rows, AUDIT_LEGEND)
    else:
        out.print()
    for line in (*audit_lines(report), *more_lines(report)):
        out.print(SafeText(line))
    if report.by is not None:
        headers = (report.by, *GROUP_HEADERS)
        print_cells(out, f"by {report.by}", headers, group_cells(report), words=[0])
        for line in group_lines(report):
            out.print(SafeText(line))


def headline(report: LogReport) -> str:
    """Say in one sentence what the log holds and what it comes to."""
    figures, saved, span = report.figures, report.figures.saved, report.span
    when = "" if span is None else f", {shown_moment(span[0])} to {shown_moment(span[1])} UTC"
    said = f"{counted(figures.requests, 'request')}{when}"
    if saved.requests == 0:
        return f"{said}; no request has known costs, so nothing can be said about them."
    if saved.saved_usd is None or saved.cost_usd is None or not saved.strong_usd:
        return f"{said}."
    of = f"{dollars(saved.cost_usd)} against {dollars(saved.strong_usd)} for always asking the"
    if saved.dear:
        more = f"{dollars(-saved.saved_usd)} more"
        return f"{said}: {of} last tier, {more}{f', {saved.how}' if saved.how else ''}."
    few = saved.requests < FEW_REQUESTS
    return (
        f"{said}: {of} last tier, {dollars(saved.saved_usd) if few else formatted(saved.share)} "
        f"{saved.label}."
    )


def notes(report: LogReport) -> Iterator[str]:
    """Say what a reader must know before believing the figures."""
    figures, costs = report.figures, report.figures.costs
    if figures.requests < FEW_REQUESTS:
        yield f"So few requests say little; shares of under {FEW_REQUESTS} are shown as counts."
    if figures.shadow:
        served = "the last tier answered, and drafts were paid for besides"
        yield f"{counted(figures.shadow, 'request')} in shadow mode: {served}."
    yield from price_lines(costs)
    if report.read.unreadable:
        yield unreadable_line(report.read.unreadable)


def price_lines(costs: Costs) -> Iterator[str]:
    """Say what is not priced, and so missing from sums."""
    if costs.unpriced:
        yield (
            f"{counted(costs.unpriced, 'request')} made a call of unknown price; costs leave "
            f"{'it' if costs.unpriced == 1 else 'them'} out. Give prices= to the cascade."
        )
    if costs.incomparable:
        yield (
            f"Of {counted(costs.incomparable, 'request')}, which cost "
            f"{dollars(costs.incomparable_usd)}, it is not known what the last tier would have "
            "cost; the comparison leaves "
            f"{'it' if costs.incomparable == 1 else 'them'} out."
        )
    if costs.unpriced_audits:
        yield (
            f"{counted(costs.unpriced_audits, 'audit')} of unknown price: what was saved cannot be "
            "said."
        )


def unreadable_line(lines: int) -> str:
    """Say that lines of the log could not be read."""
    return f"{counted(lines, 'line')} of the log could not be read."


def warnings_of(report: LogReport) -> Iterator[str]:
    """Say what somebody has to look at."""
    figures = report.figures
    if figures.saved.dear:
        yield dear_line(figures)
    yield from map(failing_line, report.read.failing)
    if figures.exhausted:
        yield f"{counted(figures.exhausted, 'request')} had no answer from any tier"
    if figures.voided:
        yield void_line(figures)
    if report.drift is not None:
        for alarm in report.drift.alarms:
            yield f"moved since the policy was tuned: {alarm.text}"


def void_line(figures: TrafficFigures) -> str:
    """Say of how many answers no promise holds, and why."""
    return (
        f"{counted(figures.voided, 'answer')} ({figures.voided / figures.answered:.1%}) met no "
        f"threshold, {void_causes(figures)}: no promise about quality holds for "
        f"{'it' if figures.voided == 1 else 'them'}"
    )


def failing_line(tier: Mapping[str, Any]) -> str:
    """Say that a tier had failed again and again when the log ended."""
    alone = ", and was left alone" if tier.get("open") is True else ""
    return (
        f"tier {tier.get('tier')} ({tier.get('model') or 'not named'}) had failed "
        f"{tier.get('failures')} times in a row when the log ended{alone}: {tier.get('error')}"
    )


def dear_line(figures: TrafficFigures) -> str:
    """Say that the cascade costs more than it saves, and why as far as that can be told."""
    saved = figures.saved
    assert saved.cost_usd is not None and saved.strong_usd is not None  # noqa: PT018, S101
    each, strong = saved.cost_usd / saved.requests, saved.strong_usd / saved.requests
    said = (
        "this cascade costs more than going straight to the last tier: "
        f"{dollars(each)} a request against {dollars(strong)}"
    )
    if figures.shadow == figures.requests:
        return f"{said}, as it must in shadow mode"
    learned = figures.reasons.get("learning", 0)
    if learned == figures.requests:
        return f"{said}, as it must while the last tier answers all and the first is learned of"
    if saved.audits_usd and saved.answers_usd is not None and saved.answers_usd < saved.strong_usd:
        if 2 * learned > figures.requests:
            share = f"{learned:,} of {counted(figures.requests, 'request')}"
            return f"{said}; without its audits, by which it learned in {share}, it would cost less"
        return f"{said}; without its audits it would cost less: audit fewer"
    if saved.requests < FEW_REQUESTS:
        return f"{said}, though {counted(saved.requests, 'request')} prove little"
    return said


def cost_lines(figures: TrafficFigures) -> Iterator[str]:
    """Say from where on the cascade pays, and what audits say of the saving."""
    costs, saved = figures.costs, figures.saved
    if saved.break_even is not None:
        yield break_even_line(saved.break_even, saved.how)
    elif saved.requests and not saved.dear:
        yield (
            "Break-even: not known yet; it takes priced requests that a cheaper tier answered, "
            "and others that were sent on."
        )
    saving = None if figures.audits is None else figures.audits.saving
    if saved.corrected and saved.saved_usd is not None:
        between, by_estimate = "", ""
        if saved.low is not None and saved.high is not None:
            between = f", 95 % interval {dollars(saved.low)} … {dollars(saved.high)}"
        if costs.saved_usd is not None:
            by_estimate = f"; {dollars(costs.saved_usd)} by estimate"
        yield (
            f"Saved, corrected by {counted(saved.audits, 'audit')}: "
            f"{dollars(saved.saved_usd)}{between}{by_estimate}."
        )
    elif saving is not None and saving.saved_usd is not None and saving.audits:
        yield (
            f"Saved, by estimate: {counted(saving.audits, 'audit')} would correct it to "
            f"{dollars(saving.saved_usd)}, but fewer than {FEW_AUDITS} say little."
        )


def break_even_line(even: BreakEven, how: str) -> str:
    """Say from which share of kept answers on the cascade pays.

    Args:
        even: It.
        how: How it was found, as `Saved` says.
    """
    n = even.kept + even.escalated
    said = (
        f"Break-even{f', {how}' if how else ''}: a kept answer saves {dollars(even.gain_usd)}, "
        f"one sent on costs {dollars(even.loss_usd)} more"
        + (f", audits {dollars(even.audit_usd)} a request" if even.audit_usd else "")
    )
    if even.share is None:
        why = "with so many audits" if even.gain_usd > 0 else "at these prices"
        return f"{said}: {why} the cascade never pays."
    now = share_of(even.kept, n, spelled=True)
    if not even.share:
        return f"{said}: it pays at any share of kept answers (now {now})."
    return f"{said}: it pays from {formatted(even.share)} kept answers on; now {now}."


def audit_lines(report: LogReport) -> Iterator[str]:
    """Say what audits do not cover, and what people said, which is no sample."""
    found, feedback = report.figures.audits, report.read.feedback
    if found is None:
        yield "Quality is not known: nothing was audited. audit=Audit(rate=0.05) does it."
    else:
        outside = found.requests - found.eligible
        if outside:
            yield f"{counted(outside, 'request')} could not be audited; nothing is said of them."
        if report.read.missing:
            listed = ", ".join(f"{why} {n:,}" for why, n in report.read.missing.items())
            yield f"Audits not done: {listed}."
        if report.read.compared:
            listed = ", ".join(f"{name} {n:,}" for name, n in report.read.compared.items())
            yield f"Answers were compared by {listed}."
        if report.read.undecided:
            yield (
                f"In {report.read.undecided:,} of these it could not be told whether they say "
                "the same; they count as different, so that harm is overstated: use "
                "audit=Audit(compare=Judge(model)) or a function"
            )
    if feedback.n:
        mean = "" if feedback.quality is None else f", mean quality {feedback.quality:.3f}"
        yield (
            f"Feedback: {feedback.n:,} on {counted(feedback.decisions, 'decision')}{mean}, "
            f"{feedback.corrected:,} with a correction. People volunteer it, so it says nothing of "
            "the other answers."
        )


def more_lines(report: LogReport) -> Iterator[str]:
    """Say which rules and policies decided, what failed, and whether traffic has shifted."""
    yield from _decided("Rules", report.rules, report.figures.requests)
    yield from _decided("Policies", report.policies, report.figures.requests)
    errors = list(report.read.errors.items())
    if errors:
        listed = ", ".join(f"{error} ({n:,})" for error, n in errors[:MOST_LINES])
        yield f"Failed calls, in the last requests that had one: {listed}."
    shift = report.shift
    if shift is not None:
        yield shift_line(shift)
    if report.drift is not None and not report.drift.alarms:
        yield "Nothing has moved from what the policy was tuned on, as far as these can tell."


def shift_line(shift: Moved) -> str:
    """Say that the share sent on has shifted within the log."""
    when = "" if shift.at is None else f", noticed at {shown_moment(shift.at)}"
    return (
        f"The share sent on has shifted {counted(shift.shifts, 'time')}; the last time from "
        f"{formatted(shift.before)} to {formatted(shift.after)}{when}."
    )


def _decided(what: str, found: Sequence[Decider], n: int) -> Iterator[str]:
    if not found:
        return
    yield f"{what}:"
    for each in found[:MOST_LINES]:
        span = ""
        if each.first is not None and each.last is not None and what == "Policies":
            span = f", {shown_moment(each.first)} to {shown_moment(each.last)}"
        yield f"  {shortened(each.name, LONGEST_NAME)}: {share_of(each.requests, n)}{span}"
    if len(found) > MOST_LINES:
        yield f"  and {len(found) - MOST_LINES:,} more"


def group_lines(report: LogReport) -> Iterator[str]:
    """Say of groups what the table does not."""
    hidden = len(report.groups) - len(shown_groups(report)) + report.left_out
    if hidden:
        yield f"{hidden:,} {'earlier' if report.by == 'day' else 'smaller'} groups are not shown."
    for each in shown_groups(report):
        if each.figures.saved.dear and each.figures.requests >= FEW_REQUESTS:
            yield (
                f"{LOOK} {report.by} {shortened(each.name, LONGEST_NAME)} costs more than going "
                "straight to the last tier"
            )
    if any(each.figures.saved.by == "estimate" for each in shown_groups(report)):
        yield (
            f"{ESTIMATED}: by estimate, as fewer than {FEW_AUDITS} audits of the group correct it."
        )
    if any(each.figures.audits is not None for each in report.groups):
        yield f"Costs are per request; harm needs {FEW_AUDITS} audits in a group."
