"""What a calibrator reads of rows: each source by its name, and of some rows only theirs."""

import math

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.fitted.feature_names import DRAFT, REQUEST
from cascade_core.fitted.features import draft_features, request_features
from cascade_core.fitted.inputs import Inputs, check_features, read_values

REQUESTS, RESPONSES = ["why", "why not now", "how"], ["so", "because of it", "like this"]
INPUTS = Inputs(
    3,
    {"a": np.array([0.25, np.nan, 0.75]), "b:c": np.array([0.5, 0.5, 0.5])},
    REQUESTS,
    RESPONSES,
    np.array([1, -1, 0]),
    ("easy", "hard"),
)


def test_every_source_is_read_by_its_name():
    names = ["signal:a", "logit:a", "signal:b:c", "class:hard", "request:words", "draft:words"]
    read = read_values(names, INPUTS, slice(0, 3))
    assert read.shape == (6, 3)
    expected = [
        [0.25, math.nan, 0.75],
        [math.log(1 / 3), math.nan, math.log(3)],
        [0.5] * 3,
        [1.0, 0.0, 0.0],
        [request_features(text)["words"] for text in REQUESTS],
        [draft_features(*texts)["words"] for texts in zip(REQUESTS, RESPONSES, strict=True)],
    ]
    assert read == pytest.approx(np.array(expected), nan_ok=True)


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([2, 0])])
def test_of_some_rows_theirs_are_read(rows):
    names = ["signal:a", "class:hard", "request:words", "draft:length_ratio"]
    some = read_values(names, INPUTS, rows)
    assert some == pytest.approx(read_values(names, INPUTS, slice(0, 3))[:, rows], nan_ok=True)


def test_a_class_that_no_row_has_is_nobodys():
    assert read_values(["class:other"], INPUTS, slice(0, 3)).tolist() == [[0.0] * 3]
    unclassed = Inputs(2, {})
    assert read_values(["class:hard"], unclassed, slice(0, 2)).tolist() == [[0.0] * 2]


def test_rows_that_are_taken_keep_everything_they_have():
    taken = INPUTS.take(np.array([2, 0]))
    assert taken.n == 2
    assert {name: column.tolist() for name, column in taken.signals.items()} == {
        "a": [0.75, 0.25],
        "b:c": [0.5, 0.5],
    }
    assert (taken.requests, taken.responses) == (["how", "why"], ["like this", "so"])
    assert taken.classes.tolist() == [0, 1]
    assert taken.class_names == ("easy", "hard")


def test_what_rows_do_not_have_they_do_not_get():
    taken = Inputs(3, {}).take(np.array([0]))
    assert (taken.n, taken.signals) == (1, {})
    assert (taken.requests, taken.responses, taken.classes) == (None, None, None)


@pytest.mark.parametrize(("source", "known"), [("request", REQUEST), ("draft", DRAFT)])
def test_a_feature_that_is_not_known_is_named_with_those_that_are(source, known):
    check_features([f"{source}:{name}" for name in known])
    with pytest.raises(ConfigurationError) as caught:
        check_features(["signal:charm", f"{source}:charm"])
    assert str(caught.value) == (
        f"the calibrator reads the unknown feature {source}:charm; "
        f"this version knows {', '.join(sorted(known))}"
    )
