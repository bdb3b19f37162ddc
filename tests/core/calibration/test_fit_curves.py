"""Fitted curves, against scikit-learn's and against what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.calibration.fit_curves import MOST_BINS, Binned
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.curves import logit, make_curve, sigmoid

unit = st.floats(0, 1)
rows = st.lists(st.tuples(unit, unit, st.floats(0.1, 5)), min_size=1, max_size=60)


def fit_platt(score, target, weights=None):
    return Binned(score, target, weights).platt()


def fit_isotonic(score, target, weights=None):
    return Binned(score, target, weights).isotonic()


def noisy(n=4000, seed=0, slope=2.0, shift=-0.5):
    rng = np.random.default_rng(seed)
    score = rng.beta(2, 1, n)
    good = rng.random(n) < sigmoid(slope * logit(score) + shift)
    return score, good.astype(float)


@given(rows)
def test_no_fitted_curve_falls_or_leaves_the_open_interval(rows):
    score, target, weight = np.array(rows).T
    grid = np.linspace(0, 1, 301)
    for fit in (fit_platt, fit_isotonic):
        seen = make_curve(fit(score, target, weight))(grid)
        assert (np.diff(seen) >= -1e-12).all()
        assert ((seen > 0) & (seen < 1)).all()


@given(rows)
def test_an_isotonic_curve_keeps_the_order_of_any_two_scores(rows):
    score, target, weight = np.array(rows).T
    curve = make_curve(fit_isotonic(score, target, weight))
    apart = np.linspace(0, 1, 101)
    assert (np.diff(curve(apart)) > 0).all()


def test_the_blocks_are_those_of_scikit_learn():
    isotonic = pytest.importorskip("sklearn.isotonic")
    score, target = noisy(800)
    weight = np.random.default_rng(1).random(800) + 0.5
    theirs = isotonic.IsotonicRegression(increasing=True).fit(score, target, weight).predict(score)
    size = weight.sum() ** 2 / (weight**2).sum()
    curve = fit_isotonic(score, target, weight)
    levels = np.unique(theirs)
    # The ends are smoothed and have points beyond them.
    assert len(curve.x) == len(levels) + 2
    assert np.allclose(curve.y[2:-2], levels[1:-1])
    for x, level in zip(curve.x[2:-2], levels[1:-1], strict=True):
        block = theirs == level
        assert x == pytest.approx(np.average(score[block], weights=weight[block]))
    last = theirs == levels[-1]
    mass = weight[last].sum() * size / weight.sum()
    assert curve.y[-2] == pytest.approx((mass * levels[-1] + 0.5) / (mass + 1))


def test_platt_finds_the_curve_the_outcomes_were_drawn_from():
    curve = fit_platt(*noisy(100_000))
    assert curve.slope == pytest.approx(2.0, abs=0.05)
    assert curve.intercept == pytest.approx(-0.5, abs=0.05)


def test_platt_is_the_logistic_regression_of_scikit_learn_on_platts_targets():
    linear = pytest.importorskip("sklearn.linear_model")
    score, target = noisy(300)
    weight = np.random.default_rng(2).random(300) + 0.5
    curve = fit_platt(score, target, weight)
    mass = weight * weight.sum() / (weight**2).sum()
    good, bad = (mass * target).sum(), (mass * (1 - target)).sum()
    smooth = np.where(target == 1, (good + 1) / (good + 2), 1 / (bad + 2))
    model = linear.LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(
        np.tile(logit(score), 2)[:, None],
        np.repeat([1, 0], 300),
        np.concatenate([mass * smooth, mass * (1 - smooth)]),
    )
    assert curve.slope == pytest.approx(model.coef_[0, 0], rel=1e-4)
    assert curve.intercept == pytest.approx(model.intercept_[0], rel=1e-3, abs=1e-4)


def test_perfect_separation_of_few_rows_gives_a_finite_modest_curve():
    score = np.concatenate([np.full(25, 0.4), np.full(25, 0.6)])
    target = np.repeat([0.0, 1.0], 25)
    curve = make_curve(fit_platt(score, target))
    low, high = curve(np.array([0.4, 0.6]))
    assert low == pytest.approx(1 / 27, abs=1e-6)
    assert high == pytest.approx(26 / 27, abs=1e-6)


def test_a_score_that_points_the_wrong_way_gives_the_base_rate():
    score, target = noisy()
    curve = fit_platt(1 - score, target)
    assert curve.slope == 0
    assert float(make_curve(curve)(np.array([0.3]))[0]) == pytest.approx(target.mean(), abs=0.001)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_outcomes_that_are_all_alike_give_a_confidence_short_of_certainty(fit, outcome):
    score = np.linspace(0, 1, 50)
    seen = make_curve(fit(score, np.full(50, outcome)))(score)
    assert np.abs(seen - outcome).max() < 0.05
    assert ((seen > 0) & (seen < 1)).all()


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_fractions_count_as_that_share_of_either_outcome(fit):
    score, _ = noisy(500)
    share = np.round(score**2, 2)
    both = fit(np.tile(score, 2), np.repeat([1.0, 0.0], 500), np.concatenate([share, 1 - share]))
    one = fit(score, share)
    grid = np.linspace(0.1, 0.95, 30)
    assert np.allclose(make_curve(one)(grid), make_curve(both)(grid), atol=0.01)


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_a_weight_counts_like_repetition_up_to_the_size_of_the_sample(fit):
    score, target = noisy(2000)
    times = np.random.default_rng(5).integers(1, 3, 2000)
    weighted = make_curve(fit(score, target, times.astype(float)))
    repeated = make_curve(fit(np.repeat(score, times), np.repeat(target, times)))
    grid = np.linspace(0.05, 0.95, 50)
    assert np.allclose(weighted(grid), repeated(grid), atol=0.01)


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_the_unit_of_the_weights_does_not_matter_and_rows_without_reading_are_left_out(fit):
    score, target = noisy(200)
    plain = fit(score, target)
    light = fit(score, target, np.full(200, 1e-6))
    assert np.allclose(make_curve(light)(score), make_curve(plain)(score))
    gaps = fit(np.append(score, np.nan), np.append(target, 1.0))
    assert gaps == plain


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_all_folds_but_one_give_what_a_fit_without_it_gives(kind):
    score, target = noisy(600)
    fold = np.arange(600) % 3
    part = Binned(score, target, None, fold).fit(kind, without=1)
    fit = fit_platt if kind == "platt" else fit_isotonic
    whole = fit(score[fold != 1], target[fold != 1])
    grid = np.linspace(0, 1, 50)
    assert np.allclose(make_curve(part)(grid), make_curve(whole)(grid), atol=1e-6)


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_nothing_to_fit_to_is_said(fit):
    with pytest.raises(ConfigurationError, match="both a reading and an outcome"):
        fit(np.array([np.nan]), np.array([1.0]))


def test_large_samples_are_binned_without_losing_the_curve():
    score, target = noisy(20 * MOST_BINS)
    truth = sigmoid(2.0 * logit(score) - 0.5)
    for fit in (fit_platt, fit_isotonic):
        assert np.abs(make_curve(fit(score, target))(score) - truth).mean() < 0.01


@pytest.mark.simulation
@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_a_million_rows_give_one_curve(fit):
    score, target = noisy(1_000_000)
    truth = sigmoid(2.0 * logit(score) - 0.5)
    assert np.abs(make_curve(fit(score, target))(score) - truth).mean() < 0.01
