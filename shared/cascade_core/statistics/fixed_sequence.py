"""Finds thresholds whose mean loss is at most a limit with confidence 1 − delta.

Learn-then-Test (Angelopoulos, Bates, Candès, Jordan & Lei, AOAS 2025) with fixed-sequence testing:
go through the candidates in an order fixed beforehand, stop at the first whose p-value is above
delta, and keep the last that passed. To fail, the first bad candidate would have to pass, which
happens with chance at most delta; no penalty for the number of candidates.

*One threshold* (`certify_sweep`). Harm if rows with confidence ≥ t are accepted can only grow as t
falls. So there is one threshold t*, a fact about the traffic and not about the rows, such that
every t with harm above the limit is at or below t*, and harm at t* is the limit or more (it grows
to the left without a jump, as t itself is accepted). The rows drawn take only the values of their
own confidences, yet testing at these is sound: at t* they show the same losses as at the smallest
drawn confidence above it, t'. A broken promise, t ≤ t*, means that t' was tested on the way and
passed; that is the test at the fixed t*, which passes with chance at most delta (Bates et al.,
J. ACM 2021, by the same argument). It covers any threshold between two neighbouring confidences,
too. It needs p-values that grow with every loss; those of `pvalues` do, so that the first failure
is found by bisection instead of testing all.

*Anything else* (`certify_path`): several tiers, several classes at once, or a loss that is not
monotone, such as quality lost net of quality gained. There the path must have been fixed on other
rows.

Either way the rows must be fresh: no part of what ships was fitted to them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.statistics.descent import betting_descent, between, exact_descent
from cascade_core.statistics.labels_needed import Certified, Refused
from cascade_core.statistics.loss_test import LossTest
from cascade_core.statistics.pvalues import check_level, check_losses
from cascade_core.statistics.units import Units, make_units

_ROUNDING = 1e-9


def certify_sweep(  # noqa: PLR0913 - choices with defaults
    confidence: Array,
    harm: Array,
    *,
    limit: float,
    delta: float,
    weights: Array | None = None,
    groups: Ints | None = None,
    binary: bool | None = None,
    heaviest: float | None = None,
    seed: int = 0,
) -> Certified | Refused:
    """Find the lowest threshold whose harm is at most `limit` with confidence 1 − `delta`.

    Args:
        confidence: (n,), NaN = no reading, never accepted.
        harm: (n,), harm if the row is accepted, in [0, 1].
        limit: On the weighted mean over all rows, accepted or not; in (0, 1).
        delta: Chance that the promise may be broken, in (0, 1).
        weights: (n,), not negative; None = all 1.
        groups: (n,), equal code = belong together; None = every row alone.
        binary: Whether harm can only ever be 0 or 1; None = as in these rows.
        heaviest: The largest weight a row (or group) can have; None = the largest seen.
        seed: Of the order in which bets are placed.

    Returns:
        The threshold, midway between the lowest accepted confidence and the next lower one, so
        that a difference in the last digit changes no decision; or the refusal.

    Raises:
        ConfigurationError: Something is out of range or of another shape.
    """
    check_level("limit", limit)
    check_level("delta", delta)
    check_losses(harm)
    if confidence.shape != harm.shape:
        raise ConfigurationError(
            f"confidence and harm must have one value a row, got {confidence.shape}, {harm.shape}"
        )
    units = make_units(len(harm), weights, groups, heaviest)
    order = np.argsort(-confidence)[: np.count_nonzero(~np.isnan(confidence))]
    if len(order) == 0:
        return Refused("no row has a confidence, so nothing would be accepted", None)
    ordered = confidence[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], values=True))
    test = LossTest.fitting(harm, units, limit=limit, delta=delta, seed=seed, binary=binary)
    if test.exact:
        passed, p = exact_descent(harm, order, ends, limit=limit, delta=delta)
    else:
        passed, p = betting_descent(harm, order, ends, units, limit=limit, delta=delta, seed=seed)
    last = int(ends[max(0, passed - 1)])
    taken = order[: last + 1]
    losses = np.zeros(len(harm))
    losses[taken] = harm[taken]
    if passed == 0:
        return test.refuse("at the strictest threshold", losses)
    weight = float(units.row.sum())
    lower = float(ordered[last + 1]) if last + 1 < len(ordered) else min(0.0, float(ordered[last]))
    return Certified(
        threshold=between(float(ordered[last]), lower),
        index=passed - 1,
        loss=float(np.dot(losses, units.row)) / weight,
        p_value=p,
        rows=len(units),
        accepted=float(units.row[taken].sum()) / weight,
        method=test.method,
    )


def certify_path(  # noqa: PLR0913 - choices with defaults
    losses: Callable[[int], Array],
    points: int,
    *,
    limit: float,
    delta: float,
    lowest: float = 0.0,
    highest: float = 1.0,
    weights: Array | None = None,
    groups: Ints | None = None,
    binary: bool | None = None,
    heaviest: float | None = None,
    seed: int = 0,
) -> Certified | Refused:
    """Walk a path that was fixed on other rows, as far as the mean loss is at most `limit`.

    “Quality at least x of the last tier’s” is the loss x · q_last − q_policy with limit 0,
    lowest −1 and highest x.

    Args:
        losses: Given the number of a point, strictest = 0, the (n,) losses of the same rows there.
            Not asked beyond the first point that fails.
        points: How many there are.
        limit: On the weighted mean loss; between `lowest` and `highest`.
        delta: Chance that the promise may be broken, in (0, 1).
        lowest: The smallest loss a row can have.
        highest: The largest loss a row can have.
        weights: (n,), not negative; None = all 1.
        groups: (n,), equal code = belong together; None = every row alone.
        binary: Whether a loss can only ever be `lowest` or `highest`; None = as at each point.
        heaviest: The largest weight a row (or group) can have; None = the largest seen.
        seed: Of the order in which bets are placed.

    Returns:
        The last point that passed, by its index; or the refusal, where the first did not.

    Raises:
        ConfigurationError: Something is out of range or of another shape, or the path is empty.
    """
    check_level("delta", delta)
    if not lowest < limit < highest:
        raise ConfigurationError(f"the limit {limit} must lie between {lowest} and {highest}")
    width = highest - lowest
    bound = (limit - lowest) / width
    units: Units | None = None
    best: Certified | None = None
    for index in range(points):
        here = losses(index)
        scaled = (here - lowest) / width
        near = np.clip(scaled, 0.0, 1.0)  # x · q − q' may miss its bound by a rounding
        scaled = np.where(np.abs(scaled - near) < _ROUNDING, near, scaled)
        check_losses(scaled)
        units = units or make_units(len(here), weights, groups, heaviest)
        test = LossTest.fitting(scaled, units, limit=bound, delta=delta, seed=seed, binary=binary)
        p = test.p_value(scaled)
        if p > delta:
            return best or test.refuse("at the strictest point of the path", scaled)
        best = Certified(
            threshold=math.nan,
            index=index,
            loss=float(np.dot(here, units.row) / units.row.sum()),
            p_value=p,
            rows=len(units),
            accepted=math.nan,
            method=test.method,
        )
    if best is None:
        raise ConfigurationError("the path has no point to test")
    return best
