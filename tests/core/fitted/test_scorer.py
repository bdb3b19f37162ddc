"""A calibrator at work: one request as in a table, and bounds that hold whatever comes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.fitted.artefact import Calibrator, Isotonic, Platt
from cascade_core.fitted.features import draft_features, hashed_words, request_features
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.score_forms import Boosting, Logistic, SignalScore, Words
from cascade_core.fitted.scorer import Scorer
from tests.core.fitted.drawn import calibrators, inputs_of, readings, texts
from tests.work import calls_made


@pytest.mark.simulation
@settings(max_examples=300, deadline=None)
@given(st.data(), calibrators, texts, st.none() | st.sampled_from(["easy", "hard"]))
def test_nothing_that_a_draft_can_become_exceeds_its_bound(data, calibrator, request, name):
    scorer = Scorer(calibrator)
    known, end = {}, {}
    for signal in ("a", "b"):
        if data.draw(st.booleans()):
            known[signal] = data.draw(st.floats(0, 1))
            end[signal] = known[signal] * data.draw(st.floats(0, 1))
        else:
            end[signal] = data.draw(readings)
    best = scorer.begin(request, name).best(known)
    seen = scorer.one(end, request, data.draw(texts), name)
    assert seen is None or seen <= best <= 1


@pytest.mark.simulation
@settings(max_examples=300, deadline=None)
@given(st.data(), calibrators, texts, texts, st.none() | st.sampled_from(["easy", "hard"]))
def test_a_finished_draft_ends_within_its_span_whatever_is_read_last(
    data, calibrator, request, draft, name
):
    scorer = Scorer(calibrator)
    end = {signal: data.draw(readings) for signal in ("a", "b")}
    known = {signal: end[signal] for signal in end if data.draw(st.booleans())}
    low, high = scorer.span(known, request, draft, name)
    seen = scorer.one(end, request, draft, name)
    assert seen is None or low <= seen <= high <= 1
    asked = known.keys() & scorer.signals
    if all(known[signal] is None for signal in asked) and (asked or not calibrator.reads_text):
        assert not low >= 0, "no reading is never acceptance"
    assert seen is None or low < 1, "a threshold of 1 accepts nothing"


def test_a_span_is_as_narrow_as_what_is_settled_makes_it():
    signal = Scorer(
        Calibrator(score=SignalScore(signal="a"), curve=Platt(slope=1.0, intercept=1.0))
    )
    assert signal.span({"a": 0.5}) == pytest.approx([1 / (1 + math.exp(-1))] * 2)
    assert signal.span({})[0] == -math.inf
    assert signal.span({})[1] > 1 - 1e-5
    both = Logistic(
        inputs=("signal:a", "signal:b", "draft:words"), low=(0.0,) * 3, high=(1.0, 1.0, 9.0),
        fill=(0.5,) * 3, weights=(2.0, 1.0, -0.5), missing=(0.0,) * 3, intercept=-1.0,
    )  # fmt: skip
    words = draft_features("", "one two three")["words"]
    sure = -1.0 + 2.0 * 0.7 - 0.5 * words
    ends = [1 / (1 + math.exp(-sure - b)) for b in (0.0, 1.0)]
    assert Scorer(Calibrator(score=both)).span({"a": 0.7}, "", "one two three") == (
        pytest.approx(ends)
    )


@pytest.mark.simulation
@settings(max_examples=100, deadline=None)
@given(calibrators, st.lists(st.tuples(readings, readings, texts, texts), min_size=1, max_size=9))
def test_a_row_of_a_table_gets_the_very_span_a_request_gets(calibrator, rows):
    scorer = Scorer(calibrator)
    inputs, classes = inputs_of(rows)
    low, high = scorer.spans(inputs, {"b"}, classes)
    for k, (a, _, request, draft) in enumerate(rows):
        assert (low[k], high[k]) == pytest.approx(
            scorer.span({"a": a}, request, draft, classes[k]), nan_ok=True
        )


@pytest.mark.simulation
@settings(max_examples=100, deadline=None)
@given(calibrators, st.lists(st.tuples(readings, readings, texts, texts), min_size=1, max_size=9))
def test_a_row_of_a_table_gets_the_very_number_a_request_gets(calibrator, rows):
    scorer = Scorer(calibrator)
    inputs, classes = inputs_of(rows)
    seen = scorer.rows(inputs, classes)
    for k, (a, b, request, draft) in enumerate(rows):
        one = scorer.one({"a": a, "b": b}, request, draft, classes[k])
        assert (math.isnan(seen[k]) and one is None) or seen[k] == one


def test_a_long_table_gets_the_very_numbers_its_rows_get_alone():
    rng = np.random.default_rng(0)
    n = 40_000
    names = tuple(f"signal:{k}" for k in range(9))
    weights = tuple(rng.normal(size=9).tolist())
    score = Logistic(
        inputs=names, low=(0.0,) * 9, high=(1.0,) * 9, fill=(0.5,) * 9, weights=weights,
        missing=(0.1,) * 9, intercept=0.3,
    )  # fmt: skip
    scorer = Scorer(Calibrator(score=score, curve=Platt(slope=1.1, intercept=0.2)))
    signals = {str(k): np.where(rng.random(n) < 0.1, np.nan, rng.random(n)) for k in range(9)}
    seen = scorer.rows(Inputs(n, signals))
    for row in (0, 16_383, 16_384, n - 1):
        one = scorer.one({name: float(of[row]) for name, of in signals.items()})
        assert seen[row] == one


def test_a_logistic_score_is_what_its_definition_says():
    score = Logistic(
        inputs=("signal:a", "logit:b", "request:words", "draft:words", "class:hard"),
        low=(0.0, -2.0, 0.0, 0.0, 0.0),
        high=(0.8, 2.0, 9.0, 9.0, 1.0),
        fill=(0.5, 0.3, 0.0, 0.0, 0.0),
        weights=(1.0, 0.5, -0.25, 0.125, 2.0),
        missing=(9.0, 0.75, 9.0, 9.0, 9.0),
        intercept=-1.0,
        words=Words(buckets=16, weights=dict.fromkeys(range(16), 0.5)),
    )
    request, draft = "why is it late", "It is 3 days late."
    logits = (
        -1.0 + 0.8 + (0.5 * 0.3 + 0.75) - 0.25 * request_features(request)["words"]
        + 0.125 * draft_features(request, draft)["words"] + 2.0
        + 0.5 * sum(hashed_words(request, 16).values())
    )  # fmt: skip
    seen = Scorer(Calibrator(score=score)).one({"a": 0.9, "b": None}, request, draft, "hard")
    assert seen == pytest.approx(1 / (1 + math.exp(-logits)))


def test_a_tree_sends_what_has_no_reading_where_it_says():
    stump = Boosting(
        inputs=("signal:a", "signal:b"), base=0.5, roots=(0,), feature=(0, -1, -1),
        threshold=(0.5, 0.0, 0.0), missing_left=(False, False, False), left=(1, -1, -1),
        right=(2, -1, -1), value=(0.0, -1.0, 1.0),
    )  # fmt: skip
    scorer = Scorer(Calibrator(score=stump))
    up, down = 1 / (1 + math.exp(-1.5)), 1 / (1 + math.exp(0.5))
    assert scorer.one({"a": 0.5, "b": 0.0}) == pytest.approx(down)
    assert scorer.one({"a": 0.51, "b": 0.0}) == pytest.approx(up)
    assert scorer.one({"b": 0.0}) == pytest.approx(up)
    assert scorer.begin().best({"a": 0.5}) == pytest.approx(down)
    assert scorer.begin().best({}) == pytest.approx(up)


def test_trees_of_unlike_depth_are_walked_each_to_its_leaf():
    """One splits at 0.5 and again, on the left, at 0.25; the other is a single leaf."""
    trees = Boosting(
        inputs=("signal:a",), base=0.0, roots=(0, 5), feature=(0, 0, -1, -1, -1, -1),
        threshold=(0.5, 0.25, 0.0, 0.0, 0.0, 0.0), missing_left=(True, False) + (False,) * 4,
        left=(1, 3, -1, -1, -1, -1), right=(2, 4, -1, -1, -1, -1),
        value=(0.0, 0.0, 3.0, 1.0, 2.0, 0.5),
    )  # fmt: skip
    scorer = Scorer(Calibrator(score=trees))

    def logit(confidence):
        return pytest.approx(math.log(confidence / (1 - confidence)), abs=1e-6)

    for reading, leaf in ((0.9, 3.0), (0.25, 1.0), (0.5, 2.0)):
        assert logit(scorer.one({"a": reading})) == leaf + 0.5
        low, high = scorer.span({"a": reading})
        assert (logit(low), logit(high)) == (leaf + 0.5, leaf + 0.5)
    assert logit(scorer.begin().best({})) == 3.5
    assert logit(scorer.begin().best({"a": 0.5})) == 2.5, "it may still end below 0.25, or above"
    assert logit(scorer.begin().best({"a": 0.25})) == 1.5
    assert logit(scorer.span({})[1]) == 3.5


def test_what_has_no_reading_goes_where_it_is_sent_and_nowhere_else():
    trees = Boosting(
        inputs=("signal:a", "signal:b"), base=0.0, roots=(0,), feature=(0, -1, -1),
        threshold=(0.5, 0.0, 0.0), missing_left=(True, False, False), left=(1, -1, -1),
        right=(2, -1, -1), value=(0.0, 1.0, 2.0),
    )  # fmt: skip
    scorer = Scorer(Calibrator(score=trees))
    ends = [1 / (1 + math.exp(-leaf)) for leaf in (1.0, 2.0)]
    assert scorer.one({"b": 0.5}) == pytest.approx(ends[0])
    assert scorer.span({"a": None, "b": 0.5}) == pytest.approx((ends[0], ends[0]))
    assert scorer.span({"a": 0.9}) == pytest.approx((ends[1], ends[1]))
    assert scorer.span({"b": 0.5}) == pytest.approx(ends)


def test_what_a_request_settles_is_settled_before_there_is_a_draft():
    score = Logistic(
        inputs=("signal:a", "logit:b", "request:words", "draft:words", "class:hard"),
        low=(0.0, -1.0, 0.0, 0.0, 0.0),
        high=(1.0, 1.0, 9.0, 2.0, 1.0),
        fill=(0.5, 0.0, 0.0, 0.0, 0.0),
        weights=(1.0, 0.5, -0.25, 0.125, 2.0),
        missing=(0.0,) * 5,
        intercept=-1.0,
        words=Words(buckets=16, weights={bucket: bucket / 16 for bucket in range(8)}),
    )
    scorer, request = Scorer(Calibrator(score=score)), "why is it late"
    settled = -1.0 - 0.25 * request_features(request)["words"] + sum(
        value * bucket / 16 for bucket, value in hashed_words(request, 16).items() if bucket < 8
    )  # fmt: skip

    def best(readings, name=None):
        confidence = scorer.begin(request, name).best(readings)
        return pytest.approx(math.log(confidence / (1 - confidence)), abs=1e-6)

    # The draft's words are hoped to be many: their share ends at 2 × 0.125.
    assert best({}) == settled + 1.0 + 0.5 + 0.25
    assert best({"a": 0.25}) == settled + 0.25 + 0.5 + 0.25
    assert best({"a": 0.25, "b": 0.5}) == settled + 0.25 + 0.0 + 0.25
    assert best({"a": 0.25, "b": 0.5}, "hard") == settled + 0.25 + 0.25 + 2.0
    assert best({"a": 0.25, "b": 0.5}, "easy") == settled + 0.25 + 0.25
    low, high = scorer.span({"a": 0.25}, request, "")
    assert [math.log(end / (1 - end)) for end in (low, high)] == pytest.approx(
        [settled + 0.25 - 0.5, settled + 0.25 + 0.5], abs=1e-6
    )


def test_classes_are_each_rows_own_and_none_is_no_class():
    score = Logistic(
        inputs=("signal:a", "class:easy", "class:hard"), low=(0.0,) * 3, high=(1.0,) * 3,
        fill=(0.0,) * 3, weights=(0.0, 1.0, 2.0), missing=(0.0,) * 3, intercept=0.0,
    )  # fmt: skip
    scorer = Scorer(
        Calibrator(score=score, class_curves={"hard": Isotonic(x=(0.0, 1.0), y=(0.0, 0.5))})
    )
    inputs = Inputs(4, {"a": np.zeros(4)}, classes=np.array([0, 0, 0, 0]), class_names=("easy",))
    easy, hard = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(-2))
    seen = scorer.rows(inputs, ["hard", None, "easy", "other"])
    assert seen.tolist() == pytest.approx([hard / 2, 0.5, easy, 0.5])
    assert scorer.rows(inputs).tolist() == pytest.approx([easy] * 4)
    low, high = scorer.spans(inputs, set(), ["hard", None, "easy", "other"])
    assert low.tolist() == pytest.approx(seen.tolist())
    assert high.tolist() == pytest.approx(seen.tolist())


def test_a_span_reaches_neither_below_nothing_nor_to_certainty():
    level = Isotonic(x=(0.0, 1.0), y=(0.0, 1.0))
    scorer = Scorer(Calibrator(score=SignalScore(signal="a"), curve=level))
    assert scorer.span({"a": 0.0})[0] == 0.0
    assert scorer.span({"a": 1.0}) == (pytest.approx(1.0), 1.0)
    assert scorer.span({"a": 1.0})[0] < 1.0
    assert scorer.span({"a": None})[1] is not None
    assert all(map(math.isnan, scorer.span({"a": None})))


def test_without_any_reading_there_is_no_confidence():
    scorer = Scorer(Calibrator(score=SignalScore(signal="a")))
    assert scorer.one({}) is None
    assert scorer.one({"a": None, "b": 0.7}) is None
    assert scorer.begin().best({}) == pytest.approx(1.0)
    assert scorer.begin().best({"a": 0.4}) == pytest.approx(0.4)


def test_a_class_has_its_own_curve_where_there_is_one():
    calibrator = Calibrator(
        score=SignalScore(signal="a"),
        curve=Platt(slope=1.0, intercept=0.0),
        class_curves={"hard": Platt(slope=1.0, intercept=-2.0)},
    )
    scorer = Scorer(calibrator)
    assert scorer.one({"a": 0.5}) == scorer.one({"a": 0.5}, class_name="easy") == pytest.approx(0.5)
    assert scorer.one({"a": 0.5}, class_name="hard") == pytest.approx(1 / (1 + math.exp(2)))
    assert scorer.begin("", "hard").best({"a": 0.5}) < 0.2


def test_what_a_table_lacks_is_named():
    signal = Scorer(Calibrator(score=SignalScore(signal="judge")))
    for there, said in (({}, "none"), (dict.fromkeys("ab", np.zeros(1)), "a, b")):
        with pytest.raises(ConfigurationError) as caught:
            signal.rows(Inputs(1, there))
        assert str(caught.value) == (
            f"the calibrator reads the signal 'judge'; the signals there are: {said}"
        )
    plain = {"low": (0.0,), "high": (1.0,), "fill": (0.0,), "weights": (1.0,), "missing": (0.0,)}
    draft = Scorer(Calibrator(score=Logistic(inputs=("draft:words",), intercept=0.0, **plain)))
    with pytest.raises(ConfigurationError) as caught:
        draft.rows(Inputs(1, {}))
    assert str(caught.value) == (
        "the calibrator reads the text of requests, and there is none: give `request`"
    )
    with pytest.raises(ConfigurationError) as caught:
        draft.rows(Inputs(1, {}, ["asked"]))
    assert str(caught.value) == (
        "the calibrator reads the text of drafts, and there is none: give the responses"
    )
    with pytest.raises(ConfigurationError, match="unknown feature draft:charm"):
        Scorer(Calibrator(score=Logistic(inputs=("draft:charm",), intercept=0.0, **plain)))


def test_a_request_is_scored_and_bounded_with_little_work():
    score = Logistic(
        inputs=("signal:a", "logit:a", "signal:b"), low=(0.0,) * 3, high=(1.0,) * 3,
        fill=(0.5,) * 3, weights=(1.0,) * 3, missing=(0.0,) * 3, intercept=0.0,
    )  # fmt: skip
    scorer = Scorer(Calibrator(score=score, curve=Isotonic(x=(0.1, 0.9), y=(0.1, 0.9))))
    begun, alone = scorer.begin(), Scorer(Calibrator(score=SignalScore(signal="a")))
    for call, most in (
        (lambda: alone.one({"a": 0.3}), 40),
        (lambda: scorer.one({"a": 0.3, "b": 0.4}), 160),
        (lambda: begun.best({"a": 0.3}), 120),
    ):
        call()  # what is made on first use is made
        assert calls_made(call) < most, "usually about half of this"
