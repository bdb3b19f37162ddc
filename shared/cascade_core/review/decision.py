"""The page of one decision: the path that a request took, and what people say of the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cascade_core.errors import ConfigurationError
from cascade_core.files import finite
from cascade_core.review.decision_shown import BASIS, decision_shown, reason_in_words
from cascade_core.review.decisions import decision_path
from cascade_core.review.fetching import fetch_decision
from cascade_core.review.filters import filter_of
from cascade_core.review.forms import posted
from cascade_core.review.labelling import NO_FEEDBACK, feedback_in, give_feedback
from cascade_core.review.pages import bench_of, link, page
from cascade_core.review.periods import Period, period_of
from cascade_core.review.policy_homes import DatabaseHome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from cascade_core.log.record import Record
    from cascade_core.review.workbench import Workbench

BY_COOKIE = "cascade_review_by"
"""The cookie that keeps who gives feedback, so that nobody has to write it twice."""

MOST_RAW = 200_000
"""Characters of a raw record that are shown."""


def decision_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    return [
        Route("/decisions/{key:path}", _show, name="decision"),
        Route("/feedback", posted(_said), methods=["POST"], name="feedback"),
    ]


def _show(request: Request) -> Response:
    key = request.path_params["key"] or request.query_params.get("id", "")
    return decision_page(request, key)


def decision_page(request: Request, key: str) -> Response:
    """Make the page of a decision.

    Args:
        request: What was asked for.
        key: The decision's id.
    """
    bench = bench_of(request)
    found = fetch_decision(bench.source.database, key)
    if found is None:
        raise HTTPException(404, "the log has no decision of that id; it may have been pruned")
    period, asked = period_of(request.query_params), filter_of(request.query_params)
    shown = decision_shown(found)
    raw = json.dumps(finite(found.record), indent=1, ensure_ascii=False)
    return page(
        request,
        "decision.html.jinja",
        title="Decision",
        period=period,
        key=key,
        quoted=quote(key, safe=""),
        found=found,
        shown=shown,
        policy_address=_policy_address(bench, period, shown.record),
        raw=raw[:MOST_RAW],
        raw_left=max(0, len(raw) - MOST_RAW),
        back=link("/decisions", period, **asked.query),
        query=link("", period, **asked.query),
        by=unquote(request.cookies.get(BY_COOKIE, "")),
        reason_in_words=reason_in_words,
        basis=BASIS,
        no_feedback=NO_FEEDBACK if bench.source.kind == "table" else "",
    )


def _policy_address(bench: Workbench, period: Period, record: Record) -> str:
    """Return where the version of the policy that decided is shown, or else the policy in use."""
    version = str(record["policy_version"])
    if isinstance(bench.home, DatabaseHome) and version.isascii() and version.isdigit():
        for each in bench.home.listed():
            if str(each.number) == version and each.name == record["policy"]:
                return link(f"/policy/version/{version}", period)
    return link("/policy", period)


def _said(request: Request, form: Mapping[str, str]) -> Response:
    """Keep what somebody says of an answer, and show the decision with it."""
    key = unquote(form.get("id", ""))
    if fetch_decision(bench_of(request).source.database, key) is None:
        raise ConfigurationError("the log has no decision of that id: nothing was kept")
    said = feedback_in(form)
    give_feedback(bench_of(request), key, said)
    path, query = decision_path(key), form.get("query", "").removeprefix("?")
    join = "&" if "?" in path else "?"
    answer = RedirectResponse(f"{path}{join}{query}#feedback" if query else f"{path}#feedback", 303)
    remember_by(answer, said.by)
    return answer


def remember_by(answer: Response, by: str) -> None:
    """Keep who gives feedback for the next form."""
    answer.set_cookie(BY_COOKIE, quote(by), httponly=True, samesite="strict")
