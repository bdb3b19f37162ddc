"""The benefit of asking on is weighed where hard requests are hard for every model, else not."""

import numpy as np
import pytest

from cascade_core.calibration import tune
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation import cost_quality_curve
from cascade_core.labels import read_table
from tests.core.calibration.labels import columns

HOW = {"quality": 0.97, "method": "logistic", "skip": False, "force": True}


def hard_for_both(n, seed):
    """Columns whose signal is low for what the strong model can mend, and lower for what not."""
    rng = np.random.default_rng(seed)
    ease = rng.random(n)
    cheap = rng.random(n) < 0.2 + 0.75 * ease
    strong = rng.random(n) < np.where(ease < 0.5, 0.25 + 0.1 * ease, 0.97)
    return {
        "id": [f"r{row}" for row in range(n)],
        "t0_quality": cheap.astype(float).tolist(),
        "t1_quality": strong.astype(float).tolist(),
        "t0_cost_usd": [1e-5] * n,
        "t1_cost_usd": [1e-4] * n,
        "t0_signal_a": ease.tolist(),
        "t0_signal_b": (ease > 0.5).astype(float).tolist(),
    }


def test_it_is_weighed_where_hard_requests_are_hard_for_both():
    table, fresh = hard_for_both(1500, 0), read_table(hard_for_both(4000, 1))
    alone, weighing = (tune(table, benefit=benefit, **HOW) for benefit in (False, "auto"))
    assert "benefit of asking on weighs" in weighing.tuned.choices[0]
    before, after = (cost_quality_curve(fresh, policy).apgr() for policy in (alone, weighing))
    assert after > before + 0.1


def test_every_tier_but_the_last_of_three_may_have_one():
    policy = tune(columns(600, tiers=3), benefit=True, **HOW)
    assert all(calibrator.benefit is not None for calibrator in policy.calibrators)


def test_a_limit_on_harm_goes_by_confidences_alone():
    policy = tune(hard_for_both(1500, 0), harm=0.2, method="logistic", skip=False, force=True)
    assert policy.calibrators[0].benefit is None


def nothing_told(n, seed, told):
    """Columns whose signals say nothing of what the strong model can mend, or nothing at all."""
    rng = np.random.default_rng(seed)
    seen = rng.random(n)
    return {
        "id": [f"r{row}" for row in range(n)],
        "t0_quality": (rng.random(n) < 0.6 + told * (seen - 0.5)).astype(float).tolist(),
        "t1_quality": (rng.random(n) < 0.85).astype(float).tolist(),
        "t0_cost_usd": [1e-5] * n,
        "t1_cost_usd": [1e-4] * n,
        "t0_signal_a": seen.tolist(),
        "t0_signal_b": rng.random(n).tolist(),
    }


@pytest.mark.simulation
@pytest.mark.parametrize("told", [0.0, 0.6])
def test_where_there_is_nothing_to_tell_it_is_seldom_weighed_and_costs_next_to_nothing(told):
    """By chance alone a gain is beyond its standard error in some tables."""
    fresh, lost, tables = read_table(nothing_told(20_000, 9999, told)), [], 10
    how = {**HOW, "quality": 0.6}
    for seed in range(tables):
        table = nothing_told(300, seed, told)
        auto = tune(table, benefit="auto", **how)
        if auto.calibrators[0].benefit is not None:
            alone = tune(table, benefit=False, **how)
            before, after = (cost_quality_curve(fresh, each).apgr() for each in (alone, auto))
            lost.append(before - after)
    assert len(lost) <= tables / 2
    assert sum(lost) / tables < 0.002
    assert max(lost, default=0.0) < 0.02


def test_another_choice_is_refused():
    with pytest.raises(ConfigurationError, match="benefit='never': give 'auto', True or False"):
        tune(hard_for_both(100, 0), benefit="never", **HOW)
