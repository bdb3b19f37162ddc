"""Estimates quality, harm and saving of live traffic from its audits; see `audited`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.evaluation.audited import (
    FEW_AUDITS,
    AuditRows,
    Estimates,
    LiveRows,
    MeanFound,
    Saving,
)
from cascade_core.statistics.bootstrap import Interval
from cascade_core.statistics.hajek import share_interval, share_mean, sum_of
from cascade_core.statistics.running import running_bound


def estimates_of(
    decided: LiveRows,
    audited: AuditRows,
    *,
    class_names: Sequence[str] = (),
    confidence: float = 0.95,
) -> Estimates:
    """Estimate quality, harm and saving of the requests in a log.

    Args:
        decided: The requests.
        audited: Their audits.
        class_names: The classes by index.
        confidence: Of intervals and bound, in (0, 1).
    """
    joined = _join(decided, audited)
    everything = np.ones(len(decided.picked), dtype=np.bool_)
    found = _estimate(joined, everything, confidence, bound=True)
    if decided.classes is not None:
        for index, name in enumerate(class_names):
            rows = decided.classes == index
            found.classes[name] = _estimate(joined, rows, confidence, bound=False)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Joined:
    """Decisions, and of the picked ones what their audits found.

    Attributes:
        rows: (k,) the picked requests.
        quality: (k,) NaN where it is not covered; so are the two after it.
        audit_cost: (n,) USD of all audits of a request.
    """

    decided: LiveRows
    eligible: Flags
    rows: Ints
    done: Flags
    quality: Array
    strong_quality: Array
    harm: Array
    strong_cost: Array
    audit_cost: Array


def _join(decided: LiveRows, audited: AuditRows) -> _Joined:
    n = len(decided.picked)
    with np.errstate(invalid="ignore"):
        eligible = decided.probability > 0
    rows = np.flatnonzero(decided.picked & eligible).astype(np.int64)
    place = np.full(n, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    at = place[audited.row]
    used = audited.done & (at >= 0)
    at, done = at[used], np.zeros(len(rows), dtype=np.bool_)
    done[at] = True

    def columns(values: Array) -> Array:
        found = np.full(len(rows), np.nan)
        found[at] = values[used]  # of several, numpy keeps the last
        return found

    stayed = decided.stayed[rows]
    harm = columns(audited.harm)
    harm[~stayed] = 0.0  # the strongest tier was asked: nothing was lost by not asking it
    return _Joined(
        decided=decided,
        eligible=eligible,
        rows=rows,
        done=done,
        quality=columns(audited.quality),
        strong_quality=columns(audited.strong_quality),
        harm=harm,
        strong_cost=columns(audited.strong_cost),
        audit_cost=np.bincount(audited.row, audited.cost, n).astype(np.float64),
    )


def _estimate(joined: _Joined, rows: Flags, confidence: float, *, bound: bool) -> Estimates:
    decided, picked = joined.decided, rows[joined.rows]
    eligible = rows & joined.eligible
    n, stayed = int(np.count_nonzero(eligible)), decided.stayed & eligible
    probability = decided.probability[joined.rows]
    among = float(np.count_nonzero(stayed) / n) if n else None
    cheap = picked & decided.stayed[joined.rows]
    weight = 1 / probability[picked]
    done = joined.done[picked]
    saving = _saving(joined, rows, confidence)
    return Estimates(
        requests=int(np.count_nonzero(rows)),
        eligible=n,
        picked=len(done),
        covered=int(np.count_nonzero(done)),
        coverage=float(weight[done].sum() / weight.sum()) if len(done) else None,
        stayed=among,
        quality=_mean(joined.quality[picked], probability[picked], confidence),
        strong_quality=_mean(joined.strong_quality[picked], probability[picked], confidence),
        harm=_mean(
            joined.harm[cheap], probability[cheap], confidence, 1.0 if among is None else among
        ),
        harm_bound=_bound(joined, confidence) if bound and n else None,
        saving=saving,
        stayed_saving=(
            _saving(joined, rows & decided.stayed, confidence)
            if saving is not None and saving.audits >= FEW_AUDITS
            else None
        ),
        confidence=confidence,
    )


def _mean(values: Array, probability: Array, confidence: float, among: float = 1.0) -> MeanFound:
    """Estimate a mean that is 0 for all but a share of the population.

    Args:
        values: (k,) of the picked members of that share; NaN where one is not covered.
        probability: (k,) with which they were picked.
        confidence: Of the interval.
        among: The share, which is known.
    """
    known = ~np.isnan(values)
    seen = int(np.count_nonzero(known))
    mean = share_mean(values[known], probability[known])
    alike = share_interval(values[known], probability[known], confidence)
    whatever = alike
    if seen < len(values):
        least = share_interval(np.where(known, values, 0.0), probability, confidence)
        most = share_interval(np.where(known, values, 1.0), probability, confidence)
        whatever = Interval(min(least.low, alike.low), max(most.high, alike.high))
    if among == 0:  # nobody is in that share
        mean = 0.0
    return MeanFound(
        n=seen,
        value=None if mean is None else mean * among,
        low=whatever.low * among,
        high=whatever.high * among,
        alike_low=alike.low * among,
        alike_high=alike.high * among,
        few=among > 0 and seen < FEW_AUDITS,
    )


def _bound(joined: _Joined, confidence: float) -> float | None:
    """Bound harm so far; an answer that stayed and whose audit is missing counts as all harm."""
    probability = joined.decided.probability
    values = np.zeros(len(probability))
    values[joined.rows] = np.nan_to_num(joined.harm, nan=1.0) / probability[joined.rows]
    rows = joined.eligible
    bound = running_bound(values[rows], 1 / probability[rows], confidence)
    return min(bound, float(joined.decided.stayed[rows].mean()))


def _saving(joined: _Joined, rows: Flags, confidence: float) -> Saving | None:
    decided = joined.decided
    estimated = ~decided.strong_exact
    correctable = estimated & joined.eligible
    # Without an estimate there is still the audited cost of its like: the estimate is 0 then.
    guess = np.where(correctable, np.nan_to_num(decided.strong_cost), decided.strong_cost)
    priced = rows & ~np.isnan(decided.cost) & ~np.isnan(guess)
    corrected = priced & correctable
    at = joined.rows
    used = corrected[at] & ~np.isnan(joined.strong_cost)
    audits = int(np.count_nonzero(used))
    if not audits:  # a guess of 0 that nothing corrects is none
        guess = decided.strong_cost
        priced = rows & ~np.isnan(decided.cost) & ~np.isnan(guess)
    requests = int(np.count_nonzero(priced))
    if not requests:
        return None
    cost, strong = float(decided.cost[priced].sum()), float(guess[priced].sum())
    audit_cost = float(joined.audit_cost[rows].sum())
    low: float | None = None
    high: float | None = None
    certain = not np.any(priced & estimated)
    if audits:
        off = joined.strong_cost[used] - guess[at][used]
        members = int(np.count_nonzero(corrected))
        # Audits that were not made leave the sum as uncertain as rarer ones would have.
        answered = audits / int(np.count_nonzero(corrected[at]))
        total = sum_of(off, decided.probability[at][used] * answered, members, confidence)
        if audits >= FEW_AUDITS or members == audits:
            low, high = (strong + end for end in (total.interval.low, total.interval.high))
        strong += total.value
    elif certain:
        low = high = strong
    paid = cost + audit_cost
    known = isfinite(audit_cost)
    return Saving(
        requests=requests,
        unpriced=int(np.count_nonzero(rows)) - requests,
        audits=audits,
        uncorrected=int(np.count_nonzero(priced & estimated & ~joined.eligible))
        if audits
        else int(np.count_nonzero(priced & estimated)),
        cost_usd=cost,
        audit_cost_usd=audit_cost if known else None,
        strong_cost_usd=strong,
        saved_usd=strong - paid if known else None,
        low=low - paid if known and low is not None else None,
        high=high - paid if known and high is not None else None,
    )
