"""What a signal can still do to a score: as much as any of its readings does, and no more."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.score_forms import Boosting, Logistic
from cascade_core.fitted.scorer import Scorer
from cascade_core.fitted.settled import around_cuts, between_ends

EVERYWHERE = np.unique(np.concatenate([np.linspace(0, 1, 401), np.geomspace(1e-7, 1, 200)]))


def logistic(weights, *, fill=(0.5, 0.0, 0.5), missing=(0.0, 0.0, 0.0), ends=(-9.0, 9.0)):
    return Scorer(
        Calibrator(
            score=Logistic(
                inputs=("signal:j", "logit:j", "signal:a"),
                low=(0.0, ends[0], 0.0),
                high=(1.0, ends[1], 1.0),
                fill=fill,
                weights=weights,
                missing=missing,
                intercept=0.0,
            )
        )
    )


def reached(scorer, known):
    """The confidences that readings of j lead to, and the one without any."""
    given = at(scorer, known, EVERYWHERE)
    return given.min(), given.max(), scorer.one({**known, "j": None})


def at(scorer, known, readings):
    """The confidences that these readings of j lead to: of a table's rows, as of requests."""
    signals = {name: np.full(len(readings), value) for name, value in known.items()}
    return scorer.rows(Inputs(len(readings), {**signals, "j": np.array(readings, dtype=float)}))


def test_a_reading_that_stands_in_a_score_twice_is_one_reading():
    """The logit takes back what the reading gives; each for itself it would seem to matter."""
    scorer = logistic((4.0, -0.2, 1.0))
    low, high = scorer.span({"a": 0.5}, missable=False)
    least, most, _ = reached(scorer, {"a": 0.5})
    assert (low, high) == pytest.approx((least, most), abs=1e-3)


def test_no_reading_counts_only_where_there_may_be_none():
    scorer = logistic((1.0, 0.1, 1.0), missing=(5.0, 0.0, 0.0))
    least, most, none = reached(scorer, {"a": 0.5})
    assert none > most
    assert scorer.span({"a": 0.5}) == pytest.approx((least, none), abs=1e-3)
    assert scorer.span({"a": 0.5}, missable=False) == pytest.approx((least, most), abs=1e-3)


number = st.floats(-5, 5)


@pytest.mark.simulation
@settings(max_examples=60, deadline=None)
@given(
    st.tuples(number, number, number),
    st.tuples(number, number).map(sorted),
    st.floats(0, 1),
    st.booleans(),
)
def test_the_span_of_a_sum_holds_all_that_can_come_and_no_more(weights, ends, a, missable):
    scorer = logistic(weights, ends=ends)
    low, high = scorer.span({"a": a}, missable=missable)
    least, most, none = reached(scorer, {"a": a})
    if missable:
        least, most = min(least, none), max(most, none)
    assert low <= least <= most <= high
    # A curve between two of the readings that were tried here may reach a little further.
    assert (low, high) == pytest.approx((least, most), abs=0.05)


def trees(*cuts):
    """One stump for each `(input, cut, left, right)`."""
    count = len(cuts)
    roots = tuple(3 * k for k in range(count))
    feature, threshold, left, right, value = [], [], [], [], []
    for k, (j, cut, low, high) in enumerate(cuts):
        feature += [j, -1, -1]
        threshold += [cut, 0.0, 0.0]
        left += [3 * k + 1, -1, -1]
        right += [3 * k + 2, -1, -1]
        value += [0.0, low, high]
    return Scorer(
        Calibrator(
            score=Boosting(
                inputs=("signal:j", "logit:j", "signal:a"),
                base=0.0,
                roots=roots,
                feature=tuple(feature),
                threshold=tuple(threshold),
                missing_left=(True, False, False) * count,
                left=tuple(left),
                right=tuple(right),
                value=tuple(value),
            )
        )
    )


def test_trees_that_ask_for_one_reading_get_one_answer():
    """Each tree for itself could add 2; no reading makes both do so."""
    scorer = trees((0, 0.5, 2.0, 0.0), (0, 0.5, 0.0, 2.0))
    low, high = scorer.span({"a": 0.5}, missable=False)
    assert (low, high) == pytest.approx([1 / (1 + math.exp(-2))] * 2)


stump = st.tuples(st.sampled_from([0, 1, 2]), st.floats(0, 1), number, number).map(
    lambda s: (s[0], math.log((s[1] + 0.01) / (1.01 - s[1])) if s[0] == 1 else s[1], s[2], s[3])
)


@pytest.mark.simulation
@settings(max_examples=60, deadline=None)
@given(st.lists(stump, min_size=1, max_size=6), st.floats(0, 1), st.booleans())
def test_the_span_of_trees_holds_all_that_can_come_and_no_more(cuts, a, missable):
    scorer = trees(*cuts)
    low, high = scorer.span({"a": a}, missable=missable)
    least, most, none = reached(scorer, {"a": a})
    if missable:
        least, most = min(least, none), max(most, none)
    assert low <= least
    assert most <= high
    on = set(around_cuts([("signal", c[1]) for c in cuts if c[0] == 0]))
    on |= set(around_cuts([("logit", c[1]) for c in cuts if c[0] == 1]))
    tried = at(scorer, {"a": a}, sorted(on)).tolist()
    tried += [none] if missable else []
    assert low == pytest.approx(min(least, *tried), abs=1e-8)
    assert high == pytest.approx(max(most, *tried), abs=1e-8)


def test_more_signals_than_can_be_tried_are_bounded_tree_by_tree(monkeypatch):
    monkeypatch.setattr("cascade_core.fitted.combiners._COMBINATIONS", 1)
    scorer = trees((0, 0.5, 2.0, 0.0), (0, 0.5, 0.0, 2.0))
    low, high = scorer.span({"a": 0.5}, missable=False)
    assert low < scorer.one({"a": 0.5, "j": 0.7}) < high


def test_a_sum_is_tried_where_it_turns():
    turning = between_ends([], {"signal": 5.0, "logit": -0.8})
    assert turning.tolist() == pytest.approx([0.0, 1e-6, 0.2, 0.8, 1 - 1e-6, 1.0])
    assert len(between_ends([], {"signal": 1.0, "logit": 1.0})) == 4
