"""Learned combiners: what scikit-learn fitted is what the plain numbers say."""

import json

import numpy as np
import pytest

from cascade_core.calibration import logistic
from cascade_core.calibration.crossfit import mean_of
from cascade_core.calibration.learn import (
    BUCKETS,
    Prepared,
    as_labels,
    learned_scores,
    prepare,
)
from cascade_core.calibration.logistic import PENALTIES, cross_logistic
from cascade_core.calibration.ridge import ridge_path
from cascade_core.calibration.trees import fit_boosting, fit_forest
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.curves import logit
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.scorer import Scorer

pytest.importorskip("sklearn")

NAMES = ("signal:a", "signal:b", "draft:words")


def made(n=800, seed=0, gaps=0.1):
    """Two signals, one telling and one less so, and a count that says nothing."""
    rng = np.random.default_rng(seed)
    good = rng.random(n)
    a = np.clip(good + rng.normal(0, 0.15, n), 0, 1)
    b = np.clip(good + rng.normal(0, 0.4, n), 0, 1)
    a[rng.random(n) < gaps] = np.nan
    values = np.array([a, b, rng.poisson(3, n)])
    return Prepared(NAMES, values), (rng.random(n) < good).astype(float)


def auroc(score, target):
    order = np.argsort(np.argsort(score))
    good = target > 0
    return (order[good].mean() - (good.sum() - 1) / 2) / (~good).sum()


def fit_logistic(prepared, target, weights=None):
    """The regression with the ridge that serves other rows best."""
    penalty = cross_logistic(prepared, target, weights, np.arange(len(target)) % 5).penalty
    return logistic.fit_logistic(prepared, target, weights, penalty=penalty)


def sent(score):
    """The score as it comes out of a policy's file."""
    plain = json.loads(Calibrator(score=score).model_dump_json())
    return Calibrator.model_validate(plain).score


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_boosted_trees_give_what_scikit_learn_predicts(monkeypatch, gaps):
    from sklearn.ensemble import HistGradientBoostingClassifier as Theirs

    kept = []
    fit = Theirs.fit
    monkeypatch.setattr(Theirs, "fit", lambda self, *a, **k: kept.append(fit(self, *a, **k)))
    prepared, target = made(gaps=gaps)
    score = sent(fit_boosting(prepared, target))
    fresh, _ = made(seed=1, gaps=0.3)
    theirs = kept[0].predict_proba(fresh.values.T)[:, 1]
    assert np.allclose(learned_scores(score, fresh), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_random_trees_order_as_scikit_learn_does(monkeypatch, gaps):
    from sklearn.ensemble import ExtraTreesClassifier as Theirs

    kept = []
    fit = Theirs.fit
    monkeypatch.setattr(Theirs, "fit", lambda self, *a, **k: kept.append(fit(self, *a, **k)))
    prepared, target = made(150, gaps=gaps)
    score = sent(fit_forest(prepared, target))
    fresh, _ = made(seed=1, gaps=gaps)
    # It reads single precision.
    fresh = Prepared(NAMES, fresh.values.astype(np.float32).astype(np.float64))
    theirs = kept[0].predict_proba(fresh.values.T)[:, 1]
    ours = np.log(learned_scores(score, fresh) / (1 - learned_scores(score, fresh)))
    assert np.allclose(ours, 4 * (theirs - 0.5), rtol=0, atol=1e-9)


def test_no_boosted_confidence_falls_when_a_reading_rises():
    prepared, target = made()
    score = fit_boosting(prepared, target)
    for other in (0.2, 0.8):
        grid = np.array([np.linspace(0, 1, 200), np.full(200, other), np.full(200, 3.0)])
        assert (np.diff(learned_scores(score, Prepared(NAMES, grid))) >= 0).all()


def test_logistic_gives_what_scikit_learn_predicts_with_that_penalty():
    from sklearn.linear_model import LogisticRegression

    prepared, target = made(gaps=0.0)
    score = sent(fit_logistic(prepared, target))
    values = prepared.values.T
    mean, spread = values.mean(axis=0), values.std(axis=0)
    ours = learned_scores(score, prepared)
    nearest = min(
        np.abs(
            LogisticRegression(C=c, tol=1e-8)
            .fit((values - mean) / spread, target)
            .predict_proba((values - mean) / spread)[:, 1]
            - ours
        ).max()
        for c in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    )
    assert nearest < 1e-3


def test_a_fold_is_scored_by_a_regression_on_the_others_at_one_of_the_strengths():
    prepared, target = made()
    fold = np.arange(len(target)) % 5
    crossed = cross_logistic(prepared, target, None, fold)
    for of in range(5):
        others, own = np.flatnonzero(fold != of), np.flatnonzero(fold == of)
        fits = [
            logistic.fit_logistic(prepared.take(others), target[others], penalty=c)
            for c in PENALTIES
        ]
        scores = [learned_scores(fit, prepared.take(own)) for fit in fits]
        assert min(np.abs(score - crossed.scores[own]).max() for score in scores) < 1e-9
    assert crossed.penalty in PENALTIES


def test_a_fold_whose_others_all_came_out_alike_gets_one_score():
    prepared, target = made(100)
    fold = np.zeros(100, dtype=int)
    fold[50:] = 1
    target[50:] = 1.0
    scores = cross_logistic(prepared, target, None, fold).scores
    assert (scores[:50] == scores[0]).all()
    assert scores[0] > 0.9
    assert len(set(scores[50:])) > 10


def test_a_path_of_ridges_is_what_scikit_learn_finds_for_each():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    design, weight = rng.normal(size=(300, 12)), rng.random(300) + 0.5
    target = np.round(1 / (1 + np.exp(-design[:, 0] - rng.normal(size=300))), 2)
    penalties = (0.001, 0.1, 10.0)
    rows, labels, mass = as_labels(target, weight)
    found = list(ridge_path(design, target, weight, penalties))
    for penalty, (coefficients, intercept) in zip(penalties, found, strict=True):
        theirs = LogisticRegression(C=penalty, tol=1e-10, max_iter=2000)
        theirs.fit(design[rows], labels, sample_weight=mass)
        assert np.allclose(coefficients, theirs.coef_[0], atol=1e-4)
        assert intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_a_path_of_ridges_takes_few_steps_for_each(monkeypatch):
    solved = []
    solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda a, b: solved.append(1) or solve(a, b))
    rng = np.random.default_rng(0)
    design, target = rng.normal(size=(500, 60)), (rng.random(500) < 0.7).astype(float)
    penalties = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    assert len(list(ridge_path(design, target, np.ones(500), penalties))) == len(penalties)
    assert len(solved) <= 8 * len(penalties)


def test_a_path_of_ridges_ends_where_the_classes_are_apart():
    design = np.linspace(-1, 1, 40)[:, None]
    target = (design[:, 0] > 0).astype(float)
    *_, (coefficients, intercept) = ridge_path(design, target, np.ones(40), (1.0, 1e6))
    assert np.isfinite(coefficients).all()
    assert ((design @ coefficients + intercept > 0) == (target > 0)).all()


def test_rows_of_unequal_weight_are_boosted_as_rows_that_stand_there_more_than_once():
    prepared, target = made(900, gaps=0.1)
    often = np.where(np.arange(900) % 3 == 0, 2, 1)
    rows = np.repeat(np.arange(900), often)
    weighted = fit_boosting(prepared, target, often.astype(float))
    repeated = fit_boosting(prepared.take(rows), target[rows])
    fresh, _ = made(seed=1, gaps=0.2)
    apart = np.abs(learned_scores(weighted, fresh) - learned_scores(repeated, fresh))
    assert apart.mean() < 0.05


def test_what_has_no_reading_counts_as_average_with_an_offset_of_its_own():
    rng = np.random.default_rng(0)
    a = rng.random(2000)
    target = (rng.random(2000) < a).astype(float)
    lost = rng.random(2000) < 0.3
    target[lost] = 0.0
    score = fit_logistic(Prepared(("signal:a",), np.where(lost, np.nan, a)[None]), target)
    assert score.fill[0] == pytest.approx(0.5, abs=0.02)
    assert score.missing[0] < -2
    assert float(learned_scores(score, Prepared(("signal:a",), np.array([[np.nan]])))[0]) < 0.1


def test_combining_beats_each_signal():
    prepared, target = made(3000, gaps=0.0)
    fresh, truth = made(3000, seed=5, gaps=0.0)
    for fit in (fit_logistic, fit_boosting):
        seen = auroc(learned_scores(fit(prepared, target), fresh), truth)
        assert seen > max(auroc(fresh.values[0], truth), auroc(fresh.values[1], truth))


def test_fifty_rows_with_twenty_useless_inputs_are_carried():
    rng = np.random.default_rng(0)
    names = ("signal:a", *(f"draft:x{k}" for k in range(20)))

    def draw(n):
        good = rng.random(n)
        values = np.vstack([np.clip(good + rng.normal(0, 0.15, n), 0, 1), rng.normal(size=(20, n))])
        return Prepared(names, values), (rng.random(n) < good).astype(float)

    fresh, truth = draw(2000)
    for fit in (fit_logistic, fit_forest):
        areas = [auroc(learned_scores(fit(*draw(50)), fresh), truth) for _ in range(5)]
        assert np.mean(areas) > 0.65


@pytest.mark.parametrize("fit", [fit_logistic, fit_boosting, fit_forest])
def test_fractions_and_weights_are_partly_either_label(fit):
    prepared, target = made(400, gaps=0.0)
    share = 0.25 + 0.5 * target
    rows, labels, mass = as_labels(share, np.ones(400))
    assert np.allclose(np.bincount(rows[labels == 1], mass[labels == 1]), share)
    assert np.allclose(np.bincount(rows, mass), 1.0)
    graded, plain = (learned_scores(fit(prepared, of), prepared) for of in (share, target))
    assert np.std(graded) < np.std(plain)
    assert np.corrcoef(graded, plain)[0, 1] > 0.8


@pytest.mark.parametrize("fit", [fit_logistic, fit_boosting, fit_forest])
def test_rows_of_no_weight_do_not_count(fit):
    prepared, target = made(400, gaps=0.0)
    spoiled = target.copy()
    spoiled[:200] = 1 - spoiled[:200]
    weight = np.repeat([1e-9, 1.0], 200)
    seen = learned_scores(fit(prepared, spoiled, weight), prepared)
    assert auroc(seen[200:], target[200:]) > 0.7


@pytest.mark.parametrize("text", ["request", "draft"])
def test_the_words_of_a_text_are_learned_without_being_kept(text):
    rng = np.random.default_rng(0)
    easy = rng.random(600) < 0.5
    said = [f"reset password {k}" if e else f"dispute zanzibar {k}" for k, e in enumerate(easy)]
    other = ["the same"] * 600
    texts = (said, other) if text == "request" else (other, said)
    target = np.where(rng.random(600) < 0.9, easy, ~easy).astype(float)
    inputs = Inputs(600, {}, *texts)
    prepared = prepare((), inputs, np.arange(600), (text,))
    score = fit_logistic(prepared, target)
    assert "zanzibar" not in score.model_dump_json()
    kept = {"request": score.words, "draft": score.draft_words}
    assert kept.pop(text).buckets == BUCKETS
    assert set(kept.values()) == {None}
    scorer = Scorer(Calibrator(score=score))
    assert getattr(scorer.calibrator, f"reads_{text}")
    for words, low, high in (("reset my password", 0.65, 1), ("a dispute zanzibar", 0, 0.35)):
        given = ("", words) if text == "draft" else (words, "")
        assert low < scorer.one({}, *given) < high
    seen = scorer.rows(inputs)
    assert np.allclose(seen, learned_scores(score, prepared), rtol=0, atol=1e-12)


def test_words_are_read_in_languages_without_spaces_too():
    rng = np.random.default_rng(0)
    easy = rng.random(600) < 0.5
    drafts = ["答案是四十二。" if e else "我不知道。" for e in easy]
    prepared = prepare((), Inputs(600, {}, [""] * 600, drafts), np.arange(600), ("draft",))
    scorer = Scorer(Calibrator(score=fit_logistic(prepared, easy.astype(float))))
    assert scorer.one({}, "", "答案是四十二。") > 0.8
    assert scorer.one({}, "", "我不知道。") < 0.2


def test_a_mean_of_scores_is_the_mean_of_their_logits():
    prepared, target = made(400)
    parts = fit_logistic(prepared, target), fit_boosting(prepared, target)
    both = mean_of(parts)
    logits = [logit(learned_scores(part, prepared)) for part in parts]
    assert np.allclose(logit(learned_scores(both, prepared)), np.mean(logits, axis=0))
    assert sent(both) == both


def test_an_input_that_never_changes_weighs_nothing():
    prepared, target = made(300, gaps=0.0)
    still = Prepared(("signal:a", "draft:words"), np.array([prepared.values[0], np.full(300, 2.0)]))
    assert fit_logistic(still, target).weights[1] == 0
    never = Prepared(("signal:a", "signal:b"), np.array([prepared.values[0], np.full(300, np.nan)]))
    assert fit_logistic(never, target).weights[1] == 0
    for fit in (fit_boosting, fit_forest):
        assert 1 not in fit(never, target).feature
