"""The pictures of a log's report: who answered, and what it cost, over time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.costs.shown import dollars
from cascade_core.report.rows import formatted
from cascade_core.report.svg import BAD, FAINT, GOOD, INK, MAIN, SECOND, Plot, draw_plot
from cascade_core.traffic.log_report import LogReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HOUR, _DAY = 3600.0, 86_400.0
_FEWEST, _MOST = 3, 62
"""Spans of time that a picture has; with fewer there is none, more are put together."""
_DATES = 6
"""Dates that stand below a picture at the most."""
_WIDTHS = (_HOUR, _DAY, 7 * _DAY, 30 * _DAY)
_COLORS = (MAIN, SECOND, GOOD, INK)


def timelines(report: LogReport) -> list[Plot]:
    """Return the pictures over time; none where the log has no times, or too short a time."""
    at = report.worked.traffic.at
    span = report.span
    if span is None:
        return []
    width = next((w for w in _WIDTHS if (span[1] - span[0]) / w < _MOST), _WIDTHS[-1])
    first = np.floor(span[0] / width)
    place = np.where(np.isnan(at), -1, np.floor(at / width) - first).astype(np.int64)
    many = int(place.max()) + 1
    if many < _FEWEST:
        return []
    known = place >= 0
    starts = (first + np.arange(many)) * width
    plots = [_answers(report, place, known, starts, width)]
    cost = _costs(report, place, known, starts, width)
    return plots if cost is None else [*plots, cost]


def _answers(report: LogReport, place: Ints, known: Any, starts: Array, width: float) -> Plot:
    traffic, each = report.worked.traffic, _named(width)
    tiers = sorted(report.figures.by_tier)
    counts = [np.bincount(place[known & (traffic.tier == k)], minlength=len(starts)) for k in tiers]
    nobody = np.bincount(place[known & (traffic.tier < 0)], minlength=len(starts))
    bars = [
        (count, _COLORS[min(k, len(_COLORS) - 1)], f"tier {k}")
        for k, count in zip(tiers, counts, strict=True)
    ]
    bars += [(nobody, BAD, "nobody")] if nobody.any() else []

    def draw(axes: Axes) -> None:
        below = np.zeros(len(starts))
        for count, color, label in bars:
            axes.bar(
                _days(starts), count, 0.85 * width / _DAY, below, align="edge",
                color=color, label=label,
            )  # fmt: skip
            below += count
        axes.set_ylabel(f"requests {each}")
        _dated(axes, starts, width)
        _legend(axes, len(bars))

    shares = "; ".join(
        f"tier {k} {formatted(n / report.figures.requests)}"
        for k, n in report.figures.by_tier.items()
    )
    alt = f"Requests {each} by who answered: {shares} of all."
    return draw_plot("Who answered", alt, f"Requests {each}, by who answered. UTC.", draw)


def _costs(report: LogReport, place: Ints, known: Any, starts: Array, width: float) -> Plot | None:
    worked, each = report.worked, _named(width)
    cost, strong = worked.traffic.cost, worked.traffic.strong_cost
    paid = cost + np.nan_to_num(worked.audit_cost)
    rows = known & ~np.isnan(cost) & ~np.isnan(strong)
    if not rows.any():
        return None
    how = ", by estimate" if report.figures.costs.estimated else ""
    sums = [np.bincount(place[rows], of[rows], len(starts)) for of in (strong, paid)]

    def draw(axes: Axes) -> None:
        middle = _days(starts + width / 2)
        for values, color, style, label in (
            (sums[0], FAINT, "--", f"always the last tier{how}"),
            (sums[1], MAIN, "-", "this cascade, audits included"),
        ):
            axes.plot(middle, values, style, color=color, label=label, linewidth=1.8)
        axes.set_ylabel(f"USD {each}")
        axes.set_ylim(bottom=0)
        _dated(axes, starts, width)
        _legend(axes, 2)

    alt = (
        f"Cost {each}: {dollars(float(sums[1].sum()))} in all, against "
        f"{dollars(float(sums[0].sum()))} for always asking the last tier{how}."
    )
    return draw_plot("Cost", alt, f"USD {each}, of requests whose costs are known. UTC.", draw)


def _named(width: float) -> str:
    return {_HOUR: "an hour", _DAY: "a day", 7 * _DAY: "a week"}.get(width, "in 30 days")


def _days(seconds: Array) -> Any:
    return seconds / _DAY


def _dated(axes: Axes, starts: Array, width: float) -> None:
    shown = np.arange(0, len(starts), -(-len(starts) // _DATES))
    moments = [datetime.fromtimestamp(float(starts[k]), UTC) for k in shown]
    form = "%d %b\n%H:%M" if width < _DAY else "%d %b"
    axes.set_xticks(_days(starts[shown] + width / 2), [each.strftime(form) for each in moments])
    axes.set_xlim(_days(starts[0]), _days(starts[-1] + width))


def _legend(axes: Axes, columns: int) -> None:
    axes.figure.legend(loc="outside lower center", ncols=columns, fontsize=9, columnspacing=1.2)
