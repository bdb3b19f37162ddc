"""Makes pages of templates: each knows the period that is looked at, and who may write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse

from cascade_core.review.charts import Chart, Series
from cascade_core.review.periods import Period, period_of
from cascade_core.review.security import path_asked
from cascade_core.review.texts import environment
from cascade_core.review.workbench import Workbench

__all__ = ["NAVIGATION", "PRESETS", "Chart", "Series", "bench_of", "link", "page"]

NAVIGATION = (
    ("Overview", "/"),
    ("Thresholds", "/thresholds"),
    ("Classes", "/classes"),
    ("Decisions", "/decisions"),
    ("Queue", "/queue"),
    ("Policy", "/policy"),
)
"""The pages, by name and path."""

FOR_WRITING = frozenset({"/queue"})
"""Pages that are of no use where nothing can be written."""

PRESETS = (("All", ""), ("24 h", "24h"), ("7 d", "7d"), ("30 d", "30d"))
"""Periods that are one click away."""

_OF_ONE_PERIOD = frozenset(
    {"since", "until", "token", "page", "after", "before", "done", "version"}
)
"""What an address of another period does not keep: places in a list are gone there."""


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
    path = path_asked(request.scope)
    others = [(n, v) for n, v in request.query_params.multi_items() if n not in _OF_ONE_PERIOD]
    html = (
        environment()
        .get_template(template)
        .render(
            title=title,
            bench=bench,
            period=period,
            path=path,
            navigation=[
                (name, link(address, period), address == path or path.startswith(f"{address}/"))
                for name, address in NAVIGATION
                if not (bench.static and address in FOR_WRITING)
            ],
            periods=_periods(path, period, others),
            period_words=_words(period, static=bench.static),
            other_query=others,
            refresh=f"/refresh?{urlencode({'to': _local(request)})}",
            link=lambda path, **query: link(path, period, **query),
            csrf=bench.csrf,
            **context,
        )
    )
    # What no template has made visible: no text of others may end a page.
    return HTMLResponse(html.encode("utf-8", "backslashreplace"), status_code=status)


def _local(request: Request) -> str:
    path, query = path_asked(request.scope), request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _periods(
    path: str, period: Period, others: list[tuple[str, str]]
) -> list[tuple[str, str, bool]]:
    found = []
    for name, since in PRESETS:
        query = urlencode([*others, ("since", since)] if since else others)
        current = (period.since, period.until) == (since, "")
        found.append((name, f"{path}?{query}" if query else path, current))
    return found


def _words(period: Period, *, static: bool) -> str:
    """Return what the choice of any period is called; of an export, what it is of."""
    since, until = period.since or "the start", period.until or "now"
    if static:
        whole = not period.since and not period.until
        return "from its first decision to its last" if whole else f"from {since} to {until}"
    is_preset = not period.until and period.since in {since for _, since in PRESETS}
    return "Other" if is_preset else f"{since} to {until}"


def link(path: str, period: Period, **query: Any) -> str:
    """Return the address of a page in the period that is looked at."""
    kept: Mapping[str, Any] = {"since": period.since, "until": period.until, **query}
    found = {name: value for name, value in kept.items() if value not in {"", None}}
    asked = urlencode(found, errors="replace")  # half of a surrogate pair has no UTF-8
    return f"{path}?{asked}" if asked else path
