"""Columns of a log's decisions: their order, their names, and the audits that belong to them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cascade_core.drift.shifts import ShiftFinder, shifts_in
from cascade_core.traffic.columns import KIND, Named, traffic_of
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


def test_names_in_bytes_that_are_the_same_text_are_one_name() -> None:
    def strange(at: float, byte: bytes) -> Any:
        named: Any = {"class": "X"}
        kind = json.dumps(row(at, **named)[5]).encode().replace(b"X", byte)
        return (*row(at)[:5], kind, b'["' + byte + b'"]', None)

    chunk = [strange(1.0, b"\xfe"), strange(2.0, b"a"), strange(3.0, b"\xff")]
    found = traffic_of(iter([chunk]), tags=True)
    for by in ("class", "tag"):
        assert {name: rows.tolist() for name, rows in groups_of(found, by)} == {
            "\ufffd": [0, 2],
            "a": [1],
        }
    assert found.tags is not None
    assert found.tags.names == ['["\ufffd"]', '["a"]']
    assert found.tags.of.tolist() == [0, 1, 0]


@pytest.mark.parametrize("names", [300, 40_000])
def test_groups_have_their_rows_in_order_however_many_there_are(names: int) -> None:
    of = np.random.default_rng(0).integers(0, names, 3 * names)
    found = traffic_of(iter([[row(1.0)]]))
    column = Named([f"n{code}" for code in range(names)], of.astype(np.int32))
    groups = groups_of(replace(found, named={"class": column}), "class")
    assert len(groups) == len(np.unique(of))
    for name, rows in groups[:: names // 50]:
        assert rows.tolist() == np.flatnonzero(of == int(name[1:])).tolist()


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
