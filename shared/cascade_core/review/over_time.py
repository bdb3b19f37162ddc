"""What a log's figures were over time: charts by hour, day, week or 30 days, whichever fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.evaluation.audited import AuditRows, Estimates, LiveRows, MeanFound
from cascade_core.evaluation.estimating import estimates_of
from cascade_core.review.charts import Chart, Series
from cascade_core.traffic.log_report import LogReport
from cascade_core.traffic.summary import Worked

_HOUR, _DAY = 3600.0, 86_400.0
_WIDTHS = {_HOUR: "hour", _DAY: "day", 7 * _DAY: "week", 30 * _DAY: "30 days"}
FEWEST_SPANS, MOST_SPANS = 3, 75
"""Spans of time that a chart has; with fewer there is none, and of more the spans are longer."""
FEW_IN_A_SPAN = 10
"""Audits in a span below which nothing is said of quality then; intervals say how little it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """A log's time in equal parts.

    Attributes:
        each: What a part is called: `day`.
        starts: (k,) when each begins, in seconds since 1970.
        edges: (k + 1,) the first row of each part, and behind the last.
    """

    each: str
    starts: Array
    edges: Ints

    def sums(self, values: Any) -> Array:
        """Add up the rows of each part."""
        total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
        found: Array = total[self.edges[1:]] - total[self.edges[:-1]]
        return found


def spans_of(at: Array) -> Spans | None:
    """Cut a log's time into parts; None where it has no times, or is too short.

    Args:
        at: (n,) when each decision was, oldest first; those of unknown time come first.
    """
    timeless = int(np.count_nonzero(np.isnan(at)))
    known = at[timeless:]
    if not len(known):
        return None
    long = float(known[-1] - known[0])
    width = next((each for each in _WIDTHS if long / each < MOST_SPANS), None)
    if width is None:  # one wrong clock is enough for it
        width = 30 * _DAY * np.ceil(long / (30 * _DAY) / MOST_SPANS)
    first, last = np.floor(known[0] / width), np.floor(known[-1] / width)
    many = int(last - first) + 1
    if many < FEWEST_SPANS:
        return None
    starts = (first + np.arange(many)) * width
    edges = timeless + np.searchsorted(known, np.append(starts, starts[-1] + width))
    each = _WIDTHS.get(width, f"{width / _DAY:,.0f} days")
    return Spans(each, starts, edges.astype(np.int64))


def charts_over_time(report: LogReport) -> list[Chart]:
    """Return the charts over time; none where the log is too short for them."""
    spans = spans_of(report.worked.traffic.at)
    return [] if spans is None else list(_charts(report, spans))


def _charts(report: LogReport, spans: Spans) -> Iterator[Chart]:
    worked, way = report.worked, report.worked.way
    traffic, each = worked.traffic, spans.each
    answered = spans.sums(way.answered)
    tiers = sorted(report.figures.by_tier)
    yield _chart(
        "over-tiers",
        f"Share answered by each tier, by {each}",
        spans,
        [
            Series(
                f"tier {tier}",
                _share(spans.sums(traffic.tier == tier), answered),
                colour=colour_of(tier, tiers),
            )
            for tier in tiers
        ],
        "share of answered",
    )
    priced = ~np.isnan(traffic.cost) & ~np.isnan(traffic.strong_cost)
    if priced.any():
        paid = np.where(priced, traffic.cost + np.nan_to_num(worked.audit_cost), 0.0)
        strong = np.where(priced, traffic.strong_cost, 0.0)
        how = ", by estimate" if report.figures.costs.estimated else ""
        yield _chart(
            "over-cost",
            f"Cost by {each}, audits included, against always asking the last tier{how}",
            spans,
            [
                Series("this cascade", spans.sums(paid).tolist(), colour="cascade"),
                Series(
                    f"always the last tier{how}", spans.sums(strong).tolist(), colour="strong",
                    dashed=True,
                ),
            ],
            "USD",
            "usd",
        )  # fmt: skip
    yield _chart(
        "over-escalated",
        f"Share sent on after a draft, by {each}",
        spans,
        [Series("sent on", _share(spans.sums(way.escalated), answered), colour="strong")],
        "share of answered",
    )
    found = [_estimates(worked, spans, k) for k in range(len(spans.starts))]
    quality = [None if one is None else one.quality for one in found]
    harm = [None if one is None else one.harm for one in found]
    if any(one is not None and one.n >= FEW_IN_A_SPAN for one in quality):
        yield _chart(
            "over-quality",
            f"Quality and harm by {each}, from audits; where there are {FEW_IN_A_SPAN} or more",
            spans,
            [_means("quality", quality, "cascade"), _means("harm", harm, "bad")],
            "mean of all requests",
        )
    if report.figures.failed_requests or report.figures.exhausted:
        yield _chart(
            "over-failures",
            f"Requests with a failed call, and those that nobody answered, by {each}",
            spans,
            [
                Series("with a failed call", spans.sums(traffic.failed > 0).tolist(), "bars",
                       colour="warn"),
                Series("answered by nobody", spans.sums(~way.answered).tolist(), "bars",
                       colour="bad"),
            ],
            "requests",
            "number",
        )  # fmt: skip


def _chart(  # noqa: PLR0913, PLR0917 - what a chart is made of
    name: str,
    title: str,
    spans: Spans,
    series: Sequence[Series],
    label: str,
    kind: Literal["percent", "usd", "number"] = "percent",
) -> Chart:
    return Chart(
        name=name,
        title=f"{title}. UTC.",
        x=spans.starts.tolist(),
        x_label=f"{spans.each} beginning",
        series=series,
        y_label=label,
        x_kind="time",
        y_kind=kind,
        y_range=(0.0, 1.0) if kind == "percent" else None,
    )


def colour_of(tier: int, tiers: Sequence[int]) -> Literal["cheap", "strong", "cascade"]:
    """Return the colour that a tier has on all charts."""
    if tier == 0:
        return "cheap"
    return "strong" if tier == tiers[-1] else "cascade"


def _share(of: Array, n: Array) -> list[float | None]:
    pairs = zip(of.tolist(), n.tolist(), strict=True)
    return [one / all_ if all_ else None for one, all_ in pairs]


def _means(label: str, found: Sequence[MeanFound | None], colour: Any) -> Series:
    told = [one if one is not None and one.n >= FEW_IN_A_SPAN else None for one in found]
    return Series(
        label,
        [None if one is None else one.value for one in told],
        low=[None if one is None else one.low for one in told],
        high=[None if one is None else one.high for one in told],
        colour=colour,
    )


def _estimates(worked: Worked, spans: Spans, part: int) -> Estimates | None:
    """Return what audits say of one part of the time."""
    first, last = int(spans.edges[part]), int(spans.edges[part + 1])
    traffic, audits, rows = worked.traffic, worked.audits, slice(first, last)
    chosen: Flags = worked.way.answered[rows]
    with np.errstate(invalid="ignore"):
        if not np.any(traffic.picked[rows] & chosen & (traffic.probability[rows] > 0)):
            return None
    inside = (audits.row >= first) & (audits.row < last)
    inside[inside] = chosen[audits.row[inside] - first]
    place = np.cumsum(chosen) - 1
    live = LiveRows(
        probability=traffic.probability[rows][chosen],
        picked=traffic.picked[rows][chosen],
        stayed=worked.way.kept[rows][chosen],
        cost=traffic.cost[rows][chosen],
        strong_cost=traffic.strong_cost[rows][chosen],
        strong_exact=~traffic.estimated[rows][chosen],
    )
    columns = ("done", "quality", "strong_quality", "harm", "strong_cost", "cost")
    named: dict[str, Any] = {name: getattr(audits, name)[inside] for name in columns}
    return estimates_of(live, AuditRows(row=place[audits.row[inside] - first], **named))
