"""What rows are said to carry, they carry: the bound is that of the test, and it holds."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core.policy.document import Policy
from cascade_core.review.labelled_rows import LabelledRows
from cascade_core.review.positions import Positions
from cascade_core.review.promise_support import LIMITS, harm_wanted, promise_support
from cascade_core.statistics.fixed_sequence import certify_path
from cascade_core.statistics.labels_needed import Certified
from cascade_core.statistics.pvalues import binomial_p
from tests.core.review.weighing import table_of

POLICY = Policy.load({"thresholds": [0.7]})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"weight": [1.0 + i % 3 for i in range(400)]},
        {"group": [f"g{i // 4}" for i in range(400)]},
        {"t0_quality": [(i * 7 % 10) / 10 for i in range(400)]},
    ],
    ids=["plain", "weights", "groups", "fractions"],
)
def test_the_bound_is_the_smallest_limit_that_tuning_would_certify(
    changes: dict[str, list[object]],
) -> None:
    rows = LabelledRows.of(table_of(400, **changes), POLICY)
    outcome = rows.at(Positions((0.8,)))

    def passes(limit: float) -> bool:
        found = certify_path(
            lambda _: outcome.served.harm,
            1,
            limit=limit,
            delta=0.05,
            weights=rows.table.weights,
            groups=rows.table.groups,
            binary=rows.whole,
        )
        return isinstance(found, Certified)

    found = promise_support(rows, outcome, 0.5)
    assert found.holds
    assert found.bound is not None
    place = LIMITS.index(found.bound)
    assert all(passes(limit) for limit in LIMITS[place:])
    assert not passes(LIMITS[place - 1])
    assert found.seen == pytest.approx(outcome.means.harm)
    assert found.grouped == ("group" in changes)


def test_the_bound_of_many_rows_is_the_first_limit_that_passes() -> None:
    rows = LabelledRows.of(table_of(40_000), POLICY)
    outcome = rows.at(Positions((0.8,)))
    harmed = int(outcome.served.harm.sum())
    first = next(limit for limit in LIMITS if binomial_p(harmed, 40_000, limit) <= 0.05)
    assert promise_support(rows, outcome, 0.5).bound == first
    assert first < outcome.means.harm * 1.1


@pytest.mark.simulation
def test_a_bound_for_thresholds_fixed_beforehand_is_broken_once_in_twenty_at_most() -> None:
    truth = LabelledRows.of(table_of(200_000, seed=1), POLICY).at(Positions((0.9,))).means.harm
    broken = 0
    for seed in range(100):
        rows = LabelledRows.of(table_of(150, seed=seed + 2), POLICY)
        bound = promise_support(rows, rows.at(Positions((0.9,))), 0.5).bound
        broken += bound is not None and bound < truth
    assert broken <= 10  # of 100; 5 are allowed, and chance gives more than 10 to one in a hundred


def test_a_target_that_is_not_supported_says_how_many_labels_would_do() -> None:
    rows = LabelledRows.of(table_of(60), POLICY)
    outcome = rows.at(Positions((0.999,)))
    found = promise_support(rows, outcome, 0.01)
    assert not found.holds
    assert found.labels is not None
    assert found.labels > 60
    more = LabelledRows.of(table_of(found.labels), POLICY)
    assert promise_support(more, more.at(Positions((1.0,))), 0.01).holds


def test_a_target_far_below_what_is_lost_is_hopeless_and_said() -> None:
    rows = LabelledRows.of(table_of(2000), POLICY)
    found = promise_support(rows, rows.at(Positions((0.0,))), 0.001)
    assert not found.holds
    assert found.labels is None
    assert "more labels would not help" in found.why


def test_nothing_kept_loses_nothing_and_rows_set_the_bound() -> None:
    rows = LabelledRows.of(table_of(299), POLICY)
    found = promise_support(rows, rows.at(Positions((1.0,))), 0.01)
    assert found.holds
    assert found.bound == pytest.approx(0.01)
    assert np.all(rows.at(Positions((1.0,))).served.harm == 0)


def test_the_target_is_the_policys_own_promise_where_it_has_one() -> None:
    promise = {"kind": "harm", "limit": 0.02, "confidence": 0.95, "rows": 500, "seen": 0.01}
    promise |= {"p_value": 0.04, "method": "binomial"}
    assert harm_wanted(POLICY) == 0.05
    assert harm_wanted(Policy.load({"thresholds": [0.7], "promises": [promise]})) == 0.02
    of_class = {**promise, "class_name": "refund"}
    assert harm_wanted(Policy.load({"thresholds": [0.7], "promises": [of_class]})) == 0.05
