"""What audits say of live traffic: quality, harm and saving, without the bias of who was looked at.

Every answered request is picked for an audit with a probability that is logged, so each one
audited stands for 1 / p of its kind. Some that are picked are not audited in the end: a budget was
used up, the strong model failed, the answer is not in yet. Those say nothing, and need not be
like the others. So every figure has two intervals: the wider one holds whatever the missing audits
would have said, the other takes them to be like those that were made.

Plain arrays in, so that a million decisions are estimated at once. Feedback that people volunteer
has no place here: nobody knows with which probability it is given.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from cascade_core.arrays import Array, Flags, Ints

FEW_AUDITS = 30
"""Audits below which a figure is marked as resting on few: its interval holds, and says little."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveRows:
    """The answered requests of a log, oldest first: n of them.

    Attributes:
        probability: (n,) with which each was picked for an audit; NaN or 0 where it could not be,
            as those are that a rule pins to a tier (reason `pinned`). Where `cascade audit` drew
            from the log later, its rate, for all requests up to the last that it drew.
        picked: (n,) whether it was.
        stayed: (n,) whether another tier than the strongest answered.
        cost: (n,) USD of all calls; NaN where unpriced.
        strong_cost: (n,) USD of asking the strongest tier alone; NaN where it is not known.
        strong_exact: (n,) whether that is what it did cost, and no estimate.
        classes: (n,) index of each one's class in the names, -1 for none; None for no classes.
    """

    probability: Array
    picked: Flags
    stayed: Flags
    cost: Array
    strong_cost: Array
    strong_exact: Flags
    classes: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AuditRows:
    """The audits of a log: m of them. Of several of one request, the last that was done counts.

    Attributes:
        row: (m,) which request, as a row of `LiveRows`.
        done: (m,) whether it was done; one that failed or was skipped says nothing.
        quality: (m,) of the given answer, in [0, 1]; NaN where it is not known.
        strong_quality: (m,) of the strongest tier's answer.
        harm: (m,) quality lost by not asking the strongest tier, in [0, 1].
        strong_cost: (m,) USD that the strongest tier's answer did cost; NaN where unpriced.
        cost: (m,) USD that the audit cost; NaN where unpriced.
    """

    row: Ints
    done: Flags
    quality: Array
    strong_quality: Array
    harm: Array
    strong_cost: Array
    cost: Array


@dataclass(frozen=True, slots=True)
class MeanFound:
    """A mean of numbers in [0, 1] over the requests that could have been audited.

    Attributes:
        n: Audits that it rests on.
        value: The mean; None without audits.
        low: Lower end of the interval, whatever the audits that are missing would have said.
        high: Upper end of it.
        alike_low: Lower end if the missing audits were like the others.
        alike_high: Upper end of it.
        few: Whether so few audits say little.
    """

    n: int
    value: float | None
    low: float
    high: float
    alike_low: float
    alike_high: float
    few: bool


@dataclass(frozen=True, slots=True)
class Saving:
    """What the cascade saved against always asking the strongest tier, auditing paid for.

    What always asking it would have cost is exact where it was asked. Of the others there is an
    estimate; how far estimates are off is known of those that were audited, and added.

    Attributes:
        requests: Those whose costs are known; the sums are over them.
        unpriced: Those left out.
        audits: How many corrected the estimates; 0 where there are estimates alone.
        uncorrected: Requests whose estimate stands as it is, as they could not be audited.
        cost_usd: What they did cost, without audits.
        audit_cost_usd: What all audits did cost; None where one is unpriced.
        strong_cost_usd: What always asking the strongest tier would have cost.
        saved_usd: The difference, audits counted; None where an audit is unpriced.
        low: Lower end of the interval of what was saved; None without enough audits.
        high: Upper end of it.
    """

    requests: int
    unpriced: int
    audits: int
    uncorrected: int
    cost_usd: float
    audit_cost_usd: float | None
    strong_cost_usd: float
    saved_usd: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Estimates:
    """What audits say of some requests.

    Attributes:
        requests: All of them.
        eligible: Those that could have been audited; quality and harm are theirs.
        picked: Those that were picked.
        covered: Those whose audit is done.
        coverage: The share of what was picked that is, by weight; None where nothing was picked.
        stayed: The share of `eligible` that another tier than the strongest answered.
        quality: Of the answers given.
        strong_quality: Of always asking the strongest tier.
        harm: Quality lost by not asking the strongest tier.
        harm_bound: What harm so far is at most, and may be looked at after every request; None
            for a class, or where nothing could have been audited.
        saving: None where no request has its costs.
        stayed_saving: The same of the requests that another tier than the strongest answered; None
            where fewer than `FEW_AUDITS` correct it.
        confidence: Of the intervals and of the bound.
        classes: The same by class.
    """

    requests: int
    eligible: int
    picked: int
    covered: int
    coverage: float | None
    stayed: float | None
    quality: MeanFound
    strong_quality: MeanFound
    harm: MeanFound
    harm_bound: float | None
    saving: Saving | None
    stayed_saving: Saving | None
    confidence: float
    classes: dict[str, Estimates] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return all this as plain JSON."""
        return asdict(self)
