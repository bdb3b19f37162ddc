"""A log's report as one page with pictures; see `logged` for what it says."""

from __future__ import annotations

from pathlib import Path

from cascade_core.report.html import Section, write_html
from cascade_core.report.logged import (
    audit_lines,
    cost_lines,
    group_lines,
    headline,
    more_lines,
    notes,
    warnings_of,
)
from cascade_core.report.logged_rows import (
    AUDIT_LEGEND,
    GROUP_HEADERS,
    LATENCY_HEADERS,
    audit_rows,
    cost_rows,
    group_cells,
    latency_cells,
    who_rows,
    why_cells,
)
from cascade_core.report.terminal import LOOK
from cascade_core.report.timelines import timelines
from cascade_core.traffic.log_report import LogReport


def write_log_page(path: Path, report: LogReport) -> None:
    """Write what a log says as one page that needs no network.

    Args:
        path: Where to.
        report: What it says.

    Raises:
        ConfigurationError: It cannot be written.
        ModuleNotFoundError: The extra `report` is not installed.
    """
    figures = report.figures
    audits, latency, more = figures.audits, latency_cells(figures), list(more_lines(report))
    sections = [
        Section(
            "What happened",
            text=[
                headline(report),
                *(f"{LOOK} {line}." for line in warnings_of(report)),
                *notes(report),
            ],
            plots=timelines(report),
        ),
        Section("Who answered", figures=who_rows(report)),
        Section(
            "Why",
            headers=("reason", "requests"),
            cells=[[f"{words} ({reason})", n] for reason, n, words in why_cells(figures)],
        ),
        Section("Cost", text=list(cost_lines(figures)), figures=cost_rows(figures)),
        *([Section("Latency", headers=LATENCY_HEADERS, cells=latency)] if latency else []),
        Section(
            "Quality, as audits tell it",
            text=list(audit_lines(report)),
            figures=[] if audits is None else audit_rows(audits),
            legend=() if audits is None else AUDIT_LEGEND,
        ),
        *([Section("Rules, policies, changes", text=more)] if more else []),
        *(
            [
                Section(
                    f"By {report.by}",
                    text=list(group_lines(report)),
                    headers=(report.by, *GROUP_HEADERS),
                    cells=group_cells(report),
                )
            ]
            if report.by is not None
            else []
        ),
    ]
    write_html(path, "Cascade report", sections, subtitle=report.source)
