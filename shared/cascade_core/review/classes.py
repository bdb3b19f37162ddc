"""The page `Classes`: each class or tag, and what bypassing or pinning it would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cascade_core.evaluation.audited import FEW_AUDITS
from cascade_core.review.bypassing import (
    GroupEffect,
    RuleAction,
    bypassed,
    paired_audits,
    pinned,
)
from cascade_core.review.cluster_pages import cluster_context, cluster_routes
from cascade_core.review.forms import Form, posted
from cascade_core.review.group_rules import (
    DecidingRule,
    deciding_rules,
    group_rules,
)
from cascade_core.review.grouping import ShownGroup, shown_names
from cascade_core.review.pages import bench_of, link, page
from cascade_core.review.periods import Period, period_of

if TYPE_CHECKING:
    from cascade_core.review.workbench import Workbench
    from cascade_core.traffic.log_report import LogReport

CLASSES_BY = ("class", "tag", "cluster")
"""What a row may be."""
ACTIONS: tuple[RuleAction, ...] = ("bypass", "pin")
LONGEST_GROUP = 100_000
"""Characters of a name up to which a rule may be written for it."""
ACTION_WORDS = {
    "bypass": ("Bypass", "straight to the last tier"),
    "pin": ("Pin", "always the cheapest tier"),
}


@dataclass(frozen=True, slots=True)
class GroupSwitch:
    """What switches a rule for a group on and off.

    Attributes:
        action: What the rule does.
        effect: What it would change.
        rules: Which rules do it now.
        outdone: Rules that decide before them, with how many of the group they decided.
    """

    action: RuleAction
    effect: GroupEffect
    rules: Sequence[DecidingRule]
    outdone: Sequence[tuple[str, int]]

    @property
    def on(self) -> bool:
        """Whether a rule does it."""
        return bool(self.rules)

    @property
    def free(self) -> bool:
        """Whether it can be switched off here: the rules are about this group alone."""
        return all(rule.alone for rule in self.rules)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A row of the page.

    Attributes:
        group: The requests.
        switches: For each of `ACTIONS`; none where no rule can tell the group.
        effects: What rules would change, for each of `ACTIONS`.
    """

    group: ShownGroup
    switches: Sequence[GroupSwitch]
    effects: Sequence[GroupEffect]


def classes_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    return [
        Route("/classes", _show, name="classes"),
        Route("/classes/rule", posted(_switch), methods=["POST"]),
        *cluster_routes(),
    ]


def _show(request: Request) -> Response:
    bench, period = bench_of(request), period_of(request.query_params)
    by = request.query_params.get("by") or "class"
    if by not in CLASSES_BY:
        raise HTTPException(400, f"by={by[:50]!r} is unknown; give one of {', '.join(CLASSES_BY)}")
    context: dict[str, Any] = {"by": by, "words": ACTION_WORDS, "few_audits": FEW_AUDITS}
    if by == "cluster":
        context |= cluster_context(bench, period, request.query_params)
        return page(request, "clusters.html.jinja", title="Classes", period=period, **context)
    report = bench.report(period, by)
    context |= {
        "report": report,
        "figures": report.figures,
        "rows": class_rows(bench, report),
        "hidden": max(0, len(report.groups) + report.left_out - len(shown_names(report))),
        "labelled": bench.source.kind == "table",
    }
    return page(request, "classes.html.jinja", title="Classes", period=period, **context)


def class_rows(bench: Workbench, report: LogReport) -> list[ClassRow]:
    """Return a row for each class or tag, with what rules for it would change."""
    pairs = paired_audits(bench.snapshot(), report.worked)
    deciders = report.worked.traffic.named["rule"]
    rows = []
    for group in shown_names(report):
        effects = (
            bypassed(group.figures),
            pinned(report.worked, group.rows, group.figures, pairs),
        )
        switches: list[GroupSwitch] = []
        if group.name is not None and len(group.name) <= LONGEST_GROUP:
            counts = deciders.counts(_flags(len(report.worked.traffic), group))
            for action, effect in zip(ACTIONS, effects, strict=True):
                rules = deciding_rules(bench.draft.policy, str(report.by), group.name, action)
                before = rules[0].before if rules else ()
                outdone = [(name, counts.get(name, 0)) for name in before]
                switches.append(GroupSwitch(action, effect, rules, outdone))
        rows.append(ClassRow(group, switches, effects))
    return rows


def _flags(n: int, group: ShownGroup) -> Any:
    flags = np.zeros(n, dtype=np.bool_)
    flags[group.rows] = True
    return flags


def _switch(request: Request, form: Form) -> Response:
    """Add the rules for a group to the draft, or take out those that are there."""
    bench, period = bench_of(request), period_of(form)
    by, name, action = form.get("by", ""), form.get("name", ""), form.get("action", "")
    if (
        by not in {"class", "tag"}
        or action not in ACTION_WORDS
        or not 0 < len(name) <= LONGEST_GROUP
    ):
        raise HTTPException(400, "a rule is for a class or a tag, and either bypasses or pins it")
    chosen: RuleAction = "bypass" if action == "bypass" else "pin"
    for each in ACTIONS:  # a group is either bypassed or pinned
        for rule in deciding_rules(bench.draft.policy, by, name, each):
            if rule.alone:
                bench.draft.remove_rule(rule.name)
    if form.get("on") == "yes":
        deciders = _deciders(bench, period, by, name)
        for made in group_rules(bench.draft.policy, by, name, chosen, deciders):
            bench.draft.add_rule(made.rule, made.place)
    return RedirectResponse(link("/classes", period, by=by), 303)


def _deciders(bench: Workbench, period: Period, by: str, name: str) -> set[str | None]:
    """Return by which rules requests of a group were decided."""
    report = bench.report(period, by)
    column = report.worked.traffic.named["rule"]
    for group in shown_names(report, len(report.groups)):
        if group.name == name:
            return {column.names[code] for code in set(column.of[group.rows].tolist())}
    return set()
