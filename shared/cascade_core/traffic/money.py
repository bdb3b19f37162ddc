"""What answers cost beside always asking the strongest tier, and from where on a cascade pays."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cascade_core.arrays import Array, Flags

SAME_USD = 1e-9
"""Costs that differ by no more than this part are the same."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What requests cost, beside what always asking the strongest tier would have cost.

    Sums are over the requests of which both are known, audits of these requests included.

    Attributes:
        requests: Those.
        unpriced: Requests that made a call of unknown price.
        incomparable: Requests whose own cost is known, but not the strongest tier's.
        cost_usd: Answers and audits together; None where no request has both costs, or an audit
            is unpriced.
        answers_usd: The answers alone.
        audits_usd: The audits alone; None where one is unpriced.
        unpriced_audits: How many are.
        strong_usd: Always asking the strongest tier.
        estimated: The share of that which is an estimate.
        incomparable_usd: What the incomparable ones cost.
    """

    requests: int
    unpriced: int
    incomparable: int
    cost_usd: float | None
    answers_usd: float | None
    audits_usd: float | None
    unpriced_audits: int
    strong_usd: float | None
    estimated: float | None
    incomparable_usd: float

    @property
    def saved_usd(self) -> float | None:
        """What was saved; below 0 where the cascade cost more."""
        if self.cost_usd is None or self.strong_usd is None:
            return None
        return self.strong_usd - self.cost_usd

    @property
    def dear(self) -> bool:
        """Whether the cascade cost more than going straight to the strongest tier."""
        cost, strong = self.cost_usd, self.strong_usd
        return cost is not None and strong is not None and cost > strong * (1 + SAME_USD)


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From which share of kept answers on the cascade pays, at the prices of these requests.

    Attributes:
        kept: Requests that a cheaper tier answered.
        escalated: Those that the strongest answered after a cheaper one was asked.
        gain_usd: What one kept answer saves.
        loss_usd: What one escalated request costs beyond the strongest tier's answer.
        audit_usd: What audits cost for each of these requests.
        share: The share of kept answers at which costs are equal; 0 where any share pays,
            None where none does.
    """

    kept: int
    escalated: int
    gain_usd: float
    loss_usd: float
    audit_usd: float
    share: float | None

    @property
    def now(self) -> float:
        """The share of kept answers in the log."""
        return self.kept / (self.kept + self.escalated)

    def as_dict(self) -> dict[str, Any]:
        """Return all this as plain JSON."""
        return {**asdict(self), "now": self.now}


def costs_of(
    cost: Array, strong: Array, estimated: Flags, audit_cost: Array, rows: Flags | None = None
) -> Costs:
    """Add up costs.

    Args:
        cost: (n,) USD; NaN where unpriced.
        strong: (n,) USD of the strongest tier alone.
        estimated: (n,) whether that is an estimate.
        audit_cost: (n,) USD of a request's audits; NaN where one is unpriced.
        rows: (n,) which of them count; None for all.
    """
    if rows is not None:
        cost, strong, estimated = cost[rows], strong[rows], estimated[rows]
        audit_cost = audit_cost[rows]
    priced, comparable = ~np.isnan(cost), ~np.isnan(cost) & ~np.isnan(strong)
    n = int(np.count_nonzero(comparable))
    apart = priced & ~comparable
    unpriced_audits = int(np.count_nonzero(np.isnan(audit_cost[comparable])))
    answers = float(cost[comparable].sum()) if n else None
    always = float(strong[comparable].sum()) if n else None
    audits = float(audit_cost[comparable].sum()) if n and not unpriced_audits else None
    return Costs(
        requests=n,
        unpriced=int(len(cost) - np.count_nonzero(priced)),
        incomparable=int(np.count_nonzero(apart)),
        cost_usd=None if answers is None or audits is None else answers + audits,
        answers_usd=answers,
        audits_usd=audits,
        unpriced_audits=unpriced_audits,
        strong_usd=always,
        estimated=float(strong[comparable & estimated].sum()) / always if always else None,
        incomparable_usd=float(cost[apart].sum()),
    )


def break_even(
    cost: Array, strong: Array, audit_cost: Array, kept: Flags, escalated: Flags
) -> BreakEven | None:
    """Find the share of kept answers from which on the cascade pays.

    A kept answer saves the difference to the strongest tier's cost; an escalated request pays for
    drafts and their judging on top of it. With a share a of kept answers a request saves
    a · gain − (1 − a) · loss − audits on average, which is 0 at (loss + audits) / (gain + loss).

    Args:
        cost: (n,) USD; NaN where unpriced.
        strong: (n,) USD of the strongest tier alone.
        audit_cost: (n,) USD of a request's audits; unpriced ones are left out.
        kept: (n,) whether a cheaper tier answered.
        escalated: (n,) whether the strongest did after a cheaper one was asked.

    Returns:
        It; None without a priced request of each kind.
    """
    comparable = ~np.isnan(cost) & ~np.isnan(strong)
    kept, escalated = kept & comparable, escalated & comparable
    n_kept, n_escalated = int(np.count_nonzero(kept)), int(np.count_nonzero(escalated))
    if not n_kept or not n_escalated:
        return None
    gain = float(np.mean(strong[kept] - cost[kept]))
    loss = float(np.mean(cost[escalated] - strong[escalated]))
    audits = float(np.nansum(audit_cost[kept | escalated])) / (n_kept + n_escalated)
    return BreakEven(n_kept, n_escalated, gain, loss, audits, share_that_pays(gain, loss, audits))


def share_that_pays(gain: float, loss: float, audits: float) -> float | None:
    """Return the share of kept answers at which costs are equal, as `BreakEven` says.

    Args:
        gain: What one kept answer saves.
        loss: What one sent on costs more.
        audits: What audits cost for each request.
    """
    if loss + audits <= 0 <= gain:
        return 0.0
    if gain <= audits:  # even if every answer were kept
        return None
    return max(0.0, (loss + audits) / (gain + loss))
