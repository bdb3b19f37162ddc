"""Ranking and truth of a confidence, by hand and against scikit-learn."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation import auroc, risk_coverage
from cascade_core.statistics.metrics import judged

SEEDS = st.integers(0, 10_000)


def rows(seed, n=60, *, fractions=False):
    random = np.random.default_rng(seed)
    confidence = random.integers(0, 15, n) / 15
    target = random.random(n) if fractions else (random.random(n) < confidence).astype(float)
    target[:2] = 0, 1
    return confidence, target, random.random(n)


@given(SEEDS)
def test_figures_are_those_of_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    confidence, target, weight = rows(seed)
    assert auroc(confidence, target, weight) == pytest.approx(
        metrics.roc_auc_score(target, confidence, sample_weight=weight)
    )


@given(SEEDS)
def test_a_fraction_counts_as_a_good_and_a_bad_row_of_its_parts(seed):
    confidence, target, weight = rows(seed, fractions=True)
    twice = np.tile(confidence, 2), np.repeat([1.0, 0.0], len(target))
    parts = np.concatenate([weight * target, weight * (1 - target)])
    assert auroc(confidence, target, weight) == pytest.approx(auroc(*twice, parts))


def test_auroc_counts_pairs_and_half_of_ties():
    assert auroc([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0]) == pytest.approx(3.5 / 4)
    assert auroc([0.2, 0.2], [1, 0]) == 0.5


def test_auroc_is_not_a_number_where_all_drafts_are_alike():
    assert isnan(auroc([0.1, 0.2], [1, 1]))
    assert isnan(auroc([], []))


def test_a_row_without_a_confidence_ranks_last():
    assert auroc([0.5, np.nan], [1, 0]) == 1
    assert auroc([0.5, np.nan], [0, 1]) == 0
    assert risk_coverage([0.5, np.nan], [1, 0]).risk.tolist() == [0, 0.5]


def test_risk_coverage_accepts_equal_confidences_together():
    curve = risk_coverage([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0])
    assert curve.coverage.tolist() == [0.25, 0.75, 1]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 0.5])


def test_weights_count_in_what_is_accepted_and_what_of_it_is_wrong():
    curve = risk_coverage([0.9, 0.5, 0.1], [1, 0, 1], [1, 2, 5])
    assert curve.coverage.tolist() == [0.125, 0.375, 1]
    assert curve.risk.tolist() == pytest.approx([0, 2 / 3, 0.25])


def test_rows_without_weight_accept_nothing():
    curve = risk_coverage([0.9, 0.5], [0, 1], [0, 2])
    assert (curve.coverage.tolist(), curve.risk.tolist()) == ([1], [0])


def test_of_rows_with_a_confidence_and_a_weight_all_is_checked():
    said, true, weight = judged([0.0, np.nan, 1.0, 0.5], [0, 1, 1, 0], [1, 1, 2, 0])
    assert (said.tolist(), true.tolist(), weight.tolist()) == ([0.0, 1.0], [0.0, 1.0], [1.0, 2.0])
    assert judged([7.0, 0.5], [0, 1], [0, 1])[0].tolist() == [0.5]
    for wrong in ([0.5, 1.5], [-0.5, 0.5]):
        with pytest.raises(ConfigurationError) as caught:
            judged(wrong, [0, 1])
        assert str(caught.value) == (
            "confidence: a probability lies in [0, 1]; calibrate scores of another scale first"
        )


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (([[0.5]], [1]), "confidence: expected one number a row"),
        (([0.5], [1, 0]), "target: expected 1 numbers, one a row"),
        (([0.5], [1], [1, 2]), "weights: expected 1 numbers, one a row"),
    ],
)
def test_a_column_that_does_not_fit_is_named(columns, said):
    for figure in (auroc, risk_coverage, judged):
        with pytest.raises(ConfigurationError, match=f"^{said}"):
            figure(*columns)


def test_nothing_is_ranked_without_a_warning():
    with np.errstate(all="raise"):
        assert isnan(auroc([0.1, 0.2], [0, 0]))


@pytest.mark.parametrize("target", [[0, 2], [0, np.nan]])
def test_a_target_outside_zero_and_one_is_refused(target):
    with pytest.raises(ConfigurationError, match=r"target: .* row 1"):
        auroc([0.1, 0.2], target)
