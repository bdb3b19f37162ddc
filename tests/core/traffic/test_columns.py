"""Columns of a log's decisions: their order, their names, and the audits that belong to them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cascade_core.drift.shifts import ShiftFinder, shifts_in
from cascade_core.traffic.columns import KIND, traffic_of
from cascade_core.traffic.groups import groups_of
from cascade_core.traffic.money import break_even


def row(at: float | None, tier: int | None = 0, audited: str | None = None, **kind: Any) -> Any:
    usual = {"accepted": True, "reason": "confident", "calls": 1, "failed_calls": 0, "tier": tier}
    common = tuple((usual | kind).get(name) for name in KIND)
    return (at, 0.001, 0.01, 100.0, None, common, json.dumps(["a"]), audited)


def test_rows_are_put_in_the_order_of_time_with_their_audits() -> None:
    chunks = [[row(3.0, audited="c"), row(1.0)], [], [row(2.0, 1, "b"), row(None)]]
    found = traffic_of(iter(chunks))
    assert found.at[1:].tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(found.at[0])  # of version 1, and so older than all others
    assert found.tier.tolist() == [0, 0, 1, 0]
    assert found.audited == {"b": 2, "c": 3}


def test_a_kind_is_the_same_as_json_and_as_a_tuple() -> None:
    plain = row(1.0, 1, policy="p", policy_version=3, strong_cost_is_estimate=False)
    text = (*plain[:5], json.dumps(plain[5]), *plain[6:])
    one, other = (traffic_of(iter([[each]]), tags=True) for each in (plain, text))
    for found in (one, other):
        assert (found.tier[0], found.accepted[0], found.estimated[0]) == (1, True, False)
        assert groups_of(found, "policy")[0][0] == "p, version 3"
        assert groups_of(found, "tag")[0][0] == "a"


def test_a_log_without_decisions_has_columns_without_rows() -> None:
    found = traffic_of(iter([[]]), tags=True)
    assert len(found) == 0
    assert groups_of(found, "day") == groups_of(found, "class") == groups_of(found, "tag") == []


@pytest.mark.parametrize("seed", range(6))
def test_shifts_of_a_whole_stream_are_those_found_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = np.repeat(rng.random(5), rng.integers(50, 900, 5))
    values = (rng.random(len(shares)) < shares).astype(float)
    finder = ShiftFinder()
    one_by_one = [at for at, x in enumerate(values.tolist(), 1) if finder.update(x)]
    assert shifts_in(values) == one_by_one
    assert one_by_one or seed  # else nothing was compared


@pytest.mark.parametrize(
    ("cost", "strong", "audits", "share"),
    [
        ([0.001, 0.011], [0.01, 0.01], 0.0, 0.1),
        ([0.02, 0.03], [0.01, 0.01], 0.0, None),  # the cheap model is the dear one
        ([0.001, 0.011], [0.01, 0.01], 0.03, None),  # audits take more than a kept answer saves
        ([0.0, 0.01], [0.01, 0.01], 0.0, 0.0),  # a draft costs nothing
        ([0.001, np.nan], [0.01, 0.01], 0.0, "unknown"),
    ],
)
def test_the_break_even_point(
    cost: list[float], strong: list[float], audits: float, share: object
) -> None:
    kept = np.array([True, False])
    spent = np.array([audits, 0.0])
    found = break_even(np.array(cost), np.array(strong), spent, kept, ~kept)
    if share == "unknown":
        assert found is None
    else:
        assert found is not None
        assert found.share == (None if share is None else pytest.approx(share))
