"""The pictures of the page `Thresholds`: the cost–quality curve, and reliability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cascade_core.arrays import Array
from cascade_core.evaluation.baselines import random_line
from cascade_core.review.charts import Chart, Series
from cascade_core.review.readings import TierSeen
from cascade_core.review.thresholds_answer import point_of, priced
from cascade_core.review.thresholds_view import ThresholdsView

_POINTS = 160
"""Of a curve that is drawn."""

Spot = tuple[float | None, ...]


def curve_chart(view: ThresholdsView, moved: Spot | None) -> Chart | None:
    """Draw quality over cost, or over the escalated share where something is unpriced.

    Args:
        view: What is looked at.
        moved: Where the sliders' thresholds are, as `point_of` returns it.
    """
    if view.weighed is None:
        return None
    curve, rows = view.weighed.curve, view.weighed.rows
    thin, over_cost = curve.thinned(_POINTS), priced(view)
    line = random_line(curve)
    x, coin = (thin.cost, line.cost) if over_cost else (thin.escalated, line.escalated)
    now = point_of(view, rows.at(view.now))
    spots: dict[str, Spot] = {
        "cheap model alone": (float(coin[0]), curve.weak_quality),
        "strong model alone": (float(coin[1]), curve.strong_quality),
        "now": now,
        "sliders": now if moved is None else moved,
    }
    order = np.argsort(x, kind="stable")
    along = np.unique([*x.tolist(), *(s[0] for s in spots.values() if s[0] is not None)])
    series = [
        Series("all thresholds of tier 0", _line(along, x[order], thin.quality[order])),
        Series(
            "a coin between the two",
            _line(along, coin, line.quality),
            colour="faint",
            dashed=True,
        ),
        _spot("cheap model alone", spots, along, "cheap"),
        _spot("strong model alone", spots, along, "strong"),
        _spot("now", spots, along, "plain"),
        _spot("sliders", spots, along, "cascade"),
    ]
    return Chart(
        name="curve",
        title="Quality against cost" if over_cost else "Quality against the share sent on",
        x=along.tolist(),
        x_label="USD per request" if over_cost else "answered beyond tier 0",
        x_kind="usd" if over_cost else "percent",
        series=series,
        y_label="mean quality",
        y_kind="percent",
    )


def reliability_chart(seen: TierSeen) -> Chart:
    """Draw what came true in each bin of confidences, with its interval."""
    bins = seen.bins
    lowest = np.floor(10 * bins.confidence.min(initial=0.9)) / 10  # they bunch near 1
    along = np.unique([lowest, 1.0, *bins.confidence.tolist()])
    at = np.searchsorted(along, bins.confidence)

    def placed(values: Sequence[float] | Array) -> list[float | None]:
        found: list[float | None] = [None] * len(along)
        for place, value in zip(at.tolist(), values, strict=True):
            found[place] = float(value)
        return found

    return Chart(
        name=f"reliability-{seen.tier}",
        title=f"Confidence of tier {seen.tier} against what came true",
        x=along.tolist(),
        x_label="confidence",
        series=[
            Series("confidence and outcome equal", along.tolist(), colour="faint", dashed=True),
            Series(
                "share of good drafts",
                placed(bins.quality),
                draw="points",
                low=placed([each.low for each in seen.ends]),
                high=placed([each.high for each in seen.ends]),
                colour="cascade",
            ),
        ],
        y_label="share of good drafts",
        y_kind="percent",
        y_range=(0.0, 1.0),
    )


def _line(along: Array, x: Array, y: Array) -> list[float | None]:
    found = np.interp(along, x, y, left=np.nan, right=np.nan)
    return [None if np.isnan(value) else float(value) for value in found]


def _spot(label: str, spots: dict[str, Spot], along: Array, colour: str) -> Series:
    x, y, *ends = spots[label]
    columns: list[list[float | None]] = [[None] * len(along) for _ in range(3)]
    if x is not None:
        place = int(np.searchsorted(along, x))
        for column, value in zip(columns, (y, *ends), strict=False):
            column[place] = value
    values, low, high = columns
    return Series(
        label,
        values,
        draw="points",
        low=low if ends else (),
        high=high if ends else (),
        colour=colour,  # type: ignore[arg-type]
    )
