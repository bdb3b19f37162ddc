"""Which scores are worth trying on so many rows, and of what they are told apart."""

import numpy as np
import pytest

from cascade_core.calibration.scores import candidates
from cascade_core.fitted.inputs import Inputs

pytest.importorskip("sklearn")


def tried(signals, *, fine, texts=True, rows=400):
    said = [f"text {k}" for k in range(rows)] if texts else None
    inputs = Inputs(rows, signals, said, said)
    target = np.arange(rows) % 3 / 2
    return candidates(inputs, tuple(signals), ("request", "draft"), target, "auto", fine=fine)


def agreements(rows=400):
    rng = np.random.default_rng(0)
    return {name: (rng.random(rows) < 0.7).astype(float) for name in ("one", "other")}


def test_where_drafts_must_be_told_apart_a_combination_of_few_readings_does_not_stand_alone():
    coarse = {
        "logistic on signals",
        "boosting on signals",
        "mean of logistic and boosting on signals",
    }
    loose = {c.label for c in tried(agreements(), fine=False)}
    assert {"one", "other", *coarse} < loose
    assert {c.label for c in tried(agreements(), fine=True)} == loose - coarse - {"one", "other"}


def test_a_combination_with_one_fine_signal_is_fine():
    signals = agreements() | {"logprob": np.linspace(0, 1, 400)}
    fine = {c.label for c in tried(signals, fine=True)}
    assert "logistic on signals" in fine
    assert "logprob" in fine
    assert "one" not in fine


def test_coarse_combinations_stay_where_there_is_nothing_finer():
    assert "logistic on signals" in {c.label for c in tried(agreements(), fine=True, texts=False)}


def test_readings_that_are_missing_tell_nothing_apart():
    signals = agreements()
    signals["one"][:200] = np.nan
    assert "logistic on signals" not in {c.label for c in tried(signals, fine=True)}


def test_a_mean_is_tried_from_as_many_rows_as_trees_and_has_the_words_of_both_texts():
    assert not [c for c in tried(agreements(), fine=False, rows=299) if c.parts]
    (signals, texts) = [c for c in tried(agreements(), fine=False) if c.parts]
    assert (signals.words, texts.words) == ((), ("request", "draft"))
    assert [part.kind for part in texts.parts] == ["forest", "logistic", "boosting"]
