"""What confidences and escalations looked like when a policy was tuned.

Kept inside the policy as plain numbers, so it imports nothing heavy. Whether
the stream still looks like that is asked in `drift.monitor`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cascade_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cascade_core.arrays import Array, Flags, Ints

_STEPS = 20
"""A distribution is kept at this many equal steps of its quantiles, fewer where values tie."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Confidences of the requests whose last judged draft was one tier's.

    Shares are of the rows with a reading, and exact also where values tie.

    Attributes:
        rows: How many requests there were; with weights or groups, how many even and
            independent ones say as much (Kish).
        unread: Share of them without a confidence.
        values: Confidences at equal steps of their quantiles, increasing.
        shares: At each of them, share of the confidences that are at most that.
        floor: Highest confidence that was not accepted; None where all were.
    """

    rows: int
    unread: float
    values: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    floor: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        columns = (self.unread, *self.values, *self.shares)
        if self.rows < 0 or not all(0 <= share <= 1 for share in columns):
            msg = "reference: a tier's rows must be >= 0, its shares and confidences in [0, 1]"
            raise ConfigurationError(msg)
        rising = list(self.values) == sorted(set(self.values))
        if not rising or len(self.values) != len(self.shares):
            msg = "reference: a tier's values must increase, with one share each"
            raise ConfigurationError(msg)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a policy was tuned on, as far as a stream can be compared with it.

    Attributes:
        rows: Requests; with weights or groups, how many even and independent ones say as much.
        escalated: Share of requests that no tier but the last answered; None = not known for
            the thresholds that decide now.
        tiers: Confidences, one for every tier but the last.
        harm: Mean harm expected, over all requests, in [0, 1]; None = not measured.
        limit: Harm that was promised not to be exceeded; None = no promise.
    """

    rows: int
    escalated: float | None = None
    tiers: tuple[Spread, ...] = ()
    harm: float | None = None
    limit: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        if self.rows < 1:
            msg = f"reference: rows={self.rows}: it takes at least one row"
            raise ConfigurationError(msg)
        for name in ("escalated", "harm", "limit"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                msg = f"reference: {name}={share!r} is not in [0, 1]"
                raise ConfigurationError(msg)

    def moved(self, highest: Sequence[float]) -> Reference:
        """Return what stays true of it where other thresholds decide than when it was counted.

        Of one tier's confidences everything does: they are read whatever the threshold. Of
        several, which requests get to which tier changes with the thresholds.

        Args:
            highest: The highest threshold that a tier's confidences are held against, for every
                tier but the last; below it a stream may tell bounds only.
        """
        if len(self.tiers) != 1:
            return Reference(self.rows, tiers=(Spread(rows=0, unread=0.0),) * len(self.tiers))
        (spread,) = self.tiers
        return Reference(
            self.rows, tiers=(replace(spread, floor=max(spread.floor or 0, *highest)),)
        )

    @classmethod
    def of(  # noqa: PLR0913 - one column each
        cls,
        confidence: Array | Sequence[float],
        escalated: Flags | Array | Sequence[bool],
        harm: Array | Sequence[float] | None = None,
        weights: Array | None = None,
        groups: Ints | None = None,
        *,
        limit: float | None = None,
        tier: Ints | Sequence[int] | None = None,
    ) -> Reference:
        """Count rows that the policy was replayed on.

        They should be rows that no part of the policy was fitted to, or
        confidences out of fold: a stream is compared with them as if they were
        a sample of it.

        Args:
            confidence: (n,) of the last judged draft, in [0, 1]; NaN = no reading.
            escalated: (n,) whether no tier but the last answered.
            harm: (n,) quality lost by not asking the last tier, in [0, 1]; 0
                where escalated. None = not measured.
            weights: (n,) ≥ 0; None = all 1.
            groups: (n,), equal code = belong together; None = every row alone.
            limit: Harm that is promised not to be exceeded.
            tier: (n,) tier of the last judged draft; None = all 0.

        Raises:
            ConfigurationError: There is no row, or columns do not fit together.
        """
        import numpy as np  # noqa: PLC0415 - a running cascade loads policies without it

        score = np.asarray(confidence, dtype=np.float64)
        away = np.asarray(escalated, dtype=bool)
        weight = np.ones(len(score)) if weights is None else np.asarray(weights, dtype=np.float64)
        judged = np.zeros(len(score), dtype=np.int64) if tier is None else np.asarray(tier)
        lost = None if harm is None else np.asarray(harm, dtype=np.float64)
        lengths = {len(c) for c in (score, away, weight, judged, lost) if c is not None}
        if len(lengths) != 1 or not weight.sum() > 0:
            msg = "reference: it takes at least one row of weight, and columns of one length"
            raise ConfigurationError(msg)
        return cls(
            rows=_worth(weight, groups),
            escalated=_share(away, weight),
            tiers=tuple(
                _spread(
                    score[judged == k],
                    away[judged == k],
                    weight[judged == k],
                    None if groups is None else groups[judged == k],
                )
                for k in range(int(judged.max()) + 1)
            ),
            harm=None
            if lost is None
            else min(1.0, max(0.0, float(np.average(lost, weights=weight)))),
            limit=limit,
        )


def _spread(score: Array, escalated: Flags, weight: Array, groups: Ints | None) -> Spread:
    import numpy as np  # noqa: PLC0415

    if not weight.sum() > 0:
        return Spread(rows=0, unread=0.0)
    read = ~np.isnan(score) & (weight > 0)
    unread = _share(~read, weight)
    if not read.any():
        return Spread(rows=_worth(weight, groups), unread=unread)
    values, mass = _in_order(score[read], weight[read])
    at = np.searchsorted(mass, mass[-1] * np.arange(1, _STEPS) / _STEPS * (1 - 1e-12))
    cuts = np.unique(values[at])
    shares = mass[np.searchsorted(values, cuts, side="right") - 1] / mass[-1]
    rejected = score[read & escalated]
    return Spread(
        rows=_worth(weight, groups),
        unread=unread,
        values=tuple(cuts.tolist()),
        shares=tuple(shares.tolist()),
        floor=float(rejected.max()) if rejected.size else None,
    )


def _in_order(score: Array, weight: Array) -> tuple[Array, Array]:
    """Return scores, rising, and the weight of all up to each."""
    import numpy as np  # noqa: PLC0415

    if weight.min() == weight.max():  # where the order of rows does not matter, sorting is quick
        return np.sort(score), np.arange(1.0, len(score) + 1) * float(weight[0])
    order = np.argsort(score)
    return score[order], np.cumsum(weight[order])


def _share(flags: Flags, weight: Array) -> float:
    return min(1.0, float(weight[flags].sum() / weight.sum()))


def _worth(weight: Array, groups: Ints | None) -> int:
    """Kish's effective number of rows, or of groups; an even weighting gives their number."""
    if groups is not None:
        import numpy as np  # noqa: PLC0415

        of_groups = np.bincount(np.unique(groups, return_inverse=True)[1], weight)
        weight = of_groups.astype(np.float64, copy=False)
    return max(1, math.floor(float(weight.sum() ** 2 / (weight**2).sum()) + 1e-9))
