"""Curves from scores to probabilities."""

import numpy as np
import pytest

from cascade_core.fitted.artefact import Isotonic, Platt
from cascade_core.fitted.curves import logit, make_curve, sigmoid


def test_logits_and_probabilities_are_each_others_inverse():
    shares = np.array([0.01, 0.25, 0.5, 0.9])
    assert logit(shares) == pytest.approx(np.log(shares / (1 - shares)))
    assert sigmoid(logit(shares)) == pytest.approx(shares)


def test_no_score_has_an_infinite_logit_and_no_logit_a_certain_probability():
    ends = logit(np.array([0.0, 1.0]))
    assert ends.tolist() == pytest.approx([np.log(1e-6), -np.log(1e-6)], rel=1e-6)
    assert sigmoid(np.array([-1e9, 1e9])) == pytest.approx([np.exp(-30), 1.0])
    assert 0 < sigmoid(np.array([-1e9]))[0] < sigmoid(np.array([1e9]))[0] < 1


def test_a_platt_curve_is_a_line_on_the_logit():
    scores = np.array([0.2, 0.7])
    seen = make_curve(Platt(slope=2.0, intercept=-0.5))(scores)
    assert logit(seen) == pytest.approx(2.0 * logit(scores) - 0.5)


def test_an_isotonic_curve_is_straight_between_its_points_and_level_beyond():
    curve = make_curve(Isotonic(x=(0.2, 0.6), y=(0.1, 0.9)))
    assert curve(np.array([0.0, 0.2, 0.4, 0.6, 1.0])) == pytest.approx([0.1, 0.1, 0.5, 0.9, 0.9])
    assert make_curve(Isotonic(x=(0.5,), y=(0.3,)))(np.array([0.0, 1.0])).tolist() == [0.3, 0.3]


def test_no_curve_leaves_scores_as_they_are_and_makes_no_second_name_for_them():
    scores = np.array([0.2, 0.7])
    seen = make_curve(None)(scores)
    seen[0] = 1.0
    assert scores.tolist() == [0.2, 0.7]


def test_a_reading_that_is_missing_stays_missing():
    for curve in (Platt(slope=1.0, intercept=0.0), Isotonic(x=(0.5,), y=(0.5,)), None):
        assert np.isnan(make_curve(curve)(np.array([np.nan]))).all()
