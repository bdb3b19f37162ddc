"""Calibrators of every kind, and drafts for them, as Hypothesis draws them."""

import numpy as np
from hypothesis import strategies as st

from cascade_core.fitted.artefact import Calibrator, Isotonic, Platt
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.score_forms import Boosting, Logistic, Mean, SignalScore, Words

INPUTS = (
    "signal:a", "logit:a", "signal:b", "request:words", "draft:words", "draft:numbers", "class:hard"
)  # fmt: skip
small = st.floats(-3, 3)
readings = st.none() | st.floats(0, 1)


def vector(elements, size):
    return st.tuples(*[elements] * size)


weighed_words = st.none() | st.builds(
    Words, buckets=st.just(8), weights=st.dictionaries(st.integers(0, 7), small, max_size=8)
)


@st.composite
def logistics(draw, inputs=INPUTS):
    ends = draw(vector(st.tuples(small, small), len(inputs)))
    words, draft_words = draw(vector(weighed_words, 2))
    return Logistic(
        inputs=inputs,
        low=tuple(min(pair) for pair in ends),
        high=tuple(max(pair) for pair in ends),
        fill=draw(vector(small, len(inputs))),
        weights=draw(vector(small, len(inputs))),
        missing=draw(vector(small, len(inputs))),
        intercept=draw(small),
        words=words,
        draft_words=draft_words,
    )


@st.composite
def boostings(draw, inputs=INPUTS):
    nodes = {k: [] for k in ("feature", "threshold", "missing_left", "left", "right", "value")}

    def grow(depth):
        me = len(nodes["feature"])
        leaf = depth == 0 or draw(st.booleans())
        row = {
            "feature": -1 if leaf else draw(st.integers(0, len(inputs) - 1)),
            "threshold": 0.0 if leaf else draw(st.floats(-1, 2)),
            "missing_left": False if leaf else draw(st.booleans()),
            "left": -1,
            "right": -1,
            "value": draw(small) if leaf else 0.0,
        }
        for key, entry in row.items():
            nodes[key].append(entry)
        if not leaf:
            nodes["left"][me] = grow(depth - 1)
            nodes["right"][me] = grow(depth - 1)
        return me

    roots = [grow(3) for _ in range(draw(st.integers(1, 3)))]
    return Boosting(inputs=inputs, base=draw(small), roots=roots, **nodes)


curves = (
    st.none()
    | st.builds(Platt, slope=st.floats(0, 3), intercept=small)
    | st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5, unique_by=lambda p: p[0])
    .map(lambda points: Isotonic(x=sorted(x for x, _ in points), y=sorted(y for _, y in points)))
)  # fmt: skip
# Parts need not read the same: each finds its own inputs among those of all.
parts = logistics() | boostings() | logistics(INPUTS[4:1:-1]) | boostings(("signal:b", "logit:b"))
means = st.lists(st.tuples(parts, st.floats(0.1, 2)), min_size=1, max_size=3).map(
    lambda pairs: Mean(parts=[part for part, _ in pairs], weights=[times for _, times in pairs])
)
scores = logistics() | boostings() | means | st.just(SignalScore(signal="a"))
calibrators = st.builds(
    Calibrator, score=scores, curve=curves, class_curves=st.fixed_dictionaries({}, optional={"hard": curves.filter(bool)})
)  # fmt: skip
texts = st.text("ab 1.?", max_size=12)


def inputs_of(rows):
    """Rows of (a, b, request, draft) as a table, and a class of every second one's."""
    signals = {
        name: np.array([np.nan if row[j] is None else row[j] for row in rows])
        for j, name in enumerate("ab")
    }
    inputs = Inputs(len(rows), signals, [row[2] for row in rows], [row[3] for row in rows])
    return inputs, ["hard" if k % 2 else None for k in range(len(rows))]
