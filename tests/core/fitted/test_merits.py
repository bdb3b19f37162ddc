"""Merits at work: what a threshold meets, alone and in a table, and bounds of it that hold."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cascade_core.fitted.artefact import Benefit, Calibrator, CurvedScore, ExtraCost, Isotonic
from cascade_core.fitted.merits import MeritParts, Merits
from cascade_core.fitted.score_forms import Logistic, SignalScore, Words
from cascade_core.fitted.scorer import Scorer
from cascade_core.policy import Policy
from tests.core.fitted.drawn import calibrators, inputs_of, readings, texts

A = SignalScore(signal="a")


def curved(calibrator):
    return CurvedScore(**calibrator.model_dump(exclude_none=True))


@st.composite
def weighing_calibrators(draw):
    """Calibrators whose merits are made of one part more, or of several."""
    own = draw(calibrators)
    next_, keep, cost = (draw(st.none() | calibrators.map(curved)) for _ in range(3))
    benefit = extra = None
    if next_ is not None or keep is not None:
        weight = draw(st.floats(0.01, 1) | st.just(1.0))
        benefit = Benefit(next=next_, keep=keep, weight=weight)
    if cost is not None or benefit is None:
        cost = curved(draw(calibrators)) if cost is None else cost
        rest = {name: draw(st.floats(0.01, 1)) for name in ("most_usd", "mean", "least", "power")}
        extra = ExtraCost(**cost.model_dump(exclude_none=True), **rest)
    rest = {"extra_cost": extra, "usual": draw(st.floats(0, 1))}
    return own.model_copy(update={"benefit": benefit, **rest})


weighing = weighing_calibrators()
names = st.none() | st.sampled_from(["easy", "hard"])


def level(share):
    return CurvedScore(score=A, curve=Isotonic(x=(0.5,), y=(share,)))


@pytest.mark.parametrize("usual", [1.0, 0.8])
def test_a_merit_is_what_its_definition_says(usual):
    benefit = Benefit(keep=level(0.3), weight=0.25)
    calibrator = Calibrator(score=A, benefit=benefit, usual=usual)
    merit, confidence, gain = Merits(calibrator).one({"a": 0.5})
    assert (confidence, gain) == pytest.approx((0.5, 0.4))
    assert merit == pytest.approx(usual - (0.75 * (usual - 0.5) + 0.25 * gain))


def test_where_the_next_answer_is_as_good_as_usual_a_merit_is_the_confidence():
    """So that a threshold means the same whatever is weighed."""
    for weight in (0.25, 1.0):
        benefit = Benefit(next=level(0.8), weight=weight)
        merits = Merits(Calibrator(score=A, benefit=benefit, usual=0.8))
        for confidence in (0.2, 0.5, 0.9):
            assert merits.one({"a": confidence})[0] == pytest.approx(confidence)


def test_a_benefit_is_the_mean_of_what_its_parts_say():
    both = Benefit(next=level(0.9), keep=level(0.4), weight=0.8)
    merit, _, gain = Merits(Calibrator(score=A, benefit=both)).one({"a": 0.5})
    assert gain == pytest.approx(((0.9 - 0.5) + (1 - 2 * 0.4)) / 2)
    assert merit == pytest.approx(1.0 - (0.2 * 0.5 + 0.8 * gain))
    only = Benefit(next=level(0.9), weight=0.8)
    merit, _, gain = Merits(Calibrator(score=A, benefit=only)).one({"a": 0.5})
    assert gain == pytest.approx(0.9 - 0.5)
    assert merit == pytest.approx(1.0 - (0.2 * 0.5 + 0.8 * gain))


@pytest.mark.parametrize(("share", "times"), [(0.05, 1.5), (0.1, 1.5), (0.225, 1.0), (0.9, 0.5)])
def test_what_is_lost_counts_for_less_where_asking_on_is_dear(share, times):
    rest = {"most_usd": 0.01, "mean": 0.225, "least": 0.1, "power": 0.5}
    extra = ExtraCost(score=A, curve=level(share).curve, **rest)
    benefit = Benefit(next=level(0.9), weight=0.5)
    found = Merits(Calibrator(score=A, benefit=benefit, extra_cost=extra)).one({"a": 0.5})
    cheap = Merits(Calibrator(score=A, benefit=benefit)).one({"a": 0.5})
    assert 1 - found[0] == pytest.approx((1 - cheap[0]) * times)
    assert found[1:] == cheap[1:]


def test_merits_of_all_that_may_be_weighed_lie_between_0_and_1_in_their_order():
    """A gain may be negative, and be divided by a small cost."""
    extra = ExtraCost(score=A, most_usd=0.01, mean=0.5, least=0.1, power=1.0)
    benefit = Benefit(keep=level(0.5), weight=1.0)
    merits = Merits(Calibrator(score=A, benefit=benefit, extra_cost=extra))
    gains = np.linspace(-1, 1, 2001)
    level_of = np.full(2001, 0.5)
    found = merits.of(MeritParts(level_of, keep=(1 - gains) / 2, cost=level_of))
    assert (np.diff(found) < 0).all()
    assert 0 < found.min() < found.max() < 1
    inside = (gains >= 0.1) & (gains <= 0.9)
    assert found[inside] == pytest.approx(1 - gains[inside])


def test_a_merit_without_a_benefit_is_the_confidence():
    assert Merits(Calibrator(score=A)).one({"a": 0.3}) == (0.3, 0.3, None)
    assert Merits(Calibrator(score=A)).one({}) == (None, None, None)


def test_without_a_reading_of_every_part_there_is_no_merit():
    benefit = Benefit(keep=CurvedScore(score=SignalScore(signal="b")), weight=1.0)
    merits = Merits(Calibrator(score=A, benefit=benefit))
    assert merits.one({"b": 0.5}) == (None, None, 0.0)
    assert merits.one({"a": 0.5}) == (None, 0.5, None)
    assert merits.span({"a": 0.5})[0] == -math.inf
    assert merits.span({"a": 0.5}) != merits.span({"a": 0.5, "b": 0.5})


@pytest.mark.simulation
@settings(max_examples=100, deadline=None)
@given(st.data(), weighing, texts, names)
def test_nothing_that_a_draft_can_become_exceeds_its_bound(data, calibrator, request, name):
    merits = Merits(calibrator)
    known, end = {}, {}
    for signal in ("a", "b"):
        if data.draw(st.booleans()):
            known[signal] = data.draw(st.floats(0, 1))
            end[signal] = known[signal] * data.draw(st.floats(0, 1))
        else:
            end[signal] = data.draw(readings)
    best = merits.begin(request, name)(known)
    seen, _, _ = merits.one(end, request, data.draw(texts), name)
    assert seen is None or seen <= best <= 1


@pytest.mark.simulation
@settings(max_examples=100, deadline=None)
@given(st.data(), weighing, texts, texts, names)
def test_a_finished_draft_ends_within_its_span(data, calibrator, request, draft, name):
    merits = Merits(calibrator)
    end = {signal: data.draw(readings) for signal in ("a", "b")}
    known = {signal: end[signal] for signal in end if data.draw(st.booleans())}
    low, high = merits.span(known, request, draft, name)
    seen, _, _ = merits.one(end, request, draft, name)
    assert seen is None or low <= seen <= high <= 1
    assert seen is None or seen < 1, "a threshold of 1 accepts nothing"
    asked = known.keys() & merits.signals
    if all(known[signal] is None for signal in asked) and (asked or not calibrator.reads_text):
        assert not low >= 0, "no reading is never acceptance"


@pytest.mark.simulation
@settings(max_examples=60, deadline=None)
@given(weighing, st.lists(st.tuples(readings, readings, texts, texts), min_size=1, max_size=9))
def test_a_row_of_a_table_gets_the_very_numbers_a_request_gets(calibrator, rows):
    merits = Merits(calibrator)
    inputs, classes = inputs_of(rows)
    seen, (low, high) = merits.rows(inputs, classes), merits.spans(inputs, {"b"}, classes)
    for k, (a, b, request, draft) in enumerate(rows):
        one, _, _ = merits.one({"a": a, "b": b}, request, draft, classes[k])
        assert (math.isnan(seen[k]) and one is None) or seen[k] == one
        assert (low[k], high[k]) == pytest.approx(
            merits.span({"a": a}, request, draft, classes[k]), nan_ok=True
        )


def test_a_span_lets_a_signal_be_high_or_low_but_not_both_at_once():
    """What makes the draft better makes less of the benefit: one reading does both."""
    after = CurvedScore(score=A, curve=Isotonic(x=(0.0, 1.0), y=(0.5, 0.9)))
    own = Isotonic(x=(0.0, 1.0), y=(0.3, 0.6))
    merits = Merits(Calibrator(score=A, curve=own, benefit=Benefit(next=after, weight=1.0)))
    low, high = merits.span({}, missable=False)
    at = [merits.one({"a": a})[0] for a in (0.0, 1.0)]
    assert low == -math.inf
    apart = 1 - (0.5 - 0.6)
    assert max(at) == pytest.approx(0.8)
    assert max(at) <= high < 0.85 < apart


@pytest.mark.simulation
@settings(max_examples=50, deadline=None)
@given(weighing)
def test_a_benefit_survives_being_saved(calibrator):
    policy = Policy(calibrators=(calibrator,), thresholds=(0.5,))
    again = Policy.model_validate_json(policy.model_dump_json())
    assert again.calibrators == (calibrator,)
    assert again.fingerprint == policy.fingerprint


def test_a_calibrator_without_a_benefit_is_written_as_before_there_were_any():
    calibrator = Calibrator(score=A)
    assert "benefit" not in calibrator.model_dump_json()
    assert "benefit" not in Policy(calibrators=(calibrator,)).model_dump_json()


def test_the_confidence_of_a_calibrator_with_a_benefit_is_that_of_the_one_without():
    words = Words(buckets=4, weights={0: 1.0, 1: -1.0})
    plain = {"low": (), "high": (), "fill": (), "weights": (), "missing": ()}
    score = Logistic(inputs=(), intercept=0.2, words=words, **plain)
    both = Calibrator(score=A, benefit=Benefit(next=CurvedScore(score=score), weight=0.5))
    assert Scorer(both).one({"a": 0.4}) == 0.4
    assert (both.signals, both.reads_request, both.reads_draft) == (("a",), True, False)


@pytest.mark.parametrize("weight", [0.0, 1.5, math.nan, -1.0])
def test_a_weight_lies_between_0_and_1(weight):
    with pytest.raises(ValidationError):
        Benefit(keep=level(0.5), weight=weight)


def test_a_benefit_says_something():
    with pytest.raises(ValidationError, match="next, keep or both"):
        Benefit(weight=0.5)


@pytest.mark.simulation
@settings(max_examples=50, deadline=None)
@given(weighing, st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=2, max_size=9))
def test_a_draft_that_is_better_in_every_part_has_no_lower_merit(calibrator, rows):
    merits = Merits(calibrator)
    confidence, after, keep, cost = np.array(rows).T
    cost[:] = cost[0]
    benefit = calibrator.benefit
    parts = MeritParts(
        confidence,
        None if benefit is None or benefit.next is None else after,
        None if benefit is None or benefit.keep is None else keep,
        None if calibrator.extra_cost is None else cost,
    )
    found = merits.of(parts)
    better = (confidence[:, None] >= confidence) & (keep[:, None] >= keep)
    better &= after[:, None] <= after
    assert (found[:, None] >= found - 1e-12)[better].all()
    assert (found >= 0).all()
