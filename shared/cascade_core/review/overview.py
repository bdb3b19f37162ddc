"""The page `Overview`: what the log, or the replayed table, comes to, and what to look at."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.audited import FEW_AUDITS
from cascade_core.evaluation.replaying import oddities, replay
from cascade_core.evaluation.study import study
from cascade_core.policy.document import Policy
from cascade_core.report.logged import audit_lines, cost_lines, headline, notes
from cascade_core.report.logged_rows import who_rows, why_cells
from cascade_core.review.drift_found import LONGEST_WAIT, compared
from cascade_core.review.grouping import shown_names
from cascade_core.review.missing_policy import other_policy
from cascade_core.review.open_warnings import open_warnings
from cascade_core.review.over_time import charts_over_time
from cascade_core.review.pages import bench_of, page
from cascade_core.review.periods import Period, period_of
from cascade_core.review.workbench import Workbench
from cascade_core.traffic.stewardship import stewardship_of

if TYPE_CHECKING:
    from cascade_core.evaluation.study import Study
    from cascade_core.labels import Table

OVERVIEW_BY = ("class", "tag", "model", "reason", "rule", "policy", "day")
"""By what the requests may be grouped."""


def overview_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    return [Route("/", _show, name="overview")]


def _show(request: Request) -> Response:
    bench, period = bench_of(request), period_of(request.query_params)
    if bench.source.kind == "table":
        return _replayed(request, bench, period)
    by = request.query_params.get("by") or "class"
    if by not in OVERVIEW_BY:
        msg = f"by={by[:50]!r} is unknown; give one of {', '.join(OVERVIEW_BY)}"
        raise ConfigurationError(msg)
    report = bench.report(period, by)
    if not report.figures.requests:
        return page(
            request,
            "overview_empty.html.jinja",
            title="Overview",
            period=period,
            whole=len(bench.snapshot()),
        )
    asked = request.query_params.get("drift") == "now"
    patience = None if bench.static else LONGEST_WAIT  # a page from disk is not loaded again
    drift = compared(bench.snapshot(), bench.draft.base, asked=asked, patience=patience)
    report = replace(report, drift=drift.found)
    groups = shown_names(report)
    stands = stewardship_of(bench.source.database)
    return page(
        request,
        "overview.html.jinja",
        title="Overview",
        period=period,
        report=report,
        figures=report.figures,
        warnings=open_warnings(report, bench.draft.base, other_policy(bench)),
        drift=drift,
        headline=headline(report),
        notes=[*notes(report), *(() if stands is None else stands.lines())],
        cost_lines=list(cost_lines(report.figures)),
        audit_lines=list(audit_lines(report)),
        who=who_rows(report),
        why_rows=why_cells(report.figures),
        charts=charts_over_time(report),
        by=by,
        bys=OVERVIEW_BY,
        groups=groups,
        hidden=len(report.groups) - len(groups) + report.left_out,
        few_audits=FEW_AUDITS,
    )


def _replayed(request: Request, bench: Workbench, period: Period) -> Response:
    """Show what the policy would have done with a labelled table."""
    policy, labels = bench.draft.base, bench.labels()
    context: dict[str, Any] = {"found": None, "said": "", "odd": ()}
    if labels.table is None:
        context["said"] = labels.why_none or "The table has no rows that can be used."
    elif policy.thresholds is None:
        context["said"] = (
            "No policy decides yet, so there is nothing to replay. Give one with --policy, or "
            "choose thresholds on the page Thresholds and save them."
        )
    else:
        found = _studied(labels.table, policy.model_dump_json())
        context |= {"found": found, "odd": list(map(str, oddities(found.replay, policy)))}
    return page(request, "overview_table.html.jinja", title="Overview", period=period, **context)


@lru_cache(maxsize=1)
def _studied(table: Table, policy: str) -> Study:
    """Replay a table as `cascade replay` does; the bootstrap takes a while, so it is kept."""
    document = Policy.model_validate_json(policy)
    return study(replay(table, document), document)
