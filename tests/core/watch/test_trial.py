"""The running test of a version: what it lets pass, how often wrongly, and when it drops."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cascade_core.watch.trial import RunningTest

LIMIT, DELTA = 0.1, 0.2


def begun(policies: int = 1) -> RunningTest:
    return RunningTest.begin(LIMIT, DELTA, policies, 1.0)


def fed(test: RunningTest, harm: np.ndarray, weights: np.ndarray | None = None) -> RunningTest:
    """Feed harm of shape (n,) or (n, k)."""
    columns = harm.reshape(len(harm), -1)
    n = len(columns)
    cost = np.ones_like(columns)
    test.update(columns, cost, np.full(n, 2.0), np.ones(n) if weights is None else weights)
    return test


def test_what_loses_little_passes_and_what_loses_the_limit_does_not() -> None:
    generator = np.random.default_rng(0)
    little, limit = (generator.random((400, 1)) < share for share in (0.02, LIMIT))
    found = fed(begun(2), np.hstack([little, limit]).astype(float))
    assert found.standing().tolist() == [True, False]


@pytest.mark.simulation
def test_a_wrong_pass_is_as_rare_as_promised_however_traffic_drifts() -> None:
    """Harm falls and rises so that its mean so far comes to the limit again and again."""
    generator = np.random.default_rng(1)
    n, runs = 1000, 200
    expected = np.where(np.arange(n) // 100 % 2 == 0, 0.16, 0.04)
    over = np.cumsum(expected) / np.arange(1, n + 1) >= LIMIT
    assert over.sum() > n / 4
    wrong = 0
    for _ in range(runs):
        test, harm = begun(), (generator.random(n) < expected).astype(float)
        for start in range(0, n, 20):
            fed(test, harm[start : start + 20])
            if test.strength()[0] >= test.needed and over[start + 19]:
                wrong += 1
                break
    assert wrong / runs <= DELTA
    assert wrong, "a bound that is never come near would be wasted"


def test_a_rise_drops_a_policy_and_all_looser_ones() -> None:
    generator = np.random.default_rng(2)
    calm = generator.random((1500, 3)) < [0.02, 0.03, 0.04]
    test = fed(begun(3), calm.astype(float))
    assert test.standing().all()
    risen = generator.random((600, 3)) < [0.02, 0.3, 0.04]
    fed(test, risen.astype(float))
    assert test.dropped.tolist() == [False, True, True]
    assert test.standing().tolist() == [True, False, False]


def test_harm_at_the_limit_raises_few_false_alarms() -> None:
    generator = np.random.default_rng(3)
    dropped = sum(
        bool(fed(begun(), (generator.random(500) < LIMIT).astype(float)).dropped[0])
        for _ in range(200)
    )
    assert dropped / 200 <= 500 / 4000, "n rows raise one with chance n / ALARM at most"


def test_an_audit_heavier_than_was_known_gives_up_the_bets_that_it_could_ruin() -> None:
    calm = fed(begun(), np.zeros(200))
    heavy = fed(begun(), np.zeros(200), np.where(np.arange(200) == 7, 4.0, 1.0))
    assert np.isfinite(calm.capital).all()
    lost = heavy.bets[~np.isfinite(heavy.capital)]
    assert sorted(lost) == [0.33, 0.75], "times 4"
    assert heavy.strength()[0] < calm.strength()[0]


def test_audits_that_come_to_weigh_a_hundred_times_as_much_leave_a_test_that_can_pass() -> None:
    rows = np.arange(3000)
    found = fed(begun(), np.zeros(3000), np.where(rows < 50, 1.0, 100.0))
    assert found.standing().all()


def test_costs_are_those_of_late() -> None:
    test = fed(begun(), np.zeros(3000))
    assert test.saving() == pytest.approx([0.5])
    n = 3000
    test.update(np.zeros((n, 1)), np.full((n, 1), 1.8), np.full(n, 2.0), np.ones(n))
    assert test.saving() == pytest.approx([0.1], abs=0.01)


def test_one_that_was_kept_goes_on_as_if_it_had_not_been() -> None:
    generator = np.random.default_rng(4)
    harm = (generator.random((300, 2)) < 0.05).astype(float)
    weights = np.where(generator.random(300) < 0.1, 3.0, 1.0)
    whole = fed(begun(2), harm, weights)
    half = fed(begun(2), harm[:150], weights[:150])
    half = RunningTest.from_dict(json.loads(json.dumps(half.as_dict())))
    fed(half, harm[150:], weights[150:])
    assert half.strength() == pytest.approx(whole.strength())
    assert half.mean_harm() == pytest.approx(whole.mean_harm())
    assert (half.rows, half.dropped.tolist()) == (whole.rows, whole.dropped.tolist())
    assert half.still_needed() == whole.still_needed()
