"""Makes pages of templates: everything is escaped, and each knows the period and who may write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Literal
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from cascade_core.files import finite
from cascade_core.review.periods import Period, period_of
from cascade_core.review.workbench import Workbench

NAVIGATION = (
    ("Overview", "/"),
    ("Thresholds", "/thresholds"),
    ("Classes", "/classes"),
    ("Decisions", "/decisions"),
    ("Queue", "/queue"),
    ("Policy", "/policy"),
)
"""The pages, by name and path."""

AxisKind = Literal["number", "percent", "usd", "time", "milliseconds"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, set of points or row of bars of a chart.

    Attributes:
        label: What the legend calls it.
        values: One for each x; None where there is none.
        draw: How.
        low: Lower end of an interval around each value.
        high: Upper end of it.
        colour: `cheap`, `strong`, `cascade`, or `plain`.
    """

    label: str
    values: Sequence[float | None]
    draw: Literal["line", "points", "bars"] = "line"
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    colour: Literal["cheap", "strong", "cascade", "plain"] = "plain"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; the macro `chart` draws it, with a table of the same for who cannot see it.

    Attributes:
        name: Unique on its page; the id of its element.
        title: What it shows, in words.
        x: Of every point, ascending.
        x_label: What is along the x axis.
        series: What is drawn.
        y_label: What is along the y axis.
        x_kind: How numbers along x are written; times are seconds since 1970.
        y_kind: The same for y.
        marks: Vertical lines, `(x, label)`.
        y_range: Ends of the y axis; None lets them follow what is drawn.
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

    @property
    def as_json(self) -> str:
        """What the page's script draws from; numbers that are none become null."""
        return json.dumps(finite(asdict(self)))


@cache
def environment() -> Environment:
    """Return the templates."""
    return Environment(
        loader=PackageLoader("cascade_core.review", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def bench_of(request: Request) -> Workbench:
    """Return the review that a request belongs to."""
    bench: Workbench = request.app.state.bench
    return bench


def page(
    request: Request, template: str, *, title: str, status: int = 200, **context: Any
) -> HTMLResponse:
    """Make a page.

    Args:
        request: What was asked for.
        template: The template's name; it extends `base.html.jinja`.
        title: What the page is called.
        status: Of the answer.
        context: What the template shows.
    """
    bench = bench_of(request)
    period = context.pop("period", None) or period_of(request.query_params)
    html = (
        environment()
        .get_template(template)
        .render(
            title=title,
            bench=bench,
            period=period,
            path=request.url.path,
            navigation=[(name, link(path, period)) for name, path in NAVIGATION],
            link=lambda path, **query: link(path, period, **query),
            csrf=bench.csrf,
            **context,
        )
    )
    return HTMLResponse(html, status_code=status)


def link(path: str, period: Period, **query: Any) -> str:
    """Return the address of a page in the period that is looked at."""
    kept: Mapping[str, Any] = {"since": period.since, "until": period.until, **query}
    asked = urlencode({name: value for name, value in kept.items() if value not in {"", None}})
    return f"{path}?{asked}" if asked else path
