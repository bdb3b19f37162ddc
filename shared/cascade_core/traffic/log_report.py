"""Everything that is said of a log: `LogReport`, and the same as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cascade_core.files import finite
from cascade_core.moments import as_iso
from cascade_core.traffic.groups import UNNAMED, Groups, groups_of
from cascade_core.traffic.shifts import Moved, moved
from cascade_core.traffic.summary import Group, TrafficFigures, Worked, grouped, work_out

if TYPE_CHECKING:
    from cascade_core.drift.log import DriftReport
    from cascade_core.evaluation.audited import Estimates
    from cascade_core.traffic.reading import LogRead

MOST_GROUPS = 1000
"""Groups whose figures are worked out."""


@dataclass(frozen=True, slots=True)
class Decider:
    """By what some requests were decided.

    Attributes:
        name: A policy with its version, or a rule.
        requests: How many.
        first: When the first of them was, in seconds since 1970; None where that is not known.
        last: The last of them.
    """

    name: str
    requests: int
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True, eq=False)
class LogReport:
    """What a log says.

    Attributes:
        source: The log.
        read: What was read of it.
        worked: The same, worked out.
        figures: Of all requests.
        models: Who answered, by tier and model.
        rules: Which rules fired.
        policies: Which policies decided, with their versions.
        shift: The last shift of the escalated share; None where there was none.
        drift: Against the policy's reference, where a policy was given.
        by: By what the requests were grouped.
        groups: TrafficFigures of the groups.
        left_out: Groups that are not among these.
    """

    source: str
    read: LogRead
    worked: Worked
    figures: TrafficFigures
    models: Mapping[int, Mapping[str, int]]
    rules: Sequence[Decider]
    policies: Sequence[Decider]
    shift: Moved | None
    drift: DriftReport | None = None
    by: str | None = None
    groups: Sequence[Group] = ()
    left_out: int = 0

    @property
    def span(self) -> tuple[float, float] | None:
        """When the first and the last decision were; None in records of version 1."""
        return _span(self.worked.traffic.at)

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON; what is not known is null."""
        span = self.span
        plain: dict[str, Any] = {
            **_plain(self.figures),
            "log": self.source,
            "first": None if span is None else as_iso(span[0], "seconds"),
            "last": None if span is None else as_iso(span[1], "seconds"),
            "models": {str(tier): dict(models) for tier, models in self.models.items()},
            "feedback": asdict(self.read.feedback),
            "failing": [dict(each) for each in self.read.failing],
            "errors": dict(self.read.errors),
            "rules": [_decided(each) for each in self.rules],
            "policies": [_decided(each) for each in self.policies],
            "shift": None if self.shift is None else _shift(self.shift),
            "drift": None if self.drift is None else asdict(self.drift),
            "unreadable": self.read.unreadable,
        }
        if plain["audits"] is not None:
            plain["audits"]["missing"] = dict(self.read.missing)
            plain["audits"]["compared"] = dict(self.read.compared)
            plain["audits"]["undecided"] = self.read.undecided
        if self.by is not None:
            plain["by"] = self.by
            plain["groups"] = [{"name": each.name, **_plain(each.figures)} for each in self.groups]
            plain["groups_left_out"] = self.left_out
        known: dict[str, Any] = finite(plain)
        return known


def report_of(
    source: str, read: LogRead, *, by: str | None = None, drift: DriftReport | None = None
) -> LogReport:
    """Work out what a log says.

    Args:
        source: What to call it.
        read: What was read of it.
        by: One of `groups.BY`; None for no groups.
        drift: What `drift.watch` said of it.
    """
    traffic = read.traffic
    worked = work_out(traffic, read.audits)
    groups, left_out = grouped(worked, by, MOST_GROUPS) if by else ((), 0)
    model = traffic.named["model"]
    models = {
        int(tier): {name or UNNAMED: n for name, n in model.counts(traffic.tier == tier).items()}
        for tier in np.unique(traffic.tier[traffic.tier >= 0])
    }
    return LogReport(
        source=source,
        read=read,
        worked=worked,
        figures=worked.figures(),
        models=models,
        rules=_deciders(traffic.at, groups_of(traffic, "rule"), "no rule"),
        policies=_deciders(traffic.at, groups_of(traffic, "policy"), "no policy"),
        shift=moved(worked),
        drift=drift,
        by=by,
        groups=groups,
        left_out=left_out,
    )


def _deciders(at: Any, groups: Groups, none: str) -> list[Decider]:
    found = []
    for name, rows in groups:
        span = _span(at[rows])
        if name != none:
            found.append(Decider(name, len(rows), *(span or (None, None))))
    return sorted(found, key=lambda each: (-each.requests, each.name))


def _span(at: Any) -> tuple[float, float] | None:
    known = at[~np.isnan(at)]
    return (float(known.min()), float(known.max())) if len(known) else None


def _plain(figures: TrafficFigures) -> dict[str, Any]:
    costs = figures.costs
    even = figures.break_even
    return {
        "requests": figures.requests,
        "by_tier": {str(tier): n for tier, n in figures.by_tier.items()},
        "cost_usd": costs.cost_usd,
        "strong_cost_usd": costs.strong_usd,
        "saved_usd": costs.saved_usd,
        "audits": None if figures.audits is None else _audits(figures.audits),
        "answered": figures.answered,
        "escalated": figures.beyond / figures.answered if figures.answered else None,
        "sent_on": figures.escalated,
        "straight": figures.straight,
        "shadow": figures.shadow,
        "reasons": dict(figures.reasons),
        "costs": {**asdict(costs), "dear": costs.dear},
        "break_even": None if even is None else even.as_dict(),
        "saved": figures.saved.as_dict(),
        "latency": {name: asdict(each) for name, each in figures.latency.items()},
        "failed_calls": figures.failed_calls,
        "failed_requests": figures.failed_requests,
        "cancelled": figures.cancelled,
        "void": figures.voided / figures.answered if figures.answered else None,
        "void_by": dict(figures.void),
        "handed_off": figures.handoff,
        "committed": dict(figures.committed),
        "exhausted": figures.exhausted,
    }


def _audits(found: Estimates) -> dict[str, Any]:
    quality, strong, harm = found.quality, found.strong_quality, found.harm
    return {
        "n": found.covered,
        "quality": quality.value,
        "harm": harm.value,
        "interval": [harm.low, harm.high],
        "quality_interval": [quality.low, quality.high],
        "strong_quality": strong.value,
        "strong_quality_interval": [strong.low, strong.high],
        "harm_bound": found.harm_bound,
        "eligible": found.eligible,
        "picked": found.picked,
        "coverage": found.coverage,
        "few": harm.few or quality.few,
        "saving": None if found.saving is None else asdict(found.saving),
    }


def _decided(each: Decider) -> dict[str, Any]:
    return {
        "name": each.name,
        "requests": each.requests,
        "first": None if each.first is None else as_iso(each.first, "seconds"),
        "last": None if each.last is None else as_iso(each.last, "seconds"),
    }


def _shift(shift: Moved) -> dict[str, Any]:
    return {**asdict(shift), "at": None if shift.at is None else as_iso(shift.at, "seconds")}
