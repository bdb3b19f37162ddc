"""The pictures of a report: cost and quality, reliability, confidences, classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len

from cascade_core.costs.shown import dollars
from cascade_core.evaluation.baselines import random_line
from cascade_core.evaluation.curve import Axis, Curve
from cascade_core.report.rows import BEYOND, COST_AXIS, Measured, formatted, shortened
from cascade_core.report.svg import BAD, FAINT, GOOD, INK, MAIN, SECOND, Plot, draw_plot
from cascade_core.statistics.columns import column, observed, weighting
from cascade_core.statistics.reliability import Reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 20

_CROWDED = 0.06
"""Along both axes; numbers of bins that lie nearer would be written over each other."""

_LONGEST_NAME = 24
"""Cells of a class's name in a picture; the table below it has the whole."""


def cost_quality(
    curve: Curve,
    *,
    best: Curve | None = None,
    point: Measured | None = None,
    axis: Axis = "cost",
) -> Plot:
    """Draw quality against cost, with the lines of a coin and of hindsight.

    Args:
        curve: The curve.
        best: The oracle's.
        point: What a policy does, drawn where its place on the axis is known.
        axis: "cost" or "escalated"; without known costs the escalated share is drawn.
    """
    if axis == "cost" and not np.isfinite(curve.along("cost")[0]).all():
        axis = "escalated"
    apgr = curve.apgr(axis)
    alt = (
        f"Mean quality rises from {formatted(curve.weak_quality)} (cheap model alone) to "
        f"{formatted(curve.strong_quality)} (strong model alone); the average share of the gap "
        f"recovered is {formatted(apgr, 'score')}."
    )

    def draw(axes: Axes) -> None:
        lines = [(random_line(curve), "coin", FAINT, "--")]
        lines += [] if best is None else [(best, "oracle (hindsight)", SECOND, ":")]
        for line, label, color, style in [*lines, (curve, "other thresholds", MAIN, "-")]:
            x, y = line.thinned().along(axis)
            axes.plot(x, 100 * y, style, color=color, label=label, linewidth=1.8)
        place = None if point is None else point.cost_share if axis == "cost" else point.escalated
        if point is not None and place is not None:
            axes.plot(
                place,
                100 * point.quality,
                "o",
                color=BAD,
                markersize=8,
                label="this policy",
                zorder=5,
            )
        axes.set_ylabel("mean quality, %")
        axes.set_xlabel(COST_AXIS if axis == "cost" else f"share {BEYOND}")
        if axis == "cost":
            _add_dollars(axes, curve)
        axes.legend(loc="lower right")

    caption = (
        "Every paid call counts: 0 is the cheap model alone"
        f"{_priced(curve.weak_cost)}, 1 the strong model alone{_priced(curve.strong_cost)}; "
        "a cascade that escalates everything costs more than 1."
        if axis == "cost"
        else "0 is the cheap model alone, 1 the strong model alone."
    )
    return draw_plot("Cost and quality" if axis == "cost" else "Escalation", alt, caption, draw)


def _priced(cost: float) -> str:
    return f" ({dollars(cost)} a request)"


def _add_dollars(axes: Axes, curve: Curve) -> None:
    """Say above the picture what the shares of the cost axis are in USD per request."""
    weak, span = curve.weak_cost, curve.strong_cost - curve.weak_cost
    if span <= 0:
        return
    many = max(1.0, 10.0 ** (3 * round(-np.log10(curve.strong_cost) / 3)))

    def usd(share: Any) -> Any:
        return many * (weak + span * np.asarray(share))

    def share(usd: Any) -> Any:
        return (np.asarray(usd) / many - weak) / span

    top = axes.secondary_xaxis("top", functions=(usd, share))
    top.set_xlabel("USD a request" if many == 1 else f"USD per {many:,.0f} requests")


def reliability_diagram(bins: Reliability, *, noise_floor: float | None = None) -> Plot:
    """Draw what came true against what was said, with the number of rows in each bin.

    Args:
        bins: From `reliability`.
        noise_floor: From `ece_noise_floor`, for the caption.
    """
    rows = int(bins.count.sum())
    alt = (
        f"In {len(bins.count)} bins of {rows:,} drafts, the share of good drafts differs from "
        f"the stated confidence by {formatted(bins.ece, 'score')} on average."
    )

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], "--", color=FAINT, linewidth=1.5)
        spread = np.vstack([bins.confidence - bins.low, bins.high - bins.confidence])
        axes.errorbar(
            bins.confidence,
            bins.quality,
            xerr=np.maximum(spread, 0),
            fmt="o-",
            color=MAIN,
            ecolor=FAINT,
            markersize=6,
            linewidth=1.5,
        )
        written: list[tuple[float, float]] = []
        for x, y, count in zip(bins.confidence, bins.quality, bins.count, strict=True):
            if any(abs(x - a) < _CROWDED and abs(y - b) < _CROWDED for a, b in written):
                continue
            written.append((x, y))
            above = y < 0.9  # noqa: PLR2004 - near the top there is no room above
            axes.annotate(
                f"{count:,}",
                (x, y),
                xytext=(0, 9 if above else -15),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.05))
        axes.set_xlabel("confidence")
        axes.set_ylabel("share of good drafts")

    floor = "" if noise_floor is None else f"; true confidences would show {noise_floor:.3f}"
    caption = (
        f"ECE {formatted(bins.ece, 'score')}{floor}. Numbers are drafts in a bin; "
        "where bins crowd, the first has one."
    )
    return draw_plot("Reliability", alt, caption, draw)


def confidence_histograms(
    confidence: npt.ArrayLike, target: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Plot:
    """Draw how confidences of good and of bad drafts are spread.

    Args:
        confidence: (n,) in [0, 1]; NaN is not drawn, but counted in the caption.
        target: (n,) in [0, 1]; a fraction counts in part on both sides.
        weights: (n,); None means 1 each.
    """
    said = column("confidence", confidence)
    true = observed("target", target, len(said))
    weight = weighting(weights, len(said))
    has = ~np.isnan(said)
    edges = np.linspace(0, 1, _BINS + 1)
    good = np.histogram(said[has], edges, weights=(weight * true)[has])[0]
    bad = np.histogram(said[has], edges, weights=(weight * (1 - true))[has])[0]
    alt = (
        f"Good drafts have a mean confidence of {_center(edges, good)}, "
        f"bad ones of {_center(edges, bad)}."
    )

    def draw(axes: Axes) -> None:
        width = edges[1] - edges[0]
        for sign, counts, color, label in ((1, good, GOOD, "good"), (-1, bad, BAD, "bad")):
            axes.bar(edges[:-1], sign * counts, width, align="edge", color=color, label=label)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        axes.set(xlim=(0, 1), xlabel="confidence", ylabel="drafts: bad below, good above")
        axes.legend(loc="best")

    missing = int((~has).sum())
    caption = (
        f"{missing:,} drafts had no confidence." if missing else "Every draft had a confidence."
    )
    return draw_plot("Confidences of good and bad drafts", alt, caption, draw)


def by_class(classes: Mapping[str, Measured]) -> Plot:
    """Draw quality and escalation of each class.

    Args:
        classes: What the policy did with each.
    """
    alt = "; ".join(
        f"{name}: quality {formatted(own.quality)}, {BEYOND} {formatted(own.escalated)}"
        for name, own in classes.items()
    )

    names = [shortened(name, _LONGEST_NAME) for name in classes]
    # No font that measures the picture knows every script: the page's own fonts write the names.
    stand_ins = [f"#{place}".ljust(cell_len(name), "n") for place, name in enumerate(names)]

    def draw(axes: Axes) -> None:
        place, rows = np.arange(len(names)), classes.values()
        bars = (
            (-0.2, [row.quality for row in rows], MAIN, "quality"),
            (0.2, [row.escalated for row in rows], SECOND, BEYOND),
        )
        for shift, values, color, label in bars:
            axes.barh(place + shift, 100 * np.array(values), 0.36, color=color, label=label)
        strong = [100 * row.strong_quality for row in rows]
        axes.plot(strong, place - 0.2, "|", color=INK, ms=13, mew=2, label="last tier's quality")
        axes.set_yticks(place, stand_ins)
        axes.set(xlim=(0, 100), xlabel="%", ylim=(len(names) - 0.4, -0.6))
        axes.figure.legend(loc="outside lower center", ncols=3, fontsize=9, columnspacing=1.2)

    plot = draw_plot("Classes", alt, "", draw, height=1 + 0.5 * len(names))
    written = {
        f">{there}<": f">{escape(name)}<" for there, name in zip(stand_ins, names, strict=True)
    }
    svg = re.sub(r">#\d+n*<", lambda found: written[found[0]], plot.svg)
    return replace(plot, svg=svg)


def _center(edges: npt.NDArray[np.float64], counts: npt.NDArray[np.float64]) -> str:
    total = counts.sum()
    middle = (edges[1:] + edges[:-1]) / 2
    return formatted(float(middle @ counts / total) if total else None, "score")
