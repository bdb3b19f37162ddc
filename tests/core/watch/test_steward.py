"""Which policy decides, audit by audit, on made-up histories whose truth is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.watch.steward import FIRST_FIT, StepDone, Steward
from cascade_core.watch.tested import Goal
from cascade_core.watch.trial import RunningTest
from tests.benchmarks.watch import chance_right, simulate, table_of

GOAL = Goal(0.05)


def audits(n: int, *, level: float = 0.0, seed: int = 0) -> Table:
    """Return audits of a cheap model that is right more often the higher the level."""
    generator = np.random.default_rng(seed)
    signal = generator.beta(3.0, 1.0, n)
    right = generator.random(n) < chance_right(level, 8.0, signal)
    return table_of(signal, right, np.ones(n))


def joined(*tables: Table) -> Table:
    columns = [
        np.concatenate([each.tiers[0].signals["s"] for each in tables]),
        *(np.concatenate([each.tiers[k].quality for each in tables]) for k in (0, 1)),
    ]
    return table_of(*columns)


def watched(
    rows: Table, steward: Steward, *, restarted: bool = False, block: int = 50
) -> tuple[Steward, list[StepDone]]:
    """Go through audits block by block."""
    done = []
    for end in range(block, len(rows) + 1, block):
        if restarted:
            steward = Steward.from_dict(json.loads(json.dumps(steward.as_dict())))
        done.append(steward.step(rows.take(np.arange(end)), block))
    return steward, done


def test_what_a_version_was_fitted_to_does_not_test_it() -> None:
    steward = Steward(GOAL)
    done = steward.step(audits(FIRST_FIT), FIRST_FIT)
    assert done.frozen is not None
    assert done.frozen.trial.rows == 0
    assert done.chosen is None
    steward.step(audits(FIRST_FIT + 30), 30)
    assert done.frozen.trial.rows == 30


def test_delta_is_spent_over_all_versions_that_there_may_be() -> None:
    shares = [GOAL.delta_of(version) for version in range(1, 10_000)]
    assert sum(shares) == pytest.approx(0.05, rel=1e-3)
    assert sum(shares) < 0.05
    steward, _ = watched(audits(3000), Steward(GOAL))
    for each in steward.tested:
        k = len(each.policies)
        assert each.trial.needed == pytest.approx(np.log(k / GOAL.delta_of(each.number)))


def test_the_cheapest_that_passed_decides_and_looser_ones_follow() -> None:
    steward, done = watched(audits(4000), Steward(GOAL))
    chosen = [each.chosen for each in done if each.changed]
    assert len(chosen) > 1
    assert steward.chosen == chosen[-1]
    thresholds = [steward.policy_of(each).thresholds for each in chosen if each in chosen[-2:]]
    assert thresholds == sorted(thresholds, reverse=True)


def test_it_goes_on_after_a_restart_as_if_there_had_been_none() -> None:
    rows = joined(audits(2000), audits(1500, level=-3.0, seed=1))
    _, whole = watched(rows, Steward(GOAL))
    _, again = watched(rows, Steward(GOAL), restarted=True)
    assert [(e.chosen, e.changed, e.drifted) for e in again] == [
        (e.chosen, e.changed, e.drifted) for e in whole
    ]
    assert any(each.drifted for each in whole)


def test_where_harm_rises_it_goes_back_and_proves_all_anew() -> None:
    good, bad = audits(2500), audits(3000, level=-3.0, seed=1)
    steward, _ = watched(good, Steward(GOAL))
    before, spent = steward.chosen, steward.made
    assert before is not None
    steward, done = watched_on(steward, good, bad)
    at = next(i for i, each in enumerate(done) if each.dropped)
    assert at * 50 < 400, "it takes a few hundred audits at the most"
    assert any(each.drifted for each in done)
    assert steward.made > spent
    fresh = [each for each in steward.tested if not each.stale]
    assert fresh
    assert all(each.frozen_at >= len(good) for each in fresh)
    if steward.chosen is not None:
        assert steward.chosen.version > before.version


def watched_on(steward: Steward, before: Table, rows: Table) -> tuple[Steward, list[StepDone]]:
    whole = joined(before, rows)
    ends = range(len(before) + 50, len(whole) + 1, 50)
    return steward, [steward.step(whole.take(np.arange(end)), 50) for end in ends]


def test_what_was_proved_before_harm_rose_is_gone_back_to_and_not_activated_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = audits(2600, level=0.5)
    steward, _ = watched(rows.take(np.arange(2500)), Steward(GOAL))
    chosen, proved = steward.chosen, list(steward.tested)
    assert chosen is not None
    trial, update = steward.trial_of(chosen), RunningTest.update

    def with_harm(each: RunningTest, *read: Any) -> None:
        update(each, *read)
        trial.dropped[chosen.place :] = True

    with monkeypatch.context() as patched:
        patched.setattr(RunningTest, "update", with_harm)
        done = steward.step(rows.take(np.arange(2550)), 50)
    assert (done.dropped, done.drifted) == (True, True)
    back = steward.chosen
    assert back is not None
    assert back != chosen
    assert steward.tested_of(back) in proved
    assert all(each.stale for each in proved)

    steward.chosen = None
    assert steward.trial_of(back).standing(1.0)[back.place], "it has proved enough"
    assert not steward.step(rows, 50).changed
    for each in steward.tested:
        each.stale = True
    waits = steward.step(None, 0)
    assert (waits.needed, waits.to_fit) == (None, steward.next_fit - steward.seen)


def test_a_policy_of_ones_own_stays_until_harm_shows() -> None:
    steward = Steward(GOAL)
    mine = steward.adopt(Policy(thresholds=(0.6,)))
    rows = audits(300, level=1.0)
    done = steward.step(rows, 300)
    assert steward.chosen is not None
    assert (steward.chosen.version, done.dropped) == (mine.number, False)
    bad = joined(rows, audits(300, level=-4.0, seed=1))
    done = steward.step(bad, 300)
    assert (done.dropped, done.drifted) == (True, True)
    assert steward.chosen is None


def test_where_nothing_is_new_nothing_happens() -> None:
    steward = Steward(GOAL)
    assert steward.step(None, 0) == StepDone(to_fit=FIRST_FIT)
    steward.step(audits(40), 40)
    before = steward.as_dict()
    assert steward.step(audits(40), 0).to_fit == FIRST_FIT - 40
    assert steward.as_dict() == before


def test_rows_that_nothing_can_be_fitted_to_are_waited_out() -> None:
    def refuse(rows: Table, limit: float, seed: int) -> None:
        raise ConfigurationError("all alike")

    steward = Steward(GOAL, make=refuse)
    assert steward.step(audits(FIRST_FIT), FIRST_FIT).frozen is None
    assert steward.next_fit > FIRST_FIT


@pytest.mark.parametrize("goal", [(0.0, 0.95), (1.0, 0.95), (0.02, 1.0)])
def test_a_goal_that_is_none_is_refused(goal: tuple[float, float]) -> None:
    with pytest.raises(ConfigurationError, match="give a number between 0 and 1"):
        Goal(*goal)


@pytest.mark.simulation
def test_over_fifty_histories_with_drift_the_limit_stands() -> None:
    """The whole one is `tests/benchmarks/watch.py`; its seeds are fixed."""
    found = simulate(50, 3000, GOAL)
    assert found.promised <= 0.05
    assert found.served <= 0.05
    assert found.saved >= 0.6, "these histories are short: the whole ones have 50,000 audits"
