"""Where sliders can stop, and what a form says of them."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.review.positions import (
    Positions,
    nearest_stop,
    plain_between,
    positions_in,
    stops,
)

START = Positions((0.5, 0.6), {"refund": (0.7, 0.8)})


def test_each_step_moves_about_as_many_drafts_however_they_bunch() -> None:
    confidence = 1 - 10.0 ** -np.random.default_rng(0).uniform(0.3, 6, 5000)
    found = np.array(stops(confidence))
    kept = np.array([np.mean(confidence >= stop) for stop in found])
    assert found[0] == 0
    assert found[-1] == 1
    assert kept[0] == 1
    assert kept[-1] == 0
    assert np.abs(np.diff(kept)).max() <= 0.02
    assert len(found) <= 105


def test_a_stop_accepts_what_the_confidence_above_it_would() -> None:
    confidence = np.array([0.2, 0.2, 0.5, 0.93, 0.9312, 0.99999, np.nan])
    for stop in stops(confidence)[1:-1]:
        assert not np.isin(stop, confidence) or stop in {0.5, 0.93}
    accepted = {int(np.count_nonzero(confidence >= stop)) for stop in stops(confidence)}
    assert accepted == {6, 4, 3, 2, 1, 0}


@pytest.mark.parametrize("confidence", [[], [0.4], [1.0], [0.9] * 50, [np.nan, np.nan]])
def test_few_confidences_have_stops_too(confidence: list[float]) -> None:
    found = stops(np.array(confidence, dtype=float), 0.9)
    assert found == sorted(set(found))
    assert {0.0, 0.9, 1.0} <= set(found)


def test_thresholds_have_as_few_digits_as_tell_confidences_apart() -> None:
    assert plain_between(0.899, 0.9004) == 0.9
    assert plain_between(0.99991, 0.99994) == 0.99992
    assert plain_between(0.0, 0.3) == 0.1
    low = np.nextafter(0.5, 0)
    assert low < plain_between(low, 0.5) <= 0.5
    assert nearest_stop([0, 0.4, 1], 0.6) == 1


def test_a_form_that_says_nothing_changes_nothing() -> None:
    assert positions_in({}, START) == START
    assert positions_in({"since": "7d", "target": "0.1"}, START) == START


def test_a_form_says_all_thresholds_and_which_classes_have_their_own() -> None:
    found = positions_in({"t0": "0.1", "t1": "0,2", "t0.new": "1", "t1.new": ""}, START)
    assert found.others == (0.1, 0.2)
    assert found.own == {"new": (1.0, 0.2)}
    assert positions_in({"add": "new"}, START).own == {**START.own, "new": START.others}
    assert positions_in({"t0": "0.1", "add": "refund"}, START).own == {"refund": (0.1, 0.6)}


@pytest.mark.parametrize("said", ["a", "1.01", "-0.1", "inf", "nan", "1e999"])
def test_what_is_no_threshold_is_refused_with_its_place(said: str) -> None:
    with pytest.raises(ConfigurationError, match="tier 1 for class 'x'"):
        positions_in({"t0": "0.1", "t1.x": said}, START)
