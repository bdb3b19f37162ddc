"""The page `Decisions`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from cascade_core.review.pages import bench_of, page
from cascade_core.review.periods import period_of


def decisions_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    return [Route("/decisions", _show, name="decisions")]


def _show(request: Request) -> Response:
    period = period_of(request.query_params)
    report = bench_of(request).report(period)
    return page(request, "decisions.html.jinja", title="Decisions", period=period, report=report)
