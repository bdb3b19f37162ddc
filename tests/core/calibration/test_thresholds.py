"""Every threshold worth looking at, with what it would have done."""

from dataclasses import replace

import numpy as np
import pytest

from cascade_core.calibration.thresholds import Candidates, candidates, frontier, thin
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
def test_each_candidate_does_what_serving_with_its_thresholds_does(
    tiers, weights, skipping, calibrated, paid
):
    rows = scored(tiers, weights=weights, skipping=skipping, distinct=12, paid=paid)
    rows = replace(rows, calibrated=calibrated)
    among = candidates(rows)
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
    among = candidates(rows)
    strict = (among.thresholds == 1.0).all(axis=1)
    assert among.quality[strict] == pytest.approx([rows.qualities[-1].mean()])
    everything = serve(rows, [0.0] * (tiers - 1))
    assert among.escalated.min() == pytest.approx((everything.tier > 0).mean())


def test_two_tiers_miss_no_threshold():
    rows = scored(2, n=60)
    among = candidates(rows)
    for threshold in np.unique(rows.confidences[0][~np.isnan(rows.confidences[0])]):
        served = serve(rows, [threshold])
        same = np.isclose(among.escalated, (served.tier > 0).mean())
        assert np.isclose(among.quality[same], served.quality.mean()).any()


def made(harm, cost):
    harm, cost = np.array(harm, dtype=float), np.array(cost, dtype=float)
    return Candidates(np.zeros((len(harm), 1)), 1 - harm, cost, cost, harm)


def test_the_frontier_is_the_cheapest_for_each_level_of_harm():
    every = made([0.2, 0.0, 0.1, 0.1, 0.3], [5, 9, 7, 6, 5])
    path = frontier(every, every.harm)
    assert path.harm.tolist() == [0.0, 0.1, 0.2]
    assert path.cost.tolist() == [9, 6, 5]


def test_without_costs_the_frontier_goes_by_what_is_escalated():
    every = replace(made([0.1, 0.0], [1, 2]), cost=np.array([np.nan, np.nan]))
    assert frontier(every, every.harm).escalated.tolist() == [2, 1]


def test_a_thinned_path_keeps_its_ends_and_is_dense_where_harm_is_low():
    path = made(np.linspace(0, 1, 1001), np.linspace(1, 0, 1001))
    few = thin(path, 50)
    assert len(few) <= 51
    assert (few.harm[0], few.harm[-1]) == (0.0, 1.0)
    assert np.diff(few.harm)[0] < np.diff(few.harm)[-1] / 5
    assert thin(few, 100) is few
