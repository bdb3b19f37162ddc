"""Scores the rows of a labelled table: merits, costs and skipped tiers, as a policy has them.

What a calibrator or a route says is computed by the very code that serves a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from cascade_core.arrays import Array, Flags
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.early import with_early
from cascade_core.evaluation.paid import PaidReading
from cascade_core.evaluation.scored import Scored
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.merits import MeritParts, Merits, WorkedOut
from cascade_core.labels import Table
from cascade_core.labels.table import without_texts
from cascade_core.policy.document import Policy
from cascade_core.policy.route import Router


def score(
    table: Table,
    policy: Policy,
    *,
    parts: Sequence[MeritParts] | None = None,
) -> Scored:
    """Score a table's rows with a policy's calibrators and route.

    Args:
        table: Every tier's quality observed.
        policy: With calibrators, or without: then readings are combined by their minimum.
        parts: What to take for the calibrators' confidences, and for what else merits are made
            of, for every tier but the last; None computes them.

    Raises:
        ConfigurationError: The policy reads a signal that the table does not have, or is for
            another number of tiers.
    """
    scorers = _scorers(table, policy)
    found, merits, paid = [], [], []
    skipped = _skipped(table, policy)
    for k, scorer in enumerate(scorers):
        judged = _Judged(table, k, scorer)
        own = judged.parts() if parts is None else parts[k]
        merit, readings = judged.met(own, skipped[:, k], unseen=parts is not None)
        merits.append(merit)
        alone = scorer is None or not scorer.calibrator.weighs
        found.append(merit if alone else np.where(np.isnan(merit), np.nan, own.confidence))
        paid.append(readings)
    weighing = any(scorer is not None and scorer.calibrator.weighs for scorer in scorers)
    scored = Scored(
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
        merits=tuple(merits) if weighing else (),
    )
    return scored if policy.early is None else with_early(scored, table, policy.early)


def met_by_thresholds(
    table: Table, tier: int, calibrator: Calibrator, parts: MeritParts, known: WorkedOut
) -> tuple[Array, tuple[PaidReading, ...]]:
    """Return the merits of one tier's drafts, shape (n,), and what is paid for them.

    Args:
        table: The rows.
        tier: Whose drafts.
        calibrator: What a policy would hold for it.
        parts: What the merits are made of.
        known: What was worked out before for the same rows; new things are added.
    """
    judged = _Judged(table, tier, Merits(calibrator, known))
    return judged.met(parts, np.zeros(len(table), dtype=bool), unseen=True)


def inputs_of(table: Table, tier: int) -> Inputs:
    """Return what a table holds of one tier's drafts, as a calibrator reads it."""
    columns = table.tiers[tier]
    return Inputs(
        len(table),
        columns.signals,
        table.requests,
        columns.responses,
        table.classes,
        table.class_names,
    )


def check_tiers(policy: Policy, table: Table) -> None:
    """Raise `ConfigurationError` where a policy is for another number of tiers than a table's."""
    if not policy.fits(len(table.tiers)):
        given = len(policy.thresholds or ())  # for the tiers but the last, or for that as well
        fits = f"{given} or {given + 1} tiers"
        msg = f"the policy's thresholds fit {fits}, but {table.source} has {len(table.tiers)}"
        raise ConfigurationError(msg)


def _scorers(table: Table, policy: Policy) -> list[Merits | None]:
    check_tiers(policy, table)
    if policy.calibrators is None:
        return [None] * (len(table.tiers) - 1)
    last = len(table.tiers) - 1
    for k, calibrator in enumerate(policy.calibrators):
        for name in calibrator.signals:
            if name not in table.tiers[k].signals:
                known = ", ".join(table.tiers[k].signals) or "none"
                msg = (
                    f"{table.source} has no column t{k}_signal_{name}, which the policy reads "
                    f"(signals of tier {k} there: {known})"
                )
                raise ConfigurationError(msg)
        lacking = "request" if calibrator.reads_text and table.requests is None else None
        if calibrator.reads_draft and table.tiers[k].responses is None:
            lacking = lacking or f"t{k}_response"
        if lacking:
            raise without_texts(table, lacking)
    return [Merits(calibrator, {}) for calibrator in policy.calibrators[:last]]  # one table each


def _skipped(table: Table, policy: Policy) -> Flags:
    if policy.route is None:
        return np.zeros((len(table), len(table.tiers)), dtype=bool)
    requests = table.requests
    if requests is None:
        if policy.route.reads_text:
            msg = f"the policy's route reads the request, but {table.source} has no such column"
            raise ConfigurationError(msg)
        requests = [""] * len(table)
    classes: list[str | None] | None = None
    if table.classes is not None:
        names = np.array([*table.class_names, None], dtype=object)  # code -1 is the last
        classes = names[table.classes].tolist()
    return Router(policy.route).skips(requests, classes)


class _Judged:
    """The drafts of one tier, and what judges them."""

    def __init__(self, table: Table, tier: int, scorer: Merits | None) -> None:
        self._tier = table.tiers[tier]
        self._scorer = scorer
        self._inputs = inputs_of(table, tier)
        read = tuple(self._tier.signals) if scorer is None else scorer.calibrator.signals
        self._paid = [
            name for name in self._tier.signals if name in read and name in self._tier.paid
        ]

    def parts(self) -> MeritParts:
        """Return what every draft's merit is made of, all signals read."""
        if self._scorer is not None:
            return self._scorer.parts(self._inputs)
        return MeritParts(lowest_reading(list(self._tier.signals.values()), self._inputs.n))

    def met(
        self, parts: MeritParts, skipped: Flags, *, unseen: bool = False
    ) -> tuple[Array, tuple[PaidReading, ...]]:
        """Return the merits as thresholds will meet them, and what is paid for them.

        As when serving: a paid signal that could not read sends the request on, unless its
        draft is accepted without it.

        Args:
            parts: What they are made of, with every signal read.
            skipped: Which rows skip the tier, shape (n,).
            unseen: Whether the parts come from other fits, which had not seen the rows.
        """
        merit = parts.confidence if self._scorer is None else self._scorer.of(parts)
        gated = self._tier.gated
        judged = ~skipped if gated is None else ~(skipped | gated)
        merit = np.where(judged, merit, np.nan)
        readings: list[PaidReading] = []
        for place, name in enumerate(self._paid):
            ends = self._spans(self._paid[place:], parts if unseen else None)
            if readings:  # a threshold that leaves one out leaves out those after it
                ends = (np.clip(end, readings[-1].low, readings[-1].high) for end in ends)
            low, high = (np.where(judged, end, np.nan) for end in ends)
            # What is not worth reading is decided without.
            merit = np.where(judged, np.clip(merit, low, high), merit)
            missing, price = np.isnan(self._tier.signals[name]), self._tier.paid[name]
            # A reading that was never taken cost nothing.
            readings.append(PaidReading(np.where(missing, np.nan_to_num(price), price), low, high))
            merit = np.where(judged & missing, np.where(low >= 0, low, np.nan), merit)
            judged = judged & ~missing
        return merit, tuple(readings)

    def _spans(self, unread: Sequence[str], unseen: MeritParts | None) -> Iterable[Array]:
        if self._scorer is not None:
            return self._scorer.spans(self._inputs, set(unread), missable=False, parts=unseen)
        n, signals = self._inputs.n, self._tier.signals
        lowest = lowest_reading(
            [values for name, values in signals.items() if name not in unread], n
        )
        return np.where(np.isnan(lowest), -np.inf, 0.0), np.nan_to_num(lowest, nan=1.0)


def lowest_reading(readings: Sequence[Array], n: int) -> Array:
    """Return the lowest of some readings of every row; NaN where there is none."""
    lowest = np.full(n, np.nan)
    for reading in readings:
        lowest = np.fmin(lowest, reading)
    return lowest
