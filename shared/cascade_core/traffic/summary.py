"""What a log says: who answered and why, costs, latency, audits, failures, and each group's own.

Arrays in, plain figures out; `report` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.evaluation.audited import AuditRows, Estimates, LiveRows
from cascade_core.evaluation.estimating import estimates_of
from cascade_core.traffic.columns import Traffic
from cascade_core.traffic.groups import ordered_groups
from cascade_core.traffic.money import BreakEven, Costs, break_even, costs_of
from cascade_core.traffic.saved import Saved, saved_of

STRAIGHT = frozenset(
    {"bypassed", "difficult", "only_tier", "sticky", "tool_support", "unable", "pinned", "cached"}
    | {"held"}
)
"""Reasons of requests that no cheaper tier was asked about before the one that answered."""


VOID = frozenset({"void"})
"""What a record's `promise` says of an answer for which none holds."""

SHORT_OF_BUDGET = frozenset({"budget"})
"""The reason of such an answer where a budget had no room; else there was no time."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds until an answer was known: the median, and what 95 % stay below."""

    n: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Happened:
    """Which way each request took; arrays of n flags.

    Attributes:
        answered: Some tier answered.
        kept: A cheaper tier than the strongest did.
        escalated: A later tier did after an earlier one was asked.
        straight: A tier did before which none was asked, by rule, route or need, and it is not
            the cheapest; an answer that came from a cache took no way.
        shadow: The strongest tier was served, and the cascade only recorded.
    """

    answered: Flags
    kept: Flags
    escalated: Flags
    straight: Flags
    shadow: Flags


@dataclass(frozen=True, slots=True, eq=False)
class TrafficFigures:
    """The figures of some requests: of all, or of a group.

    Attributes:
        requests: How many.
        answered: To how many there is an answer.
        by_tier: How many each tier answered.
        reasons: How often each reason was given.
        escalated: How many were answered by a later tier after an earlier one was asked.
        straight: How many went past the cheaper tiers unasked.
        shadow: How many were only recorded.
        costs: What they cost, and by estimate what the strongest tier would have.
        break_even: From which share of kept answers on the cascade pays, by the same estimate;
            None where that cannot be said.
        latency: Of `all` answered requests, and of `accepted`, `escalated` and `straight` ones.
        audits: What audits say; None where none could be.
        failed_calls: Calls that failed.
        failed_requests: Requests with at least one.
        exhausted: Requests that nobody answered though they were waited for.
        cancelled: Requests that nobody waited for any longer.
        void: Answers for which no promise holds, since what would have gone on to a later tier
            could not: by cause, `budget` and `deadline`.
        handoff: Answers of the last tier that were handed off.
        committed: Answers accepted by their first tokens: `live` where they were shown from there,
            `whole` where they were there already, `broken` where a live one failed afterwards.
    """

    requests: int
    answered: int
    by_tier: Mapping[int, int]
    reasons: Mapping[str, int]
    escalated: int
    straight: int
    shadow: int
    costs: Costs
    break_even: BreakEven | None
    latency: Mapping[str, Latency]
    audits: Estimates | None
    failed_calls: int
    failed_requests: int
    exhausted: int
    cancelled: int = 0
    void: Mapping[str, int] = field(default_factory=dict)
    handoff: int = 0
    committed: Mapping[str, int] = field(default_factory=dict)

    @property
    def beyond(self) -> int:
        """How many another tier than the cheapest answered."""
        return self.answered - self.by_tier.get(0, 0)

    @property
    def voided(self) -> int:
        """For how many answers no promise holds."""
        return sum(self.void.values())

    @property
    def saved(self) -> Saved:
        """What was saved: the figure that leads, corrected by audits where they are enough."""
        return saved_of(self.costs, self.audits, self.break_even)


@dataclass(frozen=True, slots=True, eq=False)
class Worked:
    """Traffic with its audits, and what follows for each request.

    Attributes:
        traffic: The decisions.
        audits: Their audits.
        way: Which way each request took.
        audit_cost: (n,) USD of its audits; NaN where one is unpriced.
    """

    traffic: Traffic
    audits: AuditRows
    way: Happened
    audit_cost: Array

    def figures(self, rows: Flags | None = None) -> TrafficFigures:
        """Work out the figures of some requests; of all where none are named."""
        traffic, way = self.traffic, self.way
        rows = np.ones(len(traffic), dtype=np.bool_) if rows is None else rows
        served = rows & ~way.shadow
        money = traffic.cost, traffic.strong_cost
        tiers, counts = np.unique(traffic.tier[rows & way.answered], return_counts=True)
        failed = traffic.failed[rows]
        reasons = {str(k): n for k, n in traffic.named["reason"].counts(rows).items()}
        return TrafficFigures(
            requests=int(np.count_nonzero(rows)),
            answered=int(np.count_nonzero(rows & way.answered)),
            by_tier={int(tier): int(n) for tier, n in zip(tiers, counts, strict=True)},
            reasons=reasons,
            escalated=int(np.count_nonzero(rows & way.escalated)),
            straight=int(np.count_nonzero(rows & way.straight)),
            shadow=int(np.count_nonzero(rows & way.shadow)),
            costs=costs_of(*money, traffic.estimated, self.audit_cost, rows),
            break_even=break_even(
                *money, self.audit_cost, served & way.kept, served & way.escalated & ~way.kept
            ),
            latency={
                "all": self._latency(served & way.answered),
                "accepted": self._latency(served & way.kept & ~way.escalated),
                "escalated": self._latency(served & way.escalated),
                "straight": self._latency(served & way.straight),
            },
            audits=self._audits(rows),
            failed_calls=int(failed.sum()),
            failed_requests=int(np.count_nonzero(failed > 0)),
            exhausted=int(np.count_nonzero(rows & ~way.answered)) - reasons.get("cancelled", 0),
            cancelled=reasons.get("cancelled", 0),
            void=self._void(rows & way.answered),
            handoff=int(np.count_nonzero(rows & way.answered & traffic.handoff)),
            committed=self._committed(rows & way.answered),
        )

    def take(self, rows: Ints) -> Worked:
        """Return some of the requests, to be looked at alone.

        Args:
            rows: Which, in ascending order.
        """
        audits, way = self.audits, self.way
        place = np.searchsorted(rows, audits.row)
        own = np.flatnonzero(place < len(rows))
        own = own[rows[place[own]] == audits.row[own]]
        columns = {each.name: getattr(audits, each.name)[own] for each in fields(audits)}
        return Worked(
            self.traffic.take(rows),
            AuditRows(**columns | {"row": place[own]}),
            Happened(*(getattr(way, each.name)[rows] for each in fields(way))),
            self.audit_cost[rows],
        )

    def _void(self, rows: Flags) -> Mapping[str, int]:
        named = self.traffic.named
        void = rows & named["promise"].among(VOID)
        short = void & named["reason"].among(SHORT_OF_BUDGET)
        return {
            "budget": int(np.count_nonzero(short)),
            "deadline": int(np.count_nonzero(void & ~short)),
        }

    def _committed(self, rows: Flags) -> Mapping[str, int]:
        found = {"live": 0, "whole": 0, "broken": 0}
        for how, n in self.traffic.named["committed"].counts(rows).items():
            if how is not None:
                found[how if how in found else "broken"] += n
        return found

    def _latency(self, rows: Flags) -> Latency:
        known = self.traffic.latency[rows]
        known = known[~np.isnan(known)]
        if not len(known):
            return Latency(0, None, None)
        half, most = np.percentile(known, [50, 95])
        return Latency(len(known), float(half), float(most))

    def _audits(self, rows: Flags) -> Estimates | None:
        traffic, audits = self.traffic, self.audits
        chosen = rows & self.way.answered
        with np.errstate(invalid="ignore"):
            if not np.any(chosen & (traffic.probability > 0)):
                return None
        place = np.cumsum(chosen) - 1
        own = chosen[audits.row]
        live = LiveRows(
            probability=traffic.probability[chosen],
            picked=traffic.picked[chosen],
            stayed=self.way.kept[chosen],
            cost=traffic.cost[chosen],
            strong_cost=traffic.strong_cost[chosen],
            strong_exact=~traffic.estimated[chosen],
        )
        columns = ("done", "quality", "strong_quality", "harm", "strong_cost", "cost")
        named: dict[str, Any] = {name: getattr(audits, name)[own] for name in columns}
        return estimates_of(live, AuditRows(row=place[audits.row[own]], **named))


def work_out(traffic: Traffic, audits: AuditRows) -> Worked:
    """Find out which way each request took, and what its audits cost.

    Args:
        traffic: The decisions.
        audits: Their audits; rows are those of `traffic`.
    """
    spent = np.bincount(audits.row, audits.cost, len(traffic)).astype(np.float64)
    return Worked(traffic, audits, _way(traffic), spent)


def _way(traffic: Traffic) -> Happened:
    reason, tier = traffic.named["reason"], traffic.tier
    answered = tier >= 0
    shadow = reason.among(frozenset({"shadow", "unfinished"}))
    kept = answered & (tier < _last_tiers(traffic))
    alone = reason.among(STRAIGHT) | (traffic.calls <= 1)
    later = answered & ~shadow & (tier > 0)
    cached = reason.among(frozenset({"cached"}))
    return Happened(
        answered=answered,
        kept=kept & ~shadow & ~cached,
        escalated=later & ~alone,
        straight=later & alone & ~cached,
        shadow=shadow,
    )


def _last_tiers(traffic: Traffic) -> Any:
    """Return the index of the strongest tier of each row's cascade, as far as the log tells.

    Where a cascade's strongest tier was never called, it is beyond all that answered.
    """
    cascade = traffic.named["cascade"]
    many = max(1, len(cascade.names))
    called, seen = np.full(many, -1), np.full(many, -1)
    np.maximum.at(seen, cascade.of, traffic.tier)
    exact = ~traffic.estimated
    np.maximum.at(called, cascade.of[exact], traffic.tier[exact])
    last = np.where(called >= 0, seen, seen + 1)
    return last[cascade.of]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Requests that have something in common, and their figures."""

    name: str
    figures: TrafficFigures


def grouped(worked: Worked, by: str, most: int) -> tuple[Sequence[Group], int]:
    """Return the figures of each group of requests.

    Args:
        worked: The traffic.
        by: One of `BY`.
        most: Groups at the most: the largest, or of days the last.

    Returns:
        The groups, the largest first, days in order; and how many were left out.
    """
    found = ordered_groups(worked.traffic, by)
    shown = found[-most:] if by == "day" else found[:most]
    groups = [Group(name, worked.take(rows).figures()) for name, rows in shown]
    return groups, len(found) - len(shown)
