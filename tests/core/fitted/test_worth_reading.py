"""A signal is read between the thresholds where reading it is the best that can be done."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cascade_core.fitted.artefact import Calibrator, Foresight
from cascade_core.fitted.bending import soften, straighten
from cascade_core.fitted.inputs import Inputs
from cascade_core.fitted.merits import Merits
from cascade_core.fitted.score_forms import Logistic, SignalScore
from cascade_core.fitted.worth_reading import NextReading, worth_reading

merits = st.floats(0.02, 0.98)
NEAR = 1e-6


def values(usual, low, high, p, price, threshold):
    """What accepting, reading and sending on are worth, where a reading leaves one of two merits."""
    gains = usual - straighten(np.array([low, high]))
    asking_on = usual - float(straighten(np.array([threshold]))[0])
    likely = np.array([p, 1 - p])  # the higher gain first
    worth = gains - asking_on
    reading = likely @ np.maximum(worth, 0) - price * max(asking_on, 0)
    return 0.0, float(reading), float(likely @ worth)


@settings(max_examples=300, deadline=None)
@given(
    *(st.floats(0.5, 1.0), merits, merits, st.floats(0.01, 0.99), st.floats(0.001, 0.6)),
    st.lists(merits, min_size=1, max_size=20),
)
def test_it_is_read_where_that_is_worth_more_than_not(usual, one, other, p, price, thresholds):
    assume(price < 1 - p)  # else it costs more than it can spare
    low, high = sorted((one, other))
    gains = usual - straighten(np.array([low, high]))
    foreseen = soften(usual - np.array([p, 1 - p]) @ gains)
    ends = (np.array([low]), np.array([high]))
    reading = NextReading(price, 1.0, usual)
    (from_,), (to,) = worth_reading(reading, np.array([foreseen]), ends)
    for threshold in thresholds:
        accept, read, send = values(usual, low, high, p, price, threshold)
        if min(abs(threshold - end) for end in (from_, to)) < NEAR:
            continue
        if from_ < threshold <= to:
            assert read >= max(accept, send) - NEAR
        elif threshold > to:
            assert send >= max(accept, read) - NEAR
        else:
            assert accept >= max(send, read) - NEAR


@given(merits, merits, merits, st.floats(0.001, 0.5), st.floats(0, 1), st.floats(0.5, 1))
def test_it_is_never_read_where_it_could_change_nothing(one, other, seen, price, spread, usual):
    ends = tuple(np.array([end]) for end in sorted((one, other)))
    reading = NextReading(price, spread, usual)
    (from_,), (to,) = worth_reading(reading, np.array([seen]), ends)
    assert ends[0] <= from_ <= to <= ends[1]


@given(merits, st.floats(0.001, 0.5), st.floats(0.5, 1))
def test_what_tells_nothing_is_not_read_while_asking_on_costs_anything(seen, price, usual):
    ends = (np.array([0.01]), np.array([0.99]))
    (from_,), (to,) = worth_reading(NextReading(price, 0.0, usual), np.array([seen]), ends)
    assert from_ == to == pytest.approx(seen)


def test_where_nobody_knows_it_is_read_wherever_it_may_change_something():
    spans = (np.array([0.2, -np.inf, np.nan]), np.array([0.8, 0.8, np.nan]))
    foreseen = np.array([np.nan, 0.5, 0.5])
    found = worth_reading(NextReading(0.3, 0.5, 1.0), foreseen, spans)
    assert np.array_equal(found, spans, equal_nan=True)


@given(st.floats(-0.5, 1.5))
def test_what_is_bent_can_be_straightened(merit):
    assert straighten(soften(np.array([merit]))) == pytest.approx(merit, abs=1e-6)


def logistic(inputs, weight):
    n = len(inputs)
    each = {"low": (0.0,) * n, "high": (1.0,) * n, "fill": (0.5,) * n, "missing": (0.0,) * n}
    return Logistic(inputs=inputs, weights=(weight,) * n, intercept=-weight * n / 2, **each)


BOTH = logistic(("signal:free", "signal:paid"), 4.0)
FORESIGHT = Foresight(
    score=logistic(("signal:free",), 4.0), unread=("paid",), price=0.2, spread=1.0
)


def test_a_policy_without_foresight_reads_more():
    free, nothing = np.linspace(0, 1, 21), np.full(21, np.nan)
    inputs = Inputs(21, {"free": free, "paid": nothing})
    plain, foreseeing = (
        Merits(Calibrator(score=BOTH, foresight=foresight, usual=1.0))
        for foresight in ((), (FORESIGHT,))
    )
    (low, high), (from_, to) = (
        merits.spans(inputs, {"paid"}, missable=False) for merits in (plain, foreseeing)
    )
    assert (from_ >= low).all()
    assert (to <= high).all()
    assert ((to - from_) < 0.8 * (high - low)).all()


def test_a_draft_that_was_read_is_met_by_its_confidence():
    calibrator = Calibrator(score=BOTH, foresight=(FORESIGHT,), usual=0.9)
    merit, confidence, benefit = Merits(calibrator).one({"free": 0.9, "paid": 0.95})
    assert merit == confidence == Merits(calibrator.alone).one({"free": 0.9, "paid": 0.95})[0]
    assert benefit is None


@pytest.mark.parametrize(
    ("unread", "read", "said"),
    [
        (("judge",), "signal:free", "unread names 'judge', which is not read at all"),
        (("paid",), "signal:paid", "reads 'paid', which its unread names"),
    ],
)
def test_a_foresight_that_cannot_be_is_refused(unread, read, said):
    foresight = Foresight(score=logistic((read,), 1.0), unread=unread, price=0.1, spread=1.0)
    with pytest.raises(ValidationError, match=said):
        Calibrator(score=BOTH, foresight=(foresight,))


@pytest.mark.parametrize("wrong", [{"price": 0.0}, {"spread": 1.5}, {"unread": ()}])
def test_what_a_foresight_holds_is_checked(wrong):
    given_ = {"score": SignalScore(signal="free"), "unread": ("paid",), "price": 0.1, "spread": 1.0}
    with pytest.raises(ValidationError):
        Foresight(**{**given_, **wrong})
