"""What tuning promises holds on the traffic that the labels were drawn from.

The traffic is a large table whose truth can be looked up: labels are drawn from it again and
again, and each time the policy that comes out is served to all of it.
"""

from dataclasses import replace
from functools import cache, partial
from types import SimpleNamespace

import numpy as np
import pytest

from cascade_core.calibration import fit_tiers as tiers_of
from cascade_core.calibration import measure, pick, promise, tune
from cascade_core.calibration.objective import TuningError
from cascade_core.calibration.points import frontier
from cascade_core.calibration.thresholds import operating_points
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.score_forms import SignalScore
from cascade_core.labels import read_table
from cascade_core.policy import Policy
from cascade_core.statistics.bootstrap import Resamples
from tests.core.calibration.labels import columns

DELTA = 0.1
DRAWS = 100
TRAFFIC = 10_000
MOST = DELTA + 3 * (DELTA * (1 - DELTA) / DRAWS) ** 0.5


@pytest.fixture(autouse=True)
def _a_few_resamples(monkeypatch):
    """The interval of a policy's figures is half the work of tuning, and no promise rests on it."""
    few = SimpleNamespace(draw=partial(Resamples.draw, resamples=5))
    monkeypatch.setattr(measure, "Resamples", few)


def frozen(tiers):
    """A policy that nothing was fitted to: the reading is the confidence."""
    return Policy(calibrators=(Calibrator(score=SignalScore(signal="a")),) * (tiers - 1))


@cache
def weighing(tiers):
    """A policy that was fitted on other rows, and holds thresholds against more than confidences."""
    table = columns(500, tiers, seed=99)
    how = {"method": "logistic", "skip": False, "force": True}
    calibrators = tune(table, quality=0.6, benefit=True, **how).calibrators
    assert all(each.weighs for each in calibrators)
    return Policy(calibrators=calibrators)


def traffic(tiers, **settings):
    return read_table(columns(TRAFFIC, tiers, seed=1, **settings))


def tuned(table, rows, policy, **asked):
    """Tune a frozen policy on so many labels drawn from the traffic, again and again."""
    rng = np.random.default_rng(7)
    for _ in range(DRAWS):
        drawn = table.take(rng.integers(0, len(table), rows))
        try:
            yield tune(drawn, confidence=1 - DELTA, policy=policy, **asked)
        except TuningError:
            yield None


def truth(table, scored, policy):
    """What the policy does to all of the traffic."""
    return serve(scored, thresholds_of(policy, table))


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("made", "tiers", "rows", "limit", "graded"),
    [
        (frozen, 2, 400, 0.05, False),
        (frozen, 2, 400, 0.03, True),
        (frozen, 3, 600, 0.06, False),
        (weighing, 2, 400, 0.06, False),
        (weighing, 3, 600, 0.08, False),
    ],
)
def test_harm_is_above_what_was_promised_in_at_most_delta_of_draws(
    made, tiers, rows, limit, graded
):
    table = traffic(tiers, graded=graded)
    scored = score(table, made(tiers))
    served = [
        truth(table, scored, policy)
        for policy in tuned(table, rows, made(tiers), harm=limit)
        if policy is not None
    ]
    assert len(served) > 0.9 * DRAWS
    assert np.mean([(own.tier < tiers - 1).mean() for own in served]) > 0.2
    assert sum(own.harm.mean() > limit for own in served) / DRAWS <= MOST


@pytest.mark.simulation
@pytest.mark.parametrize(("made", "tiers"), [(frozen, 2), (frozen, 3), (weighing, 2)])
def test_quality_is_below_what_was_promised_in_at_most_delta_of_draws(made, tiers):
    table = traffic(tiers)
    scored = score(table, made(tiers))
    wanted = 0.93 * table.tiers[-1].quality.mean()
    served = [
        truth(table, scored, policy)
        for policy in tuned(table, 600, made(tiers), quality=0.93)
        if policy is not None
    ]
    assert len(served) > 0.8 * DRAWS
    assert np.mean([(own.tier < tiers - 1).mean() for own in served]) > 0.2
    assert sum(own.quality.mean() < wanted for own in served) / DRAWS <= MOST


@pytest.mark.simulation
@pytest.mark.parametrize("tiers", [2, 3])
def test_the_promises_of_all_classes_hold_together_but_in_delta_of_draws(tiers):
    table = traffic(tiers, classes=True)
    scored = score(table, frozen(tiers))
    broken = kept = 0
    for policy in tuned(table, 1000, frozen(tiers), harm=0.06, per_class=True):
        if policy is None:
            continue
        harm = truth(table, scored, policy).harm
        of = [harm[table.classes == code].mean() for code in range(len(table.class_names))]
        kept += len(policy.promises)
        broken += max(of) > 0.06  # a class without a promise accepts nothing, so has no harm
    assert kept > 1.2 * DRAWS  # of two classes
    assert broken / DRAWS <= MOST


@pytest.mark.simulation
@pytest.mark.parametrize("tiers", [2, 3])
def test_thresholds_that_are_only_chosen_and_not_tested_break_it_every_other_time(tiers):
    """Or else nothing above would notice a promise that is not tested."""
    table = traffic(tiers)
    scored = score(table, frozen(tiers))
    rng, limit, broken = np.random.default_rng(7), 0.05, 0
    for _ in range(50):
        path = frontier(operating_points(scored.take(rng.integers(0, len(table), 500))))
        last = np.flatnonzero(path.harm <= limit)[-1]
        broken += serve(scored, list(path.thresholds[last])).harm.mean() > limit
    assert broken / 50 > 0.3


def told_apart(n, tiers):
    """A table whose rows can be told by the cost of their first draft, with four to a group."""
    table = columns(n, tiers) | {"group": [f"g{row // 4}" for row in range(n)]}
    return table | {"t0_cost_usd": [1e-5 + row * 1e-9 for row in range(n)]}


def numbers(costs):
    return {round((cost - 1e-5) / 1e-9) for cost in costs.tolist()}


@pytest.mark.parametrize(
    ("tiers", "asked", "kept_as_it_is"),
    [
        (2, {"harm": 0.08}, False),
        (3, {"harm": 0.08}, False),
        (2, {"quality": 0.9}, False),
        (2, {"harm": 0.08, "benefit": True}, False),
        (3, {"quality": 0.9, "benefit": True}, False),
        (3, {"harm": 0.08}, True),
        (2, {"quality": 0.9}, True),
    ],
)
def test_no_row_that_tests_a_promise_was_fitted_to_or_planned_on(
    monkeypatch, tiers, asked, kept_as_it_is
):
    fitted, planned, tested = set(), set(), set()
    fit_calibrator, plan_path, certify = tiers_of.fit_calibrator, promise.plan_path, pick.certify

    def fit(table, *args, **kwargs):
        fitted.update(numbers(table.tiers[0].cost))
        return fit_calibrator(table, *args, **kwargs)

    def plan(rows, **how):
        planned.update(numbers(rows.drafts[0]))
        return plan_path(rows, **how)

    def test(objective, before, after, groups, **settings):
        tested.update(numbers(after.drafts[0]))
        return certify(objective, before, after, groups, **settings)

    monkeypatch.setattr(tiers_of, "fit_calibrator", fit)
    monkeypatch.setattr(promise, "plan_path", plan)
    monkeypatch.setattr(pick, "certify", test)
    policy = frozen(tiers) if kept_as_it_is else None
    table = told_apart(1200, tiers)
    tune(table, confidence=0.9, method="signal", skip=False, policy=policy, **asked)
    seen = fitted | planned
    assert bool(fitted) is not kept_as_it_is
    assert bool(planned) is (tiers > 2 or "quality" in asked)
    assert seen
    assert seen | tested == set(range(1200))
    assert not {row // 4 for row in seen} & {row // 4 for row in tested}


def test_the_path_is_planned_without_looking_at_what_came_true():
    scored = score(traffic(3).take(np.arange(500)), frozen(3))
    other = replace(scored, qualities=tuple(1 - own for own in scored.qualities))
    np.testing.assert_array_equal(
        promise.plan_path(scored).thresholds, promise.plan_path(other).thresholds
    )


def test_a_promise_is_not_left_to_a_signal_of_yes_and_no():
    """Half of the drafts would be accepted together or not at all."""
    table = columns(1500, texts=True)
    table["t0_signal_a"] = (np.array(table["t0_signal_a"]) > 0.5).astype(float).tolist()
    del table["t0_signal_noise"]
    (calibrator,) = tune(table, harm=0.05, skip=False).calibrators
    confidence = score(read_table(table), Policy(calibrators=(calibrator,))).confidences[0]
    assert np.unique(confidence, return_counts=True)[1].max() < 0.2 * 1500
