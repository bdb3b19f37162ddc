"""The trail: every call written down once, with its price and its fate."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from cascade_core.call import Call
from cascade_core.costs.prices import Prices
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Drafts, Failed
from cascade_core.errors import CascadeExhausted, CutShortError
from cascade_core.loop import drivers
from cascade_core.loop.trail import Trail
from cascade_core.signals import BaseSignal
from cascade_core.tier import Tier
from cascade_core.usage import Usage
from tests.core.making import PRICES, REQUEST, ProviderError

TIER = Tier(1, "m1")
USAGE = Usage(100, 10)
PAID = Decimal("0.0012")  # USAGE at the price of m1


def call(outcome="returned", *, tier=0, model="m1", purpose="draft", cost=None, **more):
    return Call(tier, model, purpose, USAGE, cost, 0.1, outcome, **more)


def draft(*inner, **fields):
    return Draft("text", usage=USAGE, inner=inner, **fields)


@pytest.fixture
def trail():
    return Trail(PRICES)


# --- answers --------------------------------------------------------------------------------------


def test_an_answer_is_written_down_with_its_price(trail):
    trail.add(draft(model="m2", seconds=1.5), TIER, "sample", "used")
    assert trail.calls == [Call(1, "m2", "sample", USAGE, 10 * PAID, 1.5, "used")]


def test_an_answer_is_returned_unless_something_else_becomes_of_it(trail):
    entry = trail.add(draft(), TIER, "draft")
    assert trail.calls[0].outcome == "returned"
    entry.settle("rejected", "gate_empty")
    assert (trail.calls[0].outcome, trail.calls[0].note) == ("rejected", "gate_empty")


def test_the_calls_inside_a_tier_are_told_as_that_tiers(trail):
    trail.add(draft(call(tier=7)), TIER, "draft")
    assert [inner.tier for inner in trail.calls] == [1]


def test_the_calls_inside_a_tier_serve_what_its_answer_serves(trail):
    trail.add(draft(call(), call("used", purpose="judge")), TIER, "sample", "used")
    assert [inner.purpose for inner in trail.calls] == ["sample", "judge"]


def test_the_calls_inside_a_tier_are_priced_where_they_have_no_price_yet(trail):
    trail.add(draft(call(), call(cost=Decimal(7))), TIER, "draft")
    assert [inner.cost for inner in trail.calls] == [PAID, Decimal(7)]


def test_only_the_calls_an_answer_came_from_share_its_fate(trail):
    inner = [call(outcome) for outcome in ("rejected", "aborted", "failed", "used", "accepted")]
    trail.add(draft(*inner, call()), TIER, "sample", "used")
    assert [one.outcome for one in trail.calls] == [
        "rejected",
        "aborted",
        "failed",
        "used",
        "used",
        "used",
    ]


# --- failures -------------------------------------------------------------------------------------


def test_a_failure_is_written_down_without_a_price_and_without_its_words(trail):
    trail.fail(Failed(ProviderError("sk-secret", status=429), 0.5), TIER, "judge")
    assert trail.calls == [
        Call(1, "m1", "judge", None, None, 0.5, "failed", error="ProviderError (HTTP 429)")
    ]


def test_what_had_arrived_before_a_failure_is_paid_for(trail):
    trail.fail(Failed(ProviderError(), draft=draft()), TIER, "sample")
    (failed,) = trail.calls
    assert (failed.purpose, failed.outcome, failed.cost) == ("sample", "failed", PAID)
    assert failed.error == "ProviderError (HTTP 500)"


def test_what_a_cascade_within_had_tried_is_paid_for(trail):
    tried = [call("rejected"), call("failed", error="TimeoutError"), "not a call"]
    trail.fail(Failed(CascadeExhausted([], tried)), TIER, "draft")
    assert [(one.outcome, one.cost, one.error) for one in trail.calls] == [
        ("rejected", PAID, None),
        ("failed", PAID, "TimeoutError"),
    ]


def test_a_cascade_within_that_had_tried_nothing_is_one_failed_call(trail):
    trail.fail(Failed(CascadeExhausted([], [])), TIER, "draft")
    assert [(one.outcome, one.error) for one in trail.calls] == [("failed", "CascadeExhausted")]


def test_what_had_arrived_counts_before_what_a_cascade_within_says_it_tried(trail):
    exhausted = CascadeExhausted([], [call("rejected"), call("rejected")])
    trail.fail(Failed(exhausted, draft=draft()), TIER, "draft")
    assert len(trail.calls) == 1


def test_a_call_that_did_not_fail_is_not_given_the_error_of_the_whole(trail):
    trail.fail(Failed(CascadeExhausted([], [call("aborted")])), TIER, "draft")
    assert [(one.outcome, one.error) for one in trail.calls] == [("aborted", None)]


# --- cut off --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "saved"), [(30, 20), (10, 0), (5, 0), (1, 0), (0, None), (-1, None), (None, None)]
)
def test_what_cutting_off_saved_is_what_the_limit_left(trail, limit, saved):
    trail.abort(draft(), TIER, limit)
    (aborted,) = trail.calls
    assert (aborted.purpose, aborted.outcome) == ("draft", "aborted")
    assert (aborted.note, aborted.tokens_saved) == ("low_confidence", saved)


def test_what_cutting_off_saved_is_unknown_where_the_tokens_are(trail):
    trail.abort(Draft("text"), TIER, 30)
    assert trail.calls[0].tokens_saved is None


# --- what signals ask for -------------------------------------------------------------------------


class Asks(BaseSignal):
    """Asks a target several times at once."""

    name = "asks"

    def __init__(self, target, count=1):
        self._ask = Ask(target, REQUEST, purpose="judge", n=count)

    def measure(self, request, draft, tier):
        yield self._ask
        return 0.5


def read(trail, signal, tier, *replies):
    (reading, problem), _ = drivers.play(trail.read(signal, REQUEST, draft(), tier), replies)
    assert (reading, problem) == (0.5, None)


def test_a_signal_that_asks_its_own_tier_is_priced_as_that_tiers_host_prices():
    trail = Trail(Prices({"host/m1": {"input": 5, "output": 0}, "m1": {"input": 1, "output": 0}}))
    tier = Tier(1, "m1", provider="host")
    for target in (tier, "judge"):
        read(trail, Asks(target), tier, Drafts([Draft(model="m1", usage=USAGE)]))
    assert [one.cost for one in trail.calls] == [Decimal("0.0005"), Decimal("0.0001")]
    read(trail, Asks(tier), tier, Drafts([Draft(usage=USAGE)]))
    assert trail.calls[2].model == "m1"


def test_a_judge_without_a_price_is_not_priced_by_another_name_of_the_tier():
    trail = Trail(PRICES)
    read(trail, Asks("judge"), Tier(1, "m1", names=("m2",)), Drafts([Draft("A", usage=USAGE)]))
    assert trail.calls[0].cost is None


def test_one_failure_in_place_of_answers_stands_for_every_call(trail):
    read(trail, Asks("judge", count=3), TIER, Failed(ProviderError()))
    assert [(one.outcome, one.purpose, one.model) for one in trail.calls] == [
        ("failed", "judge", None)
    ] * 3


def test_answers_and_failures_of_one_asking_are_all_written_down(trail):
    reply = Drafts([draft(model="m2")], [Failed(ProviderError())])
    read(trail, Asks("judge", count=2), TIER, reply)
    assert [(one.tier, one.outcome) for one in trail.calls] == [(1, "used"), (1, "failed")]


def test_a_model_that_did_not_answer_is_named_as_it_was_asked(trail):
    judge = SimpleNamespace(model_name="judge-1")
    read(trail, Asks(judge), TIER, Failed(ProviderError()))
    read(trail, Asks(judge), TIER, Failed(CutShortError()))
    trail.leave(Ask(judge, REQUEST, purpose="judge"), None)
    assert [(one.model, one.outcome) for one in trail.calls] == [
        ("judge-1", "failed"),
        ("judge-1", "aborted"),
        ("judge-1", "aborted"),
    ]
    read(trail, Asks(judge), TIER, Drafts([Draft("A", usage=USAGE)]))
    assert trail.calls[3].model is None  # who answered is for the answer to say
