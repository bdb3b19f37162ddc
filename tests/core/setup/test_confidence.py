"""Readings that become one confidence, and what those not yet read leave possible."""

import math

import pytest

from cascade_core.setup.confidence import Raw
from cascade_core.signals.readings import make_combiner

NAMES = ["free", "paid"]


def raw(combine="min"):
    return Raw(make_combiner(combine, NAMES), NAMES)


@pytest.mark.parametrize("readings", [{}, {"free": None}])
def test_where_nothing_was_read_no_threshold_is_met_for_certain(readings):
    lowest, highest = raw().span(readings)
    assert (lowest, highest) == (-math.inf, 1.0)
    assert not lowest >= 0.0, "not even a threshold of 0"


@pytest.mark.parametrize(
    ("combine", "span"),
    [("min", (0.0, 0.6)), ("mean", (0.3, 0.8)), ({"free": 3, "paid": 1}, (0.45, 0.7))],
)
def test_signals_not_read_leave_what_they_could_say_at_worst_and_at_best(combine, span):
    assert raw(combine).span({"free": 0.6}) == pytest.approx(span)


def test_what_a_signal_could_not_read_it_will_not_read_later():
    assert raw("mean").span({"free": None, "paid": 0.6}) == pytest.approx((0.6, 0.6))


@pytest.mark.parametrize(("missable", "span"), [(True, (0.3, 0.8)), (False, (0.3, 0.8))])
def test_a_signal_that_says_nothing_at_last_leaves_the_others(missable, span):
    assert raw("mean").span({"free": 0.6}, missable=missable) == pytest.approx(span)


def test_a_combiner_that_raises_leaves_everything_possible_and_gives_no_confidence():
    class Mine:
        identity = "mine"

        def combine(self, readings):
            raise KeyError("secret")

    mine = Raw(Mine(), NAMES)
    assert mine.of({"free": 0.9}) == (None, None, None, "raised KeyError")
    assert mine.span({"free": 0.9}) == (-math.inf, 1.0)
    assert mine.bound()({"free": 0.0}) == 1.0


def test_an_unfinished_draft_may_get_all_that_is_not_read_yet():
    assert raw("mean").bound()({"free": 0.6}) == pytest.approx(0.8)
