"""The rows that reports are made of: a label, a figure, how sure it is, and what its words mean.

Wherever the share answered beyond tier 0 is stated, the cost axis stands beside
it: a cascade that escalates half of its requests does not cost half.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import isnan
from typing import Literal, TypeAlias

from rich.cells import cell_len, set_cell_size

from cascade_core.costs.shown import dollars
from cascade_core.evaluation.curve import CPT_SHARES, Curve
from cascade_core.evaluation.means import Means
from cascade_core.policy.evidence import Figures, Promise
from cascade_core.statistics.bootstrap import Interval

FigureUnit: TypeAlias = Literal["share", "usd", "score", "count"]

Measured: TypeAlias = Means | Figures
"""What a policy gave and cost: in a replay, or as the policy keeps it."""

COST_AXIS = "(cost − cheap) / (strong − cheap)"
BEYOND = "answered beyond tier 0"
_DASH = "–"

OPERATING_LEGEND = (
    "harm: quality lost by not asking the last tier",
    f"cost axis: {COST_AXIS}, every paid call counted",
)
CURVE_LEGEND = (
    f"share axis: the share of requests {BEYOND}",
    "APGR: part of the last tier's gain in quality that is kept, mean over an axis",
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
        said: Shown in place of the value, where a number alone would say too much.
    """

    label: str
    value: float | None
    interval: Interval | None = None
    unit: FigureUnit = "share"
    note: str = ""
    said: str = ""

    @property
    def shown(self) -> str:
        """The value as it is printed."""
        return self.said or formatted(self.value, self.unit)

    @property
    def range(self) -> str:
        """The interval as it is printed; empty where there is none."""
        if self.shown == _DASH or self.interval is None or isnan(self.interval.low):
            return ""
        low, high = (formatted(end, self.unit) for end in (self.interval.low, self.interval.high))
        return f"{low} … {high}"


def formatted(value: float | None, unit: FigureUnit = "share") -> str:
    """Return a number as a report prints it."""
    if value is None or isnan(value):
        return _DASH
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "usd":
        return dollars(value)
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:.3f}"


def shown_moment(seconds: float) -> str:
    """Return a moment, given in seconds since 1970, in UTC and to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def shortened(name: str, cells: int) -> str:
    """Return a name that takes at most so many cells of a terminal, with "…" where it was cut."""
    return name if cell_len(name) <= cells else f"{set_cell_size(name, cells - 1).rstrip()}…"


def percent(share: float) -> str:
    """Return a share that somebody chose, with all its digits: 0.9999999 is not 100 %."""
    return f"{(100 * Decimal(repr(float(share)))).normalize():f} %"


def claimed(promise: Promise) -> str:
    """Return what was promised, and how surely, as half a sentence."""
    about = "" if promise.class_name is None else f" for class {promise.class_name}"
    if promise.kind == "harm":
        claim = f"harm ≤ {percent(promise.limit)}"
    elif promise.kind == "error":
        claim = f"error among the answered ones ≤ {percent(promise.limit)}"
    else:
        claim = f"quality ≥ {percent(promise.limit)} of the last tier's"
    return f"promised{about}: {claim} with {percent(promise.confidence)} confidence"


def operating_rows(
    means: Measured, intervals: Mapping[str, Interval] | None = None
) -> list[Figure]:
    """Return what a policy did as rows, the cost axis always beside the escalated share.

    Args:
        means: What it did.
        intervals: Of these means, as `Study` names them.
    """
    known, share = intervals or {}, means.cost_share
    relative = means.quality / means.strong_quality if means.strong_quality > 0 else None
    unpriced = means.cost_usd is None or means.strong_cost_usd is None
    no_axis = "unpriced" if unpriced else "strong − cheap ≤ 0"
    found = [
        Figure("requests", means.n, unit="count"),
        Figure("quality", means.quality, known.get("quality")),
        Figure("quality, strong alone", means.strong_quality, known.get("strong_quality")),
    ]
    if isinstance(means, Means):
        found.append(Figure("quality, cheap alone", means.weak_quality, known.get("weak_quality")))
    return [
        *found,
        Figure("kept of the last tier's", relative, known.get("relative")),
        Figure("harm", means.harm, known.get("harm")),
        Figure(BEYOND, means.escalated, known.get("escalated")),
        Figure(
            "cost axis", share, known.get("cost_share"), note="" if share is not None else no_axis
        ),
        Figure("cost a request", means.cost_usd, known.get("cost"), unit="usd"),
        Figure("cost, strong alone", means.strong_cost_usd, known.get("strong_cost"), unit="usd"),
    ]


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
