"""Fitting one tier: honest confidences, and no more trust in the rows than they carry."""

import json
import sys

import numpy as np
import pytest

from cascade_core.calibration import fit_calibrator, scores
from cascade_core.calibration.fit import CLASS_ROWS
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scoring import inputs_of
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.score_forms import Boosting, Logistic, Mean, SignalScore
from cascade_core.fitted.scorer import Scorer
from cascade_core.labels import Table, TierColumns

pytest.importorskip("sklearn")


def table_of(quality, signals, **more):
    n = len(quality)
    responses = more.pop("responses", None)
    return Table(
        source="labels.csv",
        tiers=(
            TierColumns(quality=quality, cost=np.ones(n), signals=signals, responses=responses),
            TierColumns(quality=np.ones(n), cost=np.full(n, 9.0)),
        ),
        **more,
    )


def drawn(n=600, seed=0, power=2.0):
    """One telling signal, one that is noise; and how likely each draft really is good."""
    rng = np.random.default_rng(seed)
    a = rng.random(n)
    truth = a**power
    quality = (rng.random(n) < truth).astype(float)
    return truth, table_of(quality, {"a": a, "noise": rng.random(n)})


def ece(confidence, target, bins=10):
    parts = np.array_split(np.argsort(confidence), bins)
    return sum(abs(confidence[p].sum() - target[p].sum()) for p in parts) / len(target)


def test_a_single_telling_signal_is_enough():
    _, table = drawn()
    fitted = fit_calibrator(table, 0)
    assert fitted.calibrator.score == SignalScore(signal="a")
    assert "a, " in fitted.choice
    assert "log loss" in fitted.choice
    assert "\n" not in fitted.choice


@pytest.mark.simulation
@pytest.mark.parametrize("method", ["auto", "signal", "logistic", "boosting"])
def test_confidences_out_of_fold_are_calibrated(method):
    errors, floors = [], []
    for seed in range(2):
        _, table = drawn(1000, seed)
        confidence = fit_calibrator(table, 0, method=method, seed=seed).confidence
        rng = np.random.default_rng(seed)
        errors.append(ece(confidence, table.tiers[0].quality))
        drawn_anew = ((rng.random(1000) < confidence).astype(float) for _ in range(20))
        floors.append(np.mean([ece(confidence, target) for target in drawn_anew]))
    assert np.mean(errors) < np.mean(floors) + 0.01


@pytest.mark.simulation
@pytest.mark.parametrize("method", ["signal", "logistic", "boosting"])
def test_outcomes_that_nothing_predicts_are_not_predicted(method):
    """A fit that had seen the rows it judges would do better than the base rate."""
    rng = np.random.default_rng(0)
    quality = (rng.random(500) < 0.5).astype(float)
    table = table_of(quality, {str(k): rng.random(500) for k in range(8)})
    for curve in ("platt", "isotonic"):
        losses = fit_calibrator(table, 0, method=method, curve=curve).losses
        assert min(losses.values()) > np.log(2) - 0.01


def test_rows_that_belong_together_are_not_used_for_each_other():
    """Each group's outcome is a coin's; only its own rows could give it away."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 10)
    quality = (rng.random(60) < 0.5).astype(float)[groups]
    requests = [f"What is {7 ** (code % 9)} and {code}?" for code in groups]
    split = fit_calibrator(table_of(quality, {}, requests=requests), 0, method="boosting")
    grouped = table_of(quality, {}, requests=requests, groups=groups)
    whole = fit_calibrator(grouped, 0, method="boosting")
    assert min(split.losses.values()) < 0.6
    assert min(whole.losses.values()) > 0.65


def test_signals_that_say_more_together_are_combined():
    rng = np.random.default_rng(0)
    good = rng.random(2000)
    signals = {k: np.clip(good + rng.normal(0, 0.3, 2000), 0, 1) for k in "abc"}
    fitted = fit_calibrator(table_of((rng.random(2000) < good).astype(float), signals), 0)
    assert isinstance(fitted.calibrator.score, Logistic | Boosting)
    assert set(fitted.calibrator.signals) == set("abc")


def test_what_only_trees_can_tell_is_left_to_trees():
    rng = np.random.default_rng(0)
    a, b = rng.random(3000), rng.random(3000)
    quality = (rng.random(3000) < np.where((a > 0.5) & (b > 0.5), 0.95, 0.3)).astype(float)
    fitted = fit_calibrator(table_of(quality, {"a": a, "b": b}), 0)
    assert isinstance(fitted.calibrator.score, Boosting)


def test_of_learned_scores_the_mean_is_taken_and_a_part_only_where_it_is_clearly_better():
    rng = np.random.default_rng(1)
    a, b = rng.random((2, 600))
    chance = 0.1 + 0.5 * a + 0.3 * (a > 0.4) * (b > 0.5)
    quality = (rng.random(600) < chance).astype(float)
    fitted = fit_calibrator(table_of(quality, {"a": a, "b": b}), 0, curve="platt")
    assert isinstance(fitted.calibrator.score, Mean)
    assert fitted.choice.startswith("mean of logistic and boosting on signals, platt")
    assert len(fitted.losses) == 5, "what it is of was tried too, and is told"


def test_texts_are_read_where_there_is_no_signal():
    rng = np.random.default_rng(0)
    sure = rng.random(300) < 0.5
    drafts = [
        "It is 4." if s else "Maybe it is 4, but I guess it could perhaps be 5?" for s in sure
    ]
    quality = (rng.random(300) < np.where(sure, 0.9, 0.2)).astype(float)
    table = table_of(quality, {}, requests=["What is 2 + 2?"] * 300, responses=drafts)
    fitted = fit_calibrator(table, 0)
    scorer = Scorer(fitted.calibrator)
    assert fitted.calibrator.reads_draft
    assert scorer.one({}, "What is 2 + 2?", "It is 4.") > 0.75
    assert scorer.one({}, "What is 2 + 2?", drafts[int(np.argmin(sure))]) < 0.4
    request = fit_calibrator(table, 0, texts=("request",), method="logistic")
    assert not request.calibrator.reads_draft


@pytest.mark.parametrize("n", [20, 60])
def test_a_few_rows_give_a_modest_calibrator(n):
    worst = 0.0
    truth, test = drawn(2000, 99, power=1.0)
    for seed in range(3):
        _, table = drawn(n, seed, power=1.0)
        fitted = fit_calibrator(table, 0, seed=seed)
        seen = Scorer(fitted.calibrator).rows(inputs_of(test, 0))
        worst = max(worst, float(np.abs(seen - truth).mean()))
    assert worst < 0.2


def test_what_ships_gives_about_what_was_seen_out_of_fold():
    _, table = drawn(1500)
    for method in ("signal", "logistic"):
        fitted = fit_calibrator(table, 0, method=method)
        sent = Calibrator.model_validate(json.loads(fitted.calibrator.model_dump_json()))
        seen = Scorer(sent).rows(inputs_of(table, 0))
        assert np.abs(seen - fitted.confidence).mean() < 0.03
        assert (seen != fitted.confidence).any()


def test_rows_without_an_outcome_are_scored_and_those_without_a_reading_are_not():
    _, table = drawn(300)
    table.tiers[0].quality[:20] = np.nan
    table.tiers[0].signals["a"][10:30] = np.nan
    fitted = fit_calibrator(table, 0, signals=["a"])
    assert np.isfinite(fitted.confidence[:10]).all()
    assert np.isnan(fitted.confidence[10:30]).all()
    assert np.isfinite(fitted.confidence[30:]).all()
    assert fitted.confidence[:10] == pytest.approx(
        Scorer(fitted.calibrator).rows(inputs_of(table, 0))[:10]
    )


def test_a_class_gets_a_curve_of_its_own_where_that_helps():
    rng = np.random.default_rng(0)
    n = 3 * CLASS_ROWS
    classes = np.repeat([0, 1, 2], CLASS_ROWS)
    a = rng.random(n)
    truth = np.where(classes == 2, 0.2 * a, np.clip(a, 0.05, 0.95))
    table = table_of(
        (rng.random(n) < truth).astype(float), {"a": a},
        classes=classes, class_names=("one", "other", "hard"),
    )  # fmt: skip
    fitted = fit_calibrator(table, 0, method="signal")
    assert "hard" in fitted.calibrator.class_curves
    assert "own curves for" in fitted.choice
    assert np.abs(fitted.confidence - truth)[classes == 2].mean() < 0.06
    few = fit_calibrator(table.take(np.arange(0, n, 2)), 0, method="signal")
    assert not few.calibrator.class_curves


def test_another_target_can_be_predicted():
    _, table = drawn()
    fitted = fit_calibrator(table, 0, method="signal", target=1 - table.tiers[0].signals["noise"])
    assert fitted.confidence.mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
@pytest.mark.parametrize("method", ["auto", "signal", "logistic", "boosting"])
def test_outcomes_that_are_all_alike_are_no_error(outcome, method):
    _, table = drawn(60)
    table.tiers[0].quality[:] = outcome
    fitted = fit_calibrator(table, 0, method=method)
    assert np.abs(fitted.confidence - outcome).max() < 0.1
    assert "every outcome is the same" in fitted.choice


@pytest.mark.parametrize("seed", range(5))
def test_a_signal_that_was_never_read_is_not_chosen(seed):
    _, table = drawn(100, seed)
    table.tiers[0].signals["never"] = np.full(100, np.nan)
    assert "never" not in fit_calibrator(table, 0, method="signal").choice


def test_a_method_that_there_is_not_is_named_with_those_there_are():
    _, table = drawn(60)
    with pytest.raises(ConfigurationError, match=r"method='isotonic': choose one of 'auto', 'sig"):
        fit_calibrator(table, 0, method="isotonic")


def test_what_thresholds_meet_is_spread_as_the_calibrator_spreads_fresh_rows():
    for method in ("signal", "logistic"):
        _, table = drawn(100)
        _, fresh = drawn(4000, seed=1)
        fitted = fit_calibrator(table, 0, method=method)
        confidence = Scorer(fitted.calibrator).rows(inputs_of(fresh, 0))
        if method == "signal":
            own = Scorer(fitted.calibrator).rows(inputs_of(table, 0))
            assert np.array_equal(fitted.placed, own)
        grid = np.linspace(0.1, 0.9, 9)
        apart = (fitted.placed[:, None] < grid).mean(axis=0) - (confidence[:, None] < grid).mean(
            axis=0
        )
        assert np.abs(apart).max() < 0.16  # what 100 rows may be off by chance


def test_the_seed_settles_the_fit():
    _, table = drawn(300)
    one, two = (fit_calibrator(table, 0, method="boosting", seed=7) for _ in range(2))
    assert one.calibrator == two.calibrator
    assert (one.confidence == two.confidence).all()


def test_what_cannot_be_fitted_is_said():
    _, table = drawn(50)
    with pytest.raises(ConfigurationError, match=r"labels.csv has no signal 'b' .* a, noise"):
        fit_calibrator(table, 0, signals=["b"])
    with pytest.raises(ConfigurationError, match="nothing to read"):
        fit_calibrator(table, 0, signals=[])
    with pytest.raises(ConfigurationError, match="at least two"):
        fit_calibrator(table.take([0]), 0)
    with pytest.raises(ConfigurationError, match=r"labels.csv: nothing .* tier 0.* t0_signal_NAME"):
        fit_calibrator(table, 0, signals=[], method="signal")
    table.tiers[0].signals["a"][:] = np.nan
    with pytest.raises(ConfigurationError, match=r"no row .* has a reading in t0_signal_a"):
        fit_calibrator(table, 0, signals=["a"], method="signal")
    table.tiers[0].quality[1:] = np.nan
    with pytest.raises(ConfigurationError, match="1 rows with an outcome"):
        fit_calibrator(table, 0)


def test_a_signal_with_a_reading_in_one_row_only_is_no_error():
    _, table = drawn(50)
    table.tiers[0].signals["noise"][1:] = np.nan
    assert fit_calibrator(table, 0).calibrator.signals == ("a",)
    assert np.isfinite(fit_calibrator(table, 0, signals=["noise"]).confidence[0])


def test_without_scikit_learn_single_signals_are_fitted(monkeypatch):
    monkeypatch.setattr(scores, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    _, table = drawn()
    fitted = fit_calibrator(table, 0)
    assert fitted.calibrator.signals == ("a",)
    assert "scikit-learn is not installed" in fitted.choice
    for method in ("logistic", "boosting"):
        with pytest.raises(ModuleNotFoundError, match="model-cascade\\[calibrate\\]"):
            fit_calibrator(table, 0, method=method)
    texts = table_of(table.tiers[0].quality, {}, requests=["?"] * 600)
    with pytest.raises(ModuleNotFoundError, match="scikit-learn"):
        fit_calibrator(texts, 0)


@pytest.mark.simulation
def test_a_large_table_is_learned_from_a_sample_and_calibrated_on_all(monkeypatch):
    from cascade_core.calibration import crossfit

    monkeypatch.setattr(crossfit, "POOL", 1000)
    truth, table = drawn(8_000)
    for method in ("signal", "logistic"):
        fitted = fit_calibrator(table, 0, method=method)
        assert np.abs(fitted.confidence - truth).mean() < 0.03
        assert "on 1,000 rows" in fitted.choice


@pytest.mark.simulation
def test_hundreds_of_thousands_of_rows_of_one_signal_are_fitted():
    _, table = drawn(200_000)
    assert fit_calibrator(table, 0, signals=["a"]).calibrator.signals == ("a",)
