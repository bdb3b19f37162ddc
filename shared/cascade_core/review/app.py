"""The review page as a Starlette application."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from cascade_core.errors import ConfigurationError
from cascade_core.review.classes import classes_routes
from cascade_core.review.decision import decision_routes
from cascade_core.review.decisions import decisions_routes
from cascade_core.review.overview import overview_routes
from cascade_core.review.pages import page
from cascade_core.review.periods import Period
from cascade_core.review.saving import saving_routes
from cascade_core.review.security import Guard
from cascade_core.review.thresholds import thresholds_routes
from cascade_core.review.workbench import Workbench

STATIC = Path(__file__).with_name("static")


def make_review(
    bench: Workbench, hosts: Sequence[str], *, cookie: str = "cascade_review"
) -> Starlette:
    """Return the application.

    Args:
        bench: What the pages share.
        hosts: Names, with the port, under which it may be asked.
        cookie: What the cookie with the token is called.
    """
    app = Starlette(
        routes=[
            *overview_routes(),
            *thresholds_routes(),
            *classes_routes(),
            *decisions_routes(),
            *decision_routes(),
            *saving_routes(),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(Guard, token=bench.token, hosts=hosts, cookie=cookie)],
        exception_handlers={ConfigurationError: _bad_input, HTTPException: _refused},
    )
    app.state.bench = bench
    return app


def _bad_input(request: Request, error: Exception) -> Response:
    return page(
        request,
        "error.html.jinja",
        title="That does not work",
        status=400,
        said=str(error),
        period=Period(),
    )


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it handles
    return page(
        request,
        "error.html.jinja",
        title="Not done",
        status=error.status_code,
        said=error.detail,
        period=Period(),
    )
