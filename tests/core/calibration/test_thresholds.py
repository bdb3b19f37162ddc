"""Every threshold worth looking at, with what it would have done, and which serves best."""

from dataclasses import replace

import numpy as np
import pytest

from cascade_core.calibration.objective import make_objective
from cascade_core.calibration.points import OperatingPoints
from cascade_core.calibration.thresholds import operating_points, pick_point
from cascade_core.evaluation.paid import PaidReading
from cascade_core.evaluation.scored import Scored, serve


def paid_readings(rng, confidence, skipped):
    """Two paid signals, the second of which finds narrower bounds."""
    low, high = np.nan_to_num(confidence), np.nan_to_num(confidence, nan=0.3)
    found = []
    for _ in range(2):
        low, high = low * rng.random(len(low)), high + (1 - high) * rng.random(len(high))
        found.append(PaidReading(rng.random(len(low)), np.where(skipped, np.nan, low), high))
    return tuple(reversed(found))


def scored(tiers=3, n=200, seed=0, *, weights=False, skipping=False, distinct=None, paid=False):
    rng = np.random.default_rng(seed)
    skipped = np.zeros((n, tiers), dtype=bool)
    if skipping:
        skipped[:, :-1] = rng.random((n, tiers - 1)) < 0.2
    confidences, costs = [], []
    for k in range(tiers - 1):
        confidence = rng.random(n) * 0.999
        if distinct:
            confidence = np.round(confidence * distinct) / (distinct + 1)
        confidence[rng.random(n) < 0.1] = np.nan
        confidences.append(np.where(skipped[:, k], np.nan, confidence))
        costs.append(np.where(skipped[:, k], 0.0, rng.random(n) * 10.0**k))
    drafts = tuple(rng.random(n) * 10.0**k for k in range(tiers))
    return Scored(
        confidences=tuple(confidences),
        costs=(*costs, drafts[-1]),
        drafts=drafts,
        skipped=skipped,
        qualities=tuple(rng.integers(0, 3, n) / 2 for _ in range(tiers)),
        weights=rng.random(n) if weights else None,
        paid=tuple(paid_readings(rng, c, skipped[:, k]) for k, c in enumerate(confidences))
        if paid
        else (),
    )


@pytest.mark.parametrize("tiers", [2, 3, 4])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("skipping", [False, True])
@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("paid", [False, True])
def test_each_point_does_what_serving_with_its_thresholds_does(
    tiers, weights, skipping, calibrated, paid
):
    rows = scored(tiers, weights=weights, skipping=skipping, distinct=12, paid=paid)
    rows = replace(rows, calibrated=calibrated)
    among = operating_points(rows)
    mass = np.ones(len(rows)) if rows.weights is None else rows.weights
    never = np.flatnonzero((among.thresholds == 1).any(axis=1))
    some = np.linspace(0, len(never) - 1, 10).astype(int)
    for place in [*np.linspace(0, len(among) - 1, 40).astype(int), *never[some]]:
        served = serve(rows, list(among.thresholds[place]))
        assert np.average(served.quality, weights=mass) == pytest.approx(among.quality[place])
        assert np.average(served.cost, weights=mass) == pytest.approx(among.cost[place])
        assert np.average(served.tier > 0, weights=mass) == pytest.approx(among.escalated[place])
        assert np.average(served.harm, weights=mass) == pytest.approx(among.harm[place])


@pytest.mark.parametrize("tiers", [2, 3])
def test_both_ends_are_among_them(tiers):
    rows = scored(tiers)
    among = operating_points(rows)
    strict = (among.thresholds == 1.0).all(axis=1)
    assert among.quality[strict] == pytest.approx([rows.qualities[-1].mean()])
    everything = serve(rows, [0.0] * (tiers - 1))
    assert among.escalated.min() == pytest.approx((everything.tier > 0).mean())


def test_two_tiers_miss_no_threshold():
    rows = scored(2, n=60)
    among = operating_points(rows)
    for threshold in np.unique(rows.confidences[0][~np.isnan(rows.confidences[0])]):
        served = serve(rows, [threshold])
        same = np.isclose(among.escalated, (served.tier > 0).mean())
        assert np.isclose(among.quality[same], served.quality.mean()).any()


def priced(quality, cost):
    quality, cost = np.array(quality), np.array(cost)
    return OperatingPoints(np.zeros((len(cost), 1)), quality, cost, cost / cost.max(), 1 - quality)


@pytest.mark.parametrize("noise", [0.0, 2e-16, -2e-16])
def test_of_equal_quality_the_cheaper_is_taken_whatever_their_sums_rounding(noise):
    among = priced([0.5, 0.86 + noise, 0.86, 0.9], [1.0, 9.0, 8.0, 11.0])
    assert pick_point(among, make_objective(max_cost=10.0), 0.95) == 2


@pytest.mark.parametrize("noise", [0.0, 2e-15, -2e-15])
def test_of_equal_cost_the_better_is_taken_whatever_their_sums_rounding(noise):
    among = priced([0.5, 0.9, 0.91, 0.95], [1.0, 8.0 + noise, 8.0, 11.0])
    assert pick_point(among, make_objective(quality=0.9), 0.95) == 2
