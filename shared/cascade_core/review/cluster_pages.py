"""The clusters of the page `Classes`: their figures, and a rule by words that is tried first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cascade_core.arrays import Flags
from cascade_core.policy.document import Policy
from cascade_core.review.bypassing import GroupEffect, PairedAudits, bypassed, paired_audits, pinned
from cascade_core.review.clusters import (
    FEWEST_TEXTS,
    Matched,
    TextCluster,
    TextSample,
    clusters_of,
    matched,
    sample_of,
)
from cascade_core.review.forms import Form, posted
from cascade_core.review.group_rules import after_names
from cascade_core.review.pages import bench_of, link
from cascade_core.review.periods import Period, period_of

if TYPE_CHECKING:
    from cascade_core.review.workbench import Workbench
    from cascade_core.traffic.summary import TrafficFigures, Worked

LONGEST_PATTERN = 2_000


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A row of the page.

    Attributes:
        place: Which it is, counted from 0.
        name: Its most telling words.
        figures: Of its requests.
        pattern: What its rule would ask for; what somebody has written in place of its words.
        problem: Why that is no pattern; empty where it is one.
        own: How many of the cluster's requests it matches.
        members: How many there are.
        others: How many other requests of the sample it matches.
        rest: How many others there are.
        tried: How many of all were tried.
        slow: On how many it took longer than a rule may.
        effects: What rules would change for the requests that it matches.
        rules: Names of the draft's rules for this cluster, by what they do.
    """

    place: int
    name: str
    figures: TrafficFigures
    pattern: str
    problem: str
    own: int
    members: int
    others: int
    rest: int
    tried: int
    slow: int
    effects: Sequence[GroupEffect]
    rules: Mapping[str, str]


def cluster_routes() -> list[BaseRoute]:
    """Return the routes of the rules by words."""
    return [Route("/classes/pattern", posted(_pattern), methods=["POST"])]


def cluster_context(bench: Workbench, period: Period, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page of clusters shows.

    Args:
        bench: The review.
        period: The period.
        query: `at` and `pattern` where somebody tries a pattern for a cluster.
    """
    snapshot = bench.snapshot()
    rows = snapshot.within(period)
    part = rows.start, rows.stop
    sample = snapshot.made_once(("sample", *part), lambda: sample_of(snapshot, *part))
    context: dict[str, Any] = {"sample": sample, "rows": [], "why_none": "", "announce": ""}
    if len(sample.texts) < FEWEST_TEXTS:
        context["why_none"] = "texts" if len(sample.texts) else "none"
        return context
    try:
        clusters = snapshot.made_once(("clusters", *part), lambda: clusters_of(sample))
    except ModuleNotFoundError:
        return {**context, "why_none": "sklearn"}
    if not clusters:
        return {**context, "why_none": "words"}
    worked = snapshot.worked(period)
    looked = _Looked(
        bench.draft.policy,
        worked,
        paired_audits(snapshot, worked),
        sample,
        lambda asked: snapshot.made_once(("matched", *part, asked), lambda: matched(sample, asked)),
    )
    tried = query.get("pattern", "") if query.get("at", "").isdigit() else ""
    at = int(query["at"]) if tried else -1
    context["rows"] = [
        _row(looked, cluster, place, tried if place == at else "")
        for place, cluster in enumerate(clusters)
    ]
    context["announce"] = "The draft was changed"
    for row in context["rows"]:
        if row.place == at and not row.problem:
            context["announce"] = (
                f"It matches {row.own:,} of {row.members:,} of this cluster, and {row.others:,} of "
                f"{row.rest:,} other requests"
            )
        elif row.place == at:
            context["announce"] = f"This {row.problem}"
    return context


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """What all rows of the page are made of; `match` tries a pattern on the sample."""

    policy: Policy
    worked: Worked
    pairs: PairedAudits
    sample: TextSample
    match: Callable[[str], Matched]


def _row(looked: _Looked, cluster: TextCluster, place: int, tried: str) -> ClusterRow:
    worked, sample = looked.worked, looked.sample
    rules = {
        action: name
        for action in ("bypass", "pin")
        if (name := cluster_rule(action, cluster.name))
        in {rule.name for rule in looked.policy.rules}
    }
    asked = tried or _asked(looked.policy, rules) or cluster.pattern
    problem, found = "", Matched(np.zeros(len(sample.texts), dtype=np.bool_), 0, 0)
    try:
        if len(asked) > LONGEST_PATTERN:
            problem = f"has more than {LONGEST_PATTERN:,} characters"
        else:
            found = looked.match(asked)
    except ValueError as error:
        problem = str(error)
    hit = sample.rows[found.found]
    figures = worked.figures(_flags(worked, hit))
    members = int(cluster.members.sum())
    own = int(np.count_nonzero(found.found & cluster.members))
    return ClusterRow(
        place=place,
        name=cluster.name,
        figures=worked.figures(_flags(worked, sample.rows[cluster.members])),
        pattern=asked,
        problem=problem,
        own=own,
        members=members,
        others=len(hit) - own,
        rest=len(sample.texts) - members,
        tried=found.tried,
        slow=found.slow,
        effects=(bypassed(figures), pinned(worked, hit, figures, looked.pairs)),
        rules=rules,
    )


def _asked(policy: Policy, rules: Mapping[str, str]) -> str:
    """Return the pattern of the rule that the draft has for a cluster."""
    for rule in policy.rules:
        if rule.name in rules.values():
            return rule.match.regex or ""
    return ""


def _flags(worked: Worked, rows: Any) -> Flags:
    flags = np.zeros(len(worked.traffic), dtype=np.bool_)
    flags[rows] = True
    return flags


def cluster_rule(action: str, name: str) -> str:
    """Return what the rule for a cluster is called."""
    return f"{action} requests about {name}"


def _pattern(request: Request, form: Form) -> Response:
    """Try a pattern, add a rule of it to the draft, or take the rule out."""
    bench, period = bench_of(request), period_of(form)
    action, _, on = form.get("do", "").partition(" ")
    name, pattern = form.get("name", ""), form.get("pattern", "")
    if action not in {"try", "bypass", "pin"} or not 0 < len(name) <= LONGEST_PATTERN:
        raise HTTPException(400, "a rule by words either bypasses or pins what it matches")
    if action == "try":
        # A pattern that is too long is said to be; all of it need not come back for that.
        asked = {"at": form.get("at", ""), "pattern": pattern[: LONGEST_PATTERN + 1]}
        return RedirectResponse(link("/classes", period, by="cluster", **asked), 303)
    if len(pattern) > LONGEST_PATTERN:
        raise HTTPException(400, f"a pattern may have {LONGEST_PATTERN:,} characters at the most")
    rule = {
        "name": cluster_rule(action, name),
        "match": {"regex": pattern},
        "then": {"bypass": True} if action == "bypass" else {"pin": 0},
    }
    Policy.load({"rules": [rule]} if on == "yes" else {})  # before anything is taken out
    had = {each.name for each in bench.draft.policy.rules}
    for each in ("bypass", "pin"):
        if cluster_rule(each, name) in had:
            bench.draft.remove_rule(cluster_rule(each, name))
    if on == "yes":
        bench.draft.add_rule(rule, after_names)
    return RedirectResponse(link("/classes", period, by="cluster"), 303)
