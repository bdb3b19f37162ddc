"""What a policy holds for a tier: plain data that refuses what cannot work."""

import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from cascade_core.fitted.artefact import Calibrator, Isotonic, Platt
from cascade_core.fitted.score_forms import Boosting, Logistic, SignalScore, Words

LOGISTIC = {
    "inputs": ["signal:a", "logit:a", "request:words"],
    "low": [0.0, -13.0, 0.0],
    "high": [1.0, 13.0, 9.0],
    "fill": [0.5, 0.0, 2.0],
    "weights": [1.0, 0.5, -0.1],
    "missing": [0.0, 0.0, 0.0],
    "intercept": 0.1,
}
STUMP = {
    "inputs": ["signal:a"],
    "base": 0.0,
    "roots": [0],
    "feature": [0, -1, -1],
    "threshold": [0.5, 0.0, 0.0],
    "missing_left": [True, False, False],
    "left": [1, -1, -1],
    "right": [2, -1, -1],
    "value": [0.0, -1.0, 1.0],
}


SOURCES_SAID = "signal:NAME, logit:NAME, request:NAME, draft:NAME, class:NAME"


def refusal(kind, content):
    with pytest.raises(ValidationError) as error:
        kind.model_validate(content)
    return str(error.value)


def test_a_calibrator_comes_back_from_json_as_it_was():
    calibrator = Calibrator(
        score=Logistic(**LOGISTIC, words=Words(buckets=8, weights={3: -0.25})),
        curve=Isotonic(x=(0.1, 0.9), y=(0.2, 0.7)),
        class_curves={"refund": Platt(slope=1.5, intercept=-0.1)},
    )
    assert Calibrator.model_validate(json.loads(calibrator.model_dump_json())) == calibrator


def test_each_kind_of_score_and_curve_is_told_by_its_kind():
    for score in (SignalScore(signal="a"), Logistic(**LOGISTIC), Boosting(**STUMP)):
        plain = json.loads(Calibrator(score=score).model_dump_json())
        assert type(Calibrator.model_validate(plain).score) is type(score)


def test_a_signal_read_in_two_ways_is_named_once():
    calibrator = Calibrator(score=Logistic(**LOGISTIC))
    assert calibrator.signals == ("a",)
    assert calibrator.reads_text
    assert calibrator.reads_request
    assert not calibrator.reads_draft


def test_a_signal_may_have_a_colon_in_its_name():
    calibrator = Calibrator(
        score=Logistic(**LOGISTIC | {"inputs": ("signal:a:b", "logit:a:b", "signal:b")})
    )
    assert calibrator.signals == ("a:b", "b")


def test_words_are_text_and_a_signal_is_not():
    words = Logistic(
        inputs=(), low=(), high=(), fill=(), weights=(), missing=(), intercept=0.0,
        words=Words(buckets=4, weights={}),
    )  # fmt: skip
    assert Calibrator(score=words).reads_request
    assert not Calibrator(score=SignalScore(signal="a")).reads_text


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        (Platt, {"slope": -0.1, "intercept": 0.0}, "greater than or equal to 0"),
        (Platt, {"slope": float("nan"), "intercept": 0.0}, "finite"),
        (Platt, {"slope": 1.0, "intercept": float("inf")}, "finite"),
        (Platt, {"slope": "1", "intercept": 0.0}, "valid number"),
        (Platt, {"slope": 1.0, "intercept": 0.0, "code": "x"}, "not permitted"),
        (Isotonic, {"x": [0.1, 0.1], "y": [0.1, 0.2]}, "x must increase"),
        (Isotonic, {"x": [0.1, 0.2], "y": [0.2, 0.1]}, "y must not fall"),
        (Isotonic, {"x": [0.1, 0.2], "y": [0.2]}, "y has 1 entries and x 2"),
        (Isotonic, {"x": [0.1], "y": [1.1]}, "less than or equal to 1"),
        (Isotonic, {"x": [], "y": []}, "at least 1"),
        (SignalScore, {"signal": ""}, "at least 1"),
        (Words, {"buckets": 4, "weights": {"4": 1.0}}, r"0..3"),
        (Logistic, LOGISTIC | {"fill": [0.5]}, "fill has 1 entries and inputs 3"),
        (Logistic, LOGISTIC | {"low": [2.0, 0.0, 0.0]}, "low must not be above high"),
        (
            Logistic,
            LOGISTIC | {"inputs": ["signal:a", "a", "b"]},
            f"unknown input 'a'; an input is one of {SOURCES_SAID}",
        ),
        (Logistic, LOGISTIC | {"inputs": ["signal:", "signal:a", "signal:b"]}, "input 'signal:'"),
        (Logistic, LOGISTIC | {"inputs": ["judge:a", "signal:a", "signal:b"]}, "input 'judge:a'"),
        (Logistic, LOGISTIC | {"inputs": ["signal:a"] * 3}, ", an input must not be named twice"),
        (Boosting, STUMP | {"left": [0, -1, -1]}, "children of node 0"),
        (Boosting, STUMP | {"right": [3, -1, -1]}, "children of node 0"),
        (Boosting, STUMP | {"left": [3, -1, -1]}, "children of node 0"),
        (Boosting, STUMP | {"right": [0, -1, -1]}, "children of node 0"),
        (Boosting, STUMP | {"feature": [1, -1, -1]}, "not there"),
        (Boosting, STUMP | {"left": [1, 2, -1]}, "node 1 is a leaf"),
        (Boosting, STUMP | {"roots": [1]}, "roots"),
        (Boosting, STUMP | {"roots": [0, 2]}, "children of node 0"),
        (Boosting, STUMP | {"value": [0.0]}, "value has 1 entries"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(kind, content, said):
    assert said in refusal(kind, content)


def test_artefacts_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Platt(slope=1.0, intercept=0.0).slope = 2.0


def test_reading_a_policy_imports_no_numpy():
    code = (
        "import sys, cascade_core.calibration, cascade_core.fitted.artefact as a;"
        "a.Calibrator.model_validate({'score': {'kind': 'signal', 'signal': 'a'}});"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_gives_its_names_when_they_are_used():
    import cascade_core.calibration as package

    assert package.Calibrator is Calibrator
    assert callable(package.fit_calibrator)
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        _ = package.guess


@pytest.mark.parametrize("at", ["low", "high", "fill", "weights", "missing"])
@pytest.mark.parametrize("huge", [1e200, -1e200])
def test_a_number_whose_product_with_another_could_not_be_written_is_refused(at, huge):
    """Such a score was infinite, or nothing at all, and a warning at every request."""
    assert at in refusal(Logistic, LOGISTIC | {at: [huge] * 3})


def test_what_only_looks_like_a_yes_is_refused():
    assert "missing_left" in refusal(Boosting, STUMP | {"missing_left": ["yes", False, False]})


def test_a_tree_may_part_what_was_read_from_what_was_not():
    """scikit-learn's threshold of such a node is the largest number there is."""
    stump = STUMP | {"threshold": [sys.float_info.max, 0.0, 0.0]}
    assert Boosting(**stump).threshold[0] == sys.float_info.max
