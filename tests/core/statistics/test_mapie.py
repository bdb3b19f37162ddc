"""The same promises as MAPIE 1.6 makes, where it makes them."""

import numpy as np
import pytest

from cascade_core.statistics.fixed_sequence import certify_sweep
from cascade_core.statistics.pvalues import binomial_p, bounded_mean_p

control = pytest.importorskip("mapie.risk_control")
methods = pytest.importorskip("mapie.risk_control.methods")


def rows(seed, n=1000):
    """Scores on a grid that floats hold exactly, so that no threshold falls between readings."""
    rng = np.random.default_rng(seed)
    confidence = np.floor(rng.beta(4, 1, n) * 64) / 64
    return confidence, (rng.random(n) > confidence) * 1


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("n", [100, 1000])
def test_the_exact_value_is_mapies_bentkus_term_and_never_above_hoeffdings(n, limit):
    from scipy.stats import binom

    for harmed in range(0, int(n * limit) + 1, max(1, int(n * limit) // 4)):
        ours = binomial_p(harmed, n, limit)
        mapies = methods.compute_hoeffding_bentkus_p_value(
            np.array([harmed / n]), n, limit, binary=True
        )[0, 0]
        assert ours == pytest.approx(binom.cdf(harmed, n, limit), rel=1e-9)
        # MAPIE rounds n · (harmed / n) up, and so may count one harmed row more
        assert ours <= mapies * (1 + 1e-9)
        assert mapies <= binomial_p(min(n, harmed + 1), n, limit) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("limit", [0.02, 0.05])
def test_the_sweep_ends_where_mapies_fixed_sequence_ends(seed, limit):
    confidence, harm = rows(seed)
    harmful_accept = control.BinaryRisk(
        risk_occurrence=lambda harmed, accepted: (accepted == 1) & (harmed == 1),
        risk_condition=lambda harmed, accepted: np.repeat(True, len(harmed)),
        higher_is_better=False,
    )
    grid = np.arange(64) / 64
    controller = control.BinaryClassificationController(
        predict_function=lambda score: np.column_stack([1 - score[:, 0], score[:, 0]]),
        risk=harmful_accept,
        target_level=limit,
        confidence_level=0.95,
        best_predict_param_choice=harmful_accept,
        list_predict_params=grid,
        fwer_method="fixed_sequence",
    )
    controller.calibrate(confidence[:, None], harm)
    lowest = min(controller.valid_predict_params)
    found = certify_sweep(confidence, harm.astype(float), limit=limit, delta=0.05)
    ours, theirs = confidence >= found.threshold, confidence >= lowest
    # the one harmed row that MAPIE may count too many can cost it one step, never gain it one
    assert ours.sum() >= theirs.sum()
    harmed = [int((harm * accepted).sum()) for accepted in (ours, theirs)]
    assert np.array_equal(ours, theirs) or binomial_p(harmed[0] + 1, 1000, limit) > 0.05


@pytest.mark.parametrize("mean", [0.003, 0.005, 0.006])
def test_betting_is_tighter_than_hoeffding_bentkus_on_graded_losses(mean):
    rng = np.random.default_rng(0)
    losses = (rng.random(2000) < mean / 0.3) * rng.uniform(0.2, 0.4, 2000)
    theirs = methods.compute_hoeffding_bentkus_p_value(np.array([losses.mean()]), 2000, 0.01)[0, 0]
    assert bounded_mean_p(losses, 0.01) <= theirs
