"""Lets thresholds decide on the scored rows of a table, as a cascade would have decided.

The same decisions as `loop.flow`, a million rows at a time: a row goes through the tiers that it
does not skip until a draft's merit reaches its threshold: its confidence, or what that and the
benefit of asking on come to. `scoring` makes the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.paid import PaidReading
from cascade_core.labels import Table
from cascade_core.policy.document import Policy


@dataclass(frozen=True, slots=True, eq=False)
class EarlyReading:
    """What one tier's drafts are accepted by before they are finished; see `early`.

    Attributes:
        whole: The confidence in the whole draft, shape (n,).
        confidences: Those after so many tokens, shape (n, checkpoints); NaN where there are fewer.
        tokens: How many, shape (checkpoints,).
    """

    whole: Array
    confidences: Array
    tokens: Ints

    def take(self, rows: Ints) -> EarlyReading:
        """Return some of the rows."""
        return EarlyReading(self.whole[rows], self.confidences[rows], self.tokens)

    def first(self, threshold: Array | float) -> Ints:
        """Return after how many tokens each row is accepted, shape (n,); 0 where it is not."""
        if not len(self.tokens):
            return np.zeros(len(self.whole), dtype=np.int64)
        with np.errstate(invalid="ignore"):
            there = self.confidences >= np.reshape(threshold, (-1, 1))
        return np.where(there.any(axis=1), self.tokens[there.argmax(axis=1)], 0)

    def told(self, threshold: Array | float) -> Array:
        """Return the confidence that decides on each row, shape (n,)."""
        if not len(self.tokens):
            return self.whole
        with np.errstate(invalid="ignore"):
            there = self.confidences >= np.reshape(threshold, (-1, 1))
        first = self.confidences[np.arange(len(self.whole)), there.argmax(axis=1)]
        return np.where(there.any(axis=1), first, self.whole)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The rows of a table, scored: all that thresholds still have to decide on.

    Attributes:
        confidences: For every tier but the last, shape (n,); NaN = no reading, or not asked.
        merits: The same, what thresholds are held against; empty = the confidences themselves.
        costs: For every tier, shape (n,), USD of a draft; 0 where the tier is skipped.
        drafts: The same, skipped or not.
        skipped: Which tiers a row skips, shape (n, tiers).
        qualities: For every tier, shape (n,), in [0, 1].
        weights: Shape (n,), or None for all alike.
        calibrated: Whether confidences are fitted: they stay below 1, so that a tier whose
            threshold is 1 is not worth asking.
        paid: For every tier but the last, the paid signals that judge its drafts, in the order
            in which they are read; empty = none for any tier.
        early: For every tier but the last, what its drafts are accepted by before they are
            finished; then `confidences` are the highest of these and the whole drafts'. Empty =
            none is.
    """

    confidences: tuple[Array, ...]
    costs: tuple[Array, ...]
    drafts: tuple[Array, ...]
    skipped: Flags
    qualities: tuple[Array, ...]
    weights: Array | None = None
    calibrated: bool = False
    paid: tuple[tuple[PaidReading, ...], ...] = ()
    merits: tuple[Array, ...] = ()
    early: tuple[EarlyReading, ...] = ()

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.qualities[0])

    def take(self, rows: Ints) -> Scored:
        """Return some of the rows."""
        return Scored(
            confidences=tuple(c[rows] for c in self.confidences),
            costs=tuple(c[rows] for c in self.costs),
            drafts=tuple(d[rows] for d in self.drafts),
            skipped=self.skipped[rows],
            qualities=tuple(q[rows] for q in self.qualities),
            weights=None if self.weights is None else self.weights[rows],
            calibrated=self.calibrated,
            paid=tuple(tuple(reading.take(rows) for reading in tier) for tier in self.paid),
            merits=tuple(m[rows] for m in self.merits),
            early=tuple(reading.take(rows) for reading in self.early),
        )

    @property
    def priced(self) -> bool:
        """Whether every cost is known."""
        prices = (reading.price for tier in self.paid for reading in tier)
        return not any(np.isnan(cost).any() for cost in (*self.costs, *prices))

    def read(self, tier: int) -> tuple[PaidReading, ...]:
        """Return the paid signals that judge a tier's drafts."""
        return self.paid[tier] if self.paid else ()

    def met(self, tier: int) -> Array:
        """Return the merits of a tier's drafts, shape (n,): what thresholds are held against."""
        return self.merits[tier] if self.merits else self.confidences[tier]

    def told(self, tier: int, threshold: Array | float) -> Array:
        """Return the merits that a cascade would record of a tier's drafts, shape (n,).

        Where a paid signal was not worth reading, that is the bound that settled the matter.
        """
        early = self.early[tier] if self.early else None
        merit = self.met(tier) if early is None else early.whole
        for reading in reversed(self.read(tier)):
            with np.errstate(invalid="ignore"):
                merit = np.where(reading.low >= threshold, reading.low, merit)
                merit = np.where(reading.high < threshold, reading.high, merit)
        if early is None:
            return merit
        return np.where(early.first(threshold) > 0, early.told(threshold), merit)

    def losses(self) -> tuple[Array, ...]:
        """Return the quality each tier but the last would lose against the last, a row."""
        return tuple(np.maximum(self.qualities[-1] - q, 0.0) for q in self.qualities[:-1])


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """What a policy did with every row.

    Attributes:
        tier: Who answered, shape (n,).
        quality: Of that answer, shape (n,).
        spent: USD of every call that each tier caused, shape (n, tiers).
        harm: Quality lost by not asking the last tier, shape (n,).
        asked: Whether each tier was asked, shape (n, tiers).
    """

    tier: Ints
    quality: Array
    spent: Array
    harm: Array
    asked: Flags

    @property
    def cost(self) -> Array:
        """USD of every call, shape (n,)."""
        cost: Array = self.spent.sum(axis=1)
        return cost


def serve(scored: Scored, thresholds: Sequence[Array | float]) -> Served:
    """Let thresholds decide.

    Args:
        scored: Rows as `score` returns them.
        thresholds: One for every tier but the last; a number, or one per row (classes).
    """
    n, last = len(scored), len(scored.qualities) - 1
    tier = np.full(n, last, dtype=np.int64)
    left = np.ones(n, dtype=bool)
    quality, spent = scored.qualities[-1].copy(), np.zeros((n, last + 1))
    asked = np.zeros((n, last + 1), dtype=bool)
    for k, threshold in enumerate(thresholds):
        worth = left & ~scored.skipped[:, k]
        if scored.calibrated:
            worth &= np.asarray(threshold) < 1
        cost = scored.costs[k]
        for reading in scored.read(k):
            cost = cost + reading.at(threshold)
        spent[:, k] = np.where(worth, cost, 0.0)
        asked[:, k] = worth
        with np.errstate(invalid="ignore"):
            accepted = left & (scored.met(k) >= threshold)
        tier[accepted] = k
        quality[accepted] = scored.qualities[k][accepted]
        left &= ~accepted
    spent[:, last] = np.where(left, scored.costs[-1], 0.0)
    asked[:, last] = left
    harm = np.maximum(scored.qualities[-1] - quality, 0.0)
    return Served(tier, quality, spent, harm, asked)


def thresholds_of(policy: Policy, table: Table) -> tuple[Array | float, ...]:
    """Return a policy's thresholds for the rows of a table, classes' own among them.

    Raises:
        ConfigurationError: The policy has no thresholds.
    """
    if policy.thresholds is None:
        msg = "the policy has no thresholds; tune one, or add thresholds to it"
        raise ConfigurationError(msg)
    last = len(table.tiers) - 1  # its threshold hands off, and changes nothing of who is asked
    if not policy.classes or table.classes is None:
        return policy.thresholds[:last]
    own = {name: rule.thresholds[:last] for name, rule in policy.classes.items()}
    return tuple(by_row(policy.thresholds[:last], own, table.classes, table.class_names))


def by_row(
    others: Sequence[float] | Array,
    own: Mapping[str, Sequence[float]],
    classes: Ints,
    names: Sequence[str],
) -> list[Array]:
    """Return every row's thresholds, one array per tier.

    Args:
        others: For rows of classes that have none of their own.
        own: By class.
        classes: Codes into `names`, shape (n,).
        names: The classes.
    """
    rows = [np.full(len(classes), float(threshold)) for threshold in others]
    for code, name in enumerate(names):
        for tier, threshold in enumerate(own.get(name, ())):
            rows[tier][classes == code] = threshold
    return rows
