"""What the page `Policy` shows: the draft beside what decides, its check, and the versions."""

from __future__ import annotations

import json
from difflib import unified_diff
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import Listed, PolicyVersion
from cascade_core.policy.document import Policy
from cascade_core.policy.lost import lost_names, said_of_lost
from cascade_core.review.draft_policy import DraftState
from cascade_core.review.filters import LONGEST_OFFERED
from cascade_core.review.missing_policy import unknown_policy
from cascade_core.review.periods import Period
from cascade_core.review.policy_checks import PolicyCheck, check_policy, draft_warnings
from cascade_core.review.policy_homes import mark_of, plain_of, version_before
from cascade_core.review.rule_reach import RuleReach, RulesReach, reach_of
from cascade_core.review.workbench import Workbench


def policy_context(bench: Workbench, period: Period) -> dict[str, Any]:
    """Return what the page's template shows."""
    current, unread = followed_policy(bench)
    now = bench.draft.now
    check, why_none = _checked(bench, now) if now.edits else (None, None)
    reach = _reach(bench, period, now) if now.edits else None
    mark = "" if current is None else mark_of(current)
    return {
        "home": bench.home,
        "now": now,
        "current": current,
        "unread": unread,
        "mark": mark,
        "moved": current is not None and mark != mark_of(now.begun),
        "lines": bench.draft.changes(),
        "diff": json_diff(now.base, now.policy),
        "rules": _plain_rules(now.policy),
        "rules_text": _rules_text(now.policy),
        "tiers": now.policy.tiers or bench.tiers() or 2,
        "classes": _class_names(bench, now.policy),
        "check": check,
        "why_none": why_none,
        "reach": reach,
        "reached": _changed_reach(now, reach),
        "warnings": list(draft_warnings(now, check, reach)) if now.edits else [],
        "versions": list(reversed(bench.home.listed())),
        "activations": list(reversed(bench.home.activations())),
        "before": None if current is None else _before(bench),
        "lost": _lost_now(bench, current),
    }


def followed_policy(bench: Workbench) -> tuple[PolicyVersion | None, str | None]:
    """Return what decides now, and why it cannot be read; a draft without changes follows it."""
    try:
        current = bench.home.current()
    except ConfigurationError as error:
        return None, str(error)
    bench.draft.follow(current)
    return current, None


def _before(bench: Workbench) -> Listed | None:
    number = version_before(bench.home)
    return next((each for each in bench.home.listed() if each.number == number), None)


def _lost_now(bench: Workbench, current: PolicyVersion | None) -> str:
    """Say which rules have stopped deciding with the version in use."""
    number = None if current is None else version_before(bench.home)
    if current is None or current.number is None or number is None:
        return ""
    try:
        had = bench.home.version(number).rules
    except ConfigurationError:  # a newer release wrote it
        return ""
    lost = lost_names(had, current.policy.rules)
    return said_of_lost(lost, f"version {current.number}", f"version {number}") if lost else ""


_checks: WeakKeyDictionary[Workbench, tuple[Any, PolicyCheck]] = WeakKeyDictionary()
_lock = Lock()


def _checked(bench: Workbench, now: DraftState) -> tuple[PolicyCheck | None, str | None]:
    """Return the draft's check, or why there is none; made once as long as nothing changes."""
    unknown = unknown_policy(bench)
    if unknown is not None:
        return None, unknown.said
    try:
        key = (id(bench.replay(now.base)), id(bench.replay(now.policy)), now.policy)
        with _lock:
            known = _checks.get(bench)
        if known is not None and known[0] == key:
            return known[1], None
        found = check_policy(bench.replay, now.base, now.policy)
    except ConfigurationError as error:
        return None, str(error)
    with _lock:
        _checks[bench] = key, found  # holds both replays, and so their ids
    return found, None


def _reach(bench: Workbench, period: Period, now: DraftState) -> RulesReach | None:
    if now.base.rules == now.policy.rules or bench.source.kind != "log":
        return None
    return reach_of(bench.source.database, period, now.policy.rules)


def _changed_reach(now: DraftState, reach: RulesReach | None) -> list[RuleReach]:
    had = {rule.name: rule for rule in now.base.rules}
    changed = [rule.name for rule in now.policy.rules if had.get(rule.name) != rule]
    return [] if reach is None else [each for each in reach.rules if each.name in changed]


def shown_document(policy: Policy) -> str:
    """Return a policy as people read it."""
    return json.dumps(plain_of(policy), indent=2, ensure_ascii=False)


def json_diff(one: Policy, other: Policy) -> list[str]:
    """Return how two policies differ, line by line of `shown_document`."""
    a, b = (shown_document(each).splitlines() for each in (one, other))
    return list(unified_diff(a, b, lineterm=""))[2:]


def _plain_rules(policy: Policy) -> list[Any]:
    rules: Any = plain_of(policy).get("rules", [])
    return [
        (rule["name"], *(json.dumps(rule[key], ensure_ascii=False) for key in ("match", "then")))
        for rule in rules
    ]


def _rules_text(policy: Policy) -> str:
    rules: Any = plain_of(policy).get("rules", [])
    lines = (json.dumps(rule, ensure_ascii=False) for rule in rules)
    return "[\n  " + ",\n  ".join(lines) + "\n]" if rules else "[]"


def _class_names(bench: Workbench, policy: Policy) -> list[str]:
    table = bench.labels().table
    named = {rule.then.class_name for rule in policy.rules if rule.then.class_name}
    found = {*policy.classes, *named, *(() if table is None else table.class_names)}
    return sorted(name for name in found if len(name) <= LONGEST_OFFERED)
