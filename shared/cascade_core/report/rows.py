"""The rows that reports are made of: a label, a figure, how sure it is, and what its words mean.

Wherever the share answered beyond tier 0 is stated, the cost axis stands beside
it: a cascade that escalates half of its requests does not cost half.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import Literal, TypeAlias

from rich.cells import cell_len, set_cell_size

from cascade_core.evaluation.curve import CPT_SHARES, Axis, Curve
from cascade_core.statistics.bootstrap import Interval

FigureUnit: TypeAlias = Literal["share", "usd", "score", "count"]

COST_AXIS = "(cost − weak) / (strong − weak)"
BEYOND = "answered beyond tier 0"
_DASH = "–"
_CENT = Decimal("0.01")

OPERATING_LEGEND = (
    "harm: quality lost by not asking the strongest tier",
    f"cost axis: {COST_AXIS}, every paid call counted",
)
CURVE_LEGEND = (
    f"share axis: the share of requests {BEYOND}",
    "APGR: part of the strong tier's gain in quality that is kept, mean over an axis",
    "CPT50: the place on an axis from which half of that gain is kept; CPT80: 80 %",
    "AUROC: how often a good draft has more confidence than a bad one; 0.5 is chance",
    "ECE: mean distance of the confidence from the share of drafts that are good",
)
"""What a reader is told below the figures of each table; a line fits a terminal's 80 columns."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a report.

    Attributes:
        label: What it is.
        value: In its unit; None or NaN where there is none.
        interval: Where it lies with 95 % confidence, if known.
        unit: "share" is shown in percent, "usd" as dollars a request, "score" with three
            decimals, "count" whole.
        note: A word of explanation, if one is needed.
    """

    label: str
    value: float | None
    interval: Interval | None = None
    unit: FigureUnit = "share"
    note: str = ""

    @property
    def shown(self) -> str:
        """The value as it is printed."""
        return formatted(self.value, self.unit)

    @property
    def range(self) -> str:
        """The interval as it is printed; empty where there is none."""
        if self.shown == _DASH or self.interval is None or isnan(self.interval.low):
            return ""
        low, high = (formatted(end, self.unit) for end in (self.interval.low, self.interval.high))
        return f"{low} … {high}"


@dataclass(frozen=True, slots=True)
class Operating:
    """Where a policy stands on a curve.

    Attributes:
        escalated: Share that tier 0 does not answer.
        quality: Mean quality of what is returned.
        cost_share: Place on the cost axis; None where costs are unknown.
    """

    escalated: float
    quality: float
    cost_share: float | None = None

    def along(self, axis: Axis) -> float | None:
        """Return its place on an axis; None where that is not known."""
        return self.cost_share if axis == "cost" else self.escalated


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How one class of requests fared.

    Attributes:
        name: The class.
        rows: Requests of it.
        quality: Mean quality of what was returned.
        strong_quality: Mean quality of the strongest tier.
        escalated: Share that tier 0 did not answer.
        cost_share: Place on the cost axis; None where costs are unknown.
        harm: Quality lost by not asking the strongest tier.
    """

    name: str
    rows: int
    quality: float
    strong_quality: float
    escalated: float
    cost_share: float | None
    harm: float


def formatted(value: float | None, unit: FigureUnit = "share") -> str:
    """Return a number as a report prints it."""
    if value is None or isnan(value):
        return _DASH
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "usd":
        significant = Decimal(f"{value:.2e}")
        return f"${significant:f}" if 0 < abs(significant) < _CENT else f"${value:.4f}"
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:.3f}"


def shortened(name: str, cells: int) -> str:
    """Return a name that takes at most so many cells of a terminal, with "…" where it was cut."""
    return name if cell_len(name) <= cells else f"{set_cell_size(name, cells - 1).rstrip()}…"


def percent(share: float) -> str:
    """Return a share that somebody chose, with all its digits: 0.9999999 is not 100 %."""
    return f"{(100 * Decimal(repr(float(share)))).normalize():f} %"


def operating_rows(  # noqa: PLR0913 - a report has that many figures
    *,
    escalated: float,
    cost_share: float | None,
    quality: float,
    strong_quality: float,
    cost: float | None,
    strong_cost: float | None,
    harm: float,
    rows: int | None = None,
    weak_quality: float | None = None,
    intervals: Mapping[str, Interval] | None = None,
) -> list[Figure]:
    """Return what a policy did as rows, the cost axis always beside the escalated share.

    Args:
        escalated: Share that tier 0 did not answer.
        cost_share: The same point on the cost axis; None where costs are unknown.
        quality: Mean quality of what was returned.
        strong_quality: Mean quality of the strong tier alone.
        cost: Mean USD per request, every paid call counted.
        strong_cost: Mean USD of the strong tier alone.
        harm: Mean quality lost by not asking the strong tier.
        rows: How many requests it was measured on.
        weak_quality: Mean quality of the weak tier alone.
        intervals: By the name of an argument above, and `relative` for quality / strong_quality.
    """
    known = intervals or {}
    relative = quality / strong_quality if strong_quality > 0 else None
    no_axis = ""
    if cost_share is None:
        no_axis = "unpriced" if cost is None or strong_cost is None else "strong − weak ≤ 0"
    found = [
        Figure("requests", rows, unit="count"),
        Figure("quality", quality, known.get("quality")),
        Figure("quality, strong alone", strong_quality, known.get("strong_quality")),
        Figure("quality, weak alone", weak_quality, known.get("weak_quality")),
        Figure("kept of the strong tier's", relative, known.get("relative")),
        Figure("harm", harm, known.get("harm")),
        Figure(BEYOND, escalated, known.get("escalated")),
        Figure("cost axis", cost_share, known.get("cost_share"), note=no_axis),
        Figure("cost a request", cost, known.get("cost"), unit="usd"),
        Figure("cost, strong alone", strong_cost, known.get("strong_cost"), unit="usd"),
    ]
    optional = {"requests", "quality, weak alone"}
    return [row for row in found if row.value is not None or row.label not in optional]


def curve_rows(curve: Curve, intervals: Mapping[str, Interval] | None = None) -> list[Figure]:
    """Return a curve's figures as rows, each along both axes.

    Args:
        curve: The curve.
        intervals: As `curve_intervals` gives them.
    """
    known = intervals or {}
    found = [
        Figure("APGR, share axis", curve.apgr(), known.get("apgr"), "score"),
        Figure("APGR, cost axis", curve.apgr("cost"), known.get("apgr_cost"), "score"),
    ]
    for share in CPT_SHARES:
        name = f"CPT{100 * share:.0f}"
        found += [
            Figure(f"{name}, share axis", curve.cpt(share), known.get(name.lower())),
            Figure(
                f"{name}, cost axis", curve.cpt(share, "cost"), known.get(f"{name.lower()}_cost")
            ),
        ]
    return found
