"""The review page as a Starlette application."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from cascade_core.errors import ConfigurationError
from cascade_core.review.classes import classes_routes
from cascade_core.review.decision import decision_routes
from cascade_core.review.decisions import decisions_routes
from cascade_core.review.overview import overview_routes
from cascade_core.review.pages import bench_of, page
from cascade_core.review.periods import Period
from cascade_core.review.queue import queue_routes
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
            *queue_routes(),
            *saving_routes(),
            Route("/refresh", _refresh, name="refresh"),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(Guard, token=bench.token, hosts=hosts, cookie=cookie)],
        exception_handlers={
            ConfigurationError: _bad_input,
            HTTPException: _refused,
            SQLAlchemyError: _not_readable,
        },
    )
    app.state.bench = bench
    return app


def _refresh(request: Request) -> Response:
    """Read the log anew and go back to the page that was looked at: one of ours, by its path."""
    bench_of(request).refresh()
    return RedirectResponse("/" + request.query_params.get("to", "").lstrip("/\\"), 303)


def _bad_input(request: Request, error: Exception) -> Response:
    return _said(request, 400, "That does not work", str(error))


def _not_readable(request: Request, error: Exception) -> Response:
    kind = type(
        getattr(error, "orig", None) or error
    ).__name__  # its text may hold what people wrote
    return page(
        request,
        "error.html.jinja",
        title="The log cannot be read now",
        status=503,
        said=f"{bench_of(request).source.shown} cannot be read or written now ({kind}); is it "
        "there, and does another program hold it? This page comes back when it does.",
        period=Period(),
    )


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it handles
    said = _IN_WORDS.get(error.detail, error.detail)
    answer = _said(request, error.status_code, "Not done", said)
    answer.headers.update(error.headers or {})
    return answer


_IN_WORDS = {
    "Not Found": "There is no such page.",
    "Method Not Allowed": "This page does not take that.",
}
"""What Starlette says in its own words."""


def _said(request: Request, status: int, title: str, said: str) -> Response:
    period = Period()  # the address may be what is wrong
    return page(request, "error.html.jinja", title=title, status=status, said=said, period=period)
