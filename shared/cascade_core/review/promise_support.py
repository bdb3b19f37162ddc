"""What could be promised of thresholds by the rows that are there, and what is lacking.

The tests are those of `cascade tune --harm`. They hold for thresholds that were fixed without a
look at these rows; a page on which one moves a slider and sees what the rows say is such a look.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from cascade_core.arrays import Array
from cascade_core.policy.document import Policy
from cascade_core.review.labelled_rows import LabelledRows, WhatIf
from cascade_core.statistics.labels_needed import Refused
from cascade_core.statistics.loss_test import LossTest

CONFIDENCE = 0.95
USUAL_TARGET = 0.05

LIMITS: Sequence[float] = tuple(n / 10**e for e in (5, 4, 3, 2) for n in range(10, 100))
"""Limits that are tried, fixed beforehand: 0.0001 to 0.99, with two digits each, rising."""


@dataclass(frozen=True, slots=True)
class PromiseSupport:
    """What the rows say of a promise about harm.

    Attributes:
        target: The harm that is asked about.
        holds: Whether the rows support that promise.
        p_value: Of its test.
        bound: The smallest harm they support; None where they support none below 1.
        units: Independent rows, or groups of them.
        grouped: Whether these are groups.
        method: The test's name.
        seen: Harm on the rows.
        labels: About how many labelled rows would support it; None where these do, or
            no number would do.
        why: Why it is not supported.
    """

    target: float
    holds: bool
    p_value: float
    bound: float | None
    units: int
    grouped: bool
    method: str
    seen: float
    labels: int | None
    why: str


def harm_wanted(policy: Policy) -> float:
    """Return the harm that a policy promises of all requests; 0.05 where it promises none."""
    own = [p.limit for p in policy.promises if p.kind == "harm" and p.class_name is None]
    return own[0] if own and 0 < own[0] < 1 else USUAL_TARGET


def promise_support(rows: LabelledRows, what_if: WhatIf, target: float) -> PromiseSupport:
    """Test what promise the rows support at some thresholds.

    Args:
        rows: The labelled rows.
        what_if: What the thresholds did with them.
        target: Harm, in (0, 1).
    """
    harm = what_if.served.harm
    test = _test(rows, target)
    p_value = test.p_value(harm)
    holds = p_value <= test.delta
    lacking = Refused("", None) if holds else test.refuse("at these thresholds", harm)
    return PromiseSupport(
        target=target,
        holds=holds,
        p_value=p_value,
        bound=_bound(rows, harm, what_if.means.harm),
        units=len(rows.units),
        grouped=rows.units.code is not None,
        method=test.method,
        seen=what_if.means.harm,
        labels=lacking.labels_needed,
        why=lacking.reason,
    )


def _test(rows: LabelledRows, limit: float) -> LossTest:
    exact = rows.units.plain and rows.whole
    return LossTest(rows.units, exact=exact, limit=limit, delta=1 - CONFIDENCE, seed=0)


def _bound(rows: LabelledRows, harm: Array, seen: float) -> float | None:
    """Return the smallest of `LIMITS` that passes as all above it do; a fixed sequence.

    None that is not above what was seen passes, and with many rows it is not far above.
    """

    def passes(place: int) -> bool:
        test = _test(rows, LIMITS[place])
        return test.p_value(harm) <= test.delta

    low = bisect_right(LIMITS, seen) - 1
    step, high = 1, len(LIMITS)
    while low + step < len(LIMITS):
        if passes(low + step):
            high = low + step
            break
        low, step = low + step, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return LIMITS[high] if high < len(LIMITS) else None
