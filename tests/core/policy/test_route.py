"""Which tiers a request had better not ask: worked out by hand, and against every way to go on."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.held import Left
from cascade_core.policy import Policy
from cascade_core.policy.route import Route, Router, Stage, skips, values
from cascade_core.request import Request
from tests.core.making import plan_for
from tests.policies import EASY, HARD, LONG_IS_HARD

IN_CLASS = {
    "kind": "logistic",
    "inputs": ["class:dispute"],
    "low": [0.0],
    "high": [1.0],
    "fill": [0.0],
    "weights": [-20.0],
    "missing": [0.0],
    "intercept": 10.0,
}


def route(*stages, worth=0.0):
    """A route of stages, each a cost, a quality and the share of drafts accepted."""
    return Route(
        stages=tuple(
            Stage(cost_usd=cost, quality=quality, accepted=accepted)
            for cost, quality, accepted in stages
        ),
        worth=worth,
    )


def worth_of(made, *accepted):
    return values(made, [np.array(share) for share in accepted])


# --- what a way on is worth -----------------------------------------------------------------------


def test_a_tier_is_worth_what_its_answers_are_less_its_price_and_what_follows_where_it_fails():
    made = route((1.0, 0.8, 0.5), (10.0, 0.9, 1.0), worth=100.0)
    # The last: 100 × 0.9 − 10. The first: half of 100 × 0.8, less 1, and half of what follows.
    assert worth_of(made, [0.5]) == pytest.approx(np.array([[40 - 1 + 40, 80]]))


def test_where_a_draft_fails_the_best_later_tier_is_asked():
    made = route((1.0, 0.5, 0.2), (20.0, 0.5, 0.1), (10.0, 0.5, 1.0))
    # The middle one costs more than going straight to the last.
    assert worth_of(made, [0.2], [0.1]) == pytest.approx(np.array([[-1 - 8, -20 - 9, -10]]))


def test_every_request_has_its_own_chances():
    made = route((1.0, 0.5, 0.5), (10.0, 0.5, 1.0))
    assert worth_of(made, [0.0, 0.1, 1.0]) == pytest.approx(
        np.array([[-11, -10], [-10, -10], [-1, -10]])
    )


def test_a_single_tier_is_worth_its_answers():
    assert values(route((10.0, 0.9, 1.0), worth=100.0), []) == pytest.approx(np.array([[80.0]]))


@pytest.mark.parametrize("chances", [[], [0.5], [0.5, 0.5, 0.5]])
def test_every_tier_but_the_last_needs_its_chances(chances):
    made = route((1.0, 0.5, 0.5), (1.0, 0.5, 0.5), (10.0, 0.5, 1.0))
    with pytest.raises(ValueError, match="argument 2 is"):
        values(made, [np.array([chance]) for chance in chances])


@given(
    stages=st.lists(
        st.tuples(st.floats(0, 20), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4
    ),
    worth=st.floats(0, 50),
)
def test_a_tier_is_worth_the_best_of_every_way_to_go_on_from_it(stages, worth):
    made = route(*stages, worth=worth)
    (found,) = values(made, [np.array([accepted]) for *_, accepted in stages[:-1]])
    last = len(stages) - 1
    for first in range(len(stages)):
        best = -np.inf
        for picks in itertools.product([False, True], repeat=max(0, last - first - 1)):
            way = [first, *(k for k, on in zip(range(first + 1, last), picks, strict=True) if on)]
            way += [last] if first < last else []
            total, reached = 0.0, 1.0
            for k in way:
                cost, quality, accepted = stages[k]
                accepted = 1.0 if k == last else accepted
                total += reached * (accepted * worth * quality - cost)
                reached *= 1 - accepted
            best = max(best, total)
        assert found[first] == pytest.approx(best, abs=1e-9)


# --- what is left out -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("worths", "left_out"),
    [
        ([3.0, 2.0, 1.0], [False, False, False]),
        ([1.0, 2.0, 3.0], [True, True, False]),
        ([2.0, 1.0, 3.0], [True, True, False]),
        ([2.0, 3.0, 1.0], [True, False, False]),
        ([3.0, 1.0, 2.0], [False, True, False]),
        ([2.0, 2.0, 2.0], [False, False, False]),
        ([4.0, 2.0, 1.0, 3.0], [False, True, True, False]),
        ([3.0, 1.0, 4.0, 2.0], [True, True, False, False]),
        ([5.0], [False]),
    ],
)
def test_a_tier_is_left_out_where_some_later_one_is_worth_more(worths, left_out):
    found = skips(np.array([worths, worths]))
    assert found.tolist() == [left_out, left_out]
    assert found.dtype == bool


# --- made ready -----------------------------------------------------------------------------------


def accepting(score, *, accepted=0.5, costs=(1.0, 10.0)):
    return Route.model_validate(
        {
            "stages": [
                {"cost_usd": costs[0], "quality": 0.9, "accepted": accepted, "accepts": score},
                {"cost_usd": costs[1], "quality": 0.95},
            ]
        }
    )


def test_a_request_is_judged_by_its_own_text():
    router = Router(accepting(LONG_IS_HARD))
    assert router.skips([EASY, HARD, EASY]).tolist() == [[False, False], [True, False], [False] * 2]


def test_a_tier_whose_cache_is_warm_costs_less_and_the_one_before_it_is_sooner_left_out():
    router = Router(accepting(None, accepted=0.5, costs=(4.0, 10.0)))
    assert router.skips(["a"]).tolist() == [[False, False]]  # 4 + 10 / 2 is less than 10
    assert router.skips(["a"], shares={1: 0.7}).tolist() == [[True, False]]  # 4 + 7 / 2 is not
    assert router.skips(["a"], shares={1: 1.0}).tolist() == [[False, False]]


def test_a_plan_asks_for_the_tier_that_a_conversation_comes_down_from_at_its_warm_price():
    plan = replace(plan_for(), router=Router(accepting(None, accepted=0.5, costs=(4.0, 10.0))))
    request = Request.of("a")
    assert plan.skipped(request) == []
    request.left = Left(1, 0.0, 0.7)
    assert plan.skipped(request) == [0]


def test_a_request_is_judged_by_its_class():
    router = Router(accepting({"score": IN_CLASS}))
    asked = router.skips(["a", "b", "c"], ["dispute", None, "billing"])
    assert asked[:, 0].tolist() == [True, False, False]


def test_without_a_calibrator_all_requests_have_the_share_that_was_measured():
    assert Router(accepting(None)).skips(["a", "b"]).tolist() == [[False, False]] * 2
    dear = Router(accepting(None, accepted=0.5, costs=(6.0, 10.0)))
    assert dear.skips(["a", "b"]).tolist() == [[True, False]] * 2


def test_stages_with_and_without_a_calibrator_go_together():
    made = Route.model_validate(
        {
            "stages": [
                {"cost_usd": 1.0, "quality": 0.9, "accepted": 0.01},
                {"cost_usd": 1.0, "quality": 0.9, "accepts": LONG_IS_HARD},
                {"cost_usd": 10.0, "quality": 0.9},
            ]
        }
    )
    assert Router(made).skips([EASY, HARD]).tolist() == [[True, False, False], [True, True, False]]
    assert made.reads_text
    assert not accepting(None).reads_text
    assert not accepting({"score": IN_CLASS}).reads_text


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ({"cost_usd": -1.0, "quality": 0.5}, "cost_usd: must be at least 0"),
        ({"cost_usd": 1.0, "quality": 1.5}, "quality: must be at most 1"),
        ({"cost_usd": 1.0, "quality": 0.5, "accepted": -0.1}, "accepted: must be at least 0"),
    ],
)
def test_a_stage_that_cannot_be_is_named(stage, said):
    with pytest.raises(ConfigurationError) as caught:
        Policy.load({"route": {"stages": [stage]}})
    assert str(caught.value) == f"policy: route.stages[0].{said}"
