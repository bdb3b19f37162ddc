"""What somebody has to look at in a log: what it means, what to do, and where to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from cascade_core.arrays import Flags
from cascade_core.moments import as_iso
from cascade_core.policy.document import Policy
from cascade_core.policy.models import other_models
from cascade_core.report.logged import (
    break_even_line,
    dear_line,
    failing_line,
    price_lines,
    shift_line,
    unreadable_line,
    void_line,
)
from cascade_core.report.logged_rows import FEW_REQUESTS, counted
from cascade_core.report.rows import claimed, formatted
from cascade_core.review.missing_policy import OtherPolicy
from cascade_core.setup.misuse import untested_rules
from cascade_core.traffic.log_report import LogReport

LONGEST_SAID = 500
"""Characters of what was found that are shown; names of others stand in it."""
LAST_DECIDED = 50
"""Requests, the last of a policy, whose thresholds are compared with its own."""
BEHIND_BUDGET = "Raise max_usd_per_day= of the audit, or lower its rate."


@dataclass(frozen=True, slots=True)
class OpenWarning:
    """One thing to look at.

    Attributes:
        kind: Which of all warnings it is, in a word.
        said: What was found.
        means: What that means.
        to_do: What to do.
        path: The page to look at.
        query: What that page is asked for.
        more: What the link says.
        tone: How grave it is.
    """

    kind: str
    said: str
    means: str
    to_do: str
    path: str = "/decisions"
    query: Mapping[str, str] = field(default_factory=dict)
    more: str = "Look at these decisions"
    tone: Literal["bad", "warn"] = "warn"


def open_warnings(
    report: LogReport, policy: Policy, other: OtherPolicy | None = None
) -> list[OpenWarning]:
    """Return what has to be looked at, the gravest first.

    Args:
        report: What the log says of the period.
        policy: The policy that decides now.
        other: What decided last, where it is another.
    """
    found = [
        *_failures(report),
        *_break_even(report),
        *_promises(report, policy),
        *_drift(report),
        *_audits(report),
        *_prices(report),
        *_other_policy(other),
    ]
    cut = [replace(each, said=each.said[:LONGEST_SAID]) for each in found]
    return sorted(cut, key=lambda each: each.tone)


def _other_policy(other: OtherPolicy | None) -> Iterator[OpenWarning]:
    if other is not None:
        yield OpenWarning(
            "policy_missing" if other.given is None else "policy_other",
            other.found,
            other.means,
            other.to_do,
            path="/policy",
            more="Look at the policy",
        )


def _failures(report: LogReport) -> Iterator[OpenWarning]:
    for tier in report.read.failing:
        yield OpenWarning(
            "failing",
            failing_line(tier),
            "Requests wait for this tier in vain, or go to the next one and cost more.",
            "See whether the provider, the key or the model's name is what fails.",
            query={"failed": "yes"},
            tone="bad",
        )
    if report.figures.exhausted:
        yield OpenWarning(
            "exhausted",
            f"{counted(report.figures.exhausted, 'request')} had no answer from any tier",
            "Every tier failed; whoever asked got an error, or the best draft there was.",
            "Look at the errors of the calls; on_exhausted= says what is then returned.",
            query={"reason": "exhausted"},
            tone="bad",
        )
    if report.figures.voided:
        yield OpenWarning(
            "void",
            void_line(report.figures),
            "They are worse than what the policy promises, and audits count them in.",
            "Raise the budget, or have it refuse or wait (when_short=); give deadline= more time.",
            query={"void": "yes"},
        )


def _break_even(report: LogReport) -> Iterator[OpenWarning]:
    figures, saved = report.figures, report.figures.saved
    even = saved.break_even
    passed = even is not None and (even.share is None or even.now < even.share)
    if not saved.dear and not passed:
        return
    if saved.requests < FEW_REQUESTS and not saved.dear:
        return
    if figures.requests in {figures.shadow, figures.reasons.get("learning", 0)}:
        return  # the last tier answers all, and that costs more by what is asked besides
    yield OpenWarning(
        "break_even",
        dear_line(figures) if saved.dear or even is None else break_even_line(even, saved.how),
        "So many drafts are sent on that drafts and audits cost more than the kept answers save.",
        "Bypass the classes whose drafts are seldom kept, lower a threshold as far as quality "
        "allows, or audit fewer requests.",
        path="/classes",
        more="See what bypassing would save",
        tone="bad" if saved.dear and saved.requests >= FEW_REQUESTS else "warn",
    )


def _promises(report: LogReport, policy: Policy) -> Iterator[OpenWarning]:
    """Say what makes the policy's promises say nothing of this traffic."""
    if not policy.promises:
        return
    promised = "; ".join(claimed(each) for each in policy.promises[:3])
    tiers = policy.tiers or max(report.figures.by_tier, default=0) + 1
    reasons = [
        *untested_rules(policy.rules, tiers),
        *_other_models(report, policy),
        *_other_thresholds(report, policy),
    ]
    if policy.defaults.get("on_no_score") == "accept":
        reasons.append(
            "on_no_score is 'accept': drafts without a reading are accepted, and the promises were "
            "tested with those sent on"
        )
    for reason in reasons:
        yield OpenWarning(
            "promise_void",
            reason,
            f"The policy {promised}. It does not hold for these requests.",
            "Tune a policy for what is served now, or take the change back.",
            path="/policy",
            more="Look at the policy",
        )
    audits = report.figures.audits
    limits = [each.limit for each in policy.promises if each.kind == "harm" and not each.class_name]
    if audits is not None and limits and not audits.harm.few and audits.harm.low > min(limits):
        yield OpenWarning(
            "promise_broken",
            f"audited harm is {formatted(audits.harm.value)}, at least "
            f"{formatted(audits.harm.low)}, above the {formatted(min(limits))} promised",
            "More quality is lost by not asking the last tier than the policy promised.",
            "Raise the threshold, bypass the classes that lose most, or tune again on this log.",
            path="/thresholds",
            more="Look at the thresholds",
            tone="bad",
        )


def _other_models(report: LogReport, policy: Policy) -> Iterator[str]:
    """Say which tiers answered, by this policy, as other models than it was tuned with."""
    if policy.tuned is None:
        return
    traffic, tuned, own = report.worked.traffic, policy.tuned.models, _own(report, policy)
    for tier, known in enumerate(tuned):
        for model, n in traffic.named["model"].counts(own & (traffic.tier == tier)).items():
            if model is None or known is None:
                continue
            names: list[list[str]] = [[] for _ in tuned]
            names[tier] = [model]
            for said in other_models(tuned, names):
                yield f"{said} ({counted(n, 'answer')} in this period)"


def _own(report: LogReport, policy: Policy) -> Flags:
    """Return which requests were decided by a policy of this name."""
    column = report.worked.traffic.named["policy"]
    return np.array([name == policy.name for name in column.names], dtype=np.bool_)[column.of]


def _other_thresholds(report: LogReport, policy: Policy) -> Iterator[str]:
    """Say that drafts are held against other thresholds than the policy has."""
    traffic = report.worked.traffic
    if traffic.wide is None or policy.thresholds is None:
        return
    rule = traffic.named["rule"]
    unruled = np.array([name is None for name in rule.names], dtype=np.bool_)[rule.of]
    held = traffic.wide.threshold
    rows = np.flatnonzero(_own(report, policy) & unruled & ~np.isnan(held))[-LAST_DECIDED:]
    known = {*policy.thresholds, *(t for own in policy.classes.values() for t in own.thresholds)}
    others = sorted(set(held[rows].tolist()) - known)
    if len(rows) < FEW_REQUESTS or not others or known & set(held[rows].tolist()):
        return
    listed = ", ".join(f"{each:g}" for each in others[:3])
    yield (
        f"the last {len(rows)} drafts of this policy were held against {listed}, and its promises "
        f"were tested with {', '.join(f'{each:g}' for each in sorted(known)[:3])}: thresholds= "
        "replaces them, or another version decided"
    )


def _drift(report: LogReport) -> Iterator[OpenWarning]:
    if report.drift is not None:
        for alarm in report.drift.alarms:
            yield OpenWarning(
                "drift",
                f"moved since the policy was tuned: {alarm.text}",
                "The traffic or a model has changed, so confidences and promises may be off.",
                "Collect labels of the traffic there is now, and tune again.",
                path="/thresholds",
                more="Look at the thresholds",
            )
    shift = report.shift
    if shift is not None:
        yield OpenWarning(
            "shift",
            shift_line(shift),
            "Something changed at that time: the questions, a model, or the policy.",
            "Compare decisions before and after; if the policy is as it was, the traffic is not.",
            query={} if shift.at is None else {"since": as_iso(shift.at, "seconds"), "until": ""},
            more="Look at the decisions since",
        )


def _audits(report: LogReport) -> Iterator[OpenWarning]:
    missing, found = report.read.missing, report.figures.audits
    if not missing or found is None:
        return
    listed = ", ".join(f"{why} {n:,}" for why, n in missing.items())
    todo = "Let cascade audit ask again for those that were not done."
    if any(why.endswith("budget") for why in missing):
        todo = f"{BEHIND_BUDGET} {todo}"
    yield OpenWarning(
        "uncovered",
        f"{counted(sum(missing.values()), 'audit')} of {found.picked:,} picked not done: {listed}",
        "Those answers may be worse than the audited ones; intervals are wider for it.",
        todo,
        query={"audit": "missing"},
    )


def _prices(report: LogReport) -> Iterator[OpenWarning]:
    lines = list(price_lines(report.figures.costs))
    if lines:
        yield OpenWarning(
            "unpriced",
            " ".join(lines),
            "What is not priced is in no sum: the cost shown is less than what was paid.",
            "Give the cascade prices= for every model, and run the report again on new decisions. "
            "A call that was broken off, as when an event loop ends with an audit under way, has "
            "no known price either.",
            path="/",
            query={"by": "model"},
            more="See which models answered",
        )
    if report.read.unreadable:
        yield OpenWarning(
            "unreadable",
            unreadable_line(report.read.unreadable),
            "What stood in those lines is in no figure here.",
            "See whether another program writes to the same file, or the disk was full.",
            path="/",
            more="Back to the overview",
        )
