"""What first tokens tell of the drafts in a table, by the rule of a policy.

A row is accepted by its first tokens where the confidence there reaches the threshold, or as a
whole where the confidence in the whole draft does. So it is accepted where the highest of these
does: one number per row, which thresholds and tests meet as they meet any confidence. The rule
that stops – commit, or wait – and the threshold are tested together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.paid import PaidReading
from cascade_core.evaluation.scored import EarlyReading, Scored, Served
from cascade_core.fitted.commitment import LEAST, MEAN, CommitRule
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.readings_so_far import readings_so_far
from cascade_core.fitted.scorer import Scorer
from cascade_core.labels import Table
from cascade_core.labels.table import without_texts
from cascade_core.labels.trajectories import Trajectories


def with_early(
    scored: Scored, table: Table, rules: Sequence[CommitRule], fitted: Sequence[Array] = ()
) -> Scored:
    """Return scored rows whose drafts may be accepted by their first tokens as well.

    Args:
        scored: The rows.
        table: The same rows.
        rules: One for every tier but the last.
        fitted: The confidences at the rules' checkpoints, each of shape (n, checkpoints), where
            they come from models that had not seen the rows; else they are computed.

    Raises:
        ConfigurationError: The table lacks what a rule reads, or there are other tiers.
    """
    if len(rules) != len(table.tiers) - 1:
        msg = f"the policy's commit has {len(rules)} rules, one for every tier but the last"
        raise ConfigurationError(f"{msg}; {table.source} has {len(table.tiers)} tiers")
    early, met, paid = [], [], []
    for k, rule in enumerate(rules):
        found = fitted[k] if fitted else confidences_at(table, k, rule)
        # What is not asked writes no tokens.
        found = np.where(scored.skipped[:, k, None], np.nan, found)
        whole = scored.met(k)
        tokens = np.array([c.tokens for c in rule.checkpoints], dtype=np.int64)
        early.append(EarlyReading(whole, found, tokens))
        highest = _highest(found)
        met.append(np.fmax(whole, highest))
        paid.append(tuple(_unread(reading, highest) for reading in scored.read(k)))
    decided = replace(scored, paid=tuple(paid), early=tuple(early))
    if scored.merits:
        return replace(decided, merits=tuple(met))
    return replace(decided, confidences=tuple(met))


def confidences_at(table: Table, tier: int, rule: CommitRule) -> Array:
    """Return the confidence in every draft at every checkpoint, shape (n, checkpoints).

    NaN where a draft has fewer tokens.
    """
    found = np.full((len(table), len(rule.checkpoints)), np.nan)
    if not rule.checkpoints:
        return found
    trajectories = trajectories_of(table, tier)
    for place, checkpoint in enumerate(rule.checkpoints):
        if checkpoint.calibrator.reads_request and table.requests is None:
            raise without_texts(table, "request")
        rows, inputs = inputs_so_far(table, trajectories, checkpoint.tokens)
        if len(rows):
            found[rows, place] = Scorer(checkpoint.calibrator).rows(inputs)
    return found


def trajectories_of(table: Table, tier: int) -> Trajectories:
    """Return how a tier's drafts went.

    Raises:
        ConfigurationError: The table does not say.
    """
    trajectories = table.tiers[tier].trajectories
    if trajectories is None:
        msg = (
            f"{table.source} has no column t{tier}_trajectory, by which drafts are accepted by "
            "their first tokens; cascade collect writes it where a signal reads log-probabilities"
        )
        raise ConfigurationError(msg)
    return trajectories


def inputs_so_far(table: Table, trajectories: Trajectories, tokens: int) -> tuple[Ints, Inputs]:
    """Return the rows whose drafts have so many tokens, and what is read of them by then."""
    reached, total, highest = trajectories.so_far(tokens)
    rows = np.flatnonzero(reached)
    mean, least = readings_so_far(total, highest, tokens)
    requests = table.requests
    return rows, Inputs(
        len(rows),
        {MEAN: mean, LEAST: least},
        None if requests is None else [requests[row] for row in rows.tolist()],
        None,
        None if table.classes is None else table.classes[rows],
        table.class_names,
    )


@dataclass(frozen=True, slots=True)
class FirstShown:
    """How soon accepted drafts are shown.

    Attributes:
        committed: Share of them that is accepted by first tokens.
        after: Median share of their tokens that is written by then; 1 for one that is not.
    """

    committed: float
    after: float


def first_shown(
    scored: Scored, served: Served, thresholds: Sequence[Array | float], table: Table
) -> FirstShown | None:
    """Return how soon accepted drafts are shown; None where none is accepted.

    Args:
        scored: The rows, as `with_early` returned them.
        served: What the thresholds did with them.
        thresholds: One for every tier but the last.
        table: The same rows.
    """
    shares, weights = [], []
    for k, reading in enumerate(scored.early):
        rows = np.flatnonzero(served.tier == k)
        first = reading.first(thresholds[k])[rows]
        trajectories = table.tiers[k].trajectories
        written = np.ones(len(rows), dtype=np.int64)
        if trajectories is not None:
            written = np.maximum(1, trajectories.tokens[rows])
        shares.append(np.where(first > 0, first / written, 1.0))
        weights.append(np.ones(len(rows)) if scored.weights is None else scored.weights[rows])
    share, weight = np.concatenate(shares), np.concatenate(weights)
    if not weight.sum():
        return None
    order = np.argsort(share)
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    return FirstShown(
        committed=float(np.average(share < 1, weights=weight)),
        after=float(share[order][min(int(middle), len(order) - 1)]),
    )


def _highest(confidences: Array) -> Array:
    """Return the highest confidence of every row; NaN where it has none."""
    if not confidences.shape[1]:
        return np.full(len(confidences), np.nan)
    highest: Array = np.fmax.reduce(confidences, axis=1)
    return highest


def _unread(reading: PaidReading, highest: Array) -> PaidReading:
    """Return a paid signal that is not read of drafts that are accepted before it could be."""
    never = np.isnan(reading.low)
    return replace(reading, low=np.where(never, np.nan, np.fmax(reading.low, highest)))
