"""A policy over a whole table: what a cascade would have done with every row of it.

The same decisions as `flow`, a million rows at a time: a row goes through the tiers it does
not skip until a draft's confidence reaches its threshold. What a calibrator or a route says is
computed by the very code that serves a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.paid import PaidReading
from cascade_core.fitted.scorer import Inputs, Scorer
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.policy.route import Router


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The rows of a table, scored: all that thresholds still have to decide on.

    Attributes:
        confidences: For every tier but the last, shape (n,); NaN = no reading, or not asked.
        costs: For every tier, shape (n,), USD of a draft; 0 where the tier is skipped.
        drafts: The same, skipped or not.
        skipped: Which tiers a row skips, shape (n, tiers).
        qualities: For every tier, shape (n,), in [0, 1].
        weights: Shape (n,), or None for all alike.
        calibrated: Whether confidences are fitted: they stay below 1, so that a tier whose
            threshold is 1 is not worth asking.
        paid: For every tier but the last, the paid signals that judge its drafts, in the order
            in which they are read; empty = none for any tier.
    """

    confidences: tuple[Array, ...]
    costs: tuple[Array, ...]
    drafts: tuple[Array, ...]
    skipped: Flags
    qualities: tuple[Array, ...]
    weights: Array | None = None
    calibrated: bool = False
    paid: tuple[tuple[PaidReading, ...], ...] = ()

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
        )

    @property
    def priced(self) -> bool:
        """Whether every cost is known."""
        prices = (reading.price for tier in self.paid for reading in tier)
        return not any(np.isnan(cost).any() for cost in (*self.costs, *prices))

    def read(self, tier: int) -> tuple[PaidReading, ...]:
        """Return the paid signals that judge a tier's drafts."""
        return self.paid[tier] if self.paid else ()

    def told(self, tier: int, threshold: Array | float) -> Array:
        """Return the confidences that a cascade would record of a tier's drafts, shape (n,).

        Where a paid signal was not worth reading, that is the bound that settled the matter.
        """
        confidence = self.confidences[tier]
        for reading in reversed(self.read(tier)):
            with np.errstate(invalid="ignore"):
                confidence = np.where(reading.low >= threshold, reading.low, confidence)
                confidence = np.where(reading.high < threshold, reading.high, confidence)
        return confidence

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
        harm: Quality lost by not asking the strongest tier, shape (n,).
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


def score(table: Table, policy: Policy, *, confidences: Sequence[Array] | None = None) -> Scored:
    """Score a table's rows with a policy's calibrators and route.

    Args:
        table: Every tier's quality observed.
        policy: With calibrators, or without: then readings are combined by their minimum.
        confidences: What to take for the calibrators' confidences, one of shape (n,) for every
            tier but the last; None computes them.

    Raises:
        ConfigurationError: The policy reads a signal that the table does not have, or is for
            another number of tiers.
    """
    scorers = _scorers(table, policy)
    classes = class_names(table)
    found, paid = [], []
    skipped = _skipped(table, policy, classes)
    for k, scorer in enumerate(scorers):
        judged = _Judged(table, k, scorer, classes)
        confidence = judged.rows() if confidences is None else confidences[k]
        gated = table.tiers[k].gated
        passed = ~skipped[:, k] if gated is None else ~(skipped[:, k] | gated)
        confidence, readings = judged.with_paid(confidence, passed)
        found.append(confidence)
        paid.append(readings)
    return Scored(
        confidences=tuple(found),
        costs=(
            *(np.where(skipped[:, k], 0.0, tier.cost) for k, tier in enumerate(table.tiers[:-1])),
            table.tiers[-1].cost,
        ),
        drafts=tuple(tier.cost for tier in table.tiers),
        skipped=skipped,
        qualities=tuple(tier.quality for tier in table.tiers),
        weights=table.weights,
        calibrated=policy.calibrators is not None,
        paid=tuple(paid),
    )


def serve(scored: Scored, thresholds: Sequence[Array | float]) -> Served:
    """Let thresholds decide.

    Args:
        scored: Rows as `score` returns them.
        thresholds: One for every tier but the last; a number, or one a row (classes).
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
            accepted = left & (scored.confidences[k] >= threshold)
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
    if not policy.classes or table.classes is None:
        return policy.thresholds
    own = {name: rule.thresholds for name, rule in policy.classes.items()}
    return tuple(by_row(policy.thresholds, own, table.classes, table.class_names))


def by_row(
    others: Sequence[float] | Array,
    own: Mapping[str, Sequence[float]],
    classes: Ints,
    names: Sequence[str],
) -> list[Array]:
    """Return every row's thresholds, one array a tier.

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


def class_names(table: Table) -> list[str | None] | None:
    """Return every row's class by name; None where the table has no classes."""
    if table.classes is None:
        return None
    names = np.array([*table.class_names, None], dtype=object)  # code -1 is the last
    named: list[str | None] = names[table.classes].tolist()
    return named


def check_tiers(policy: Policy, table: Table) -> None:
    """Raise `ConfigurationError` where a policy is for another number of tiers than a table's."""
    if policy.tiers not in {None, len(table.tiers)}:
        msg = f"the policy is for {policy.tiers} tiers, but {table.source} has {len(table.tiers)}"
        raise ConfigurationError(msg)


def _scorers(table: Table, policy: Policy) -> list[Scorer | None]:
    check_tiers(policy, table)
    if policy.calibrators is None:
        return [None] * (len(table.tiers) - 1)
    for k, calibrator in enumerate(policy.calibrators):
        for name in calibrator.signals:
            if name not in table.tiers[k].signals:
                known = ", ".join(table.tiers[k].signals) or "none"
                msg = (
                    f"{table.source} has no column t{k}_signal_{name}, which the policy reads "
                    f"(signals of tier {k} there: {known})"
                )
                raise ConfigurationError(msg)
        if calibrator.reads_text and (table.requests is None or not table.tiers[k].responses):
            msg = (
                f"the policy reads texts, but {table.source} lacks the column "
                f"{'request' if table.requests is None else f't{k}_response'}"
            )
            raise ConfigurationError(msg)
    return [Scorer(calibrator) for calibrator in policy.calibrators]


def _skipped(table: Table, policy: Policy, classes: list[str | None] | None) -> Flags:
    if policy.route is None:
        return np.zeros((len(table), len(table.tiers)), dtype=bool)
    requests = table.requests
    if requests is None:
        if policy.route.reads_text:
            msg = f"the policy's route reads the request, but {table.source} has no such column"
            raise ConfigurationError(msg)
        requests = [""] * len(table)
    return Router(policy.route).skips(requests, classes)


class _Judged:
    """The drafts of one tier, and what judges them."""

    def __init__(
        self, table: Table, tier: int, scorer: Scorer | None, classes: list[str | None] | None
    ) -> None:
        self._tier = table.tiers[tier]
        self._scorer = scorer
        self._classes = classes
        self._inputs = Inputs.of(table, tier)
        read = tuple(self._tier.signals) if scorer is None else scorer.calibrator.signals
        self._paid = [
            name for name in self._tier.signals if name in read and name in self._tier.paid
        ]

    def rows(self) -> Array:
        """Return the confidence in every draft, all signals read."""
        if self._scorer is not None:
            return self._scorer.rows(self._inputs, self._classes)
        return _lowest(list(self._tier.signals.values()), self._inputs.n)

    def with_paid(self, confidence: Array, judged: Flags) -> tuple[Array, tuple[PaidReading, ...]]:
        """Return the confidences as thresholds will meet them, and what is paid for them.

        As when serving: a paid signal that could not read sends the request on, unless its
        draft is accepted without it.

        Args:
            confidence: With every signal read, shape (n,).
            judged: Which rows' drafts are judged at all, shape (n,).
        """
        confidence = np.where(judged, confidence, np.nan)
        readings = []
        for place, name in enumerate(self._paid):
            low, high = (np.where(judged, end, np.nan) for end in self._spans(self._paid[place:]))
            # Confidences out of fold come from other models than bounds do.
            confidence = np.where(judged, np.clip(confidence, low, high), confidence)
            missing, price = np.isnan(self._tier.signals[name]), self._tier.paid[name]
            # A reading that was never taken cost nothing.
            readings.append(PaidReading(np.where(missing, np.nan_to_num(price), price), low, high))
            confidence = np.where(judged & missing, np.where(low >= 0, low, np.nan), confidence)
            judged = judged & ~missing
        return confidence, tuple(readings)

    def _spans(self, unread: Sequence[str]) -> tuple[Array, Array]:
        if self._scorer is not None:
            return self._scorer.spans(self._inputs, set(unread), self._classes)
        n, signals = self._inputs.n, self._tier.signals
        lowest = _lowest([values for name, values in signals.items() if name not in unread], n)
        return np.where(np.isnan(lowest), -np.inf, 0.0), np.nan_to_num(lowest, nan=1.0)


def _lowest(readings: Sequence[Array], n: int) -> Array:
    lowest = np.full(n, np.nan)
    for reading in readings:
        lowest = np.fmin(lowest, reading)
    return lowest
