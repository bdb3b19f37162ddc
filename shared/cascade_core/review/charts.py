"""Charts: what is drawn by `static/charts.js`, and the table of the same numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from cascade_core.files import finite
from cascade_core.review.texts import WRITTEN, as_text

AxisKind: TypeAlias = Literal["number", "percent", "usd", "time", "milliseconds"]

MOST_ROWS = 200
"""Of a chart's table; longer ones are thinned evenly, and keep their ends."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line, set of points or row of bars of a chart.

    Attributes:
        label: What the legend calls it.
        values: One for each x; None where there is none.
        draw: How; a step holds from its x to the next.
        low: Lower end of an interval around each value.
        high: Upper end of it.
        colour: `cheap`, `strong`, `cascade`, `bad`, `warn`, `faint` or `plain`.
        dashed: Whether a line is.
    """

    label: str
    values: Sequence[float | None]
    draw: Literal["line", "points", "bars", "step"] = "line"
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    colour: Literal["cheap", "strong", "cascade", "bad", "warn", "faint", "plain"] = "plain"
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; the macro `chart` draws it, with a table of the same for who cannot see it.

    Attributes:
        name: Unique on its page; the id of its element.
        title: What it shows, in words.
        x: Of every point, ascending; with `categories`, 0, 1, 2 and so on.
        x_label: What is along the x axis.
        series: What is drawn. Bars stand beside each other over categories, and over one another,
            each seen through the next, over numbers: histograms.
        y_label: What is along the y axis.
        x_kind: How numbers along x are written; times are seconds since 1970. Percent are shares.
        y_kind: The same for y.
        marks: Vertical lines, `(x, label)`.
        y_range: Ends of the y axis; None lets them follow what is drawn.
        categories: Names along x in place of numbers.
    """

    name: str
    title: str
    x: Sequence[float]
    x_label: str
    series: Sequence[Series]
    y_label: str
    x_kind: AxisKind = "number"
    y_kind: AxisKind = "number"
    marks: Sequence[tuple[float, str]] = field(default=())
    y_range: tuple[float, float] | None = None
    categories: Sequence[str] = ()

    @property
    def as_json(self) -> str:
        """What the page's script draws from; numbers that are none become null."""
        plain = {
            "x": _plain(self.x),
            "x_label": as_text(self.x_label),
            "y_label": as_text(self.y_label),
            "x_kind": self.x_kind,
            "y_kind": self.y_kind,
            "y_range": self.y_range,
            "marks": [(x, as_text(label)) for x, label in self.marks],
            "categories": [as_text(name) for name in self.categories],
            "series": [
                {
                    "label": as_text(each.label),
                    "values": _plain(each.values),
                    "draw": each.draw,
                    "low": _plain(each.low),
                    "high": _plain(each.high),
                    "colour": each.colour,
                    "dashed": each.dashed,
                }
                for each in self.series
            ],
        }
        return json.dumps(finite(plain), separators=(",", ":"))

    @property
    def columns(self) -> list[str]:
        """Heads of the table of the same numbers."""
        found = [self.x_label]
        for each in self.series:
            found.append(each.label)
            if len(each.low):
                found += [f"{each.label}, low", f"{each.label}, high"]
        return found

    @property
    def left_out(self) -> int:
        """How many rows the table leaves out."""
        return max(0, len(self.x) - MOST_ROWS)

    @property
    def rows(self) -> list[list[str]]:
        """The table's cells, as they are written."""
        n = len(self.x)
        last = min(n, MOST_ROWS) - 1
        shown = range(n) if n <= MOST_ROWS else [step * (n - 1) // last for step in range(last + 1)]
        along, up = WRITTEN[self.x_kind], WRITTEN[self.y_kind]
        found = []
        for row in shown:
            cells = [self.categories[row] if self.categories else along(self.x[row])]
            for each in self.series:
                cells.append(up(_number(each.values[row])))
                if len(each.low):
                    cells += [up(_number(each.low[row])), up(_number(each.high[row]))]
            found.append(cells)
        return found


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else value  # noqa: PLR0124 - NaN


def _plain(values: Any) -> list[float | None]:
    """Return numbers as JSON takes them, from an array too."""
    return list(values.tolist() if hasattr(values, "tolist") else values)
