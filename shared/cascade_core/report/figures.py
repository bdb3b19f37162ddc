"""The pictures of a report, as SVG that can stand inside a page.

Colours are left to the page: every colour that matplotlib writes is a
placeholder which becomes a CSS variable, so that one picture is readable on a
dark page and on a light one. Text stays text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len

from cascade_core.evaluation.baselines import random_line
from cascade_core.evaluation.curve import Axis, Curve
from cascade_core.report.rows import BEYOND, COST_AXIS, ClassRow, Operating, shortened, shown
from cascade_core.statistics.columns import column, observed, weighting
from cascade_core.statistics.reliability import Reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT = "#0a0b0c", "#0a0b1c"
MAIN, SECOND, GOOD, BAD = "#0a0b2c", "#0a0b3c", "#0a0b4c", "#0a0b5c"
_VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    MAIN: "var(--main)",
    SECOND: "var(--second)",
    GOOD: "var(--good)",
    BAD: "var(--bad)",
}

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "model-cascade",  # the same report is the same bytes
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.alpha": 0.5,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}

BINS = 20

_CROWDED = 0.06
"""Along both axes; numbers of bins that lie nearer would be written over each other."""

_LONGEST_NAME = 24
"""Cells of a class's name in a picture; the table below it has the whole."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture and what it says.

    Attributes:
        svg: An `<svg>` element with its description in it.
        alt: The same for those who cannot see it.
        caption: Below the picture.
    """

    svg: str
    alt: str
    caption: str


def cost_quality(
    curve: Curve,
    *,
    best: Curve | None = None,
    point: Operating | None = None,
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
        f"Mean quality rises from {shown(curve.weak_quality)} (weak tier alone) to "
        f"{shown(curve.strong_quality)} (strong tier alone); the average share of the gap "
        f"recovered is {shown(apgr, 'score')}."
    )

    def draw(axes: Axes) -> None:
        lines = [(random_line(curve), "coin", FAINT, "--")]
        lines += [] if best is None else [(best, "oracle (hindsight)", SECOND, ":")]
        for line, label, color, style in [*lines, (curve, "this confidence", MAIN, "-")]:
            x, y = line.thinned().along(axis)
            axes.plot(x, 100 * y, style, color=color, label=label, linewidth=1.8)
        if point is not None and (place := point.along(axis)) is not None:
            spot = (place, 100 * point.quality)
            axes.plot(*spot, "o", color=BAD, markersize=8, label="this policy", zorder=5)
        axes.set_ylabel("mean quality, %")
        axes.set_xlabel(COST_AXIS if axis == "cost" else f"share {BEYOND}")
        axes.legend(loc="lower right")

    caption = (
        "Every paid call counts: 0 is the weak tier alone, 1 the strong tier alone; "
        "a cascade that escalates everything costs more than 1."
        if axis == "cost"
        else "0 is the weak tier alone, 1 the strong tier alone."
    )
    return _plot("Cost and quality" if axis == "cost" else "Escalation", alt, caption, draw)


def reliability_diagram(bins: Reliability, *, noise_floor: float | None = None) -> Plot:
    """Draw what came true against what was said, with the number of rows in each bin.

    Args:
        bins: From `reliability`.
        noise_floor: From `ece_noise_floor`, for the caption.
    """
    rows = int(bins.count.sum())
    alt = (
        f"In {len(bins.count)} bins of {rows:,} drafts, the share of good drafts differs from "
        f"the stated confidence by {shown(bins.ece, 'score')} on average."
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
        f"ECE {shown(bins.ece, 'score')}{floor}. Numbers are drafts in a bin; "
        "where bins crowd, the first has one."
    )
    return _plot("Reliability", alt, caption, draw)


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
    edges = np.linspace(0, 1, BINS + 1)
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
    return _plot("Confidences of good and bad drafts", alt, caption, draw)


def by_class(rows: Sequence[ClassRow]) -> Plot:
    """Draw quality and escalation of each class.

    Args:
        rows: One a class.
    """
    alt = "; ".join(
        f"{row.name}: quality {shown(row.quality)}, {BEYOND} {shown(row.escalated)}" for row in rows
    )

    names = [shortened(row.name, _LONGEST_NAME) for row in rows]
    # No font that measures the picture knows every script: the page's own fonts write the names.
    stand_ins = [f"#{place}".ljust(cell_len(name), "n") for place, name in enumerate(names)]

    def draw(axes: Axes) -> None:
        place = np.arange(len(rows))
        bars = (
            (-0.2, [row.quality for row in rows], MAIN, "quality"),
            (0.2, [row.escalated for row in rows], SECOND, BEYOND),
        )
        for shift, values, color, label in bars:
            axes.barh(place + shift, 100 * np.array(values), 0.36, color=color, label=label)
        strong = [100 * row.strong_quality for row in rows]
        axes.plot(strong, place - 0.2, "|", color=INK, ms=13, mew=2, label="strong tier's quality")
        axes.set_yticks(place, stand_ins)
        axes.set(xlim=(0, 100), xlabel="%", ylim=(len(rows) - 0.4, -0.6))
        axes.figure.legend(loc="outside lower center", ncols=3, fontsize=9, columnspacing=1.2)

    plot = _plot("Classes", alt, "", draw, height=1 + 0.5 * len(rows))
    written = {
        f">{there}<": f">{escape(name)}<" for there, name in zip(stand_ins, names, strict=True)
    }
    svg = re.sub(r">#\d+n*<", lambda found: written[found[0]], plot.svg)
    return replace(plot, svg=svg)


def _plot(title: str, alt: str, caption: str, draw: Any, *, height: float = 3.4) -> Plot:
    import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    settings: Any = _SETTINGS  # matplotlib's own stubs know the names by heart
    with mpl.rc_context(settings):
        figure = Figure(figsize=(5.4, height), layout="constrained")
        draw(figure.add_subplot())
        written = io.StringIO()
        figure.savefig(
            written, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return Plot(_inline(written.getvalue(), title, alt), alt, caption)


def _inline(svg: str, title: str, alt: str) -> str:
    """Make a whole SVG file an element of a page: own names, the page's colours, a description."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    prefix = re.sub(r"\W+", "-", title.lower())
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    for placeholder, variable in _VARIABLES.items():
        svg = svg.replace(placeholder, variable)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    described = f"<title>{escape(title)}</title><desc>{escape(alt)}</desc>"
    return svg.replace("<svg", '<svg role="img"', 1).replace(">", f">{described}", 1)


def _center(edges: npt.NDArray[np.float64], counts: npt.NDArray[np.float64]) -> str:
    total = counts.sum()
    middle = (edges[1:] + edges[:-1]) / 2
    return shown(float(middle @ counts / total) if total else None, "score")
